# SPDX-License-Identifier: Apache-2.0
# Presets that build everything compile several files of a library or program as one, which halves its time. These stay
# alone: an unnamed namespace of theirs has a name that a neighbour has, too, or they see a header that changes others.
set(ATTESTBED_ALONE
  guest/init/fifo_writer.cpp
  guest/tsm_report.cpp
  mock-kbs/server.cpp
  proxy/vsock_listener.cpp
  sim/device/sev_guest_driver.cpp
  sim/kds/server.cpp
  sim/ovmf_launch.cpp
  sim/product_profile.cpp
  sim/report_message.cpp
  tools/attestbed/explanation_output.cpp
  tools/attestbed/image.cpp
  tools/attestbed/measure.cpp
  tools/attestbed/run_story.cpp
  tools/attestbed/verify.cpp
  tools/attestbed/vm.cpp
  tools/vm/host_checks.cpp
  tools/vm/qemu_accel.cpp
)
