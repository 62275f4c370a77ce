#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# gen.sh - writes the full type header of a kernel to build/vmlinux, to look types up in.
#
# usage: vmlinux/gen.sh [BTF-or-vmlinux file] [output folder]
# The build does not need it: programs use the hand-kept vmlinux/vmlinux.h.
set -eu

btf=${1:-/sys/kernel/btf/vmlinux}
top=$(cd "$(dirname "$0")/.." && pwd)
out=${2:-$top/build/vmlinux}
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)

if [ ! -r "$btf" ]; then
	echo "gen.sh: cannot read $btf: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF); name a vmlinux file" >&2
	exit 1
fi
mkdir -p "$out"
"$bpftool" btf dump file "$btf" format c > "$out/vmlinux.h.tmp"
mv "$out/vmlinux.h.tmp" "$out/vmlinux.h"
echo "$out/vmlinux.h: $(wc -l < "$out/vmlinux.h") lines"
