add_test(NAME philox_device COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/philox_device.sh ${CMAKE_SOURCE_DIR})
set_tests_properties(philox_device PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
