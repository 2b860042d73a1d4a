# The promises of vendors are part of the program.
set(promises ${CMAKE_SOURCE_DIR}/data/promises.tsv)
set_source_files_properties(harness/base/promises.c PROPERTIES OBJECT_DEPENDS ${promises}
                            COMPILE_DEFINITIONS CF_PROMISES_PATH="${promises}")
