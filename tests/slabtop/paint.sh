#!/usr/bin/env bash
# paint.sh - any size of terminal: tiny ones, resizing at once, nothing stale, NO_COLOR.
. "$(dirname "$0")/helpers.bash"
command -v tmux >/dev/null || skip "tmux is not installed"
resize() { tmux -S "$socket" resize-window -x "$1" -y "$2"; }

start "$build/tests/holder"
# A long delay: what is redrawn now is not redrawn by the clock.
term 100 30 "$top" -p "$pid" -d 600
await 'OBJS ACTIVE'
for size in "20 5" "200 50" "10 2" "80 24" "1 1" "40 10" "500 3" "79 11"; do
	# shellcheck disable=SC2086
	resize $size
	sleep 0.2
	lines=${size#* } columns=${size% *}
	[ "$(shot | awk '{ if (length > n) n = length } END { print n + 0 }')" -le "$columns" ] || fail "too wide at $size"
	if [ "$lines" -ge 3 ] && [ "$columns" -ge 20 ]; then
		await 'NAME'
		[ "$(shot | grep -c NAME)" = 1 ] || { shot; fail "stale heading at $size"; }
	fi
done
resize 20 5
await 'ACTIVE NAME'
shot | grep -q 'holder-cache' || { shot; fail "no rows on 20x5"; }
keys End
await '^ *0 '
keys h
await 'slabtop: caches of t'
keys Down Down
await 'Sort'
keys h Home
resize 120 30
await 'Active / Total Objects'
keys q
await_end 0

# Colour only where it is wanted.
term 100 30 env TERM=xterm-256color "$top" -p "$pid"
await 'OBJS ACTIVE'
tmux -S "$socket" capture-pane -p -e | grep -q $'\x1b\\[36m' || fail "no colour on a colour terminal"
term 100 30 env TERM=xterm-256color NO_COLOR=1 "$top" -p "$pid"
await 'OBJS ACTIVE'
tmux -S "$socket" capture-pane -p -e | grep -qE $'\x1b\\[(3[0-7]|9[0-7]|38)' && fail "colour in spite of NO_COLOR"

# Inherited LINES and COLUMNS do not decide.
term 100 30 env LINES=5 COLUMNS=20 "$top" -p "$pid"
await 'Active / Total Objects'
exit 0
