#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kobjects.sh - the kernel's outstanding objects are those that were not freed, with who allocated them.
#
# usage: [SHORT=1] kobjects.sh BUILD-FOLDER      exit 0 pass, 1 fail, 77 skip
"$1/tests/bpf/kobjects" ${SHORT:+short}
