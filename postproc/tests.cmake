# Tests of libfieldedge and of the `fieldedge` command.  Included by the root's tests.

find_package(PkgConfig REQUIRED)
pkg_check_modules(CUNIT REQUIRED IMPORTED_TARGET cunit)
find_program(FIELDEDGE_PYTHON NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
get_filename_component(postproc_root "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)

# Sources after the name are compiled in: what the shared library does not show.
function(postproc_unit_test name)
  add_executable(test_postproc_${name} "${postproc_root}/tests/unit/test_postproc_${name}.c" ${ARGN})
  set_target_properties(test_postproc_${name} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON)
  target_include_directories(test_postproc_${name} PRIVATE "${postproc_root}/postproc")
  target_link_libraries(test_postproc_${name} PRIVATE libfieldedge fieldedge_output
    fieldedge_schema PkgConfig::CUNIT PkgConfig::GLIB PkgConfig::SQLITE3)
  add_test(NAME unit/test_postproc_${name} COMMAND test_postproc_${name})
  set_tests_properties(unit/test_postproc_${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# What the shared library does not show: the same objects, linked statically.
add_library(fieldedge_inside STATIC $<TARGET_OBJECTS:libfieldedge>)
set_target_properties(fieldedge_inside PROPERTIES LINKER_LANGUAGE C)
target_link_libraries(fieldedge_inside PUBLIC fieldedge_periods fieldedge_schema PkgConfig::GLIB
  PkgConfig::SQLITE3 m ${CMAKE_DL_LIBS})

function(postproc_inner_test name)
  add_executable(test_postproc_${name} "${postproc_root}/tests/unit/test_postproc_${name}.c")
  set_target_properties(test_postproc_${name} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON)
  target_include_directories(test_postproc_${name} PRIVATE "${postproc_root}/postproc")
  target_link_libraries(test_postproc_${name} PRIVATE fieldedge_inside PkgConfig::CUNIT)
  add_test(NAME unit/test_postproc_${name} COMMAND test_postproc_${name})
  set_tests_properties(unit/test_postproc_${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

foreach(name IN ITEMS bins bundle filter pairing parse periods results spool statistics)
  postproc_inner_test(${name})
endforeach()

postproc_unit_test(conversations)
postproc_unit_test(database)
postproc_unit_test(near "${postproc_root}/postproc/near.c")
postproc_unit_test(pairs)
postproc_unit_test(prefixes "${postproc_root}/postproc/prefixes.c")
postproc_unit_test(query)
postproc_unit_test(series)
postproc_unit_test(structure "${postproc_root}/postproc/capture/structure.c"
  "${postproc_root}/postproc/capture/process_id.c")
postproc_unit_test(units "${postproc_root}/postproc/cli/progress.c"
                   "${postproc_root}/postproc/cli/units.c")

# Stock tshark cannot load a plugin with sanitizers.
if(TARGET fieldedge_plugin AND NOT FIELDEDGE_SANITIZE)
  set(has_plugin 1)
else()
  set(has_plugin 0)
endif()

# Each script is a unittest of Python; the standard library is the oracle.
foreach(name IN ITEMS analyze capture check conversations damage detector errors intervals jobs
                      output periods plot process repair schema series services sql summary
                      watch where)
  add_test(NAME integration/test_fieldedge_${name}
    COMMAND "${FIELDEDGE_PYTHON}" -B
            "${postproc_root}/tests/integration/test_fieldedge_${name}.py")
  set_tests_properties(integration/test_fieldedge_${name} PROPERTIES
    LABELS integration TIMEOUT 600
    ENVIRONMENT "FIELDEDGE=$<TARGET_FILE:fieldedge>;FIELDEDGE_BUILD=${CMAKE_BINARY_DIR};FIELDEDGE_SOURCE=${postproc_root};\
FIELDEDGE_SANITIZE=${FIELDEDGE_SANITIZE};FIELDEDGE_HAS_PLUGIN=${has_plugin}"
    SKIP_RETURN_CODE 77)
endforeach()

add_executable(test_periodicity "${postproc_root}/tests/unit/test_periodicity.c")
target_link_libraries(test_periodicity PRIVATE fieldedge_periods PkgConfig::CUNIT m)
add_test(NAME unit/test_periodicity COMMAND test_periodicity)
set_tests_properties(unit/test_periodicity PROPERTIES LABELS unit TIMEOUT 300)

# The output layer knows nothing of the library.
foreach(name IN ITEMS chart output)
  add_executable(test_${name} "${postproc_root}/tests/unit/test_${name}.c")
  set_target_properties(test_${name} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON)
  target_link_libraries(test_${name} PRIVATE fieldedge_output PkgConfig::CUNIT m)
  add_test(NAME unit/test_${name} COMMAND test_${name})
  set_tests_properties(unit/test_${name} PROPERTIES LABELS unit TIMEOUT 300)
endforeach()
