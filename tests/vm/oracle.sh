#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# oracle.sh - BPF programs and tools on kernels that Debian does not have: with CONFIG_DEBUG_KMEMLEAK, which says what
# we say, and with the old SLAB. usage: oracle.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 when none is built
#
# tests/vm/oracle --build kmemleak slab builds them.
set -u
here=$(cd "$(dirname "$0")" && pwd)
failed=0 ran=0

leg() { # NAME SCRIPTS
	local kernel reason
	read -r _ kernel reason < <("$here/oracle" "$1")
	[ "$kernel" != - ] || { echo "leg $1: skipped: $reason"; return; }
	ran=1
	LEGS="$1|$kernel|2||" SCRIPTS=$2 FILES=$(dirname "$kernel")/leaker.ko bash "$here/bpf.sh" "$build" || failed=1
}

build=$1
# The oracle while the module has leaked nothing yet.
leg kmemleak "bpf/caches bpf/kernel bpf/kstream bpf/kslabs bpf/kobjects vm/guest/tools vm/guest/oracle vm/guest/leaks"
leg slab "bpf/kstream bpf/kobjects vm/guest/slab"
[ $failed -eq 0 ] || exit 1
[ $ran -eq 1 ] || { echo "SKIP: no kernel is built: tests/vm/oracle --build kmemleak slab"; exit 77; }
