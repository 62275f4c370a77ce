# helpers.bash - shared by the slabtop scripts. Sourced with the build folder as $1.
set -u
build=$(cd "${1:?build folder}" && pwd) || exit 1
top=$build/slabtop
tmp=$(mktemp -d) || exit 1
pids=() terminals=0

cleanup() {
	[ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null && wait "${pids[@]}" 2>/dev/null
	[ -n "${socket:-}" ] && tmux -S "$socket" kill-server 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

fail() { echo "FAILED: $*"; exit 1; }
skip() { echo "$*"; exit 77; }

# Run a command that must end with code $1; stdout in $tmp/out, stderr in $tmp/err.
expect_code() {
	local want=$1 got
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	[ $got = "$want" ] || { cat "$tmp/err"; fail "code $got instead of $want: $*"; }
}

# The error output must be one line that contains $1.
expect_line() {
	[ "$(wc -l <"$tmp/err")" = 1 ] || { cat "$tmp/err"; fail "not one line"; }
	grep -qF -- "$1" "$tmp/err" || { cat "$tmp/err"; fail "line lacks: $1"; }
}

# Start a helper that prints "ready" or "r"; its pid in $pid. Its input never ends.
start() {
	[ -p "$tmp/in" ] || mkfifo "$tmp/in"
	"$@" >"$tmp/ready" 2>/dev/null <>"$tmp/in" &
	pid=$!
	pids+=("$pid")
	for _ in $(seq 200); do
		[ -s "$tmp/ready" ] && break
		sleep 0.05
	done
	[ -s "$tmp/ready" ] || fail "not ready: $*"
	rm -f "$tmp/ready"
}

# ---- a terminal of $1 x $2 columns and lines that runs the rest of the arguments -------------
term() {
	local columns=$1 lines=$2
	shift 2
	# Another server each time: one that is just ending would take the new session with it.
	[ -n "${socket:-}" ] && tmux -S "$socket" kill-server 2>/dev/null
	socket=$tmp/tmux.$((terminals += 1))
	tmux -S "$socket" -f /dev/null new-session -d -x "$columns" -y "$lines" "$* 2>$tmp/stderr; echo code=\$?; stty -a | grep -ow -e '-\\?icanon' -e '-\\?echo'; sleep 1000"
}
keys() { tmux -S "$socket" send-keys "$@"; }
shot() { tmux -S "$socket" capture-pane -p 2>/dev/null; }

# Wait until the screen matches the extended regular expression $1.
await() {
	for _ in $(seq 200); do
		shot | grep -qE -- "$1" && return
		sleep 0.05
	done
	shot
	fail "the screen never showed: $1"
}

# Wait for the end with this exit code, and for a terminal that echoes again.
await_end() {
	await "code=$1"
	await '(^| )echo'
	await '(^| )icanon'
	shot | grep -qE -- '-echo|-icanon' && { shot; fail "the terminal was not restored"; }
	return 0
}
