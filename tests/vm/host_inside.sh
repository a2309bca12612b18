#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# PID 1 of a test image: a broker and a proxy that listens on vsock, inside the VM, before it becomes attest-guest, which
# reaches the proxy over vsock_loopback.
/bin/busybox --install -s /bin
export PATH=/bin
mkdir -p /proc /dev /sys /tmp
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
ip link set lo up
say() { echo "inside: $*"; }

while read -r when module; do
  [ "$when" = vsock-loopback ] && insmod "/lib/modules/$module.ko"
done </etc/attestbed/modules
for word in $(cat /proc/cmdline); do
  case "$word" in inside.measurement=*) measurement="${word#*=}" ;; esac
done

# begin LOG PROGRAM…: in the background, until it says that it is ready.
begin() {
  log="$1"; shift
  "$@" </dev/null >"$log" 2>"$log.events" &
  for i in $(seq 300); do grep -q '^ready' "$log" && return; sleep 0.1; done
  say "$1 is not ready: $(cat "$log.events")"
}
begin /tmp/kbs mock-kbs --listen 127.0.0.1:8080 --root /test/ca/ark.pem --certs /test/ca --measurement "$measurement" \
  --secret-file /test/secret
begin /tmp/proxy attest-proxy --protocol kbs --url http://127.0.0.1:8080 --vsock 1995
say "$(cat /tmp/proxy)"
exec /init
