#!/usr/bin/env bash
# control.sh - requests to a process: tests/slabscope/sys.sh asks every way; here, two writers and one that may not.
. "$(dirname "$0")/../slabtop/helpers.bash"
scope=$build/slabscope

# Many writers at once: each is answered or told to try again, and the last value is one of theirs.
start "$build/tests/holder" churn
for i in $(seq 11 18); do
	"$scope" sys $pid "holder-cache/min_partial=$i" 2>"$tmp/err.$i" &
	writers+=($!)
done
ok=0
for w in "${writers[@]}"; do
	wait "$w" && ok=$((ok + 1))
done
[ $ok -ge 1 ] || fail "nobody was answered: $(cat "$tmp"/err.*)"
now=$("$scope" sys $pid holder-cache/min_partial)
[ "$now" -ge 11 ] && [ "$now" -le 18 ] || fail "min_partial is $now"
! grep -vh 'another writer came between\|did not answer' "$tmp"/err.* || fail "another message"

# Another user may neither read nor write.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	cp "$scope" "$tmp/slabscope" && chmod 755 "$tmp" "$tmp/slabscope"
	expect_code 1 setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/slabscope" sys $pid holder-cache/min_partial=3
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "not one line: $(cat "$tmp/err")"
	[ "$("$scope" sys $pid holder-cache/min_partial)" = "$now" ] || fail "another user changed it"
fi
exit 0
