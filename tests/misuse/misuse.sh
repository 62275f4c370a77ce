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
		<(cat) <(sed -E 's/0x[0-9a-f]+/ADDR/g; s/pfn:[0-9a-f]+/pfn:N/' <<<"$report") || failed=1
}

expect atomic_kmalloc 0 <<'END'
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
kmem: BUG: sleeping function called from invalid context at main+ADDR/ADDR: gfp ADDR may block, non_block: 1
END
# With KMEM_SLAB_DEBUG=FZPU: titles, faults and repairs only; expect_whole looks at the rest of some.
expect_debug() { # PROGRAM, those lines on stdin
	local name=$1 rc report
	seen+=("$name")
	report=$(KMEM_SLAB_DEBUG=FZPU "$build/tests/misuse/$name" 2>&1 >/dev/null)
	rc=$?
	[ "$rc" -eq 0 ] || { echo "$name: exit status $rc, not 0"; failed=1; }
	diff -u --label "$name: expected" --label "$name: printed" <(cat) \
		<(sed -nE 's/0x[0-9a-f]{6,}/ADDR/g; s/^kmem: ((BUG|FIX|ADDR-|Allocated in main).*)/\1/p' <<<"$report" |
			sed -E 's/(main\+0x).*/\1/') || failed=1
}

expect_debug debug_bulk_oob <<'END'
BUG victim (Not tainted): Right Redzone overwritten
ADDR-ADDR @offset=1392. First byte 0x78 instead of 0xcc
Allocated in main+0x
FIX victim: Restoring Right Redzone ADDR-ADDR=0xcc
FIX victim: Object at ADDR not freed
END
expect_debug debug_destroy_with_objects <<'END'
BUG leaky: Objects remaining on __kmem_cache_shutdown(): 1; the cache is kept
Allocated in main+0x
END
expect_debug debug_double_free <<'END'
BUG victim (Not tainted): Object already free
Allocated in main+0x
FIX victim: Object at ADDR not freed
END
expect_debug debug_free_outside <<'END'
BUG victim (Not tainted): Attempt to free object(ADDR) outside of slab
FIX victim: Object at ADDR not freed
END
expect_debug debug_free_pointer <<'END'
BUG victim (Not tainted): Freepointer corrupt
FIX victim: Marking all objects used
END
expect_debug debug_invalid_free <<'END'
BUG kmalloc-128 (Not tainted): Invalid object pointer ADDR
FIX kmalloc-128: Object at ADDR not freed
END
expect_debug debug_krealloc_freed <<'END'
BUG kmalloc-256 (Not tainted): Object already free
Allocated in main+0x
END
expect_debug debug_krealloc_less <<'END'
BUG kmalloc-256 (Not tainted): kmalloc Redzone overwritten
ADDR-ADDR @offset=457. First byte 0x78 instead of 0xcc
Allocated in main+0x
FIX kmalloc-256: Restoring kmalloc Redzone ADDR-ADDR=0xcc
FIX kmalloc-256: Object at ADDR not freed
END
expect_debug debug_krealloc_more <<'END'
BUG kmalloc-256 (Not tainted): kmalloc Redzone overwritten
ADDR-ADDR @offset=491. First byte 0x78 instead of 0xcc
Allocated in main+0x
FIX kmalloc-256: Restoring kmalloc Redzone ADDR-ADDR=0xcc
FIX kmalloc-256: Object at ADDR not freed
END
expect_debug debug_ksize_freed <<'END'
BUG kmalloc-128 (Not tainted): Object already free
Allocated in main+0x
END
expect_debug debug_oob_large <<'END'
BUG kmalloc-large (Not tainted): kmalloc Redzone overwritten
ADDR-ADDR @offset=8202. First byte 0x78 instead of 0xcc
Allocated in main+0x
FIX kmalloc-large: Object at ADDR not freed
END
expect_debug debug_oob_left <<'END'
BUG kmalloc-16 (Not tainted): Left Redzone overwritten
ADDR-ADDR @offset=15. First byte 0x78 instead of 0xcc
Allocated in main+0x
FIX kmalloc-16: Restoring Left Redzone ADDR-ADDR=0xcc
FIX kmalloc-16: Object at ADDR not freed
END
expect_debug debug_oob_right <<'END'
BUG kmalloc-128 (Not tainted): kmalloc Redzone overwritten
ADDR-ADDR @offset=251. First byte 0x78 instead of 0xcc
Allocated in main+0x
FIX kmalloc-128: Restoring kmalloc Redzone ADDR-ADDR=0xcc
FIX kmalloc-128: Object at ADDR not freed
END
expect_debug debug_sensitive_twice <<'END'
BUG kmalloc-128 (Not tainted): Object already free
Allocated in main+0x
END
expect_debug debug_write_after_free <<'END'
BUG kmalloc-96 (Not tainted): Poison overwritten
ADDR-ADDR @offset=65. First byte 0x78 instead of 0x6b
Allocated in main+0x
FIX kmalloc-96: Restoring Poison ADDR-ADDR=0x6b
FIX kmalloc-96: Marking all objects used
END
expect_debug debug_wrong_cache <<'END'
BUG other (Not tainted): kmem_cache_free: Wrong slab cache. other but object is from victim
Allocated in main+0x
FIX other: Object at ADDR not freed
END

