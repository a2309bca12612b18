# SPDX-License-Identifier: Apache-2.0
set(ATTESTBED_CORE_SOURCES
  ${CMAKE_CURRENT_LIST_DIR}/attest.cpp
  ${CMAKE_CURRENT_LIST_DIR}/base/base64.cpp
  ${CMAKE_CURRENT_LIST_DIR}/base/errc.cpp
  ${CMAKE_CURRENT_LIST_DIR}/base/json.cpp
  ${CMAKE_CURRENT_LIST_DIR}/base/json_writer.cpp
  ${CMAKE_CURRENT_LIST_DIR}/crypto/concat_kdf.cpp
  ${CMAKE_CURRENT_LIST_DIR}/crypto/ec_key.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/attestation.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/binding.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/ext.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/frame.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/guest_line.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/jwe.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/negotiation.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/resource_path.cpp
  ${CMAKE_CURRENT_LIST_DIR}/snp/guest_channel.cpp
  ${CMAKE_CURRENT_LIST_DIR}/snp/guest_message.cpp
  ${CMAKE_CURRENT_LIST_DIR}/snp/report.cpp
  ${CMAKE_CURRENT_LIST_DIR}/snp/vmpck.cpp)

# Each test sits beside what it tests.
set(ATTESTBED_CORE_TESTS
  ${CMAKE_CURRENT_LIST_DIR}/attest_serial_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/attest_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/base/base_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/base/base64_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/base/json_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/attestation_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/frame_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/guest_line_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/negotiation_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/protocol/vectors_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/snp/guest_channel_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/snp/guest_message_test.cpp
  ${CMAKE_CURRENT_LIST_DIR}/snp/report_test.cpp)
