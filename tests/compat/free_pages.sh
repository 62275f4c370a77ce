#!/usr/bin/env bash
# The kernel's lib/test_free_pages.c, unmodified: a block freed while somebody holds a reference does not leak.
set -u
. "$(dirname "$0")/lib.bash"
need_kernel free_pages

flags=(-std=gnu11 -I"$shim/kernel" "${compat[@]}" -I"$kernel/tools/include")
kernel_object free_pages "$kernel/lib/test_free_pages.c" "${flags[@]}"
kernel_object kunit "$shim/kunit.c" "${flags[@]}"
kernel_program free_pages free_pages.o kunit.o

# Two million blocks of 32 KiB out of 64 MiB: a page lost per thousand of them would be noticed.
text=$(KMEM_OPTIONS=arena=64M "$out/free_pages" 2>&1) || fail "ends with $?: $text"
grep -q 'Test completed' <<<"$text" || fail "$text"
[ "$(wc -l <<<"$text")" -eq 3 ] || fail "prints something else: $text"
