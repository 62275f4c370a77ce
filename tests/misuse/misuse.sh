#!/usr/bin/env bash
# Every misuse has its program, its end, and its exact report (addresses masked).
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
failed=0 seen=()

expect() { # PROGRAM STATUS, the report on stdin
	local name=$1 want=$2 rc report
	seen+=("$name")
	[ "$want" = SIGABRT ] && want=134
	report=$( (ulimit -c 0; exec "$build/tests/misuse/$name") 2>&1 >/dev/null)
	rc=$?
	if [ "$rc" -ne "$want" ]; then
		echo "$name: exit status $rc, not $want"; failed=1
	fi
	diff -u --label "$name: expected" --label "$name: printed" \
		<(cat) <(sed -E 's/0x[0-9a-f]+/ADDR/g' <<<"$report") || failed=1
}

expect atomic_kmalloc 0 <<'END'
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
END
expect destroy_twice SIGABRT <<'END'
kmem: BUG: kmem_cache_destroy(ADDR): not a live cache
END
expect destroy_with_objects 0 <<'END'
kmem: BUG leaky: Objects remaining on __kmem_cache_shutdown(): 2; the cache is kept
kmem:   Object ADDR @offset=0
kmem:   Object ADDR @offset=64
END
expect double_free 0 <<'END'
kmem: BUG victim: Object already free: ADDR; it was left alone
END
expect foreign_free_pages SIGABRT <<'END'
kmem: BUG: free_pages(ADDR): not memory of the page allocator
END
expect foreign_kfree SIGABRT <<'END'
kmem: BUG: kfree(ADDR): not memory of this allocator
END
expect free_page_twice SIGABRT <<'END'
kmem: BUG: Bad page: __free_pages(ADDR) of a page that is not allocated
END
expect interior_kfree 0 <<'END'
kmem: BUG victim: Invalid object pointer ADDR: 8 bytes into the slab at ADDR; it was left alone
END
expect interior_large_kfree SIGABRT <<'END'
kmem: BUG: kfree(ADDR): no allocated object is at this address
END
expect ksize_foreign SIGABRT <<'END'
kmem: BUG: kfree(ADDR): not memory of this allocator
END
expect kmalloc_vfree 0 <<'END'
kmem: BUG: Trying to vfree() nonexistent vm area (ADDR); it was left alone
END
expect large_double_kfree SIGABRT <<'END'
kmem: BUG: kfree(ADDR): no allocated object is at this address
END
expect malloc_foreign_free SIGABRT <<'END'
kmem: BUG: kfree(ADDR): not memory of this allocator
END
expect order_too_large 0 <<'END'
kmem: page allocation of order 11 refused: the largest is 10
END
expect pages_kfree SIGABRT <<'END'
kmem: BUG: kfree(ADDR): no allocated object is at this address
END
expect panic_flag SIGABRT <<'END'
kmem: BUG: kmem_cache_create(victim) failed: object size is 0, and SLAB_PANIC is set
END
expect put_page_twice SIGABRT <<'END'
kmem: BUG: Bad page: reference count of ADDR fell below 0
END
expect slab_free_pages SIGABRT <<'END'
kmem: BUG: Bad page: __free_pages(ADDR) of a page that is not allocated
END
expect unaligned_large_kfree SIGABRT <<'END'
kmem: BUG: kfree(ADDR): no allocated object is at this address
END
expect unknown_flags 0 <<'END'
kmem: kmem_cache_create(victim) failed: unknown flags
END
expect vmalloc_kfree SIGABRT <<'END'
kmem: BUG: kfree(ADDR): memory of vmalloc() or a large kvmalloc(); free it with kvfree()
END
expect wrong_cache 0 <<'END'
kmem: BUG wrong: kmem_cache_free(ADDR): no object of this cache; it was left alone
END
expect wrong_exact_size SIGABRT <<'END'
kmem: BUG: free_pages_exact(ADDR, 16384) but it has 3 pages
END
expect wrong_order SIGABRT <<'END'
kmem: BUG: Bad page: __free_pages(ADDR, 1) but it was allocated with order 2
END
expect zero_with_ctor 0 <<'END'
kmem: built: __GFP_ZERO is ignored: the cache has a constructor
END

for source in tests/misuse/*.c; do
	name=$(basename "$source" .c)
	[[ " ${seen[*]} " == *" $name "* ]] || { echo "$name: no expectation"; failed=1; }
done
exit $failed
