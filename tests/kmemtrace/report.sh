#!/usr/bin/env bash
# The report of a real recording: its screen, its other forms, and what it refuses.
. "$(dirname "$0")/analysis.bash"
need_record
trace=$work/try.kmt
"$kmemtrace" record -q --force -s -o "$trace" -c --preload -- bash -c 'for i in {1..2000}; do a[i]=$i$i; done' || fail "record"

expect 0 "$kmemtrace" report "$trace"
for part in "recorded 20" ", complete" "  live  " "  allocs  " "  sizes  " "  lifetimes " "Who holds memory" "Who allocates" "What is wasted"; do
	check "the overview has '$part'" grep -qF "$part" <<<"$out"
done
# On a terminal of 45 lines it is one screen.
if command -v tmux >/dev/null; then
	tmux -L "kmemtrace$$" -f /dev/null new-session -d -x 100 -y 45 "env LC_ALL=C.UTF-8 $kmemtrace report $trace; sleep 60"
	await bash -c "tmux -L kmemtrace$$ capture-pane -p | grep -q 'What is wasted'"
	tmux -L "kmemtrace$$" capture-pane -p >"$work/screen"
	tmux -L "kmemtrace$$" kill-server
	check "the first line is still there: $(cat "$work/screen")" grep -qF "$(basename "$trace")" <<<"$(head -n 1 "$work/screen")"
fi
for by in site function stack cache size pid; do
	expect 0 "$kmemtrace" report "$trace" --by $by -n 5
	expect 0 "$kmemtrace" report "$trace" --by $by --json
	rows=$(grep -c '"type":"row"' <<<"$out")
	expect 0 "$kmemtrace" report "$trace" --by $by --csv
	check "as many rows by $by" [ "$(wc -l <<<"$out")" -eq $((rows + 1)) ]
	python3 -c '
import csv, sys
rows = list(csv.DictReader(sys.stdin))
print(sum(int(r["allocs"]) for r in rows), sum(int(r["live_bytes"]) for r in rows), sum(int(r["peak_bytes"]) for r in rows))' \
		<<<"$out" >>"$work/sums"
done
check "the same sums by each key: $(cat "$work/sums")" [ "$(sort -u "$work/sums" | wc -l)" -eq 1 ]
expect 0 "$kmemtrace" report "$trace" --tree --sort allocs
check "a tree" grep -q '^ *[0-9.k]* 100%  all$' <<<"$out"
expect 0 "$kmemtrace" report "$trace" --histogram
check "histograms" grep -q '^Sizes asked for' <<<"$out"
expect 0 "$kmemtrace" report "$trace" --timeline 10
check "a timeline" grep -q '^time_ns,allocs,frees,bytes,live_objects,live_bytes,high_bytes$' <<<"$out"
expect 0 "$kmemtrace" report "$trace" --pages
check "pages" grep -q "blocks of pages" <<<"$out"
expect 0 "$kmemtrace" report "$trace" --verify
check "verify" grep -q '^EQUAL' <<<"$out"

expect 2 "$kmemtrace" report;                             expect_error "no file given"
expect 2 "$kmemtrace" report a b;                         expect_error "more than one file"
expect 2 "$kmemtrace" report a --by colour;               expect_error "unknown 'colour'"
expect 2 "$kmemtrace" report a --sort x;                  expect_error "unknown 'x'"
expect 2 "$kmemtrace" report a --tree --verify;           expect_error "different reports"
expect 2 "$kmemtrace" report a --tree --json;             expect_error "do not go with"
expect 2 "$kmemtrace" report a --verify --from 1s;        expect_error "leave out"
expect 2 "$kmemtrace" report a --from 2s --to 1s;         expect_error "behind"
expect 2 "$kmemtrace" report a --timeline 0;              expect_error "not a number"
expect 1 "$kmemtrace" report /nowhere;                    expect_error "/nowhere"
expect 1 "$kmemtrace" report "$kmemtrace";                expect_error "$kmemtrace"
expect 1 "$kmemtrace" report "$trace" --filter '(';       expect_error "regular expression"
expect 1 "$kmemtrace" report "$trace" --skip '(';         expect_error "regular expression"
expect 1 bash -c '"$0" report "$1" >/dev/full' "$kmemtrace" "$trace"; expect_error "No space left on device"
expect 1 bash -c '{ sleep 0.5; "$0" report "$1"; } | true; exit ${PIPESTATUS[0]}' "$kmemtrace" "$trace"
expect_error "Broken pipe"
# A file that was cut is read up to there, and said to be.
head -c $(($(stat -c %s "$trace") / 2)) "$trace" >"$work/half.kmt"
expect 0 "$kmemtrace" report "$work/half.kmt"
check "cut" grep -q "recorder did not finish" <<<"$out"
