#!/usr/bin/env bash
# Programs with habits of their own: a verifying stress program, garbage collectors that scan and move. The same output as natively.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
lib=$PWD/$build/libkmem-malloc.so
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# same NAME COMMAND...: output and exit status natively and preloaded
same() {
	local name=$1 native
	shift
	command -v "$1" >/dev/null || { echo "leg $name: skipped, $1 is not installed"; return; }
	"$@" >"$work/native" 2>&1
	native=$?
	LD_PRELOAD=$lib "$@" >"$work/ours" 2>&1
	[ $? -eq $native ] || { echo "$name: exit status differs"; failed=1; }
	cmp -s "$work/native" "$work/ours" || { echo "$name: other output"; diff "$work/native" "$work/ours" | head; failed=1; }
}

cat >"$work/gc.rb" <<'R'
seed = 7
live = {}
40000.times do |i|
  seed = (seed * 1103515245 + 12345) % 2147483648
  live[seed % 3000] = (seed % 5 == 0) ? Array.new(seed % 200) { |n| n.to_s } : "x" * (seed % 2000)
  GC.start if i % 8000 == 0
  GC.compact if i % 20000 == 0
end
puts live.values.sum { |v| v.size }
R
same "ruby, with a GC that moves" ruby "$work/gc.rb"
cat >"$work/gc.js" <<'R'
let seed = 7, live = new Map();
for (let i = 0; i < 100000; i++) {
	seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
	live.set(seed % 3000, seed % 5 ? Buffer.alloc(seed % 9000, seed & 255) : 'y'.repeat(seed % 500));
}
let sum = 0;
for (const v of live.values()) sum += v.length;
console.log(sum);
R
same "node, with memory outside its heap" node "$work/gc.js"
same "perl" perl -e 'my %h; for my $i (1 .. 100000) { $h{$i * 7919 % 5003} .= chr(65 + $i % 26) x ($i % 50); delete $h{$i % 77} } my $n = 0; $n += length for values %h; print "$n\n"'

# In a namespace of its own: it ends processes by number.
if command -v stress-ng >/dev/null && unshare --pid --fork --mount-proc true 2>/dev/null; then
	timeout 120 unshare --pid --fork --kill-child --mount-proc env LD_PRELOAD="$lib" stress-ng --temp-path "$work" --malloc 2 \
		--malloc-ops 20000 --malloc-thresh 100000 --verify --no-rand-seed >"$work/stress" 2>&1 ||
		{ echo "stress-ng --malloc --verify: exit status $?"; tail -n 5 "$work/stress"; failed=1; }
	grep -q "kmem: " "$work/stress" && { echo "stress-ng: the library reported:"; grep "kmem: " "$work/stress"; failed=1; }
else
	echo "leg stress-ng: skipped, it is not installed, or there are no namespaces here"
fi
exit $failed
