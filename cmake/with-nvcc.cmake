# The device code of kernels/cuda: three modules (every step rounded once; contracted; fast math), as nvcc makes them,
# put into the worker as bytes. Nothing of CUDA is linked: the driver is opened at run time. Without nvcc, or with
# CF_CUDA=OFF, the backend is there and says at run time why it has no device code.
option(CF_CUDA "device code for GPUs, when nvcc is there" ON)
set(CF_CUDA_ARCHITECTURES "-gencode;arch=compute_90,code=sm_90;-gencode;arch=compute_90,code=compute_90" CACHE STRING
    "nvcc's words for what to make code for")
set(cuda_images ${CMAKE_BINARY_DIR}/generated/cf_cuda_images.c)
set(cuda_modules "")
if(CF_CUDA)
  find_package(CUDAToolkit QUIET)
endif()
set(CF_CUDA_FOUND FALSE)
if(CF_CUDA AND CUDAToolkit_NVCC_EXECUTABLE)
  set(CF_CUDA_FOUND TRUE)
endif()
set(text "/* Generated: the modules of kernels/cuda. */\n#include \"cuda.h\"\n\n")
set(cases "")
foreach(pair plain:--fmad=false fma:--fmad=true fast:--use_fast_math)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 name)
  list(GET pair 1 flag)
  string(TOUPPER ${name} upper)
  if(CF_CUDA_FOUND)
    set(module ${CMAKE_BINARY_DIR}/generated/cuda-${name}.fatbin)
    file(GLOB cuda_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/cuda/*.cu)
    add_custom_command(OUTPUT ${module}
      COMMAND ${CUDAToolkit_NVCC_EXECUTABLE} -fatbin --no-compress ${flag} ${CF_CUDA_ARCHITECTURES} -o ${module}
              ${CMAKE_SOURCE_DIR}/kernels/cuda/kernels.cu
      DEPENDS ${cuda_sources} ${CMAKE_SOURCE_DIR}/kernels/cuda/grid.h ${CMAKE_SOURCE_DIR}/kernels/cuda/parameters.h
      COMMENT "nvcc ${flag}: kernels/cuda" VERBATIM)
    list(APPEND cuda_modules ${module})
    string(APPEND text "__asm__(\".pushsection .rodata\\n.balign 64\\ncf_cuda_${name}:\\n.incbin \\\"${module}\\\"\\n\"
        \"cf_cuda_${name}_end:\\n.byte 0\\n.popsection\");\n"
      "extern const char cf_cuda_${name}[], cf_cuda_${name}_end[];\n")
    string(APPEND cases "    if (variant == CF_CUDA_${upper})\n        return (struct cf_cuda_image){cf_cuda_${name}, "
      "(size_t)(cf_cuda_${name}_end - cf_cuda_${name})};\n")
  endif()
endforeach()
string(APPEND text "\nstruct cf_cuda_image cf_cuda_image(enum cf_cuda_variant variant)\n{\n    (void)variant;\n${cases}"
  "    return (struct cf_cuda_image){NULL, 0};\n}\n")
file(CONFIGURE OUTPUT ${cuda_images} CONTENT "${text}" @ONLY)
set_source_files_properties(${cuda_images} PROPERTIES OBJECT_DEPENDS "${cuda_modules}")
# A library of its own, so that the modules are made once for every program that holds the kernels.
add_library(cf_cuda_images STATIC ${cuda_images})
target_include_directories(cf_cuda_images PRIVATE ${CMAKE_SOURCE_DIR}/kernels/cuda ${CMAKE_SOURCE_DIR}/harness/worker
                           ${CMAKE_SOURCE_DIR}/harness ${CMAKE_SOURCE_DIR}/harness/base)

target_link_libraries(conform-worker PRIVATE cf_cuda_images)
target_link_libraries(cf_kernels PUBLIC cf_cuda_images)
# CUB needs C++ and the CUDA runtime: a library of its own, made only when asked for (ninja conform-cub).
if(CF_CUDA_FOUND)
  set(cub ${CMAKE_BINARY_DIR}/libconform-cub.so)
  set(cub_folders ${CUDAToolkit_INCLUDE_DIRS})
  list(TRANSFORM cub_folders PREPEND -I)
  set(cub_cccl ${CUDAToolkit_INCLUDE_DIRS})
  list(TRANSFORM cub_cccl REPLACE "(.+)" "-I\\1/cccl")
  add_custom_command(OUTPUT ${cub}
    COMMAND ${CUDAToolkit_NVCC_EXECUTABLE} -O2 -shared -Xcompiler -fPIC -cudart=none ${cub_folders} ${cub_cccl}
            ${CF_CUDA_ARCHITECTURES} -o ${cub} ${CMAKE_SOURCE_DIR}/kernels/cuda/module/cub.cu
    DEPENDS ${CMAKE_SOURCE_DIR}/kernels/cuda/module/cub.cu COMMENT "nvcc: CUB's reduction and scan" VERBATIM)
  add_custom_target(conform-cub DEPENDS ${cub})
endif()
