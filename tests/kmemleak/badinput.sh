#!/usr/bin/env bash
# What cannot be scanned: one line that says why, the right exit code, and nothing left stopped.
. "$(dirname "$0")/lib.bash"

expect 0 "$kmemleak" --help
check "help" grep -q "^Usage: kmemleak" <<<"$out"
expect 0 "$kmemleak" -V
expect 2 "$kmemleak";                      expect_error "no process given"
expect 2 "$kmemleak" -p;                   expect_error "needs a value"
expect 2 "$kmemleak" -p 0;                 expect_error "not a process id"
expect 2 "$kmemleak" -p x;                 expect_error "not a process id"
expect 2 "$kmemleak" -p 1 frob;            expect_error "unknown verb"
expect 2 "$kmemleak" -p 1 scan clear;      expect_error "more than one verb"
expect 2 "$kmemleak" -p 1 scan=x;          expect_error "not a number of seconds"
expect 2 "$kmemleak" -p 1 dump=xyz;        expect_error "not an address"
expect 2 "$kmemleak" -p 1 --min-size=-5;   expect_error "not a number"
expect 2 "$kmemleak" -p 1 --frob;          expect_error "unknown"
expect 2 "$kmemleak" -p 1 -p 2 scan=1;     expect_error "one process only"
expect 2 "$kmemleak" -p 1 --json clear;    expect_error "go with scan only"

expect 2 "$kmemleak" -p 1 --kernel;        expect_error "use one"
expect 2 "$kmemleak" -k clear;             expect_error "go with -p only"
expect 2 "$kmemleak" -k dump=10;           expect_error "go with -p only"
expect 2 "$kmemleak" -k -t 5 -c true;      expect_error "use one"
expect 2 "$kmemleak" -k --min-age=x;       expect_error "not a number of seconds"
expect 2 "$kmemleak" -k --stacks=0;        expect_error "not a number from 1"
expect 2 "$kmemleak" -p 1 -c true;         expect_error "go with --kernel"
expect 2 "$kmemleak" -p 1 --min-age=1;     expect_error "go with --kernel"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	expect 1 setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --clear-groups bash -c '"$0" -k -t 1' "$kmemleak"
	expect_error "needs CAP_BPF and CAP_PERFMON"
fi

expect 1 "$kmemleak" -p 4194000;           expect_error "no process with PID 4194000"
expect 1 "$kmemleak" -p $$;                expect_error "does not carry libkmem"
kernel_thread=$(awk '$2 == "(kthreadd)" { print $1 }' /proc/[0-9]*/stat 2>/dev/null)
if [ -n "$kernel_thread" ]; then
	expect 1 "$kmemleak" -p "$kernel_thread"; expect_error "kernel thread"
fi

# A zombie.
bash -c 'sleep 0.01 & echo $!; exec sleep 60' >"$work/zombie" &
started+=($!)
sleep 0.3
expect 1 "$kmemleak" -p "$(cat "$work/zombie")"; expect_error "zombie"

start "$build/examples/leaky"
expect 1 "$kmemleak" -p "$target" dump=10; expect_error "no address in an object"
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	cp "$kmemleak" "$work/kmemleak" && chmod 755 "$work" "$work/kmemleak"
	expect 1 setpriv --reuid 65534 --clear-groups "$work/kmemleak" -p "$target"
	expect_error "belongs to uid"
fi
if command -v gdb >/dev/null; then
	gdb -q -batch -p "$target" -ex "shell '$kmemleak' -p $target >'$work/gdb' 2>&1; echo code=\$? >>'$work/gdb'" \
		>/dev/null 2>&1
	check "a debugger is named" grep -q "already traced by PID [0-9]* (gdb)" "$work/gdb"
	check "its code" grep -q "code=1" "$work/gdb"
fi
# One bad target does not keep the others from being scanned.
expect 1 "$kmemleak" -p 4194000 -p "$target" -s
check "the other one" grep -q "PID $target (leaky): 7 unreferenced" <<<"$out"

# Output that goes nowhere: the cause, also of help, and a watch that nobody reads ends.
expect 1 bash -c '"$0" -p "$1" -s >/dev/full' "$kmemleak" "$target"
expect_error "cannot write the report: No space left on device"
expect 1 bash -c '"$0" --help >/dev/full' "$kmemleak"; expect_error "write error: No space left on device"
expect 1 bash -c '{ sleep 0.5; "$0" -p "$1" -s; } | true; exit ${PIPESTATUS[0]}' "$kmemleak" "$target"
expect_error "cannot write the report: Broken pipe"
expect 1 bash -c 'timeout 20 "$0" -p "$1" -s scan=0.1 | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}' "$kmemleak" "$target"
expect_error "cannot write the report"

# Refused system calls, little memory, few files.
refuse=$(cd "$(dirname "$0")/../common" && pwd)/refuse.py
if python3 "$refuse" 101 1 true; then
	expect 1 python3 "$refuse" 101 1 "$kmemleak" -p "$target"
	if [ "$(id -u)" -eq 0 ]; then expect_error "ptrace() is refused even to root"; else expect_error "may not be stopped"; fi
	expect 23 python3 "$refuse" 310 1 "$kmemleak" -s -p "$target"
fi
expect 1 bash -c 'ulimit -v 24000; "$0" -p "$1"' "$kmemleak" "$target"; expect_error "out of memory"
expect 1 bash -c 'ulimit -n 4; "$0" -p "$1"' "$kmemleak" "$target";     expect_error "Too many open files"
check "nothing is left stopped" [ "$(state "$target")" != t ]

# A 32-bit program, if one can be built.
cat >"$work/tiny.s" <<'ASM'
.globl _start
_start:	mov $29, %eax
	int $0x80
	jmp _start
ASM
if as --32 -o "$work/tiny.o" "$work/tiny.s" 2>/dev/null && ld -m elf_i386 -o "$work/tiny" "$work/tiny.o" 2>/dev/null; then
	"$work/tiny" &
	started+=($!)
	sleep 0.1
	if kill -0 $! 2>/dev/null; then
		expect 1 "$kmemleak" -p $!; expect_error "32-bit program"
	fi
fi
