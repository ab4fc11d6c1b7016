# The far end: session <- link <- client, agent; and libestelam, which is all of it in one library.

# The engine, free of I/O: the simulator links this and nothing beyond it.
add_library(session STATIC slots.c asks.c leases.c session.c session_in.c session_out.c session_calls.c)
target_link_libraries(session PUBLIC proto)

add_library(link STATIC connection.c link.c)
target_link_libraries(link PUBLIC session PRIVATE PkgConfig::ZMQ)

# For our own programs and tests that look inside.
add_library(estelam-static STATIC client.c agent.c body.c)
target_link_libraries(estelam-static PUBLIC link Threads::Threads)

# For everybody: one shared object with nothing but est_* to be seen. The whole of `proto` goes in,
# called or not: the names of codes and states are for the programs, too.
add_library(estelam SHARED client.c agent.c body.c $<TARGET_OBJECTS:proto>)
set_target_properties(estelam PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 1)
target_include_directories(estelam INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(estelam PRIVATE link PkgConfig::MSGPACK PkgConfig::ZMQ Threads::Threads)
target_link_options(estelam PRIVATE -Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/estelam.map)
set_target_properties(estelam PROPERTIES LINK_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/estelam.map)

# What a program outside this tree needs: headers, library, pkg-config and CMake package files.
include(CMakePackageConfigHelpers)
set(ESTELAM_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/estelam)
# From the .pc file's own folder to the prefix, so that `cmake --install --prefix` may put it anywhere.
file(RELATIVE_PATH ESTELAM_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(estelam.pc.in ${CMAKE_CURRENT_BINARY_DIR}/estelam.pc @ONLY)
configure_package_config_file(estelamConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/estelamConfig.cmake
                              INSTALL_DESTINATION ${ESTELAM_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/estelamConfigVersion.cmake
                                 COMPATIBILITY SameMajorVersion)
install(TARGETS estelam EXPORT estelamTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/estelam DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT library FILES_MATCHING PATTERN "*.h")
install(EXPORT estelamTargets NAMESPACE estelam:: DESTINATION ${ESTELAM_CMAKE_DIR} COMPONENT library)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/estelam.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT library)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/estelamConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/estelamConfigVersion.cmake
        DESTINATION ${ESTELAM_CMAKE_DIR} COMPONENT library)
