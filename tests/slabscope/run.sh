#!/usr/bin/env bash
# slabscope run: which allocation failures a program does not survive.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
run="$PWD/$build/slabscope run"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; cat "$work/out" "$work/err"; exit 1; }

cat >"$work/victim.c" <<'END'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* Four allocations: one checked, one not, one whose failure is waited out for ever, one large and not checked. */
static char *checked(void) { char *p = malloc(10); if (!p) exit(3); return p; }
static char *careless(void) { char *p = malloc(20); *p = 1; return p; }
static char *patient(void) { char *p = malloc(30); if (!p) for (;;) pause(); return p; }
static char *large(void) { char *p = malloc(100000); if (!p) abort(); return p; }
int main(void) { checked(); careless(); patient(); large(); return 0; }
END
cc -O0 -fno-omit-frame-pointer -w -o "$work/victim" "$work/victim.c" || fail "victim.c does not build"

$run --timeout=0.5 -- "$work/victim" >"$work/out" 2>"$work/err"
[ $? = 1 ] || fail "code with failures that were not survived"
sed -E 's/0x[0-9a-f]+/X/g; /libc/d' "$work/out" >"$work/masked"
diff - "$work/masked" <<'END' || fail "the list"
allocation 2 failed: ended by SIGSEGV
    careless+X/X
    main+X/X
allocation 3 failed: no end within 0.5 s
    patient+X/X
    main+X/X
allocation 4 failed: ended by SIGABRT
    large+X/X
    main+X/X
4 allocations failed in turn: 1 survived, 3 not
END
[ ! -s "$work/err" ] || fail "something on stderr"

$run --fail-nth=1 -v -- "$work/victim" >"$work/out" 2>"$work/err" || fail "code with a failure that was survived"
grep -q '^allocation 1 failed: survived, exit code 3$' "$work/out" || fail "the first alone"
grep -q '^1 allocations failed in turn: 1 survived, 0 not$' "$work/out" || fail "the count of one"
$run --fail-nth=1-2 -- "$work/victim" >"$work/out" 2>"$work/err"
grep -q '^2 allocations failed in turn: 1 survived, 1 not$' "$work/out" || fail "a range"

# Programs of the system handle it, and their children are left alone.
$run -- /bin/cat /etc/passwd >"$work/out" 2>"$work/err" || fail "cat"
cat >"$work/parent.c" <<'END'
#include <stdlib.h>
int main(int argc, char **argv) { if (!malloc(10)) return 3; return system(argv[1]) != 0; }
END
cc -O0 -w -o "$work/parent" "$work/parent.c" || fail "parent.c does not build"
$run --fail-nth=3 -v -- "$work/parent" "$work/victim && echo child is fine" >"$work/out" 2>"$work/err"
grep -q '^child is fine$' "$work/out" || fail "a child got the failure"

# Linked with libkmem.
cat >"$work/linked.c" <<'END'
#include <kmem/slab.h>
int main(void) { int *p = kmalloc(10, GFP_KERNEL); *p = 1; return 0; }
END
cc -w -Ialloc/include -o "$work/linked" "$work/linked.c" -L"$build" -lkmem -Wl,-rpath,"$PWD/$build" || fail "linked.c does not build"
$run --linked -- "$work/linked" >"$work/out" 2>"$work/err"
[ $? = 1 ] && grep -q '^1 allocations failed in turn: 0 survived, 1 not$' "$work/out" || fail "a linked program"

# Wrong usage, and what cannot work: one line each.
for args in "" "--" "--fail-nth=0 -- true" "--fail-nth=x -- true" "--fail-nth=3-2 -- true" "--timeout=x -- true"; do
	# shellcheck disable=SC2086
	$run $args >"$work/out" 2>"$work/err"
	[ $? = 2 ] && [ "$(wc -l <"$work/err")" = 1 ] || fail "usage: '$args'"
done
for command in "$work/nonexistent" "sleep 5"; do
	# shellcheck disable=SC2086
	$run -t 0.3 --fail-nth=100000 -- $command >"$work/out" 2>"$work/err"
	[ $? = 1 ] && [ "$(wc -l <"$work/err")" = 1 ] || fail "'$command'"
done
$run --linked -- /bin/true >"$work/out" 2>"$work/err"
[ $? = 1 ] && grep -q 'made no allocation' "$work/err" || fail "a program without the library"
exit 0
