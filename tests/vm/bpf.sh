#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bpf.sh - the BPF test scripts on other kernels, each booted in QEMU without acceleration.
#
# usage: KERNELS="vmlinuz-file ..." bpf.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 skip
#
# KERNELS needs images with BTF and, built in, a serial console; Debian's do:
#	apt-get download linux-image-6.1.0-56-cloud-amd64
#	dpkg-deb -x linux-image-6.1.0-56-cloud-amd64_*.deb k && KERNELS=$(echo k/boot/vmlinuz*)
# SMP (2), APPEND (kernel command line) and QEMU_EXTRA go to QEMU. 10-30 s per kernel.
set -u
build=$1
here=$(cd "$(dirname "$0")/.." && pwd)
scripts="caches kernel library"

skip() { echo "SKIP: $*"; exit 77; }

[ -n "${KERNELS:-}" ] || skip "no kernels to boot (set KERNELS to vmlinuz files)"
for tool in qemu-system-x86_64 busybox cpio; do
	command -v $tool > /dev/null || skip "no $tool (apt install qemu-system-x86 busybox-static cpio)"
done

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,proc,sys,tmp,dev} "$root/t/tests"

# Programs, the libraries they load, and the scripts: they need a POSIX shell only.
cp "$(command -v busybox)" "$root/bin/"
cp -r "$build/tests/bpf" "$root/t/tests/"
cp "$build/libkmem.so.0" "$root/t/"
ldd "$build"/tests/bpf/* | awk '$1 ~ "^/lib" { print $1 } $3 ~ "^/lib" { print $3 }' | sort -u |
while read -r lib; do
	mkdir -p "$root/$(dirname "$lib")"
	cp -L "$lib" "$root/$lib"
done
for script in $scripts; do
	cp "$here/bpf/$script.sh" "$root/t/"
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
	sh /t/\$script.sh /t
	echo "@result \$script \$?"
done
poweroff -f
EOF
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/initrd" || exit 1

failed=0
for kernel in $KERNELS; do
	timeout 280 qemu-system-x86_64 -accel tcg -cpu max -smp "${SMP:-2}" -m 512 -nographic \
		-no-reboot -net none -kernel "$kernel" -initrd "$work/initrd" \
		-append "console=ttyS0 quiet panic=-1 ${APPEND:-}" ${QEMU_EXTRA:-} \
		< /dev/null 2>&1 | tr -d '\r' | sed 's/.*@kernel/@kernel/' > "$work/out"
	sed -n '/^@kernel/,/reboot:/p' "$work/out"
	# 77: a kernel may lack what a script needs; but every script must have come to its end.
	good=$(grep -c '^@result [a-z]* \(0\|77\)$' "$work/out")
	if [ "$good" -ne "$(echo $scripts | wc -w)" ]; then
		echo "FAIL: $kernel"
		tail -n 5 "$work/out"
		failed=1
	fi
done
exit $failed
