if(TARGET conform-program)
  add_test(NAME engines COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/engines.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(engines PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)
endif()
