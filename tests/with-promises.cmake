if(TARGET conform-program)
  add_test(NAME promises_kept COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/promises.sh ${CMAKE_BINARY_DIR})
  set_tests_properties(promises_kept PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
