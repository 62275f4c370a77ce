#!/bin/bash
# debug.sh - the same on other kernels with slab_debug: red zones, poison, tracks; and with another number of CPUs.
# usage: debug.sh BUILD-FOLDER
here=$(cd "$(dirname "$0")/.." && pwd)
SMP=1 SCRIPTS=parity/parity APPEND="slab_debug=FZPU slub_debug=FZPU" exec bash "$here/vm/bpf.sh" "$1"
