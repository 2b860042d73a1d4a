if(TARGET conform-program)
  add_test(NAME probe COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/probe.sh ${CMAKE_BINARY_DIR})
  set_tests_properties(probe PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