# The same reports whole. Addresses in a dump keep their last digits, so that every row is at its place; what chance
# or the compiler decides is masked, and with it the bytes that another pattern names.
expect_whole() { # PROGRAM [PATTERN], the report on stdin
	local name=$1 chance=${2:-^$} report
	report=$(KMEM_SLAB_DEBUG=FZPU "$build/tests/misuse/$name" 2>&1 >/dev/null)
	diff -u --label "$name: expected" --label "$name: printed" <(cat) \
		<(sed -E "s/^kmem: ?//; s/($chance)( [0-9a-f]{2}){8}(.*)  .{16}$/\\1 CHANCE\\3/
			s/0x[0-9a-f]{6,}/ADDR/g; s/^([A-Z][a-z]+ +)[0-9a-f]{13}([0-9a-f]{3}:)/\\1ADDR\\2/
			s/main\\+0x[0-9a-f]+\\/0x[0-9a-f]+/main+N/; s/age=[0-9]+ cpu=[0-9]+ pid=[0-9]+/age=N cpu=N pid=N/
			s/^CPU: [0-9]+ PID: [0-9]+/CPU: N PID: N/" <<<"$report" |
			sed -E '/^ [^ ]/{/main/!d}') || failed=1
}

expect_whole debug_bulk_oob <<'END'
=============================================================================
BUG victim (Not tainted): Right Redzone overwritten
-----------------------------------------------------------------------------

ADDR-ADDR @offset=1392. First byte 0x78 instead of 0xcc
Allocated in main+N age=N cpu=N pid=N
 main+N
Slab ADDR objects=13 used=6 fp=ADDR flags=0x2
Object ADDR @offset=1192 fp=ADDR

Redzone  ADDR4a0: cc cc cc cc cc cc cc cc                          ........
Object   ADDR4a8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR4b8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR4c8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR4d8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR4e8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR4f8: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR508: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR518: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR528: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR538: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR548: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR558: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR568: 6b 6b 6b 6b 6b 6b 6b a5                          kkkkkkk.
Redzone  ADDR570: 78 cc cc cc cc cc cc cc                          x.......
Padding  ADDR5c0: 5a 5a 5a 5a 5a 5a 5a 5a                          ZZZZZZZZ
CPU: N PID: N Comm: debug_bulk_oob
Call Trace:
 main+N
FIX victim: Restoring Right Redzone ADDR-ADDR=0xcc
FIX victim: Object at ADDR not freed
END
expect_whole debug_oob_right <<'END'
=============================================================================
BUG kmalloc-128 (Not tainted): kmalloc Redzone overwritten
-----------------------------------------------------------------------------

ADDR-ADDR @offset=251. First byte 0x78 instead of 0xcc
Allocated in main+N age=N cpu=N pid=N
 main+N
Slab ADDR objects=21 used=1 fp=ADDR flags=0x2
Object ADDR @offset=128 fp=ADDR

Redzone  ADDR000: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Redzone  ADDR010: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Redzone  ADDR020: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Redzone  ADDR030: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Redzone  ADDR040: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Redzone  ADDR050: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Redzone  ADDR060: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Redzone  ADDR070: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  ................
Object   ADDR080: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR090: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR0a0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR0b0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR0c0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR0d0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR0e0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR0f0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b a5 78 cc cc cc cc  kkkkkkkkkk.x....
Redzone  ADDR100: cc cc cc cc cc cc cc cc                          ........
Padding  ADDR154: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  ZZZZZZZZZZZZZZZZ
Padding  ADDR164: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  ZZZZZZZZZZZZZZZZ
Padding  ADDR174: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a              ZZZZZZZZZZZZ
CPU: N PID: N Comm: debug_oob_right
Call Trace:
 main+N
