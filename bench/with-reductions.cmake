# bench-reductions drives the kernels of kernels/cuda itself. What it does is tested on the fake driver: figures are made
# of nothing there, but each sum is looked at, and a device that does nothing, or knows no time, is told.
target_link_libraries(bench-reductions PRIVATE cf_kernels)
target_include_directories(bench-reductions PRIVATE ${CMAKE_SOURCE_DIR}/kernels/cuda)
if(CF_CUDA_FOUND AND TARGET fake_cuda)
  set_target_properties(bench-reductions PROPERTIES EXCLUDE_FROM_ALL OFF)
  add_dependencies(bench-reductions fake_cuda)
  foreach(lie honest silent timeless no-device)
    add_test(NAME bench_reductions_${lie} COMMAND bench-reductions 1 1 2)
    set_tests_properties(bench_reductions_${lie} PROPERTIES TIMEOUT 60
                         ENVIRONMENT "LD_LIBRARY_PATH=${CMAKE_BINARY_DIR}/fakes;FAKE_GPU=${lie}")
  endforeach()
  set_tests_properties(bench_reductions_honest PROPERTIES PASS_REGULAR_EXPRESSION
                       "dot\tf64\twide\t[0-9.]+\t[0-9.]+\t[0-9.]+.* of 30 rows reach 0.9")
  set_tests_properties(bench_reductions_silent PROPERTIES PASS_REGULAR_EXPRESSION "is not the sum of")
  set_tests_properties(bench_reductions_timeless PROPERTIES PASS_REGULAR_EXPRESSION "no time has passed")
  set_tests_properties(bench_reductions_no-device PROPERTIES PASS_REGULAR_EXPRESSION "skipped: the CUDA driver finds no")
endif()
