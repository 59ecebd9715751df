# Compiler, warnings, sanitizers and build speed, in one place.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(ANCLORA_SANITIZE "" CACHE STRING "sanitizers to build with, as given to -fsanitize= (address,undefined or thread)")

add_library(anclora_options INTERFACE)
target_include_directories(anclora_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(anclora_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
  -fstack-protector-strong -fno-omit-frame-pointer)
target_compile_definitions(anclora_options INTERFACE _GLIBCXX_ASSERTIONS)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside its own headers when optimising std::expected and std::variant.
  target_compile_options(anclora_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow)
endif()
if(ANCLORA_SANITIZE)
  target_compile_options(anclora_options INTERFACE -fsanitize=${ANCLORA_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(anclora_options INTERFACE -fsanitize=${ANCLORA_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(anclora_options INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(anclora_options INTERFACE -Wl,-z,relro,-z,now)
endif()

option(ANCLORA_FUZZ "build the libFuzzer targets of fuzz/ (needs clang)" OFF)
if(ANCLORA_FUZZ)
  # Coverage in every room. Warnings are g++'s business: clang's differ between its versions.
  target_compile_options(anclora_options INTERFACE -fsanitize=fuzzer-no-link -w)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The cache is shared between checkouts of the same sources, wherever they stand.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()
