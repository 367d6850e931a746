# The empty tap that tests/bench/recording compares with: built with the tests, run by hand.
add_library(fieldedge_empty_tap MODULE bench/empty_tap.c)
set_target_properties(fieldedge_empty_tap PROPERTIES
  PREFIX "" OUTPUT_NAME empty_tap
  LIBRARY_OUTPUT_DIRECTORY
    ${CMAKE_CURRENT_BINARY_DIR}/bench-plugins/${FIELDEDGE_WIRESHARK_SERIES}/epan)
target_include_directories(fieldedge_empty_tap SYSTEM PRIVATE ${FIELDEDGE_EPAN_INCLUDES})
target_link_libraries(fieldedge_empty_tap PRIVATE epan PkgConfig::GLIB)
