#!/usr/bin/env bash
# model.sh - random operations against the model, alone and on four threads. MODEL_OPERATIONS=1e8 for the long run.
set -u
model=$1/tests/model/model
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
fail() { echo "FAIL: $*"; exit 1; }

"$model" -n "${MODEL_OPERATIONS:-6e5}" || fail "a difference; the operations are above"
"$model" -n "${MODEL_OPERATIONS:-6e5}" -t 4 || fail "a difference between threads"
KMEM_OPTIONS=rseq=off "$model" -n 2e5 -s 100 || fail "a difference without per-CPU slots"
KMEM_OPTIONS=merge=on "$model" -n 2e5 -s 500 || fail "a difference in merged caches"
KMEM_OPTIONS=merge=on "$model" -n 2e5 -t 4 || fail "a difference between threads in merged caches"
KMEM_OPTIONS=merge=on,nodes=2 "$model" -n 1e5 -s 600 || fail "a difference in merged caches on two nodes"
KMEM_OPTIONS=nodes=2,dma32=64M "$model" -n 2e5 -s 200 || fail "a difference with two nodes"
KMEM_SLAB_DEBUG=FZPU "$model" -n 5e4 -s 300 || fail "a difference in debug caches"
KMEM_OPTIONS=init_on_free=on,page_poison=on "$model" -n 5e4 -s 400 || fail "a difference with clearing"

# What a failure prints can be run again, and nothing else can.
printf '# comment\nkmalloc slot=5 a=100 b=1\nkrealloc slot=5 a=5000 b=0\nfree slot=5 a=0 b=0\n' >"$tmp/list"
"$model" -r "$tmp/list" || fail "a good list"
for line in 'kmalloc slot=5 a=100' 'nothing slot=5 a=1 b=1' 'kmalloc slot=5000 a=1 b=1'; do
	echo "$line" >"$tmp/list"
	"$model" -r "$tmp/list" 2>"$tmp/err"
	[ $? = 2 ] && [ "$(wc -l <"$tmp/err")" = 1 ] || fail "'$line' is accepted"
done
exit 0
