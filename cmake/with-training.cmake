# The digits are part of the program.
set(digits ${CMAKE_SOURCE_DIR}/data/digits.csv)
set_source_files_properties(harness/data/digits.c PROPERTIES OBJECT_DEPENDS ${digits}
                            COMPILE_DEFINITIONS CF_DIGITS_PATH="${digits}")
