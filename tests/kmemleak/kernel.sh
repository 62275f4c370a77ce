#!/usr/bin/env bash
# kmemleak --kernel on this machine's kernel; tests/vm/ does the same on others. LONG=600 for ten minutes of load.
exec bash "$(dirname "$0")/../vm/guest/leaks.sh" "$1"
