# The ranks of the backend mpi: a program of its own, linked with MPI; nothing else is. Without an MPI compiler the
# backend is there and says at run time why it cannot be opened.
find_package(MPI COMPONENTS C)
if(MPI_C_FOUND)
  add_executable(conform-mpi kernels/mpi/helper/allreduce_main.c)
  target_link_libraries(conform-mpi PRIVATE MPI::MPI_C)
else()
  message(STATUS "mpi: no MPI compiler (libopenmpi-dev): conform-mpi is left out")
endif()