FIX kmalloc-128: Restoring kmalloc Redzone ADDR-ADDR=0xcc
FIX kmalloc-128: Object at ADDR not freed
END
expect_whole debug_write_after_free <<'END'
=============================================================================
BUG kmalloc-96 (Not tainted): Poison overwritten
-----------------------------------------------------------------------------

ADDR-ADDR @offset=65. First byte 0x78 instead of 0x6b
Allocated in main+N age=N cpu=N pid=N
 main+N
Freed in main+N age=N cpu=N pid=N
 main+N
Slab ADDR objects=18 used=0 fp=ADDR flags=0x2
Object ADDR @offset=32 fp=ADDR

Redzone  ADDR000: bb bb bb bb bb bb bb bb bb bb bb bb bb bb bb bb  ................
Redzone  ADDR010: bb bb bb bb bb bb bb bb bb bb bb bb bb bb bb bb  ................
Object   ADDR020: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR030: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR040: 6b 78 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kxkkkkkkkkkkkkkk
Object   ADDR050: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR060: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR070: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b a5  kkkkkkkkkkkkkkk.
Redzone  ADDR080: bb bb bb bb bb bb bb bb                          ........
Padding  ADDR0d4: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a              ZZZZZZZZZZZZ
CPU: N PID: N Comm: debug_write_aft
Call Trace:
 main+N
FIX kmalloc-96: Restoring Poison ADDR-ADDR=0x6b
FIX kmalloc-96: Marking all objects used
END
expect_whole debug_double_free <<'END'
=============================================================================
BUG victim (Not tainted): Object already free
-----------------------------------------------------------------------------

Allocated in main+N age=N cpu=N pid=N
 main+N
Freed in main+N age=N cpu=N pid=N
 main+N
Slab ADDR objects=25 used=0 fp=ADDR flags=0x2
Object ADDR @offset=8 fp=ADDR

Redzone  ADDR000: bb bb bb bb bb bb bb bb                          ........
Object   ADDR008: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR018: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR028: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk
Object   ADDR038: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b a5  kkkkkkkkkkkkkkk.
Redzone  ADDR048: bb bb bb bb bb bb bb bb                          ........
Padding  ADDR098: 5a 5a 5a 5a 5a 5a 5a 5a                          ZZZZZZZZ
CPU: N PID: N Comm: debug_double_fr
Call Trace:
 main+N
FIX victim: Object at ADDR not freed
END
expect_whole debug_free_pointer '^Object +[0-9a-f]+020:' <<'END'
=============================================================================
BUG victim (Not tainted): Freepointer corrupt
-----------------------------------------------------------------------------

Slab ADDR objects=64 used=0 fp=ADDR flags=0x2
Object ADDR @offset=0 fp=ADDR

Object   ADDR000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
Object   ADDR010: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
Object   ADDR020: CHANCE 00 00 00 00 00 00 00 00
Object   ADDR030: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................
CPU: N PID: N Comm: debug_free_poin
Call Trace:
 main+N
FIX victim: Marking all objects used
END
expect_whole debug_destroy_with_objects <<'END'
BUG leaky: Objects remaining on __kmem_cache_shutdown(): 1; the cache is kept
  Object ADDR @offset=8
