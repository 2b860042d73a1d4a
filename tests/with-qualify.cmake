# The worker once more, with one faulty kernel in place of an honest one: what conform qualify must find. x86-64 only, as
# the fault is in AVX2.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(sources ${kernel_sources})
  list(FILTER sources EXCLUDE REGEX "/vector/chain\\.c$")
  file(GLOB worker_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/harness/worker/*.c)
  add_executable(conform-worker-faulty ${worker_sources} ${kernel_table} ${sources} liars/chain_faulty.c)
  set_target_properties(conform-worker-faulty PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/liars)
  target_include_directories(conform-worker-faulty PRIVATE ${CMAKE_SOURCE_DIR}/harness/worker
                             ${CMAKE_SOURCE_DIR}/kernels/vector)
  target_compile_definitions(conform-worker-faulty PRIVATE CF_VERSION="${PROJECT_VERSION}")
  target_link_libraries(conform-worker-faulty PRIVATE cf_base cf_cuda_images ${JANSSON_STATIC} ${XXHASH_STATIC} m dl
                        Threads::Threads)
  add_dependencies(test_qualify conform-worker-faulty conform-worker)
endif()

if(TARGET conform-program)
  add_test(NAME qualify_command COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/qualify.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  add_test(NAME qualify_gpu COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/qualify_gpu.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  set_tests_properties(qualify_command qualify_gpu PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 240)
endif()
