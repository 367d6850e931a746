# The style and the static checks, as tests.  A tool that is missing is a failure: scripts/test
# installs it.
foreach(check IN ITEMS format tidy cppcheck shell text)
  add_test(NAME style/${check}
    COMMAND ${PROJECT_SOURCE_DIR}/tests/style/check-style ${check} ${CMAKE_BINARY_DIR}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(style/${check} PROPERTIES LABELS style TIMEOUT 1200)
endforeach()
