if(TARGET manual)
  add_test(NAME manual COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/manual.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(manual PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 60)
endif()
