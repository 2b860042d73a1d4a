# bench-convolutions opens oneDNN through the backend's own kernels.
target_link_libraries(bench-convolutions PRIVATE cf_kernels)
