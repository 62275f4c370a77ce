#!/usr/bin/env bash
# badinput.sh - what slabtop cannot do is one line that names the cause and what helps, with the right exit code.
. "$(dirname "$0")/helpers.bash"
refuse="python3 $(cd "$(dirname "$0")/../common" && pwd)/refuse.py"
bpf_nr=321 process_vm_readv_nr=310 EPERM=1 ENOSYS=38

# Usage: code 2.
for args in --frob -Z frob "-d 0" "-d x" "-d nan" "-d" "-s x" "-s oo" "-p" "-p 0" "-p -5" "-p self" "-p 99999999999999999999"; do
	# shellcheck disable=SC2086
	expect_code 2 "$top" $args
	expect_line "try 'slabtop --help'"
done

# Output that goes nowhere, of help, too.
for args in --help -V "-o --csv"; do
	# shellcheck disable=SC2086
	"$top" $args >/dev/full 2>"$tmp/err"
	[ $? = 1 ] || fail "full disk not noticed by $args"
	[ "$(id -u)" != 0 ] || expect_line "write error: No space left on device"
done

# Processes that cannot be looked at.
start "$build/tests/holder"
expect_code 1 "$top" -o -p 4194000
expect_line "no process with PID 4194000"
expect_code 1 bash -c 'ulimit -n 4; exec "$@"' - "$top" -o -p "$pid"
expect_line "Too many open files"
expect_code 0 env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$top" -o -p "$pid"
expect_code 0 $refuse $process_vm_readv_nr $EPERM "$top" -o -p "$pid"
grep -q holder-cache "$tmp/out" || fail "no way around a refused process_vm_readv()"

[ "$(id -u)" = 0 ] || exit 0

# Root that is none.
drop=(setpriv --bounding-set -all --inh-caps -all)
if "${drop[@]}" true 2>/dev/null; then
	setpriv --reuid 65534 --clear-groups sleep 60 &
	foreign=$!
	pids+=("$foreign")
	sleep 0.2
	expect_code 1 "${drop[@]}" "$top" -o -p "$foreign"
	expect_line "this root lacks CAP_SYS_PTRACE"
	expect_code 1 "${drop[@]}" "$top" -o --true
	expect_line "needs CAP_BPF and CAP_PERFMON"
	expect_code 0 "${drop[@]}" "$top" -o
fi

# No /proc, and one that hides others' processes.
if unshare -m true 2>/dev/null; then
	expect_code 1 unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' - "$top" -o
	expect_line "/proc is not mounted"
	expect_code 1 unshare -m sh -c 'mount -t tmpfs none /proc; exec "$@"' - "$top" -o -p "$pid"
	expect_line "PID $pid cannot be found: /proc is not mounted"
	cp "$top" "$tmp/slabtop" && chmod 755 "$tmp" "$tmp/slabtop"
	if unshare -m sh -c 'mount -t proc -o hidepid=2 none /proc' 2>/dev/null; then
		expect_code 1 unshare -m sh -c 'mount -t proc -o hidepid=2 none /proc; exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"' \
			- "$tmp/slabtop" -o -p "$pid"
		expect_line "/proc hides it (hidepid)"
	fi
fi

# No BPF: --true and --rates say so, and the rest does without.
$refuse $bpf_nr $EPERM true || skip "no seccomp filters here"
[ -r /proc/slabinfo ] || exit 0
expect_code 0 $refuse $bpf_nr $EPERM "$top" -o
expect_code 1 $refuse $bpf_nr $EPERM "$top" -o --true
expect_line "no true ACTIVE of the kernel"
expect_code 1 $refuse $bpf_nr $ENOSYS "$top" -o --rates
expect_line "this kernel has no BPF"
expect_code 0 $refuse $bpf_nr $EPERM "$top" -o --json
expect_line "ACTIVE counts per-CPU objects, too"

# Little memory: it is named, not a kernel that would be too old.
if [ -r /sys/kernel/btf/vmlinux ]; then
	expect_code 1 bash -c 'ulimit -v 14000; exec "$@"' - "$top" -o --true
	expect_line "raise ulimit -v"
	expect_code 1 bash -c 'ulimit -v 20000; exec "$@"' - "$top" -o --true
	expect_line "raise ulimit -v"
fi
exit 0