Allocated in main+N age=N cpu=N pid=N
 main+N
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
kmem: BUG victim: Object already free: ADDR; it was left alone
kmem: BUG victim: Object already free: ADDR; it was left alone
END
expect double_free_later 0 <<'END'
kmem: BUG victim: Object already free: ADDR; it was left alone
END
expect foreign_free_pages SIGABRT <<'END'
kmem: BUG: free_pages(ADDR): not memory of the page allocator
END
expect foreign_kfree SIGABRT <<'END'
kmem: BUG: kfree(ADDR): not memory of this allocator
END
expect free_page_twice SIGABRT <<'END'
kmem: BUG: Bad page state in process free_page_twice  pfn:N
kmem: page: refcount:0 order:0 type:free (per CPU) flags:ADDR addr:ADDR
kmem: page dumped because: free of a page that is free already
END
expect interior_kfree 0 <<'END'
kmem: BUG victim: Invalid object pointer ADDR: 8 bytes into the slab at ADDR; it was left alone
kmem: BUG victim: Invalid object pointer ADDR: 1 bytes into the slab at ADDR; it was left alone
kmem: BUG victim: Invalid object pointer ADDR: 32 bytes into the slab at ADDR; it was left alone
kmem: BUG victim: Invalid object pointer ADDR: 3 bytes into the slab at ADDR; it was left alone
END
expect interior_kfree_later 0 <<'END'
kmem: BUG victim: Invalid object pointer ADDR: 32 bytes into the slab at ADDR; it was left alone
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
kmem: BUG: Bad page state in process put_page_twice  pfn:N
kmem: page: refcount:-1 order:0 type:free (per CPU) flags:ADDR addr:ADDR
kmem: page dumped because: nonzero _refcount
END
expect slab_free_pages SIGABRT <<'END'
kmem: BUG: Bad page state in process slab_free_pages  pfn:N
kmem: page: refcount:1 order:3 type:slab flags:ADDR addr:ADDR
kmem: page dumped because: free of a page that alloc_pages() has not handed out
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
kmem: BUG: Bad page state in process wrong_order  pfn:N
kmem: page: refcount:1 order:2 type:pages flags:ADDR addr:ADDR
kmem: page dumped because: wrong order
END
expect zero_with_ctor 0 <<'END'
kmem: built: __GFP_ZERO is ignored: the cache has a constructor
END

# Pools and per-CPU memory.
expect gen_pool_destroy_in_use SIGABRT <<'END'
kmem: BUG genpool genpool-0: destroyed with 112 bytes handed out; the pool is kept
END
expect gen_pool_double_free SIGABRT <<'END'
kmem: BUG genpool genpool-0: gen_pool_free(ADDR, 100): some of it is not allocated; it was left alone
END
expect gen_pool_foreign_free 0 <<'END'
kmem: BUG genpool genpool-0: gen_pool_free(ADDR, 4): it lies in no chunk; it was left alone
END
expect mempool_destroy_missing 0 <<'END'
kmem: BUG mempool kmalloc-64: destroyed with 2 of 4 elements of its reserve missing; free all elements first
END
expect mempool_destroy_twice SIGABRT <<'END'
kmem: BUG: mempool_destroy(ADDR): not a live mempool
END
expect mempool_double_free 0 <<'END'
kmem: BUG mempool kmalloc-64: mempool_free(ADDR): it is in the reserve already; it was left alone
END
expect mempool_free_destroyed SIGABRT <<'END'
kmem: BUG: mempool_free(ADDR, ADDR): not a live mempool; the element was left alone
END
expect mempool_resize_destroyed SIGABRT <<'END'
kmem: BUG: mempool_resize(ADDR): not a live mempool
END
expect mempool_resize_race SIGABRT <<'END'
kmem: BUG mempool mempool-0: destroyed while it is being resized; it is kept
END
expect mempool_use_destroyed SIGABRT <<'END'
kmem: BUG: mempool_alloc(ADDR): not a live mempool
END
expect mempool_foreign_free SIGABRT <<'END'
kmem: BUG: kfree(ADDR): not memory of this allocator
END
expect mempool_resize_zero 0 <<'END'
kmem: mempool_resize(kmalloc-64, 0): the size must be positive
END
expect mp_pool_destroy_in_handler 0 <<'END'
kmem: BUG mp_pool mp_pool-0: mp_destroy_pool() in one of its cleanup handlers; it was ignored
END
expect mp_pool_destroy_twice SIGABRT <<'END'
kmem: BUG: mp_destroy_pool(ADDR): not a live mp_pool
END
expect mp_pool_double_free 0 <<'END'
kmem: BUG mp_pool mp_pool-0: mp_free(ADDR): it is free already; it was left alone
END
expect mp_pool_foreign_free SIGABRT <<'END'
kmem: BUG mp_pool mp_pool-0: mp_free(ADDR): not memory of this pool
END
expect mp_pool_use_destroyed SIGABRT <<'END'
kmem: BUG: mp_alloc(ADDR): not a live mp_pool
END
expect percpu_double_free SIGABRT <<'END'
kmem: BUG: free_percpu(ADDR): not memory of alloc_percpu()
END
expect percpu_foreign_free SIGABRT <<'END'
kmem: BUG: free_percpu(ADDR): not memory of alloc_percpu()
END

for source in tests/misuse/*.c; do
	name=$(basename "$source" .c)
	[[ " ${seen[*]} " == *" $name "* ]] || { echo "$name: no expectation"; failed=1; }
done
exit $failed
