#!/usr/bin/env bash
# The probes as the users' tools see them: readelf, bpftrace -l, a bpftrace one-liner with -p, perf.
set -u
build=$(cd "$1" && pwd) || exit 1
lib=$build/libkmem.so.0
out=$(mktemp -d) || exit 1
steady=
trap 'kill $steady 2>/dev/null; rm -rf "$out"' EXIT
fail() { echo "FAIL: $*"; cat "$out"/last 2>/dev/null; exit 1; }

# name, number of arguments (the fields of the kernel's records; it has none of the pools')
expected='batch 2
genpool_alloc 5
genpool_free 5
kfree 2
kmalloc 7
kmem_cache_alloc 8
kmem_cache_create 7
kmem_cache_destroy 3
kmem_cache_free 3
kmem_cache_shrink 3
mempool_alloc 6
mempool_free 5
mempool_resize 5
mempool_wait 5
mm_page_alloc 4
mm_page_alloc_extfrag 6
mm_page_alloc_zone_locked 4
mm_page_free 2
mm_page_free_batched 1
mm_page_pcpu_drain 3
mm_shrink_slab_end 7
mm_shrink_slab_start 9
mp_create 4
mp_destroy 4
mp_grow 5
mp_reset 4
percpu_alloc_percpu 10
percpu_alloc_percpu_fail 4
percpu_free_percpu 3
purge 3
sample 6
slot_flush 4
slot_refill 4
zone_grow 3
zone_return 3'

