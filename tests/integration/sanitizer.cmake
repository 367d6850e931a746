# Every capture inside the distribution's tshark with the plugin under the sanitizers.
if(FIELDEDGE_SANITIZE MATCHES "address")
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libasan.so
    OUTPUT_VARIABLE asan OUTPUT_STRIP_TRAILING_WHITESPACE)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libubsan.so
    OUTPUT_VARIABLE ubsan OUTPUT_STRIP_TRAILING_WHITESPACE)
  add_test(NAME sanitizer/captures
    COMMAND /usr/bin/python3 -B ${CMAKE_CURRENT_LIST_DIR}/test_sanitizer.py)
  set_tests_properties(sanitizer/captures PROPERTIES LABELS sanitizer TIMEOUT 1200
    SKIP_RETURN_CODE 77
    ENVIRONMENT "FIELDEDGE_BUILD=${CMAKE_BINARY_DIR};FIELDEDGE_SANITIZER_LIBRARIES=${asan} ${ubsan}")
endif()
