# The kernels as a library, for tests and benches of single kernels. (The program itself never links them: subject
# and truth share no process there.)
add_library(cf_kernels STATIC EXCLUDE_FROM_ALL ${kernel_table} ${kernel_sources}
            ${CMAKE_SOURCE_DIR}/harness/worker/registry.c ${CMAKE_SOURCE_DIR}/harness/worker/window.c
            ${CMAKE_SOURCE_DIR}/harness/worker/im2col.c
            ${CMAKE_SOURCE_DIR}/harness/worker/gpu.c
            ${CMAKE_SOURCE_DIR}/harness/worker/gpu_memory.c
            ${CMAKE_SOURCE_DIR}/harness/worker/gpu_mig.c
            ${CMAKE_SOURCE_DIR}/harness/worker/gpu_state.c)
target_include_directories(cf_kernels PUBLIC ${CMAKE_SOURCE_DIR}/harness/worker)
target_compile_definitions(cf_kernels PRIVATE CF_VERSION="${PROJECT_VERSION}")
target_link_libraries(cf_kernels PUBLIC cf_conform dl)
