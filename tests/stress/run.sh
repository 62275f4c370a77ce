#!/usr/bin/env bash
# The stress programs with the sizes of every run; nightly: tests/stress/mixed 1e9.
set -eu
build=${1:-build}
"$build/tests/stress/mixed" "${MIXED_OPERATIONS:-1e8}"
KMEM_OPTIONS=rseq=off "$build/tests/stress/mixed" 3e6
"$build/tests/stress/fork" 300
KMEM_OPTIONS=rseq=off "$build/tests/stress/fork" 50
"$build/tests/stress/pages" 1e6
"$build/tests/stress/pools" 1e6
KMEM_OPTIONS=rseq=off "$build/tests/stress/pools" 3e5
