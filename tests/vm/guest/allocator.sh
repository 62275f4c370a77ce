#!/bin/bash
# allocator.sh - libkmem itself on this kernel. usage: allocator.sh BUILD-FOLDER
exec "$1/tests/vm/allocator"
