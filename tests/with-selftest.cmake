# The instrument's own error rates, in the fast form, and liars among its records.
add_test(NAME selftest_fast COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/selftest.sh ${CMAKE_BINARY_DIR}
         WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(selftest_fast PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77 LABELS slow)
