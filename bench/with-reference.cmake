# The parts of bench-reference, one of them with loops that the compiler may reorder; Arb is a peer where it is installed.
target_sources(bench-reference PRIVATE support_reference.c support_reference_gemm.c support_reference_loops.c)
set_source_files_properties(support_reference_loops.c PROPERTIES COMPILE_OPTIONS
  "-O3;-ffast-math;-march=native;-fno-strict-aliasing")
target_include_directories(bench-reference PRIVATE ${CMAKE_SOURCE_DIR}/reference/exact)
find_library(CF_ARB NAMES flint-arb arb)
find_path(CF_ARB_HEADERS arb.h)
find_library(CF_FLINT flint)
if(CF_ARB AND CF_ARB_HEADERS AND CF_FLINT)
  target_compile_definitions(bench-reference PRIVATE CF_HAVE_ARB)
  target_include_directories(bench-reference SYSTEM PRIVATE ${CF_ARB_HEADERS} ${CF_ARB_HEADERS}/flint)
  target_link_libraries(bench-reference PRIVATE ${CF_ARB} ${CF_FLINT})
endif()
