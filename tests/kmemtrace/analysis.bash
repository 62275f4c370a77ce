# Shared by the scripts here that read recordings: making them, and checks.
#
# need_record          skips the test where nothing can be recorded
# expect CODE COMMAND  its exit code must be CODE; stdout in $out, stderr in $err
# expect_error TEXT    stderr was one line with this in it
# check WHAT COMMAND   the command must succeed
set -u
build=${1:-build}
kmemtrace=$build/kmemtrace
work=$(mktemp -d) || exit 1
started=()
out='' err=''
export LC_ALL=C.UTF-8 TZ=UTC

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

expect_error() {
	[ "$(wc -l <"$work/stderr")" -eq 1 ] || fail "not one line of error: $err"
	case $err in
	*"$1"*) ;;
	*) fail "'$1' is not in: $err" ;;
	esac
}

need_record() {
	"$kmemtrace" record -q -o "$work/try.kmt" -c -- "$build/examples/leaky" --seconds 0 >"$work/try" 2>&1 && return
	if [ "$(id -u)" -ne 0 ] || [ ! -e /sys/kernel/btf/vmlinux ]; then
		echo "SKIP: $(tail -n 1 "$work/try")"
		exit 77
	fi
	fail "nothing can be recorded: $(cat "$work/try")"
}

# Wait until a command succeeds, generously.
await() {
	for _ in $(seq 1200); do
		"$@" && return
		sleep 0.05
	done
	fail "waited in vain: $*"
}

# start_recording FILE OPTION...: in the background, returns when events are taken; its pid in $recorder.
start_recording() {
	local file=$1
	shift
	"$kmemtrace" record -q --force -o "$file" "$@" >"$work/recorder" 2>&1 &
	recorder=$!
	started+=("$recorder")
	await test -s "$file"
	sleep 1
}

end_recording() {
	kill -INT "$recorder"
	wait "$recorder" || fail "the recorder: $(cat "$work/recorder")"
}
