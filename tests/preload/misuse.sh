#!/usr/bin/env bash
# Any program under the preload with KMEM_SLAB_DEBUG=FZPU: each misuse of malloc() is reported and, with
# KMEM_OPTIONS=misuse=abort, ends it. misuse.txt has every case's exit status and whole report; what chance or the
# compiler decides is masked: upper digits of addresses, offsets in functions, frames of the C library, times, CPUs.
# misuse.sh BUILD --print prints that file anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
program=$build/tests/preload/misuse
failed=0

run() { # CASE OPTIONS
	(ulimit -c 0; KMEM_OPTIONS=$2 KMEM_SLAB_DEBUG=FZPU LD_PRELOAD=$PWD/$build/libkmem-malloc.so exec "$program" "$1") 2>&1
}

masked() {
	sed -E '/^kmem:  \[/d; s/^kmem: ?//
		s/0x[0-9a-f]{9}([0-9a-f]{3})\>/ADDR\1/g; s/^([A-Z][a-z]+ +)[0-9a-f]{13}([0-9a-f]{3}:)/\1ADDR\2/
		s/\(ADDR[0-9a-f]{3}\)/(ADDR)/
		s/\+0x[0-9a-f]+\/0x[0-9a-f]+/+N/; s/age=[0-9]+ cpu=[0-9]+ pid=[0-9]+/age=N cpu=N pid=N/
		s/objects=[0-9]+ used=[0-9]+/objects=N used=N/; s/^CPU: [0-9]+ PID: [0-9]+/CPU: N PID: N/'
}

reports() {
	local name out rc
	for name in $("$program"); do
		out=$(run "$name" misuse=abort)
		rc=$?
		echo "==== $name: exit status $rc"
		[ -z "$out" ] || masked <<<"$out"
	done
}

[ "${2:-}" = --print ] && { reports; exit; }
diff -u --label expected --label printed tests/preload/misuse.txt <(reports) || failed=1

# Without a policy damage is repaired, and the program goes on.
for name in double_free_small double_free_delayed free_interior overflow_1 overflow_1_large write_after_free sized_delete; do
	out=$(run $name "") || { echo "$name: exit status $? with repairs"; failed=1; }
	grep -q '^survived' <<<"$out" || { echo "$name: did not survive"; failed=1; }
	grep -q '^kmem: BUG' <<<"$out" || { echo "$name: no report"; failed=1; }
done
exit $failed
