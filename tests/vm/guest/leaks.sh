#!/bin/bash
# leaks.sh - kmemleak --kernel names what is left, and nothing that kfree_rcu() freed. usage: leaks.sh BUILD-FOLDER
#
# ROUNDS (400) of mixed load, LONG seconds of it where that is set. With the module leaker loaded, or beside us to be
# loaded, its objects, too.
set -u
build=$1
work=$build/tests/bpf/kernel_work
dir=$(mktemp -d) || exit 1
queues=
trap '[ -z "$queues" ] || "$work" drop $queues; rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*"; head -n 30 "$dir/leaks" "$dir/err"; exit 1; }

[ -e /proc/leaker ] || [ ! -e "$build/leaker.ko" ] || insmod "$build/leaker.ko" || fail "the module leaker cannot be loaded"
load="$work mixed ${ROUNDS:-400}"
[ -n "${LONG:-}" ] && load="end=\$((\$(date +%s) + $LONG)); while [ \$(date +%s) -lt \$end ]; do $work mixed 1000; done"
[ -e /proc/leaker ] && load="echo 1 > /proc/leaker; $load"

watch() { # SECONDS: what is younger is not judged
	"$build/kmemleak" --kernel --min-age "$1" -n 0 --csv -c "$work keep 40 > $dir/queues; $load" > "$dir/leaks" 2> "$dir/err"
	code=$?
	queues=$(cat "$dir/queues" 2>/dev/null)
	[ -z "$queues" ] || "$work" drop $queues
	queues=
	if [ $code -eq 1 ] && grep -q 'needs CAP_BPF\|no SLUB\|CONFIG_\|newer\|or later' "$dir/err"; then
		echo "SKIP: $(tail -n 1 "$dir/err")"
		exit 77
	fi
	[ $code -eq 23 ] || fail "exit code $code"
}

of() { # COMMAND PATTERN: objects that it left at call sites of this pattern, those left out of which it is not sure
	awk -F, -v comm="$1" -v site="$2" '$3 == comm && $9 ~ site && $10 == "true" { n++ } END { print n + 0 }' "$dir/leaks"
}

left() { # COMMAND PATTERN: all of them
	awk -F, -v comm="$1" -v site="$2" '$3 == comm && $9 ~ site { n++ } END { print n + 0 }' "$dir/leaks"
}

ended='timerfd|epoll|ep_|eventfd|newary|pipe|sock|skb|sk_|vm_area|vma|mas_|mt_'
watch 10
# On a machine that hardly gets on, kfree_rcu() may take longer.
[ "$(of kernel_work "$ended")" -eq 0 ] || [ -n "${LONG:-}" ] || watch 40
[ "$(of kernel_work "$ended")" -eq 0 ] || fail "false leaks: $(awk -F, -v site="$ended" '$3 == "kernel_work" && $9 ~ site && $10 == "true"' "$dir/leaks")"
[ "$(left kernel_work '^(load|alloc)_msg')" -eq 40 ] || fail "messages: $(left kernel_work '^(load|alloc)_msg') of 40"
[ "$(left kernel_work '^newque')" -eq 5 ] || fail "queues: $(left kernel_work '^newque') of 5"
echo "kmemleak --kernel: 40 of 40 messages and 5 of 5 queues, no false leak"

[ -e /proc/leaker ] || exit 0
site() { awk -F, -v site="^$1" '$9 ~ site { n++ } END { print n + 0 }' "$dir/leaks"; }
for which in lose_kmalloc lose_thing keep; do
	[ "$(site leaker_$which)" -eq 50 ] || fail "leaker_$which: $(site leaker_$which) of 50"
done
[ "$(site leaker_free_later)" -eq 0 ] || fail "$(site leaker_free_later) objects of kfree_rcu() are called leaks"
grep -q 'leaker_lose_kmalloc+0x[0-9a-f]*/0x[0-9a-f]* \[leaker\]' "$dir/leaks" || fail "the module is not named"
echo "module leaker: 50 + 50 lost and 50 kept, none of the 200 freed later"
