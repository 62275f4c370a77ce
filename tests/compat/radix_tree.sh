#!/usr/bin/env bash
# The kernel's tree tests (tools/testing/radix-tree), unmodified, on libkmem in place of the allocator that they bring.
# radix_tree.sh BUILD [more]: `more` are those of the IDR and the maple tree, which take two minutes together.
set -u
. "$(dirname "$0")/lib.bash"
need_kernel radix_tree

# As the tests' own makefile prepares them.
mkdir -p "$out/generated" || exit 1
echo '#define XA_CHUNK_SHIFT 3' >"$out/generated/map-shift.h"
echo '#define CONFIG_64BIT 1' >"$out/generated/bit-length.h"
cp "$kernel/tools/testing/shared/autoconf.h" "$out/generated/" || exit 1
for name in radix-tree idr; do
	sed -e 's/^static //' -e 's/__always_inline //' -e 's/inline //' "$kernel/lib/$name.c" >"$out/$name.c"
done

tools=$kernel/tools
flags=(-I"$shim/radix" "${compat[@]}" -I"$tools/testing/shared" -I"$out" -I"$tools/testing/radix-tree" \
	-I"$tools/testing" -I"$tools/include" -I"$kernel/lib" -D_LGPL_SOURCE)
kernel_object control "$shim/radix.c" "${flags[@]}"
for name in radix-tree idr; do
	kernel_object $name "$out/$name.c" "${flags[@]}"
done
for name in find_bit bitmap hweight vsprintf; do
	kernel_object $name "$tools/lib/$name.c" "${flags[@]}"
done
kernel_object xarray-shared "$tools/testing/shared/xarray-shared.c" "${flags[@]}"
core=(control.o radix-tree.o idr.o find_bit.o bitmap.o hweight.o vsprintf.o xarray-shared.o test.o)
more=()
[ "${2:-}" = more ] && more=(idr-test maple)
for name in test xarray multiorder "${more[@]}"; do
	kernel_object $name "$tools/testing/radix-tree/$name.c" "${flags[@]}"
done

run() { # NAME: its program ends well and leaves no object behind; its last line
	kernel_program "$1" "$1.o" "${core[@]}"
	timeout 500 "$out/$1" >"$out/$1.log" 2>&1 || fail "$1: $(tail -n 5 "$out/$1.log")"
	grep -E '^nr_allocated = |^kmem:' "$out/$1.log" && fail "$1"
	tail -n 1 "$out/$1.log"
}

all_passed() { # LINE
	[[ $1 =~ ([0-9]+)\ of\ ([0-9]+)\ tests\ passed && ${BASH_REMATCH[1]} -eq ${BASH_REMATCH[2]} ]] || fail "$1"
	echo "leg ${1%%:*}: ${1#*: }"
}

all_passed "$(run xarray)"
run multiorder
echo "leg multiorder: passed"
for name in "${more[@]}"; do
	all_passed "$(run $name)"
done
