#!/bin/bash
# tools.sh - the tools on this kernel: its caches, those of a process, and a leak. usage: tools.sh BUILD-FOLDER
set -u
build=$1
dir=$(mktemp -d) || exit 1
fail() { echo "FAIL: $*"; tail -n 5 "$dir"/*; exit 1; }

# The kernel: as /proc/slabinfo has it, and with the objects that are parked left out.
"$build/slabtop" -o > "$dir/plain" 2>&1 || fail "slabtop -o"
"$build/slabscope" top -o --true > "$dir/true" 2>&1 || fail "slabscope top -o --true"
for table in plain true; do
	rows=$(awk 'NR > 7 && $2 <= $1' "$dir/$table" | wc -l)
	all=$(awk 'NR > 7' "$dir/$table" | wc -l)
	[ "$rows" -gt 50 ] || fail "$table: $rows caches"
	[ "$rows" -eq "$all" ] || fail "$table: more active than there are"
done
sum() { awk 'NR > 7 { n += $2 } END { print n }' "$1"; }
plain=$(sum "$dir/plain") true=$(sum "$dir/true")
[ "$true" -lt "$plain" ] || fail "active $true, not less than slabinfo's $plain: what is parked was not seen"
echo "slabtop: $rows caches, $true objects active, $plain by slabinfo"

# What a command makes the kernel do, and how complete the count is.
"$build/slabscope" events -s -c "$build/tests/bpf/kernel_work msg 500" > "$dir/events" 2>&1 || fail "slabscope events"
grep -q '^lost: ' "$dir/events" || fail "slabscope events says nothing of what was lost"
echo "slabscope events: $(tail -n 1 "$dir/events")"

# A process: exactly the objects that it holds, no BPF.
mkfifo "$dir/input"
"$build/tests/holder" < "$dir/input" > "$dir/holder" &
holder=$!
exec 3> "$dir/input"
while ! grep -q ready "$dir/holder"; do kill -0 $holder || fail "holder"; sleep 0.1; done
"$build/slabtop" -o -p $holder > "$dir/process" 2>&1 || fail "slabtop -p"
active=$(awk '$NF == "holder-cache" { print $2 }' "$dir/process")
[ "$active" = 12000 ] || fail "process: ${active:-no} objects active of 12000"
"$build/kmemleak" -p $holder -s > "$dir/leaks" 2>&1
[ $? -eq 23 ] || fail "kmemleak: no leak in a process that leaks"
exec 3>&-
wait $holder || fail "holder ended badly"
echo "slabtop -p: $active active; kmemleak: $(tail -n 1 "$dir/leaks")"
exit 0
