#!/usr/bin/env bash
# The kernel's tests once more, they and libkmem built with ASan and UBSan.
set -u
. "$(dirname "$0")/lib.bash"
[ ${#sanitize[@]} -eq 0 ] || exit 0
need_kernel .

make -s -j2 SAN=address lib || fail "the library does not build"
for name in meminit free_pages gpu_buddy radix_tree; do
	bash tests/compat/$name.sh "$build/san-address" || fail "$name"
done
