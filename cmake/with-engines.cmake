# Lists cuDNN's engines for a described device: a program of its own, because it loads the library; cuDNN is found at run
# time and is no part of the build.
add_executable(conform-engines kernels/catalogue/helper/engines_main.c)
target_link_libraries(conform-engines PRIVATE ${JANSSON_STATIC} dl)
target_include_directories(conform-engines PRIVATE ${JANSSON_INCLUDE_DIRS})
include(GNUInstallDirs)
install(TARGETS conform-engines RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
