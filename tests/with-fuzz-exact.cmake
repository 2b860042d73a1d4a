# The fuzz harness of the exact reference, with its sources so that they are instrumented: -DCF_FUZZ=ON and clang.
if(CF_FUZZ)
  file(GLOB exact_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/reference/exact/*.c)
  add_executable(fuzz_exact fuzz_exact.c ${exact_sources})
  target_include_directories(fuzz_exact PRIVATE ${CMAKE_SOURCE_DIR}/reference/exact)
  target_compile_options(fuzz_exact PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_options(fuzz_exact PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_libraries(fuzz_exact PRIVATE PkgConfig::MPFR m Threads::Threads)
endif()
