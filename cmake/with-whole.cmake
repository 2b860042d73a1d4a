# What goes over 2^32 arguments: more lanes at a time, the same values. Nothing may be fused or reordered (warnings.cmake).
set_source_files_properties(reference/support_single.c harness/judge/whole_tally.c harness/cli/whole.c
  PROPERTIES COMPILE_OPTIONS "-O3;-fno-trapping-math")
