#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# matrix.sh - BPF programs and tools where the kernel's allocator is set up in other ways: more CPUs, two nodes, no
# merging, slabs of one page. usage: matrix.sh BUILD-FOLDER     exit 0 pass, 1 fail, 77 when no kernel could be tried
nodes="-object memory-backend-ram,size=256M,id=m0 -object memory-backend-ram,size=256M,id=m1 -numa node,memdev=m0,cpus=0-1 -numa node,memdev=m1,cpus=2-3"
export LEGS="6.12-cpus|6.12|8||
6.12-nodes|6.12|4||$nodes
6.12-nomerge|6.12|2|slab_nomerge|
6.12-order0|6.12|2|slab_max_order=0|
6.1-nodes|6.1|4|slab_nomerge slab_max_order=0|$nodes"
export SCRIPTS="bpf/caches bpf/kernel bpf/library bpf/batch bpf/kstream bpf/kslabs bpf/kobjects vm/guest/tools vm/guest/leaks"
exec bash "$(dirname "$0")/bpf.sh" "$1"
