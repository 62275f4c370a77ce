#!/usr/bin/env bash
# The ported kernel code prints what its head promises, also where memory is short or cleared, and leaves nothing behind.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "${1:-build}")
want=$(sed -n 's/^ \*   \([0-9]* sessions.*\)/\1/p' examples/ported.c)
[ "$(wc -l <<<"$want")" -eq 2 ] || { echo "the example's head has no output"; exit 1; }

for options in stats=off init_on_alloc=on,init_on_free=on rseq=off; do
	got=$(KMEM_OPTIONS=$options "$build/examples/ported" 2>&1) || { echo "$options: exit status $?: $got"; exit 1; }
	[ "$got" = "$want" ] || { printf '%s:\n%s\ninstead of\n%s\n' "$options" "$got" "$want"; exit 1; }
done
KMEM_OPTIONS=stats=on "$build/examples/ported" 2>&1 >/dev/null | grep -q '^kmalloc-16 ' || { echo "not served by libkmem"; exit 1; }

# The documentation quotes code that is there.
sed -n '/^```c$/,/^```$/p' docs/PORTING.md | grep -v '^```' | while IFS= read -r line; do
	[ -z "$line" ] || grep -qF -- "$line" examples/ported.c || { echo "PORTING.md quotes what is not in examples/ported.c: $line"; exit 1; }
done
