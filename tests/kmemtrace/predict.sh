#!/usr/bin/env bash
# kmemtrace predict on the running kernel, where others work, too: a window is recorded and most caches are exact.
# How exact on a quiet machine: vm/predict.sh. usage: predict.sh BUILD
set -u
build=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
[ "$(id -u)" -eq 0 ] || { echo "SKIP: needs root"; exit 77; }
# shellcheck disable=SC2016
"$build/kmemtrace" predict -a --csv -- sh -c 'for i in 1 2 3 4 5 6 7 8; do ls -lR /sys/class >/dev/null; mkdir -p '"$work"'/d$i; done' \
	>"$work/out" 2>"$work/err"
if grep -q 'try sudo\|BPF\|CONFIG' "$work/err"; then
	echo "SKIP: $(head -n 1 "$work/err")"
	exit 77
fi
rows=$(awk -F, 'NR > 1' "$work/out" | wc -l)
exact=$(grep -c 'true,"*exact' "$work/out")
[ "$rows" -gt 10 ] || { echo "FAIL: $rows caches"; cat "$work/err"; exit 1; }
[ $((2 * exact)) -ge "$rows" ] || { echo "FAIL: $exact of $rows exact"; cat "$work/out"; exit 1; }
echo "$exact of $rows caches exact, beside what others do"
"$build/kmemtrace" predict -d 0.1 >"$work/out" 2>"$work/err"
tail -n 1 "$work/out" | grep -q 'caches exact' || { echo "FAIL: no summary"; cat "$work/out" "$work/err"; exit 1; }
exit 0
