# Shell tests of reports, scripts and the command line. 77 is a skip, with its reason printed.
add_test(NAME reports_valid COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/reports_valid.sh ${CMAKE_SOURCE_DIR}
                                    ${CMAKE_BINARY_DIR})
set_tests_properties(reports PROPERTIES FIXTURES_SETUP report_samples)
set_tests_properties(reports_valid PROPERTIES FIXTURES_REQUIRED report_samples SKIP_RETURN_CODE 77 TIMEOUT 60)

add_test(NAME rules COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/rules.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
set_tests_properties(rules PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)

if(TARGET conform-program)
  add_test(NAME cli_commands COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(cli_commands PROPERTIES TIMEOUT 240)
endif()

add_test(NAME entry COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/entry.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
set_tests_properties(entry PROPERTIES TIMEOUT 60)

if(TARGET conform-program)
  add_test(NAME fleet COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/fleet.sh ${CMAKE_BINARY_DIR})
  set_tests_properties(fleet PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 120)
endif()
