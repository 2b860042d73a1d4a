# The manual page and the completion, made by the program itself; and what `cmake --install` puts where.
if(TARGET conform-program)
  include(GNUInstallDirs)
  foreach(pair man:conform.1 bash:conform.bash)
    string(REPLACE ":" ";" pair ${pair})
    list(GET pair 0 word)
    list(GET pair 1 file)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/${file} DEPENDS conform-program
      COMMAND conform-program manual ${word} > ${CMAKE_BINARY_DIR}/${file}.new
      COMMAND ${CMAKE_COMMAND} -E rename ${CMAKE_BINARY_DIR}/${file}.new ${CMAKE_BINARY_DIR}/${file})
    list(APPEND manuals ${CMAKE_BINARY_DIR}/${file})
  endforeach()
  add_custom_target(manual ALL DEPENDS ${manuals})
  install(TARGETS conform-program conform-worker RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(FILES ${CMAKE_BINARY_DIR}/conform.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${CMAKE_BINARY_DIR}/conform.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
          RENAME conform)
endif()
