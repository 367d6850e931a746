# The documents are true: every example is run, every column described, the picture drawn from the
# capture.  And the installed project works.  Included by tests/CMakeLists.txt; 77 = skipped.
if(TARGET fieldedge_plugin AND TARGET fieldedge AND NOT FIELDEDGE_SANITIZE)
  foreach(script IN ITEMS docs/test_examples docs/test_schema_columns docs/test_chart
                          install/test_install)
    string(REPLACE "test_" "" name ${script})
    add_test(NAME ${name}
      COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tests/${script}.py)
    set_tests_properties(${name} PROPERTIES
      LABELS docs
      ENVIRONMENT "FIELDEDGE_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1"
      SKIP_RETURN_CODE 77
      TIMEOUT 600)
  endforeach()
endif()
