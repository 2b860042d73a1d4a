# A run that test_run kills.
add_executable(run_program run_program.c)
target_link_libraries(run_program PRIVATE cf_conform)
add_dependencies(test_run conform-worker)
add_dependencies(test_run_kill run_program conform-worker)
add_dependencies(test_session conform-worker)
