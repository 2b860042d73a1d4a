# Arb, where it is installed, is the independent oracle of the special functions. Debian names its
# library flint-arb; elsewhere it is called arb, or is part of FLINT 3.
find_path(ARB_INCLUDE arb_hypgeom.h PATH_SUFFIXES flint)
find_library(ARB_LIBRARY NAMES flint-arb arb)
find_library(FLINT_LIBRARY NAMES flint)
if(ARB_INCLUDE AND ARB_LIBRARY AND FLINT_LIBRARY AND TARGET test_special)
  target_include_directories(test_special SYSTEM PRIVATE ${ARB_INCLUDE})
  target_link_libraries(test_special PRIVATE ${ARB_LIBRARY} ${FLINT_LIBRARY})
  target_compile_definitions(test_special PRIVATE CF_HAVE_ARB)
else()
  message(STATUS "tests: Arb is not installed (libflint-arb-dev): special functions are held against higher precision alone")
endif()
