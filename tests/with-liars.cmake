# The liars of DESIGN rule 14: what each must come to is said at the head of liars/liar.c and liars/adapter.c.
set(LIARS ${CMAKE_BINARY_DIR}/liars)
foreach(lie honest silent half past before input crashes hangs exits hungry hoards grows closes child chatty hangs_load crashes_load
            exits_load swaps ilp64 nothing flushes rounds_up moves fickle ulp reorders drops tf32 yesterday nan breaks_strict
            breaks_cnr)
  string(TOUPPER ${lie} upper)
  add_library(liar_${lie} MODULE liars/liar.c)
  target_compile_definitions(liar_${lie} PRIVATE LIE_${upper})
  # A sanitizer's run-time must be the first library of a process; the worker of a plain build loads these too.
  target_compile_options(liar_${lie} PRIVATE -fno-sanitize=all)
  target_link_options(liar_${lie} PRIVATE -fno-sanitize=all)
  target_link_libraries(liar_${lie} PRIVATE m dl)
  set_target_properties(liar_${lie} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${LIARS})
  add_custom_command(TARGET liar_${lie} POST_BUILD COMMAND chmod go-w $<TARGET_FILE:liar_${lie}>)
endforeach()
add_custom_command(OUTPUT ${LIARS}/libliar_truncated.so
  COMMAND sh -c "head -c 9000 '$<TARGET_FILE:liar_honest>' > '${LIARS}/libliar_truncated.so'"
  COMMAND chmod go-w ${LIARS}/libliar_truncated.so
  DEPENDS liar_honest VERBATIM)
add_custom_target(liar_truncated ALL DEPENDS ${LIARS}/libliar_truncated.so)

foreach(lie honest garbage garbage_hello half huge wrong_id twice words no_file short_file wrong_shape exits sleeps
            not_offered broke out_of_memory eats escapes once_silent
            sided_old sided_new sided_mute)
  add_executable(adapter_${lie} liars/adapter.c)
  target_compile_definitions(adapter_${lie} PRIVATE LIE="${lie}")
  # A sanitizer reserves more than the limit of memory allows.
  target_compile_options(adapter_${lie} PRIVATE -fno-sanitize=all)
  target_link_options(adapter_${lie} PRIVATE -fno-sanitize=all)
  set_target_properties(adapter_${lie} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${LIARS})
endforeach()
