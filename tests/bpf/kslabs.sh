#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kslabs.sh - an object of the kernel is told to be live exactly as long as it is; slabs add up to their cache.
#
# usage: kslabs.sh BUILD-FOLDER      exit 0 pass, 1 fail, 77 skip
"$1/tests/bpf/kslabs"
