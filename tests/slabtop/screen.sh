#!/usr/bin/env bash
# screen.sh - the full screen, driven through tmux: keys, signals, ends, terminals that cannot.
. "$(dirname "$0")/helpers.bash"
command -v tmux >/dev/null || skip "tmux is not installed"

# More rows than lines: every row must be reachable, and keys that mean nothing must do nothing.
start "$build/tests/holder"
term 80 24 "$top" -p "$pid" -d 1 -s n
await '1-16/[0-9]+ +sort n'
total=$(shot | sed -n 's/.* 1-16\/\([0-9]*\) .*/\1/p')
first=$(shot | sed -n 9p)
keys Down
await " 2-17/$total"
keys Up x X Enter Tab 5 F5 C-Right M-b
sleep 0.3
await " 1-16/$total +sort n"
[ "$(shot | sed -n 9p | awk '{ print $NF }')" = "$(awk '{ print $NF }' <<<"$first")" ] || fail "unknown keys changed the table"
keys PageDown
last=$((31 < total ? 31 : total))
await " $((last - 15))-$last/$total"
keys End
await " $((total - 15))-$total/$total"
keys Home j j k
await " 2-17/$total"

# Every letter of procps in either case.
for key in a b c l o p s u v A B C L N O P S U V; do
	keys "$key"
	await "sort ${key,,} "
done
keys a
await 'sort a '
shot | sed -n 9p | grep -q holder-cache || { shot; fail "the cache with most objects is not first"; }
keys r
await 'sort a reversed'
keys r

# Filter, pause, help.
keys / h o l d
await 'filter: hold_'
keys Enter
await " 1-1/1 +sort a .*filter 'hold'"
keys '\'
await "/$total"
keys z
await PAUSED
keys z
keys h
await 'Sort \(either case\)'
keys PageDown
keys h
await 'sort a '
keys F1
await 'Sort \(either case\)'
keys q
await 'sort a '
keys q
await_end 0

# Signals restore the terminal.
for signal in INT TERM HUP; do
	term 80 24 "$top" -p "$pid"
	await 'sort o'
	pkill_target=$(tmux -S "$socket" list-panes -F '#{pane_pid}')
	kill -s "$signal" "$(pgrep -P "$pkill_target" -x slabtop)"
	await_end 0
done

# Stopped and continued on a terminal that has become smaller: drawn whole, nothing stale.
term 90 24 "set -m; $top -p $pid; true"
await 'sort o'
shell=$(tmux -S "$socket" list-panes -F '#{pane_pid}')
victim=$(pgrep -P "$shell" -x slabtop) || fail "slabtop is not running"
kill -s TSTP "$victim"
for _ in $(seq 100); do
	grep -q '^State:.T' "/proc/$victim/status" && break
	sleep 0.05
done
grep -q '^State:.T' "/proc/$victim/status" || fail "not stopped by SIGTSTP"
tmux -S "$socket" resize-window -x 60 -y 12
kill -s CONT "$victim"
await '^ 1-4/'
shot | grep -q 'holder-cache' || { shot; fail "not drawn after SIGCONT"; }
[ "$(shot | grep -c NAME)" = 1 ] || { shot; fail "stale lines after SIGCONT"; }
keys q

# A process that ends: one line, code 1, terminal restored.
term 80 24 "$top" -p "$pid" -d 0.2
await 'sort o'
kill -9 "$pid"
await_end 1
grep -q 'has ended' "$tmp/stderr" || fail "no line about the end"
[ "$(wc -l <"$tmp/stderr")" = 1 ] || fail "not one line"

# Terminals that cannot show it.
start "$build/tests/holder"
for type in dumb nonsense; do
	term 80 24 env TERM=$type "$top" -p "$pid"
	await 'code=1'
	grep -q "the terminal type '$type'" "$tmp/stderr" || { cat "$tmp/stderr"; fail "no line about TERM=$type"; }
done
exit 0
