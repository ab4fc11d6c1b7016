# Installs the library into a scratch prefix and uses it as a stranger would: a client in C through
# pkg-config, the same through CMake's find_package, and nothing but est_* in the library.
# cmake -DBUILD=... -DCC=... -DSOURCE=... -DSCRATCH=... -DEXTRA=... -P install.cmake
cmake_minimum_required(VERSION 3.25)
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(failed)
    message(FATAL_ERROR "failed: ${ARGN}\n${out}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
set(prefix ${SCRATCH}/prefix)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix} --component library)
file(GLOB_RECURSE pc ${prefix}/*/estelam.pc)
file(GLOB library ${prefix}/lib*/libestelam.so ${prefix}/lib*/*/libestelam.so)
if(NOT pc OR NOT library)
  message(FATAL_ERROR "estelam.pc or libestelam.so was not installed under ${prefix}")
endif()
get_filename_component(pc_dir ${pc} DIRECTORY)
get_filename_component(library_dir ${library} DIRECTORY)

# pkg-config
set(ENV{PKG_CONFIG_PATH} ${pc_dir})
run(pkg-config --cflags --libs estelam)
string(STRIP "${out}" flags)
separate_arguments(flags UNIX_COMMAND "${flags}")
run(${CC} ${EXTRA} -o ${SCRATCH}/stranger ${SOURCE} ${flags})
set(ENV{LD_LIBRARY_PATH} ${library_dir})
run(${SCRATCH}/stranger)

# find_package
file(MAKE_DIRECTORY ${SCRATCH}/project)
configure_file(${SOURCE} ${SCRATCH}/project/stranger.c COPYONLY)
file(WRITE ${SCRATCH}/project/CMakeLists.txt
     "cmake_minimum_required(VERSION 3.16)\nproject(stranger C)\nfind_package(estelam REQUIRED)\n"
     "add_executable(stranger stranger.c)\ntarget_link_libraries(stranger estelam::estelam)\n")
run(${CMAKE_COMMAND} -S ${SCRATCH}/project -B ${SCRATCH}/project/build -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_C_COMPILER=${CC} "-DCMAKE_C_FLAGS=${EXTRA}")
run(${CMAKE_COMMAND} --build ${SCRATCH}/project/build)
run(${SCRATCH}/project/build/stranger)

# The library shows the public API, all of it, and nothing else.
run(nm -D --defined-only ${library})
string(REGEX REPLACE "\n" ";" lines "${out}")
foreach(line ${lines})
  if(NOT line MATCHES " (A|T) (est_[a-z_]+@@)?ESTELAM_1|^ *$")
    message(FATAL_ERROR "libestelam shows what it should not: ${line}")
  endif()
endforeach()
file(GLOB headers ${prefix}/include/estelam/*.h)
set(exported "${out}")
foreach(header ${headers})
  file(READ ${header} text)
  string(REGEX MATCHALL "\n[a-z_]+[a-z_ *]*[ *](est_[a-z_]+)\\(" calls "${text}")
  foreach(call ${calls})
    string(REGEX REPLACE ".*[ *](est_[a-z_]+)\\($" "\\1" name "${call}")
    if(NOT call MATCHES "static" AND NOT exported MATCHES " ${name}@")
      message(FATAL_ERROR "${header} declares ${name}, but the library has none")
    endif()
  endforeach()
endforeach()
message(STATUS "installed, found by pkg-config and by CMake, and used")
