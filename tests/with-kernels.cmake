# The kernels in the test's own process: for tests of single kernels against the reference. (The program itself
# never does this: subject and truth share no process there.)
add_library(cf_kernels STATIC EXCLUDE_FROM_ALL ${kernel_table} ${kernel_sources}
            ${CMAKE_SOURCE_DIR}/harness/worker/registry.c ${CMAKE_SOURCE_DIR}/harness/worker/window.c
            ${CMAKE_SOURCE_DIR}/harness/worker/im2col.c kernel_check.c)
target_include_directories(cf_kernels PUBLIC ${CMAKE_SOURCE_DIR}/harness/worker ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(cf_kernels PRIVATE CF_VERSION="${PROJECT_VERSION}")
target_link_libraries(cf_kernels PUBLIC cf_conform dl)
foreach(name test_conv_kernels test_primitives)
  if(TARGET ${name})
    target_link_libraries(${name} PRIVATE cf_kernels)
  endif()
endforeach()
if(TARGET test_conv_kernels)
  target_sources(test_conv_kernels PRIVATE liars/conv.c)
endif()
if(TARGET test_primitives)
  target_sources(test_primitives PRIVATE liars/layers.c)
endif()
