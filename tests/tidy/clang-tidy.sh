#!/usr/bin/env bash
# clang-tidy on the allocator and the tools, with the checks of .clang-tidy; any warning fails.
# timeout: 1200
set -u
build=${1:-build}
cd "$(dirname "$0")/../.." || exit 1
command -v clang-tidy >/dev/null || { echo "clang-tidy is not installed"; exit 77; }
case $build in build) ;; *) echo "only for the plain build"; exit 77 ;; esac
find alloc tools -name '*.c' -print0 | xargs -0 -P 2 -I{} clang-tidy --quiet {} -- -std=gnu11 -D_GNU_SOURCE \
	-DSLABSCOPE_VERSION='"x"' -Ialloc/include -Ialloc -Itools -Ibpf -isystem "$build/bpf" 2>/dev/null
