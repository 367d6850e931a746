# Tests of how the recording behaves: errors, crashes, live capture, inputs, preferences.
# Included by tests/CMakeLists.txt.  Each is one Python file, run with the build directory; 77 = skipped.
if(FIELDEDGE_PLUGIN)
  foreach(name IN ITEMS crash errors fields inputs live preferences tables)
    add_test(NAME integration/${name}
      COMMAND /usr/bin/python3 ${CMAKE_CURRENT_LIST_DIR}/test_${name}.py)
    set_tests_properties(integration/${name} PROPERTIES
      LABELS integration
      ENVIRONMENT "FIELDEDGE_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1"
      SKIP_RETURN_CODE 77
      TIMEOUT 600)
  endforeach()
  # The real Wireshark on a display of its own.
  if(FIELDEDGE_COMMAND)
    add_test(NAME gui/windows COMMAND /usr/bin/python3 ${PROJECT_SOURCE_DIR}/tests/gui/test_windows.py)
    set_tests_properties(gui/windows PROPERTIES
      LABELS gui
      ENVIRONMENT "FIELDEDGE_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1"
      SKIP_RETURN_CODE 77
      TIMEOUT 300)
  endif()
endif()
