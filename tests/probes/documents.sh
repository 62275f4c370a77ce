#!/usr/bin/env bash
# docs/PROBES.md is what docs/probes.py makes of alloc/base/trace.h, and says of each probe what its ELF note says.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build}
docs/probes.py --check || exit 1
for object in "$build/libkmem.so.0" "$build/libkmem-malloc.so"; do
	readelf -nW "$object" | python3 -c '
import re, sys
WIDTH = {"address": "8", "string": "8", "u64": "8", "s64": "-8", "u32": "4", "s32": "-4"}
said = {}
for line in open("docs/PROBES.md"):
    heading, row = re.match(r"### (\w+):(\w+)$", line), re.match(r"\| (\d+) \| \w+ \| (\w+) \|", line)
    if heading:
        said[heading.groups()] = arguments = []
    elif row:
        assert int(row[1]) == len(arguments), line
        arguments.append(WIDTH[row[2]])
noted = {(p, n): [a.split("@")[0] for a in args.split()] for p, n, args in
         re.findall(r"Provider: (\w+)\n\s+Name: (\w+)\n.*\n\s+Arguments: (.*)", sys.stdin.read())}
assert len(noted) > 20, "readelf shows no probes"
for probe in sorted(said.keys() | noted.keys()):
    if said.get(probe) != noted.get(probe):
        sys.exit(f"{probe}: documented {said.get(probe)}, in the library {noted.get(probe)}")
' || exit 1
done
