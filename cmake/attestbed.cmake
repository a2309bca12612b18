# SPDX-License-Identifier: Apache-2.0
# What every target shares: the language, the warnings, where programs go, and how a folder states its tests.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(attestbed_flags INTERFACE)
target_compile_options(attestbed_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  -fno-strict-aliasing -fstack-protector-strong
  # Logs and assertions must not carry a path of the build machine.
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
target_include_directories(attestbed_flags INTERFACE "${PROJECT_SOURCE_DIR}")
if(ATTESTBED_SANITIZE)
  target_compile_options(attestbed_flags INTERFACE
    -fsanitize=${ATTESTBED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all
    # The vptr check wants type information, which core is compiled without.
    -fno-sanitize=vptr)
  target_link_options(attestbed_flags INTERFACE -fsanitize=${ATTESTBED_SANITIZE})
endif()
# Of what a test itself does wrong at an address, ASan tells without these three, and they would be a third of the time
# that tests take to compile. Libraries and programs have them, and all that libFuzzer runs.
add_library(attestbed_test_flags INTERFACE)
if(ATTESTBED_SANITIZE MATCHES undefined AND NOT ATTESTBED_FUZZERS)
  target_compile_options(attestbed_test_flags INTERFACE -fno-sanitize=null,alignment,object-size)
endif()
if(ATTESTBED_FUZZERS)
  # Every library tells libFuzzer which of its edges an input reached.
  target_compile_options(attestbed_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

include(unity)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
# attestbed_alone(SOURCE…): sets apart those of the calling folder's sources that unity.cmake names.
function(attestbed_alone)
  foreach(source ${ARGN})
    cmake_path(ABSOLUTE_PATH source NORMALIZE OUTPUT_VARIABLE absolute)
    cmake_path(RELATIVE_PATH absolute BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE path)
    if(path IN_LIST ATTESTBED_ALONE)
      set_source_files_properties("${source}" PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
  endforeach()
endfunction()

# attestbed_library(NAME SOURCES … [DEPS …]): a folder's one library target.
function(attestbed_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  attestbed_alone(${arg_SOURCES})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC ${arg_DEPS} PRIVATE attestbed_flags)
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}")
endfunction()

# What `./run build` and `./run demo` make: every program and nothing else.
add_custom_target(programs)

# attestbed_program(NAME SOURCES … [DEPS …]): a program, built into bin/ and installed.
function(attestbed_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  attestbed_alone(${arg_SOURCES})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} attestbed_flags)
  target_compile_definitions(${name} PRIVATE ATTESTBED_VERSION="${PROJECT_VERSION}")
  add_dependencies(programs ${name})
  install(TARGETS ${name} RUNTIME)
endfunction()

# attestbed_link_statically(NAME): the program is one file that runs in any initramfs and loads nothing.
function(attestbed_link_statically name)
  target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/core/posix/no_loading.cpp")
  # -s: the file goes into guests' images, where symbols would be measured and loaded for nothing.
  target_link_options(${name} PRIVATE -static -Wl,-s)
  foreach(symbol dlopen dlsym dlclose dlerror dladdr
      getaddrinfo freeaddrinfo gai_strerror getnameinfo gethostbyname getservbyname)
    target_link_options(${name} PRIVATE -Wl,--wrap=${symbol})
  endforeach()
  set_target_properties(${name} PROPERTIES ATTESTBED_STATIC ON)
endfunction()

# What `./run test` runs again under TSan.
add_custom_target(tests_of_threads)

# attestbed_test(NAME SOURCES … [DEPS …] [LABELS label] [TIMEOUT seconds] [THREADS]): GoogleTest cases, found at build time.
# THREADS: what they test has threads; the label then ends so, as unit_threads.
function(attestbed_test name)
  cmake_parse_arguments(arg "THREADS" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(arg_THREADS)
    set(arg_LABELS "${arg_LABELS}_threads")  # one word: discovery takes lists of properties apart
    add_dependencies(tests_of_threads ${name})
  endif()
  attestbed_alone(${arg_SOURCES})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} attestbed_flags attestbed_test_flags GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE ATTESTBED_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Files of tests have much in common by name, and one of them is built far more often than all.
  set_target_properties(${name} PROPERTIES UNITY_BUILD OFF RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
