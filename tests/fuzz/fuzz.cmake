# The fuzzers, if FIELDEDGE_FUZZ is on (tests/fuzz/run builds so, with clang), and in every other build
# the test that runs them.

set(fuzz "${PROJECT_SOURCE_DIR}/tests/fuzz")

if(NOT FIELDEDGE_FUZZ)
  # Eight targets, two at once: under four minutes, the build included.
  add_test(NAME fuzz/all COMMAND "${fuzz}/run" 45)
  set_tests_properties(fuzz/all PROPERTIES
    LABELS fuzz TIMEOUT 1200 PROCESSORS 2 SKIP_RETURN_CODE 77
    ENVIRONMENT "FIELDEDGE_FUZZ_BUILD=${CMAKE_BINARY_DIR}/fuzz;FIELDEDGE_SOURCE=${PROJECT_SOURCE_DIR};\
FIELDEDGE_BUILD=${CMAKE_BINARY_DIR}")
  return()
endif()

# Sources after the name are compiled in: what the shared library does not show.
function(fieldedge_fuzzer name)
  add_executable(fuzz_${name} "${fuzz}/fuzz_${name}.c" ${ARGN})
  target_include_directories(fuzz_${name} PRIVATE "${fuzz}" "${PROJECT_SOURCE_DIR}/postproc")
  target_link_libraries(fuzz_${name} PRIVATE libfieldedge fieldedge_output fieldedge_schema
    PkgConfig::GLIB PkgConfig::SQLITE3 PkgConfig::JANSSON)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()

set(postproc "${PROJECT_SOURCE_DIR}/postproc")
fieldedge_fuzzer(database "${fuzz}/fuzz_read.c")
fieldedge_fuzzer(near "${postproc}/near.c")
fieldedge_fuzzer(output)
fieldedge_fuzzer(prefixes "${postproc}/prefixes.c")
fieldedge_fuzzer(query)
fieldedge_fuzzer(rows "${fuzz}/fuzz_read.c")
fieldedge_fuzzer(filter)
fieldedge_fuzzer(parse "${postproc}/parse.c")
