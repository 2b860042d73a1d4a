# The frozen classifier is trained again and compared with the file.
add_executable(classifier-main classifier_main.c)
target_link_libraries(classifier-main PRIVATE cf_conform)
target_compile_definitions(classifier-main PRIVATE CF_BINARY_DIR="${CMAKE_BINARY_DIR}")
set_target_properties(classifier-main PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/helpers)
add_dependencies(classifier-main conform-worker)
add_test(NAME levels COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/levels.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(levels PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)
add_test(NAME smoke COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/smoke.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(smoke PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)
add_test(NAME bank COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/bank.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(bank PROPERTIES TIMEOUT 480) # 564 runs: 14 s of a core, and minutes where others load it
