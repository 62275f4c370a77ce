#!/bin/bash
# parity.sh - our layout formulas against every cache of the running kernel. usage: parity.sh BUILD-FOLDER
set -u
parity=$1/tests/parity/parity
[ -d /sys/kernel/slab ] || { echo "no /sys/kernel/slab: this kernel has no SLUB or no sysfs"; exit 77; }
[ -r /sys/kernel/slab/kmalloc-64/order ] && [ "$(id -u)" -eq 0 ] || { echo "the files in /sys/kernel/slab are root's"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; cat "$dir/out"; exit 1; }

"$parity" > "$dir/out" 2>&1 || fail "the kernel's caches are laid out otherwise"
cat "$dir/out"
echo "leg $(uname -r): $(tail -n 1 "$dir/out")"

# One wrong value in a copy is found and named.
mkdir "$dir/slab" "$dir/slab/kmalloc-64"
for file in /sys/kernel/slab/kmalloc-64/*; do
	cat "$file" > "$dir/slab/kmalloc-64/${file##*/}" 2> /dev/null
done
"$parity" "$dir/slab" > "$dir/out" 2>&1 || fail "a copy is not equal"
echo 3 > "$dir/slab/kmalloc-64/order"
"$parity" "$dir/slab" > "$dir/out" 2>&1
[ $? -eq 1 ] || fail "a wrong order is not found"
grep -q '^difference: kmalloc-64 order: kernel 3, formula 0$' "$dir/out" || fail "the difference is not named"

"$parity" "$dir/nothing" > "$dir/out" 2>&1
[ $? -eq 2 ] && grep -q '^parity: cannot open .*nothing: No such file' "$dir/out" || fail "a missing folder"
"$parity" "$dir/slab" six > "$dir/out" 2>&1
[ $? -eq 2 ] && grep -q "'six' is no kernel release" "$dir/out" || fail "a bad release"
exit 0
