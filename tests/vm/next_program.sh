#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# What comes after attest-guest: it looks at the secret that was left for it, says what is no secret, and powers off.
secret=/run/secret
say() { echo "next: $*"; }

[ -e /disk ] && say 'root of the disk'
if [ -x /bin/read-key ]; then
  /bin/read-key disk >/run/payload && say "process $$ finds the key"
  say "digest $(/bin/busybox sha256sum </run/payload | /bin/busybox cut -d ' ' -f 1)"
  say 'done'
  /bin/busybox poweroff -f
fi
say "process $$ at $secret: $(/bin/busybox stat -c '%F, mode %a' "$secret")"
# Of what it reads only the digest is shown, which the test has from elsewhere.
say "digest $(/bin/busybox sha256sum <"$secret" | /bin/busybox cut -d ' ' -f 1)"
for i in $(/bin/busybox seq 50); do
  [ -p "$secret" ] || break
  /bin/busybox sleep 0.1
done
[ -p "$secret" ] && say 'the fifo is still there'
say 'done'
/bin/busybox poweroff -f
