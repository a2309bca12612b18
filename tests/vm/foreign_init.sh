#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# PID 1 of a test image: other people's snpguest asks the simulated /dev/sev-guest, then attest-guest does. What they wrote
# goes to the console in base64, between marks.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/work
mkdir -p /proc /sys /dev /run /work
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
cd /work

say() { echo "foreign: $*"; }
show() { say "begin $1"; base64 "$1"; say "end $1"; }
# asked NAME COMMAND…: its exit status, and its words where it failed.
asked() {
  name="$1"; shift
  if "$@" >out 2>&1; then say "ok $name"; else say "failed $name: $(tr '\n' ' ' <out)"; fi
}

while read -r when module; do
  case "$when" in always | simulated | virtio-serial) insmod "/lib/modules/$module.ko" ;; esac
done </etc/attestbed/modules
for i in $(seq 100); do
  for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name" 2>/dev/null)" = attestbed.firmware ] && line="/dev/${port##*/}"
  done
  [ -n "$line" ] && break
  sleep 0.1
done
snp-sim-device --line "$line" &
for i in $(seq 100); do [ -c /dev/sev-guest ] && break; sleep 0.1; done

asked report snpguest report report.bin request.bin --random
asked key snpguest key key.bin vcek
asked key_again snpguest key again.bin vcek
cmp key.bin again.bin && say 'ok same_key'
mkdir certs
asked certificates snpguest certificates der certs
for file in report.bin request.bin key.bin certs/*; do show "$file"; done

say "modules: $(ls /sys/module | tr '\n' ' ')"
echo "attest-guest: up again"
result="$(/init --serial /dev/ttyS2 --firmware sev-guest --secret-auth none --json)"
echo "attest-guest: result $result"
poweroff -f
