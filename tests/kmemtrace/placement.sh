#!/usr/bin/env bash
# The models against the running kernel and against libkmem: every state of every script. [LONG=1] placement.sh BUILD
# The kernel's part needs root, BPF and the private caches msg_msg-* of Linux 6.12 and later.
set -u
build=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { echo "FAIL: $*"; tail -n 20 "$work/out"; exit 1; }

# What the process gives back at rest depends on time: not in this comparison.
export KMEM_LIBRARY=$build/libkmem.so.0 KMEM_OPTIONS=purge=off

cpus=$(nproc)
scripts=()
for script in "$here"/scripts/*; do
	[ -f "$script" ] || continue
	[ "$cpus" -gt 1 ] || ! grep -q 'cpus=2\|cpu 1' "$script" && scripts+=("$script")
done
module=("$here"/scripts/module/*)
[ "$cpus" -gt 1 ] || module=()

# Many seeds and sizes.
if [ -n "${LONG:-}" ]; then
	sizes=(64 192 256 512 1024 2048 4096)
	for seed in {1..60}; do
		{ echo "cache a size=${sizes[seed % 7]}; cache b size=${sizes[(seed + 3) % 7]} cpu_partial=$((seed * 7 % 200)) min_partial=$((seed % 12))"
		  echo "seed $seed; random 8000 a live=$((seed * 37)) cpus=$cpus check=50; random 4000 b live=200 cpus=$cpus check=50; drain a; drain b"
		} >"$work/seed$seed"
		scripts+=("$work/seed$seed")
	done
fi

states() { awk '/ states compared$/ { n += $1 } END { print n + 0 }' "$work/out"; }

# Odd sizes and flags are no matter for libkmem.
"$build/tests/placement" kmem "${scripts[@]}" "${module[@]}" >"$work/out" 2>&1 || fail "libkmem and its model"
echo "libkmem: $(states) states equal"
# Also without per-CPU slots, and with what slots and barns learn.
KMEM_OPTIONS=purge=off,rseq=off "$build/tests/placement" kmem "$here/scripts/growing" "$here/scripts/random" >"$work/out" 2>&1 ||
	fail "libkmem without rseq and its model"

# A test that cannot fail is none: other limits than the allocator has must be noticed.
! PLACEMENT_WRONG=1 "$build/tests/placement" kmem "$here/scripts/growing" >"$work/out" 2>&1 || fail "a wrong model passes"

"$build/tests/placement" kernel "${scripts[@]}" >"$work/out" 2>&1
rc=$?
if [ $rc -eq 77 ]; then
	echo "leg kernel $(uname -r): skipped: $(grep -v '^.* states' "$work/out" | head -n 1)"
	exit 0
fi
[ $rc -eq 0 ] || fail "the kernel $(uname -r) and its model"
echo "leg kernel $(uname -r): $(states) states equal"
