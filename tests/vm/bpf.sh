#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bpf.sh - the BPF test scripts, the allocator and the tools on other kernels, each booted in QEMU without acceleration.
#
# usage: [KERNELS="vmlinuz ..."] bpf.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 when no kernel could be tried
#
# Two legs at a time, by default Debian's 6.1 and 6.12, which tests/vm/kernels fetches; KERNELS boots others instead:
# images with BTF and a serial console built in. SCRIPTS runs other scripts than all; SMP (2), APPEND (kernel command
# line) and QEMU_EXTRA go to QEMU. LEGS has other legs, one a line:
#	NAME|VERSION or image|CPUs|kernel command line|options of QEMU
# FILES are put beside the tools, with the test module leaker for Debian's 6.12, if it can be built.
# A leg takes 15-60 s; it is given up after 180 s, and all of them before tests/run would give up this script.
set -u
build=$1
here=$(cd "$(dirname "$0")/.." && pwd)
scripts=${SCRIPTS:-"bpf/caches bpf/kernel bpf/library bpf/batch bpf/kstream bpf/kslabs bpf/kobjects vm/guest/allocator vm/guest/tools vm/guest/leaks parity/parity"}
deadline=$((${TEST_TIMEOUT:-300} - 10))

skip() { echo "SKIP: $*"; exit 77; }

for tool in qemu-system-x86_64 busybox cpio; do
	command -v $tool > /dev/null || skip "no $tool (apt install qemu-system-x86 busybox-static cpio)"
done

work=$(mktemp -d) || exit 1
trap '[ "$BASHPID" = "$$" ] && rm -rf "$work"' EXIT

if [ -z "${LEGS:-}" ]; then
	for kernel in ${KERNELS:-6.1 6.12}; do
		LEGS+="${kernel##*/}|$kernel|${SMP:-2}|${APPEND:-}|${QEMU_EXTRA:-}"$'\n'
	done
fi

# Lines "VERSION PATH", or "VERSION - REASON".
"$here/vm/kernels" $(cut -d'|' -f2 <<< "$LEGS" | grep -v / | sort -u) > "$work/kernels"

# ---- what runs in there: programs, the libraries they load, and the scripts, which need a POSIX shell only ----

root=$work/root
mkdir -p "$root"/{bin,proc,sys,tmp,dev} "$root/t/tests"
cp "$(command -v busybox)" "$root/bin/"
cp -r "$build/tests/bpf" "$build/tests/vm" "$build/tests/parity" "$build/tests/holder" "$root/t/tests/"
cp "$build/libkmem.so.0" "$build/slabtop" "$build/kmemleak" "$build/slabscope" ${FILES:-} "$root/t/"
ldd "$build"/tests/bpf/* "$build"/{slabtop,kmemleak,slabscope} 2> /dev/null | awk '$1 ~ "^/lib" { print $1 } $3 ~ "^/lib" { print $3 }' | sort -u |
while read -r lib; do
	mkdir -p "$root/$(dirname "$lib")"
	cp -L "$lib" "$root/$lib"
done
for script in $scripts; do
	cp "$here/$script.sh" "$root/t/"
done
kernel=$(awk '$1 == "6.12" && $2 != "-" { print $2 }' "$work/kernels")
if [ -n "$kernel" ] && grep -qw leaks <<< "$scripts"; then
	"$here/vm/module/build" "$kernel" "$work/module" "$here/vm/module/leaker.c" > "$work/why" 2> /dev/null &&
		mkdir -p "$root/modules/${kernel#*vmlinuz-}" && cp "$work/module/leaker.ko" "$root/modules/${kernel#*vmlinuz-}/" ||
		echo "without the test module: $(cat "$work/why")"
fi

cat > "$root/init" <<'EOT'
#!/bin/busybox sh
export PATH=/bin SHORT=1
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debug /sys/kernel/debug 2> /dev/null
ip link set lo up
cp /modules/$(uname -r)/* /t/ 2> /dev/null
echo "@kernel $(uname -r)"
EOT
cat >> "$root/init" <<EOT
for script in $scripts; do
	before=\$(cut -d. -f1 /proc/uptime)
	sh /t/\${script##*/}.sh /t
	echo "@result \${script##*/} \$?"
	echo "@took \${script##*/} \$((\$(cut -d. -f1 /proc/uptime) - before)) s"
done

