# Compiler, warnings and speed of the build. g++ 12 is refused: it destroys temporaries twice inside co_await expressions.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "This project is built with clang 19 or later (apt install clang-19), not with ${CMAKE_CXX_COMPILER}.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Wunused
                    -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough
                    -Wno-c23-extensions -Wno-gnu-statement-expression -Wno-missing-designated-field-initializers
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -fno-omit-frame-pointer -fcolor-diagnostics)
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE SHOP_VERSION="${PROJECT_VERSION}")
option(SHOP_WERROR "Warnings are errors" ON)
if(SHOP_WERROR)
  add_compile_options(-Werror)
endif()

set(SHOP_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined")
if(SHOP_SANITIZE)
  add_compile_options(-fsanitize=${SHOP_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SHOP_SANITIZE})
endif()

find_program(SHOP_LINKER NAMES mold ld.lld-19 ld.lld)
if(SHOP_LINKER MATCHES "mold")
  add_link_options(-fuse-ld=mold)
elseif(SHOP_LINKER)
  add_link_options(-fuse-ld=lld)
endif()
add_link_options(-Wl,--gc-sections)
add_compile_options(-ffunction-sections -fdata-sections)

find_program(SHOP_CCACHE ccache)
if(SHOP_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SHOP_CCACHE})
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  # A precompiled header holds the paths of its build folder; by this sum ccache knows two of them as one. Whatever makes
  # them differ must be in it.
  file(SHA256 ${CMAKE_SOURCE_DIR}/src/pch.hpp pch_hash)
  string(SHA256 pch_sum "${pch_hash} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_BUILD_TYPE} ${SHOP_SANITIZE} ${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
  file(WRITE ${CMAKE_BINARY_DIR}/src/CMakeFiles/shop-pch.dir/cmake_pch.hxx.pch.sum ${pch_sum})
endif()
