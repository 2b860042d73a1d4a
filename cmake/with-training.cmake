# The digits are part of the program.
set(digits ${CMAKE_SOURCE_DIR}/data/digits.csv)
set_source_files_properties(harness/data/digits.c PROPERTIES OBJECT_DEPENDS ${digits}
                            COMPILE_DEFINITIONS CF_DIGITS_PATH="${digits}")
# So are the weights of the frozen classifier.
set(classifier ${CMAKE_SOURCE_DIR}/data/classifier.txt)
set_source_files_properties(harness/data/classifier.c PROPERTIES OBJECT_DEPENDS ${classifier}
                            COMPILE_DEFINITIONS CF_CLASSIFIER_PATH="${classifier}")
