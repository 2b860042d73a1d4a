if(TARGET conform-program)
  add_test(NAME golden COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/golden.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(golden PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endif()
