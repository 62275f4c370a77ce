#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# kstream.sh - the kernel's event stream is complete, or says what it lost.
#
# usage: [SHORT=1] kstream.sh BUILD-FOLDER      exit 0 pass, 1 fail, 77 skip
"$1/tests/bpf/kstream" ${SHORT:+4000}
