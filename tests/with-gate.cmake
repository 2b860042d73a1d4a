# gate, diff and sweep from outside.
if(TARGET conform-program)
  add_test(NAME gate_commands COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/gate.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(gate_commands PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)
endif()
if(TARGET conform-program)
  add_test(NAME adapters COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/adapters.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(adapters PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)
endif()
