#!/usr/bin/env bash
# placement.sh - the model of SLUB against Debian's 6.12: every state of every script, on several CPU counts and with
# other orders. usage: [LONG=1] placement.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 when it could not be tried
#
# LONG=1 has more boots and all scripts.
set -u
build=$1
here=$(cd "$(dirname "$0")" && pwd)
scripts=$here/../kmemtrace/scripts
skip() { echo "SKIP: $*"; exit 77; }

for tool in qemu-system-x86_64 busybox cpio; do
	command -v $tool >/dev/null || skip "no $tool (make deps)"
done
read -r _ kernel reason < <("$here/kernels" 6.12)
[ "$kernel" != - ] || skip "${reason#- }"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,proc,sys,tmp,dev,scripts}
"$here/module/build" "$kernel" "$root" "$here/module/kmemlab.c" >"$work/why" || skip "$(cat "$work/why")"

cp "$(command -v busybox)" "$build/tests/placement" "$root/bin/"
cp -r "$scripts"/* "$root/scripts/"
ldd "$build/tests/placement" | awk '$1 ~ "^/lib" { print $1 } $3 ~ "^/lib" { print $3 }' | while read -r lib; do
	mkdir -p "$root/$(dirname "$lib")"
	cp -L "$lib" "$root/$lib"
done
if [ -n "${LONG:-}" ]; then
	for seed in 1 2 3 4 5 6; do
		{ echo "cache a size=$((64 << seed % 5)); cache b size=$((192 << seed % 2 * 3)); seed $((seed * 77))"
		  echo "random 6000 a live=700 cpus=2 check=40; random 6000 b live=250 cpus=2 check=40; drain a; drain b"
		} >"$root/scripts/long$seed"
	done
fi
cat >"$root/init" <<'EOT'
#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tracefs tracefs /sys/kernel/tracing
insmod /kmemlab.ko
many=$([ "$(nproc)" -gt 1 ] && echo yes)
list=
for f in ${names:-/scripts/*}; do
	[ -f "$f" ] || continue
	grep -q 'cpus=2\|cpu 1' "$f" && [ -z "$many" ] && continue
	list="$list $f"
done
echo "@begin $(uname -r)"
placement kernel $list
echo "@result messages $?"
[ -n "$many" ] && list="$list $(echo /scripts/module/*)"
placement module $list
echo "@result module $?"
poweroff -f
EOT
[ -n "${LONG:-}" ] || sed -i '/^list=/i names="/scripts/migrating /scripts/shrinking /scripts/tuned"' "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd" || exit 1

boot() { # CPUS OPTIONS
	timeout 250 qemu-system-x86_64 -accel tcg -cpu max -smp "$1" -m 512 -nographic -no-reboot -net none -kernel "$kernel" \
		-initrd "$work/initrd" -append "console=ttyS0 quiet panic=-1 $2" </dev/null 2>&1 | tr -d '\r' | sed -n '/@begin/,$p' >"$work/out"
}

failed=0 total=0
leg() { # CPUS OPTIONS
	local start=$SECONDS states
	boot "$1" "$2"
	if ! grep -q '^@result module' "$work/out"; then
		# The emulator now and then runs code that the guest kernel is just patching; the guest dies.
		boot "$1" "$2"
	fi
	states=$(awk '/ states compared$/ { n += $1 } END { print n + 0 }' "$work/out")
	total=$((total + states))
	if [ "$(grep -c '^@result [a-z]* 0$' "$work/out")" -eq 2 ]; then
		echo "leg $1 CPUs ${2:-default}: $states states, all equal, $((SECONDS - start)) s"
		return
	fi
	failed=1
	echo "leg $1 CPUs ${2:-default}: FAILED"
	tail -n 30 "$work/out"
}

leg 2 ""
leg 8 slab_max_order=0
if [ -n "${LONG:-}" ]; then
	leg 1 ""
	leg 8 ""
	leg 2 slab_max_order=0
	leg 2 slab_min_objects=64
	leg 2 "slab_min_objects=16 slab_max_order=1"
fi
echo "$total states"
[ $failed -eq 0 ] && [ $total -ge 4000 ]
