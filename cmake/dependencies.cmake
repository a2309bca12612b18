# SPDX-License-Identifier: Apache-2.0
# Libraries before own code. Every one is a Debian 12 package: `./run deps` installs them.

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
# The same library for programs that are linked statically: those with the property ATTESTBED_STATIC.
find_library(OPENSSL_CRYPTO_ARCHIVE libcrypto.a REQUIRED)
add_library(openssl_crypto_static INTERFACE)
target_link_libraries(openssl_crypto_static INTERFACE "${OPENSSL_CRYPTO_ARCHIVE}")
target_include_directories(openssl_crypto_static INTERFACE "${OPENSSL_INCLUDE_DIR}")
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
# pkg-config knows the defines the Debian builds of these two were made with (for cpp-httplib: TLS, zlib, brotli).
pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(fuse3 REQUIRED IMPORTED_TARGET fuse3)
find_library(FUSE3_ARCHIVE libfuse3.a REQUIRED)
add_library(fuse3_static INTERFACE)
target_link_libraries(fuse3_static INTERFACE "${FUSE3_ARCHIVE}" Threads::Threads)
target_include_directories(fuse3_static SYSTEM INTERFACE ${fuse3_INCLUDE_DIRS})
# What a guest's image is packed with, and what kernel packages are.
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lzma REQUIRED IMPORTED_TARGET liblzma)
include(GoogleTest)
