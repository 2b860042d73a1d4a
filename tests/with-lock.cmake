# lock, verify, export and --require-clean from outside; and the files of docs/ci.
if(TARGET conform-program)
  foreach(name lock ci_files)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.sh)
      add_test(NAME ${name}_commands COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${name}.sh ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
      set_tests_properties(${name}_commands PROPERTIES TIMEOUT 240 SKIP_RETURN_CODE 77)
    endif()
  endforeach()
endif()
