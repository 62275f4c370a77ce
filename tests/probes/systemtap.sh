#!/usr/bin/env bash
# The SystemTap tapset: stap finds every probe with all its arguments in both libraries, and translates the examples
# to C. That C becomes a kernel module, for which the running kernel's headers are needed: not here.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
command -v stap >/dev/null || { echo "stap is not installed"; exit 77; }
out=$(mktemp -d) || exit 1
cleanup() { [ "$BASHPID" = "$$" ] || return; rm -rf "$out"; }
trap cleanup EXIT

# What stap looks at in a kernel's build tree before it compiles anything.
[ -r /proc/config.gz ] || [ -r "/boot/config-$(uname -r)" ] || { echo "the kernel's configuration is not to be had"; exit 77; }
mkdir -p "$out/tree/include/config" "$out/tree/include/generated" "$out/tapset"
zcat -f /proc/config.gz "/boot/config-$(uname -r)" >"$out/tree/.config" 2>/dev/null
uname -r >"$out/tree/include/config/kernel.release"
echo "#define UTS_RELEASE \"$(uname -r)\"" >"$out/tree/include/generated/utsrelease.h"
touch "$out/tree/Module.symvers" "$out/tree/Makefile"
stap() { SYSTEMTAP_DIR=$out/cache timeout 250 stap -r "$out/tree" -I "$out/tapset" "$@"; }

sed "s|@libdir@|$build|g" tools/tracing/libkmem.stp.in >"$out/tapset/libkmem.stp"
# Each probe with all its arguments: `probe NAME = ...` and `argument = $argN` are what a user of the tapset has.
awk '/^probe / { printf "probe %s { printf(\"%%s\", probestr)", $2 }
	/ = user_string/ { printf "; printf(\"%%s\", %s)", $1 }
	/ = \$arg/ { printf "; printf(\"%%d\", %s)", $1 }
	/^}/ { print " }" }' "$out/tapset/libkmem.stp" >"$out/all.stp"
stap -p2 "$out/all.stp" >"$out/said" 2>&1 || { echo "FAIL: stap -p2"; grep -v '^process' "$out/said"; exit 1; }
# As many places as readelf finds.
places=$(grep -c '^process("' "$out/said")
wanted=$(readelf -nW "$build/libkmem.so.0" "$build/libkmem-malloc.so" | grep -c 'Provider: ')
[ "$wanted" -ge $((2 * $(wc -l <"$out/all.stp"))) ] || { echo "FAIL: readelf finds $wanted"; exit 1; }
[ "$places" -eq $wanted ] || { echo "FAIL: stap finds $places places of probes, not $wanted"; cat "$out/said"; exit 1; }
for script in "$out/all.stp" examples/systemtap/*.stp; do
	stap -p3 "$script" >"$out/said" 2>"$out/err" || { echo "FAIL: stap -p3 $script"; cat "$out/err"; exit 1; }
done
