#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bpf.sh - the BPF test scripts, the allocator and the tools on other kernels, each booted in QEMU without acceleration.
#
# usage: [KERNELS="vmlinuz ..."] bpf.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 when no kernel could be tried
#
# One leg per kernel, by default Debian's 6.1 and 6.12, which tests/vm/kernels fetches; KERNELS boots others instead:
# images with BTF and a serial console built in. SCRIPTS runs other scripts than all; SMP (2), APPEND (kernel command
# line) and QEMU_EXTRA go to QEMU.
# A leg takes 15-40 s; it is given up after 180 s, and all of them before tests/run would give up this script.
set -u
build=$1
here=$(cd "$(dirname "$0")/.." && pwd)
scripts=${SCRIPTS:-"bpf/caches bpf/kernel bpf/library vm/guest/allocator vm/guest/tools parity/parity"}
deadline=$((${TEST_TIMEOUT:-300} - 10))

skip() { echo "SKIP: $*"; exit 77; }

for tool in qemu-system-x86_64 busybox cpio; do
	command -v $tool > /dev/null || skip "no $tool (apt install qemu-system-x86 busybox-static cpio)"
done

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# Lines "NAME PATH", or "NAME - REASON".
if [ -n "${KERNELS:-}" ]; then
	for kernel in $KERNELS; do
		[ -r "$kernel" ] && echo "$(basename "$kernel") $kernel" || echo "$(basename "$kernel") - cannot be read"
	done
else
	"$here/vm/kernels" 6.1 6.12
fi > "$work/kernels"

root=$work/root
mkdir -p "$root"/{bin,proc,sys,tmp,dev} "$root/t/tests"

# Programs, the libraries they load, and the scripts: they need a POSIX shell only.
cp "$(command -v busybox)" "$root/bin/"
cp -r "$build/tests/bpf" "$build/tests/vm" "$build/tests/parity" "$build/tests/holder" "$root/t/tests/"
cp "$build/libkmem.so.0" "$build/slabtop" "$build/kmemleak" "$root/t/"
ldd "$build"/tests/bpf/* "$build"/{slabtop,kmemleak} 2> /dev/null | awk '$1 ~ "^/lib" { print $1 } $3 ~ "^/lib" { print $3 }' | sort -u |
while read -r lib; do
	mkdir -p "$root/$(dirname "$lib")"
	cp -L "$lib" "$root/$lib"
done
for script in $scripts; do
	cp "$here/$script.sh" "$root/t/"
done

cat > "$root/init" <<EOF
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tracefs tracefs /sys/kernel/tracing
ip link set lo up
echo "@kernel \$(uname -r)"
for script in $scripts; do
	sh /t/\${script##*/}.sh /t
	echo "@result \${script##*/} \$?"
done
poweroff -f
EOF
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/initrd" || exit 1

boot() { # KERNEL: what it prints is in $work/out, how the emulator ended in $end
	timeout $limit qemu-system-x86_64 -accel tcg -cpu max -smp "${SMP:-2}" -m 512 -nographic \
		-no-reboot -net none -kernel "$1" -initrd "$work/initrd" \
		-append "console=ttyS0 quiet panic=-1 ${APPEND:-}" ${QEMU_EXTRA:-} \
		< /dev/null 2>&1 | tr -d '\r' | sed 's/.*@kernel/@kernel/' > "$work/out"
	end=${PIPESTATUS[0]}
}

failed=0 ran=0
while read -r name kernel reason <&3; do
	if [ "$kernel" = - ]; then
		echo "leg $name: skipped: $reason"
		continue
	fi
	start=$SECONDS
	limit=$((deadline - SECONDS < 180 ? deadline - SECONDS : 180))
	if [ $limit -lt 20 ]; then
		echo "leg $name: skipped: no time is left of TEST_TIMEOUT"
		continue
	fi
	ran=$((ran + 1))
	boot "$kernel"
	# With several CPUs the emulator now and then runs code that the guest kernel is just patching; the guest dies.
	if grep -q -- '---\[ end trace' "$work/out" && ! grep -q '^@result [a-z]* [1-9]' "$work/out" && [ $((deadline - SECONDS)) -gt 90 ]; then
		echo "leg $name: the emulated kernel crashed: booted again"
		boot "$kernel"
	fi
	sed -n '/^@kernel/,/reboot:/p' "$work/out"
	# 77: a kernel may lack what a script needs; but every script must have come to its end.
	good=$(grep -c '^@result [a-z]* \(0\|77\)$' "$work/out")
	passed=$(grep -c '^@result [a-z]* 0$' "$work/out")
	if [ "$good" -eq "$(wc -w <<< "$scripts")" ]; then
		echo "leg $name: passed, $passed of $good scripts, $((good - passed)) skipped, $((SECONDS - start)) s"
		continue
	fi
	failed=1
	grep -q '^@kernel' "$work/out" || tail -n 5 "$work/out"
	[ "$end" -eq 124 ] && why="did not finish within $limit s" || why=$(grep '^@result' "$work/out" | grep -v ' \(0\|77\)$' | tr '\n' ' ')
	echo "leg $name: FAILED: ${why:-the machine stopped early}"
done 3< "$work/kernels"
[ $failed -eq 0 ] || exit 1
# The last line of a skip is its reason.
[ $ran -gt 0 ] || skip "$(sed 's/ - /: /' "$work/kernels" | paste -sd ';')"
exit 0
