#!/usr/bin/env bash
# Each path of the allocator by itself, each object told once: by probes, by batches, with stacks, and where
# paths differ: several nodes, merged caches, objects between guard pages, no per-CPU memory.
set -u
case $1 in */san-*|*/valgrind) echo "the malloc library and a sanitizer's do not go together"; exit 77 ;; esac
dir=$1/tests/ledger
run() { # TIER OPTIONS
	KMEM_OPTIONS=$2 timeout 120 "$dir/paths" "$1" "$dir/work" "$dir/plugin.so" || { rc=$?; echo "paths $1, KMEM_OPTIONS=$2: exit $rc"; exit $rc; }
}
for tier in event batch stacks; do
	for options in '' nodes=2 merge=on guard=1; do run $tier "$options"; done
done
# In batches, events of signal handlers that interrupt an append are then lost, and counted.
run event rseq=off
