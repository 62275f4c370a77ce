#!/usr/bin/env bash
# A program whose few survivors keep many slabs: pin names their function and the bytes, and freeing them gives those back.
. "$(dirname "$0")/analysis.bash"
need_record

mkfifo "$work/in" "$work/out"
"$build/tests/kmemtrace/pinned" <"$work/in" >"$work/out" &
target=$!
started+=("$target")
exec 8>"$work/in" 9<"$work/out"
read -r line <&9
[ "$line" = READY ] || fail "the program: $line"

start_recording "$work/pin.kmt" -p "$target"
echo go >&8
read -r _ before <&9
end_recording

number() { # RECORD-TYPE KEY of the first such record in $out
	python3 -c '
import json, sys
for line in sys.stdin:
    record = json.loads(line)
    if record["type"] == sys.argv[1]:
        print(record[sys.argv[2]])
        break' "$1" "$2" <<<"$out"
}

expect 0 "$kmemtrace" report "$work/pin.kmt" --verify
check "replay" grep -q '^EQUAL' <<<"$out"
expect 0 "$kmemtrace" pin "$work/pin.kmt"
check "the verdict: $out" grep -q '^20[0-9][0-9] live objects ([0-9]*K) from survivor .* pin [0-9.]*M in [0-9]* slabs of pinned,$' <<<"$out"
expect 0 "$kmemtrace" pin "$work/pin.kmt" --json
site=$(number row site) objects=$(number row objects) alone=$(number row alone_bytes) pinned=$(number row pinned_bytes)
check "site $site" grep -q '^survivor' <<<"$site"
# Nearly all of 2048: a slab or two may hold many of them.
check "objects $objects" [ "$objects" -ge 2000 -a "$objects" -le 2048 ]
check "they are alone, $alone: nobody else is left" [ "$alone" -eq "$(number row slab_bytes)" ]
check "most of 8 MB: $pinned" [ "$pinned" -gt 6000000 ]
expect 0 "$kmemtrace" pin "$work/pin.kmt" --csv
check "csv" [ "$(wc -l <<<"$out")" -eq 2 ]
expect 0 "$kmemtrace" pin "$work/pin.kmt" --below 1
check "these slabs are not that empty" [ "$(grep -c survivor <<<"$out")" -eq 0 ]

# The same of the process as it is.
expect 0 "$kmemtrace" pin "$work/pin.kmt" -p "$target" --json
check "now, too" [ "$(number row alone_bytes)" -eq "$alone" ]
check "its pid" [ "$(number total pid)" -eq "$target" ]

# Its word is kept.
echo go >&8
read -r _ after <&9
check "$alone bytes were promised, $((before - after)) came back" [ $((before - after)) -gt $((alone / 10 * 9)) ]
expect 0 "$kmemtrace" pin "$work/pin.kmt" -p "$target"
check "and nothing is pinned any more" [ "$(grep -c survivor <<<"$out")" -eq 0 ]

expect 2 "$kmemtrace" pin;                              expect_error "no file given"
expect 2 "$kmemtrace" pin a b;                          expect_error "more than one file"
expect 2 "$kmemtrace" pin a -p x;                       expect_error "not a number"
expect 2 "$kmemtrace" pin a --below 101;                expect_error "not a number from 1 to 100"
expect 1 "$kmemtrace" pin /nowhere;                     expect_error "/nowhere"
expect 1 "$kmemtrace" pin "$work/pin.kmt" -p $$;        expect_error "PID $$ is not in $work/pin.kmt"
echo end >&8
exec 8>&-
wait "$target"
expect 1 "$kmemtrace" pin "$work/pin.kmt" -p "$target"; expect_error "$target"