for object in "$lib" "$build/libkmem-malloc.so"; do
	readelf -nW "$object" >"$out/last"
	listed=$(awk '/Provider:/ { p = $NF } /Name:/ { n = $2 } /Semaphore:/ { s = $NF }
		/Arguments:/ { if (p == "kmem" && s != "0x0000000000000000") print n, NF - 1 }' "$out/last" | LC_ALL=C sort -u)
	[ "$listed" = "$expected" ] || fail "$object lists: $listed"
done
# In a stripped copy the notes are still there.
strip -o "$out/stripped.so" "$lib" && readelf -nW "$out/stripped.so" | grep -q 'Name: kmem_cache_alloc' || fail "strip removed the notes"

[ "$(id -u)" -eq 0 ] || { echo "bpftrace and perf need root"; exit 77; }
command -v bpftrace >/dev/null || { echo "bpftrace is not installed"; exit 77; }
bpftrace -l "usdt:$lib:kmem:*" >"$out/last" 2>&1
[ "$(grep -c ':kmem:' "$out/last")" -eq "$(wc -l <<<"$expected")" ] || fail "bpftrace -l"

start() { "$build/tests/probes/steady" >"$out/ready" & steady=$!; for _ in $(seq 50); do [ -s "$out/ready" ] && return; sleep 0.1; done; fail "steady did not start"; }
start
# bpftrace 0.17 has arg0 to arg5; later ones are on the stack.
timeout 60 bpftrace -p $steady -e "
	usdt:$lib:kmem:kmem_cache_alloc { @alloc[str(arg2), arg3, arg4] = count(); }
	usdt:$lib:kmem:kmem_cache_free { @free[str(arg2)] = count(); }
	usdt:$lib:kmem:kmalloc { @kmalloc[arg2, arg3, arg4] = count(); }
	usdt:$lib:kmem:kfree { @kfree = count(); }
	usdt:$lib:kmem:mm_page_alloc { @pages[arg1, arg2] = count(); }
	usdt:$lib:kmem:mm_page_free { @freed[arg1] = count(); }
	usdt:$lib:kmem:mempool_alloc { @pool[str(arg3), arg5] = count(); }
	usdt:$lib:kmem:mempool_free { @refill[str(arg3), arg4] = count(); }
	usdt:$lib:kmem:mempool_wait { @wait[str(arg2), arg4] = count(); }
	usdt:$lib:kmem:mempool_resize { @resize[str(arg2), arg3, arg4] = count(); }
	usdt:$lib:kmem:genpool_alloc { @taken[str(arg3), arg4] = count(); }
	usdt:$lib:kmem:genpool_free { @given[str(arg3), arg4] = count(); }
	usdt:$lib:kmem:mp_create { @made[arg3] = count(); }
	usdt:$lib:kmem:mp_grow { @grown[str(arg3), arg4] = count(); }
	usdt:$lib:kmem:mp_reset { @reset[str(arg2), arg3] = count(); }
	usdt:$lib:kmem:mp_destroy { @ended[str(arg2), arg3] = count(); }
	usdt:$lib:kmem:kmem_cache_create { @cache_made[str(arg2), arg3, arg4] = count(); }
	usdt:$lib:kmem:kmem_cache_destroy { @cache_gone[str(arg2)] = count(); }
	usdt:$lib:kmem:kmem_cache_shrink { @cache_shrunk[str(arg1)] = count(); }
	usdt:$lib:kmem:percpu_alloc_percpu { @percpu[arg3, arg4, *(int32 *)(reg(\"sp\") + 8), *(uint64 *)(reg(\"sp\") + 24)] = count(); }
	usdt:$lib:kmem:percpu_free_percpu { @percpu_freed[arg1] = count(); }
	usdt:$lib:kmem:percpu_alloc_percpu_fail { @percpu_failed[arg1, arg2] = count(); }
	usdt:$lib:kmem:mm_page_free_batched { @batched = count(); }
	usdt:$lib:kmem:mm_shrink_slab_start { @shrink[arg5, *(uint64 *)(reg(\"sp\") + 16)] = count(); }
	usdt:$lib:kmem:mm_shrink_slab_end { @shrunk[arg5, *(int64 *)(reg(\"sp\") + 8)] = count(); }
	usdt:$lib:kmem:slot_refill { @refilled[str(arg1), arg2, arg3] = count(); }
	usdt:$lib:kmem:slot_flush { @flushed[str(arg1), arg2, arg3] = count(); }
	interval:s:2 { exit(); }" >"$out/last" 2>&1
# size 100 takes 104 bytes; kmalloc(1000) 1024 with GFP_ATOMIC 0x820; order 2 with GFP_KERNEL 0xcc0
for want in '@alloc\[steady, 100, 104\]: [1-9]' '@free\[steady\]: [1-9]' '@kmalloc\[1000, 1024, 2080\]: [1-9]' \
	'@pool\[steady pool, 0\]: [1-9]' '@pool\[steady pool, 1\]: [1-9]' '@refill\[steady pool, 1\]: [1-9]' \
	'@wait\[steady pool, 1\]: [1-9]' '@resize\[steady pool, 1, 2\]: [1-9]' \
	'@taken\[steady range, 300\]: [1-9]' '@given\[steady range, 300\]: [1-9]' \
	'@made\[3000\]: [1-9]' '@grown\[steady region, 5000\]: [1-9]' '@reset\[steady region, 5100\]: [1-9]' \
	'@ended\[steady short, 0\]: [1-9]' '@cache_made\[steady once, 40, 40\]: [1-9]' \
	'@cache_gone\[steady once\]: [1-9]' '@cache_shrunk\[steady\]: [1-9]' '@percpu\[24, 8, 32768, 24\]: [1-9]' '@percpu_freed\[32768\]: [1-9]' \
	'@percpu_failed\[1, 32768\]: [1-9]' '@batched: [1-9]' '@shrink\[7, 14\]: [1-9]' '@shrunk\[3, 14\]: [1-9]' \
	'@refilled\[steady, 0, [01]\]: [1-9]' '@flushed\[steady, 0, [01]\]: [1-9]' '@kfree: [1-9]' '@pages\[2, 3264\]: [1-9]' '@freed\[2\]: [1-9]'; do
	grep -qE "$want" "$out/last" || fail "bpftrace did not print $want"
done

command -v perf >/dev/null || { echo "perf is not installed"; exit 77; }
export HOME=$out
perf --buildid-dir "$out/debug" buildid-cache --add "$lib" >"$out/last" 2>&1 || fail "perf buildid-cache"
perf --buildid-dir "$out/debug" list sdt 2>/dev/null | grep -o 'sdt_kmem:[a-z_]*' | sort -u >"$out/last"
[ "$(wc -l <"$out/last")" -eq "$(wc -l <<<"$expected")" ] || fail "perf list sdt"
perf probe -q -d 'sdt_kmem:*' >/dev/null 2>&1
perf --buildid-dir "$out/debug" probe -q 'sdt_kmem:kmem_cache_alloc' >"$out/last" 2>&1 || fail "perf probe"
perf record -q -o "$out/data" -e 'sdt_kmem:kmem_cache_alloc' -p $steady -- sleep 1 >"$out/last" 2>&1
hits=$(perf script -i "$out/data" 2>/dev/null | grep -c sdt_kmem:kmem_cache_alloc)
perf probe -q -d 'sdt_kmem:*' >/dev/null 2>&1
[ "$hits" -gt 50 ] || fail "perf saw $hits events"
