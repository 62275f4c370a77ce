#!/usr/bin/env bash
# The kernel's lib/genalloc.c as the oracle for ours: 100 000 operations with each algorithm, the same addresses.
# genalloc.sh BUILD [OPERATIONS [SEED]]
set -u
. "$(dirname "$0")/lib.bash"
need_kernel genalloc

# Its text without includes, and without devres and device tree at the end; its functions get names of their own.
cut=(-e '/^#include/d' -e 's/\bgen_pool_\([a-z]\)/kernel_pool_\1/g')
{
	echo "#include \"$shim/genalloc.h\""
	sed "${cut[@]}" "$kernel/include/linux/genalloc.h"
	sed -n '/^unsigned long bitmap_find_next_zero_area_off(/,/^}/p' "$kernel/lib/bitmap.c"
	sed "${cut[@]}" -e '/^static void devm_/,$d' "$kernel/lib/genalloc.c"
} >"$out/kernel_genalloc.h" || fail "no oracle"

compile() { cc -c -g -O2 -std=gnu11 -Wall "${sanitize[@]}" -I"$root/tests/compat/oracle" "$@"; }
compile -D KERNEL_GENALLOC="\"$out/kernel_genalloc.h\"" -o "$out/oracle.o" tests/compat/oracle/kernel_genalloc.c ||
	fail "the oracle does not compile"
compile -Wextra -Werror "${compat[@]}" -o "$out/trace.o" tests/compat/oracle/genalloc.c || fail "the program does not compile"
cc "${sanitize[@]}" -o "$out/trace" "$out/trace.o" "$out/oracle.o" -L"$build" -lkmem -Wl,-rpath,"$build" || fail "no program"
"$out/trace" "${2:-100000}" "${3:-1}"
