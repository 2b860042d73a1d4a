# The file system is the registry: one table is generated for each plugin folder. A file that does not define what
# its path promises is a link error that names the symbol.

# cf_registry(OUT folder prefix type table header): `type *const table[]` of prefix<stem> for folder/*.c.
function(cf_registry out folder prefix type table header)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.c)
  set(declarations "")
  set(entries "")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    if(NOT stem MATCHES "^support")
      string(APPEND declarations "extern ${type} ${prefix}${stem};\n")
      string(APPEND entries "    &${prefix}${stem},\n")
    endif()
  endforeach()
  set(path ${CMAKE_BINARY_DIR}/generated/${table}.c)
  file(CONFIGURE OUTPUT ${path} CONTENT
"/* Generated from the files of ${folder}/. */\n#include <stddef.h>\n\n#include \"${header}\"\n\n${declarations}
${type} *const ${table}[] = {\n${entries}    NULL};\n")
  set(${out} ${path} PARENT_SCOPE)
endfunction()

# cf_kernel_registry(TABLE SOURCES CUDA): the table of backends and kernels of kernels/*/, and their C sources.
function(cf_kernel_registry out_table out_sources out_cuda)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/kernels/*/*.c)
  set(declarations "")
  set(backends "")
  set(kernels "")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    get_filename_component(folder ${file} DIRECTORY)
    get_filename_component(folder ${folder} NAME)
    if(stem STREQUAL "backend")
      string(APPEND declarations "extern const struct cf_backend cf_backend_${folder};\n")
      string(APPEND backends "    &cf_backend_${folder},\n")
    elseif(NOT stem MATCHES "^support")
      string(APPEND declarations "extern const struct cf_kernel cf_kernels_${folder}_${stem}[];\n")
      string(APPEND kernels "    cf_kernels_${folder}_${stem},\n")
    endif()
  endforeach()
  set(path ${CMAKE_BINARY_DIR}/generated/cf_kernels.c)
  file(CONFIGURE OUTPUT ${path} CONTENT
"/* Generated from the files of kernels/. */\n#include <stddef.h>\n\n#include \"kernel.h\"\n\n${declarations}
const struct cf_backend *const cf_backends[] = {\n${backends}    NULL};
const struct cf_kernel *const cf_kernel_tables[] = {\n${kernels}    NULL};\n")
  set(${out_table} ${path} PARENT_SCOPE)
  set(${out_sources} ${files} PARENT_SCOPE)
  set(${out_cuda} "" PARENT_SCOPE)
endfunction()
