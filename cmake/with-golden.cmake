# The golden pack of `conform qualify` is part of the program. data/golden/README.md says how it was made.
set(golden ${CMAKE_SOURCE_DIR}/data/golden/qualify.golden)
set_source_files_properties(harness/judge/golden.c PROPERTIES OBJECT_DEPENDS ${golden}
                            COMPILE_DEFINITIONS CF_GOLDEN_PATH="${golden}")
