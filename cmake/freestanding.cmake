# SPDX-License-Identifier: Apache-2.0
# Compiles core and the UART driver as a guest without an operating system will, and checks what it asks of its surroundings. Nothing is
# linked or run: the libraries that give these symbols come with that guest.

enable_testing()
include("${PROJECT_SOURCE_DIR}/core/sources.cmake")

add_library(freestanding_flags INTERFACE)
target_compile_options(freestanding_flags INTERFACE -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector
  -fno-threadsafe-statics -fno-asynchronous-unwind-tables)

# freestanding_object(NAME SOURCE…): one relocatable NAME.o, so that references inside it are already resolved.
function(freestanding_object name)
  add_library(${name}_objects OBJECT ${ARGN})
  # In this order: the last word on the stack protector counts.
  target_link_libraries(${name}_objects PRIVATE attestbed_flags freestanding_flags)
  set(object "${PROJECT_BINARY_DIR}/${name}.o")
  add_custom_command(OUTPUT "${object}" DEPENDS ${name}_objects $<TARGET_OBJECTS:${name}_objects>
    COMMAND "${CMAKE_LINKER}" -r -o "${object}" $<TARGET_OBJECTS:${name}_objects> COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name} ALL DEPENDS "${object}")
endfunction()

freestanding_object(core_freestanding ${ATTESTBED_CORE_SOURCES})
freestanding_object(uart_freestanding "${PROJECT_SOURCE_DIR}/guest/uart_transport.cpp")
freestanding_object(planted_heap_user "${PROJECT_SOURCE_DIR}/tests/planted/heap_user.cpp")

set(check bash "${PROJECT_SOURCE_DIR}/cmake/check_undefined_symbols.sh"
  "${PROJECT_SOURCE_DIR}/cmake/freestanding-symbols.txt")
set(refuses bash "${PROJECT_SOURCE_DIR}/tests/expect_refusal.sh")
add_test(NAME core_undefined_symbols COMMAND ${check} "${PROJECT_BINARY_DIR}/core_freestanding.o")
# The driver asks for less than core: no code of it may come from elsewhere.
add_test(NAME uart_undefined_symbols COMMAND ${check} "${PROJECT_BINARY_DIR}/uart_freestanding.o")
add_test(NAME core_undefined_symbols_refuses_malloc
  COMMAND ${refuses} "not allowed: malloc" ${check} "${PROJECT_BINARY_DIR}/planted_heap_user.o")
add_test(NAME core_undefined_symbols_refuses_operator_new
  COMMAND ${refuses} "not allowed: operator new" ${check} "${PROJECT_BINARY_DIR}/planted_heap_user.o")
