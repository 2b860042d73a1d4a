# The pins of libraries are part of the program.
set(pins ${CMAKE_SOURCE_DIR}/data/libraries.tsv)
set_source_files_properties(harness/upgrade/libraries.c PROPERTIES OBJECT_DEPENDS ${pins}
                            COMPILE_DEFINITIONS CF_LIBRARIES_PATH="${pins}")
