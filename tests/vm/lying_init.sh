#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# PID 1 of a test image that says on the console what attest-guest never said: the kernel's word `lie=` chooses what.
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /sys /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for word in $(cat /proc/cmdline); do
  case "$word" in lie=*) lie="${word#lie=}" ;; esac
done
result='"outcome":"released","exit":0,"attestation":"fe32292e7901655a","secret":{"octets":12}'
echo 'attest-guest: up again'
case "$lie" in
  released) echo "attest-guest: result {$result}" ;;
  secret) echo 'attest-guest: result {"outcome":"released","exit":0,"secret":5}' ;;
  terminal) printf 'attest-guest: \033]0;TITLE\007\033[31m says this\nattest-guest: result {"exit":1}\n' ;;
  *)
    # It attests as it should, and shows another secret than it got.
    while read -r when module; do
      case "$when" in always | simulated | virtio-serial) insmod "/lib/modules/$module.ko" ;; esac
    done </etc/attestbed/modules
    for i in $(seq 100); do
      for port in /sys/class/virtio-ports/*; do
        case "$(cat "$port/name" 2>/dev/null)" in
          attestbed.firmware) line="/dev/${port##*/}" ;;
          attestbed.secret) secret="/dev/${port##*/}" ;;
        esac
      done
      [ -n "$line" ] && [ -n "$secret" ] && break
      sleep 0.1
    done
    snp-sim-device --line "$line" &
    for i in $(seq 100); do [ -c /dev/sev-guest ] && break; sleep 0.1; done
    result="$(/init --serial /dev/ttyS2 --firmware sev-guest --secret-auth none --json)"
    printf 'what the guest wrote' >"$secret"
    echo "attest-guest: result $result"
    ;;
esac
poweroff -f
