# What the libraries chose to run, from the worker to the reports, and the promises about it.
if(TARGET conform-program)
  add_test(NAME chosen_reported COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/chosen.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(chosen_reported PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
endif()
