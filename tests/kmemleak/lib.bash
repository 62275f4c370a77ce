# Shared by the scripts here: starting programs that are scanned, and checks.
#
# start PROGRAM [ARG...]   runs it until the script ends; its PID is in $target
# check WHAT COMMAND...    the command must succeed, else the script fails
# expect CODE COMMAND...   its exit code must be CODE; stdout in $out, stderr in $err
set -u
build=${1:-build}
kmemleak=$build/kmemleak
work=$(mktemp -d) || exit 1
export XDG_RUNTIME_DIR=$work
started=()
out='' err='' target=0

# A subshell that a signal ends before it runs its command comes here, too: what is ours to end is not its.
cleanup() {
	local pid
	[ "$BASHPID" = "$$" ] || return
	for pid in "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap cleanup EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

check() {
	local what=$1
	shift
	"$@" || fail "$what ($*)"
}

expect() {
	local want=$1 got
	shift
	out=$("$@" 2>"$work/stderr")
	got=$?
	err=$(cat "$work/stderr")
	[ "$got" -eq "$want" ] || fail "exit code $got instead of $want: $*
$out
$err"
}

# One line on stderr that contains the text.
expect_error() {
	local text=$1
	[ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "not one line of error: $err"
	case $err in
	*"$text"*) ;;
	*) fail "'$text' is not in: $err" ;;
	esac
}

start() {
	# A pipe that never ends is its stdin.
	mkfifo "$work/fifo.$$" 2>/dev/null
	exec 9<>"$work/fifo.$$"
	: >"$work/ready"
	"$@" <"$work/fifo.$$" >"$work/ready" 2>&1 9>&- &
	target=$!
	started+=("$target")
	for _ in $(seq 600); do
		grep -q READY "$work/ready" && return
		kill -0 "$target" 2>/dev/null || break
		sleep 0.05
	done
	fail "$1 did not start: $(cat "$work/ready")"
}

# Sorted names of the caches in a --csv report, one per leak.
caches() {
	tail -n +2 | cut -d, -f6 | sort
}

state() {
	sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}
