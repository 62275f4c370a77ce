#!/usr/bin/env bash
# placement.sh - the model of SLUB against Debian's 6.12, on several CPU counts and with other orders: every state of
# every script; real work replayed; what was predicted for a boot parameter, after booting with it.
# usage: [LONG=1] placement.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 when it could not be tried
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
trap '[ "$BASHPID" = "$$" ] && rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,proc,sys,tmp,dev,scripts}
"$here/module/build" "$kernel" "$root" "$here/module/kmemlab.c" >"$work/why" || skip "$(cat "$work/why")"

cp "$(command -v busybox)" "$build/tests/placement" "$build/kmemtrace" "$build/slabscope" "$here/guest/files.sh" "$root/bin/"
cp -r "$scripts"/* "$root/scripts/"
ldd "$build/tests/placement" "$build/kmemtrace" "$build/slabscope" | awk '$1 ~ "^/lib" { print $1 } $3 ~ "^/lib" { print $3 }' | while read -r lib; do
	mkdir -p "$root/$(dirname "$lib")"
	cp -L "$lib" "$root/$lib"
done
cat >"$root/boot" <<'EOT'
# What is predicted for a boot parameter.
cache a size=192; cache b size=512; cache c size=1024; cache d size=4096
seed 31
random 3000 a live=900; random 3000 b live=400; random 2000 c live=150; random 900 d live=90
drain b
alloc x1..x70 d; free x1..x60
EOT
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
names=
list=
for f in ${names:-/scripts/*}; do
	[ -f "$f" ] || continue
	grep -q 'cpus=2\|cpu 1' "$f" && [ -z "$many" ] && continue
	list="$list $f"
done
echo "@begin $(uname -r)"
placement kernel $list
echo "@result messages $?"
[ -n "$names" ] && list=
[ -n "$many" ] && list="$list $(echo /scripts/module/*)"
placement module $list
echo "@result module $?"
slabscope compare --csv /boot 2>/dev/null | awk -F, '
	NR == 1 { for (i = 1; i <= NF; i++) if ($i == "held_bytes") at = i } $1 == "kernel" { n += $at } END { print "@held " n }'
sysctl -q -w kernel.printk=1
kmemtrace predict -- sh /bin/files.sh 25
echo "@result replay $?"
poweroff -f
EOT
[ -n "${LONG:-}" ] || sed -i 's|^names=$|names="/scripts/shrinking /scripts/tuned"|' "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd" || exit 1

boot() { # CPUS OPTIONS
	timeout 250 qemu-system-x86_64 -accel tcg -cpu max -smp "$1" -m 512 -nographic -no-reboot -net none -kernel "$kernel" \
		-initrd "$work/initrd" -append "console=ttyS0 quiet no_timer_check panic=-1 $2" </dev/null 2>&1 | tr -d '\r' | sed -n '/@begin/,$p' >"$work/out"
}

failed=0 total=0
leg() { # CPUS OPTIONS [CHANGE that tune calls it]
	local start=$SECONDS states held predicted
	boot "$1" "$2"
	if ! grep -q '^@result replay 0' "$work/out"; then
		# The emulator now and then runs code that the guest kernel is just patching; the guest dies. And on a busy
		# host two CPUs are in one cache at the same instant more often than one cache in twenty.
		boot "$1" "$2"
	fi
	held=$(sed -n 's/^@held //p' "$work/out")
	predicted=$("$build/kmemtrace" tune -k -s "$root/boot" --cpus "$1" --csv | awk -F, -v want="${3:-}" '
		NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
		$at["cache"] != "(all)" { next } want == "" { if (!n++) print $at["end_bytes"]; next } $at["change"] == want { print $at["end_bytes_then"] }')
	states=$(awk '/ states compared$/ { n += $1 } END { print n + 0 }' "$work/out")
	total=$((total + states))
	if [ "$(grep -c '^@result [a-z]* 0$' "$work/out")" -eq 3 ] && [ -n "$predicted" ] && [ "$held" = "$predicted" ]; then
		echo "leg $1 CPUs ${2:-default}: $states states, all equal; $predicted bytes predicted and real;" \
			"replayed: $(grep ' caches exact' "$work/out" | sed 's/,.*//'); $((SECONDS - start)) s"
		return
	fi
	echo "predicted ${predicted:-nothing} bytes, real ${held:-unknown}"
	failed=1
	echo "leg $1 CPUs ${2:-default}: FAILED"
	tail -n 30 "$work/out"
}

leg 2 ""
leg 8 slab_max_order=0 slab_max_order=0
if [ -n "${LONG:-}" ]; then
	leg 1 ""
	leg 8 ""
	leg 2 slab_max_order=0 slab_max_order=0
	leg 2 slab_max_order=1 slab_max_order=1
	leg 2 slab_min_objects=64 slab_min_objects=64
fi
echo "$total states"
[ $failed -eq 0 ] && [ $total -ge 4000 ]
