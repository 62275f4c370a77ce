#!/usr/bin/env bash
# make install into a DESTDIR, build a program against it, and make uninstall leaves nothing.
set -u
case $1 in build) ;; *) echo "only for the plain build"; exit 77 ;; esac
dest=$(mktemp -d) || exit 1
trap 'rm -rf "$dest"' EXIT
make -s install DESTDIR="$dest" prefix=/usr || exit 1
cat >"$dest/program.c" <<'C'
#include <kmem/page.h>
#include <kmem/slab.h>
int main(void)
{
	void *p = kmalloc(64, GFP_KERNEL);
	kfree(p);
	free_page(get_zeroed_page(GFP_KERNEL));
	return !p;
}
C
export PKG_CONFIG_PATH=$dest/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$dest
cc -o "$dest/shared" "$dest/program.c" $(pkg-config --cflags --libs kmem) || exit 1
LD_LIBRARY_PATH=$dest/usr/lib "$dest/shared" || { echo "the shared program failed"; exit 1; }
cc -static-pie -fPIE -o "$dest/static" "$dest/program.c" -I"$dest/usr/include" "$dest/usr/lib/libkmem.a" || exit 1
"$dest/static" || { echo "the static program failed"; exit 1; }
for source in "$dest"/usr/share/doc/slabscope/examples/*.c; do
	name=$(basename "$source" .c) package=kmem
	case $name in leaky) continue ;; ported) package=kmem-compat ;; session_rcu) package="kmem liburcu" ;; esac
	cc -Wall -Wextra -Werror -o "$dest/$name" "$source" $(pkg-config --cflags --libs $package) -pthread || exit 1
	LD_LIBRARY_PATH=$dest/usr/lib "$dest/$name" >"$dest/$name.out" || { echo "the example $name failed"; exit 1; }
	cmp "$dest/$name.out" <("build/examples/$name") || { echo "the example $name prints something else when installed"; exit 1; }
	examples=$((${examples:-0} + 1))
done
[ "${examples:-0}" -ge 7 ] || { echo "only ${examples:-0} examples are installed"; exit 1; }
cat >"$dest/program.cc" <<'C'
#include <kmem/fastpath.h>
#include <kmem/slab.h>
struct request { int id; };
int main()
{
	kmem_cache_args args = {};
	kmem_cache *s[] = { kmem_cache_create("args", 40, &args, 0), kmem_cache_create("legacy", 40, 8, 0, nullptr),
			    kmem_cache_create("none", 40, nullptr, 0), KMEM_CACHE(request, 0) };
	for (kmem_cache *c : s) {
		void *p = kmem_cache_alloc_inline(c, GFP_KERNEL);
		if (!p)
			return 1;
		kmem_cache_free_inline(c, p);
	}
	return 0;
}
C
g++ -Wall -Wextra -Werror -o "$dest/cxx" "$dest/program.cc" $(pkg-config --cflags --libs kmem) || exit 1
LD_LIBRARY_PATH=$dest/usr/lib "$dest/cxx" || { echo "the C++ program failed"; exit 1; }
LD_PRELOAD=$dest/usr/lib/libkmem-malloc.so /bin/true || exit 1
for tool in slabtop kmemleak slabscope; do
	"$dest/usr/bin/$tool" -V >/dev/null || { echo "$tool -V failed"; exit 1; }
done
make -s uninstall DESTDIR="$dest" prefix=/usr || exit 1
left=$(find "$dest/usr" ! -type d)
[ -z "$left" ] || { echo "uninstall left: $left"; exit 1; }
