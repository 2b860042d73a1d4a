# The reference adapters, and what lists the packages of one, where the program looks for them.
include(GNUInstallDirs)
install(DIRECTORY adapters/ DESTINATION ${CMAKE_INSTALL_DATADIR}/conform/adapters FILES_MATCHING PATTERN "*.py")
