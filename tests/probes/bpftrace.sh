#!/usr/bin/env bash
# The scripts of examples/bpftrace, each with a program that does all of it: what they print is what it does.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${1:-build}" && pwd)
[ "$(id -u)" -eq 0 ] || { echo "bpftrace needs root"; exit 77; }
command -v bpftrace >/dev/null || { echo "bpftrace is not installed"; exit 77; }
out=$(mktemp -d) || exit 1
"$build/tests/probes/steady" >"$out/ready" &
steady=$!
cleanup() { [ "$BASHPID" = "$$" ] || return; kill $steady 2>/dev/null; rm -rf "$out"; }
trap cleanup EXIT
for _ in $(seq 300); do [ -s "$out/ready" ] && break; sleep 0.1; done

# Until all of it is there, each time longer: how fast probes are attached depends on the machine.
expect() { # SCRIPT REGEX...
	local script=$1 seconds regex missing
	shift
	for seconds in 1 4 15 60; do
		timeout -s INT -k 60 $seconds bpftrace -p $steady "examples/bpftrace/$script.bt" >"$out/said" 2>"$out/err"
		missing=
		for regex; do grep -qE "$regex" "$out/said" || missing=$regex; done
		[ -z "$missing" ] && { tested=$((tested + 1)); return; }
		kill -0 $steady 2>/dev/null || { echo "FAIL: the program ended"; exit 1; }
	done
	echo "FAIL: $script.bt does not print $missing"; cat "$out/err"; tail -n 30 "$out/said"; exit 1
}
tested=0
expect sites '@calls\[main, steady\]: [1-9]' '@bytes\[forgets, kmalloc\]: [1-9][0-9]*' '@calls\[another_thread, steady\]: [1-9]'
expect sizes '^\[512, 1K\) ' '@objects\[steady, 100\]: [1-9]' '@rounded_up_bytes: [1-9]'
expect lifetime '@us\[steady\]:' '@us\[kmalloc\]:' '^\[[0-9K]+(, [0-9K]+)?[])] +[1-9]'
expect outstanding '@objects\[forgets\]: [1-9]' '@bytes\[forgets\]: [0-9]*[02468]$'
expect slowpaths '@refill\[steady, [01]\]: [1-9]' '@flush\[steady, [01]\]: [1-9]' '@page_alloc\[2\]: [1-9]' '@zone_locked\[[0-9]+\]: [1-9]'
expect pages '@allocated\[5, 0\]: [1-9]' '@freed\[2\]: [1-9]' '@freed_in_bulk: [1-9]'
expect mempool '@waited_us\[steady pool\]:' '@queue\[steady pool\]: 1$' '@served\[steady pool, reserve\]: [1-9]' 'steady pool: 1 -> 2 elements'
expect purge '@purge_pages:' '@purged_kib: [1-9]'
expect remote '@remote\[another_thread, free_of_another\]: [1-9]' '@freed: [1-9]'
expect caches 'create  steady once +40 bytes, 40 in the slab, by main' 'destroy steady once' '@asked\[seven\]: [1-9]|@asked\[frees_three\]: [1-9]' '@freed\[frees_three\]: [1-9]' '@shrunk\[steady\]: [1-9]' '@slabs_left\[steady\]: 0'
[ "$(find examples/bpftrace -name '*.bt' | wc -l)" -eq $tested ] || { echo "FAIL: $tested scripts tested, but not all"; exit 1; }
