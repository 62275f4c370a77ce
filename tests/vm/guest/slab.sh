#!/bin/bash
# slab.sh - the tools on a kernel with the old SLAB allocator: what works works, the rest says why not.
# usage: slab.sh BUILD-FOLDER
set -u
build=$1
fail() { echo "FAIL: $*"; exit 1; }

grep -q '^kmalloc-64 .*tunables *[1-9]' /proc/slabinfo || { echo "SKIP: this kernel's allocator is not SLAB"; exit 77; }
rows=$("$build/slabtop" --kernel -o | awk 'NR > 7 && $2 <= $1' | wc -l)
[ "$rows" -gt 30 ] || fail "slabtop: $rows caches"
said=$("$build/kmemleak" --kernel -t 1 2>&1)
[ $? -eq 1 ] || fail "kmemleak --kernel did not fail"
[ "$(echo "$said" | wc -l)" -eq 1 ] && echo "$said" | grep -q 'no SLUB' || fail "kmemleak --kernel says: $said"
echo "SLAB: slabtop $rows caches by slabinfo; $said"
