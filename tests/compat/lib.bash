# lib.bash - what the scripts here share: kernel sources, compilers, a folder for what is built.
#
# kernel_object NAME SOURCE FLAG...   compile a source of the kernel, or of the shim, to $out/NAME.o
# kernel_program NAME OBJECT...       link them with libkmem
build=$(realpath "${1:-build}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
root=$PWD
shim=$root/tests/compat/shim
compat=(-I"$root/alloc/include/compat" -I"$root/alloc/include")
sanitize=()
case $build in
*/san-address) sanitize=(-fsanitize=address,undefined -fno-sanitize=alignment,shift) ;;
*/san-*) echo "only for the plain build and that with ASan"; exit 77 ;;
esac
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=0}"

fail() { echo "FAIL: $*"; exit 1; }

# The folder of kernel sources in $kernel, one for what is built in $out; without them, the test is skipped.
need_kernel() { # NAME
	kernel=$(tests/compat/source)
	case $kernel in -*) echo "${kernel#- }"; exit 77 ;; esac
	out=$build/tests/compat/$1
	mkdir -p "$out"
}

kernel_object() {
	local name=$1 source=$2
	shift 2
	cc -c -g -O2 -Wall -Wno-format "${sanitize[@]}" -include "$shim/tools.h" "$@" -o "$out/$name.o" "$source" ||
		fail "$source does not compile"
}

kernel_program() {
	local name=$1
	shift
	cc "${sanitize[@]}" -o "$out/$name" "${@/#/$out/}" -L"$build" -lkmem -Wl,-rpath,"$build" -lurcu -pthread ||
		fail "$name does not link"
}
