#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install.sh DIRECTORY [peers]: installs the published programs, pinned, into DIRECTORY/bin; what is there already stays.
# With `peers`, also what only benchmarks run: the crate sev a second time, over OpenSSL. Prints the names of the oracles that it had to leave out, one a line, and says why on the other stream. Exit: 0; 3 if something
# that was there to be installed with failed.
set -euo pipefail
here="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
out="$(mkdir -p "${1:?usage: install.sh DIRECTORY [peers]}/bin" && readlink -f "$1")"
back_ends=(nossl)
[[ "${2:-}" != peers ]] || back_ends+=(openssl)

snpguest=0.11.0
snpguest_sha256=71f0075672ce2cb83f60259f8704041fcee484dc8316424b4f6874ccd0631328
least_go=1.21 least_cargo=1.86

say() { printf 'interop: %s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }
at_least() { [[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" == "$1" ]]; }

# fresh NAME FILE…: whether the oracle NAME is to be made: anew, or from other files than the last time.
fresh() {
  local name="$1" stamp; shift
  stamp="$(cat "$@" | sha256sum)"
  [[ "$(cat "$out/$name.stamp" 2>/dev/null)" != "$stamp" ]]
}
made() { local name="$1"; shift; cat "$@" | sha256sum >"$out/$name.stamp"; }

go_programs() {
  local files=("$here/go/go.mod" "$here/go/go.sum" "$here/go"/*/main.go) version
  fresh go "${files[@]}" || return 0
  version="$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//')" || true
  at_least "$least_go" "${version:-0}" || {
    say "check is left out: Go $least_go or newer is wanted, found ${version:-none} (Debian 12: golang-go of bookworm-backports)"
    echo check
    return 0
  }
  say "building check and show of go-sev-guest with Go $version"
  (cd "$here/go" && GOTOOLCHAIN=local GOFLAGS=-mod=readonly go build -trimpath -o "$out/bin/" \
    github.com/google/go-sev-guest/tools/check github.com/google/go-sev-guest/tools/show ./peer_bench ./foreign_reports) >&2 ||
    fail 'go build failed'
  made go "${files[@]}"
}

# rust_environment COMMAND…: with the machine's OpenSSL instead of a copy that is compiled, and quick to build.
rust_environment() {
  OPENSSL_NO_VENDOR=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 "$@"
}

build_snpguest() {
  local crate
  fresh snpguest "$here/install.sh" || return 0
  say "building snpguest $snpguest"
  rust_environment cargo install --quiet --locked --force --root "$out/cargo" --target-dir "$out/cargo/target" \
    "snpguest@=$snpguest" >&2 || fail 'cargo install snpguest failed'
  crate="$(find "${CARGO_HOME:-$HOME/.cargo}/registry/cache" -name "snpguest-$snpguest.crate" | head -n 1)"
  [[ -n "$crate" ]] && sha256sum --check --quiet <<<"$snpguest_sha256  $crate" >&2 ||
    fail "snpguest $snpguest is not the crate that was pinned"
  ln -sf ../cargo/bin/snpguest "$out/bin/snpguest"
  made snpguest "$here/install.sh"
}

build_sev() {
  local back_end files=("$here/rust/Cargo.toml" "$here/rust/Cargo.lock" "$here"/rust/src/*.rs "$here"/rust/src/bin/*.rs)
  for back_end in "${back_ends[@]}"; do
    fresh "sev-$back_end" "${files[@]}" || continue
    say "building programs around the crate sev, back end $back_end"
    OPENSSL_NO_VENDOR=1 cargo build --quiet --release --locked --manifest-path "$here/rust/Cargo.toml" \
      --features "$back_end" --target-dir "$out/cargo/sev-$back_end" >&2 || fail 'cargo build failed'
    ln -sf "../cargo/sev-$back_end/release/sev_bench" "$out/bin/sev_bench_$back_end"
    made "sev-$back_end" "${files[@]}"
  done
  ln -sf ../cargo/sev-nossl/release/sev_judge "$out/bin/sev_judge"
}

rust_programs() {
  local version
  version="$(cargo --version 2>/dev/null | cut -d ' ' -f 2)" || true
  at_least "$least_cargo" "${version:-0}" || {
    say "sev and snpguest are left out: cargo $least_cargo or newer is wanted, found ${version:-none} (Debian 12: cargo-web)"
    printf 'sev\nsnpguest\n'
    return 0
  }
  build_snpguest
  build_sev
}

python_programs() {
  local python=python3
  [[ -x /usr/bin/python3 ]] && python=/usr/bin/python3
  fresh python "$here/requirements.txt" || return 0
  say 'installing sev-snp-measure'
  rm -rf "$out/python"
  "$python" -m venv "$out/python" >&2 || fail 'no virtual environment (Debian: python3-venv)'
  "$out/python/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    -r "$here/requirements.txt" >&2 || fail 'pip install failed'
  ln -sf ../python/bin/sev-snp-measure ../python/bin/snp-create-id-block "$out/bin/"
  made python "$here/requirements.txt"
}

python_programs
go_programs
rust_programs