reboot -f
EOT
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/initrd" || exit 1

# ---- legs ----

boot() { # KERNEL CPUS APPEND EXTRA: what it prints is in $out, how the emulator ended in $end
	timeout $limit qemu-system-x86_64 -accel tcg -cpu max -smp "$2" -m 512 -nographic \
		-no-reboot -net none -kernel "$1" -initrd "$work/initrd" \
		-append "console=ttyS0 quiet no_timer_check panic=-1 $3" $4 \
		< /dev/null 2>&1 | tr -d '\r' | sed 's/.*@kernel/@kernel/' > "$out"
	end=${PIPESTATUS[0]}
}

cpu_seconds() { # FILE: of the children that this shell waited for
	times > "$1"
	awk -F'[ms ]' 'NR == 2 { print int($1 * 60 + $2 + $4 * 60 + $5) }' "$1"
}

# In a subshell of its own: prints the report; exit 0 passed, 1 failed, 77 not tried.
leg() { # NAME KERNEL CPUS APPEND EXTRA
	local name=$1 start=$SECONDS out=$work/out-$1 limit end good passed why kernel=$2 reason cpu
	shift 2
	case $kernel in
	*/*) [ -r "$kernel" ] || { echo "leg $name: skipped: $kernel cannot be read"; exit 77; } ;;
	*)	read -r kernel reason <<< "$(awk -v v="$kernel" '$1 == v { $1 = ""; print }' "$work/kernels")"
		[ "$kernel" = - ] && { echo "leg $name: skipped: $reason"; exit 77; } ;;
	esac
	limit=$((deadline - SECONDS < 180 ? deadline - SECONDS : 180))
	[ $limit -lt 20 ] && { echo "leg $name: skipped: no time is left of TEST_TIMEOUT"; exit 77; }
	boot "$kernel" "$@"
	# With several CPUs the emulator now and then runs code that the guest kernel is just patching; the guest dies.
	if grep -q -- '---\[ end trace' "$out" && ! grep -q '^@result [a-z]* [1-9]' "$out" && [ $((deadline - SECONDS)) -gt 90 ]; then
		echo "leg $name: the emulated kernel crashed: booted again"
		limit=$((deadline - SECONDS < 180 ? deadline - SECONDS : 180))
		boot "$kernel" "$@"
	fi
	cpu_seconds "$out.times" > "$out.cpu"
	read -r cpu < "$out.cpu"
	sed -n '/^@kernel/,/reboot:/p' "$out"
	if [ "$end" -eq 124 ] && [ $limit -lt 180 ]; then
		echo "leg $name: skipped: not done when the time of TEST_TIMEOUT was over"
		exit 77
	fi
	# 77: a kernel may lack what a script needs; but every script must have come to its end.
	good=$(grep -c '^@result [a-z]* \(0\|77\)$' "$out")
	passed=$(grep -c '^@result [a-z]* 0$' "$out")
	if [ "$good" -eq "$(wc -w <<< "$scripts")" ]; then
		echo "leg $name: passed, $passed of $good scripts, $((good - passed)) skipped, $((SECONDS - start)) s, $cpu s of CPU"
		exit 0
	fi
	grep -q '^@kernel' "$out" || tail -n 5 "$out"
	[ "$end" -eq 124 ] && why="did not finish within $limit s" || why=$(grep '^@result' "$out" | grep -v ' \(0\|77\)$' | tr '\n' ' ')
	echo "leg $name: FAILED: ${why:-the machine stopped early}"
	exit 1
}

failed=0 ran=0 pids=
while IFS='|' read -r name kernel cpus append extra <&3; do
	[ -n "$name" ] || continue
	while [ "$(jobs -pr | wc -l)" -ge 2 ]; do wait -n; done
	leg "$name" "$kernel" "$cpus" "$append" "$extra" > "$work/report-$name" 2>&1 &
	pids="$pids $name:$!"
done 3<<< "$LEGS"
for pid in $pids; do
	wait "${pid#*:}"
	case $? in
	0) ran=$((ran + 1)) ;;
	77) ;;
	*) ran=$((ran + 1)) failed=1 ;;
	esac
	cat "$work/report-${pid%:*}"
done
[ $failed -eq 0 ] || exit 1
# The last line of a skip is its reason.
[ $ran -gt 0 ] || skip "$(sed 's/ - /: /' "$work/kernels" | paste -sd ';')"
exit 0
