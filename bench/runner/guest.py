# SPDX-License-Identifier: BSD-2-Clause
"""Our instructions beside the kernel's own allocator, both counted in one guest (bench/guest)."""
import os
import subprocess

from runner.rows import Row, compare

BOOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "guest", "boot")
LOOPS = ["pair", "batch_10", "batch_100", "fifo_1000", "random_1000", "kmalloc", "bulk_32"]


def kernel(context):
    names = {(who, loop): f"kernel/{who}/{loop}" for who in ("inline", "call") for loop in LOOPS}
    if context.quick or not any(map(context.wanted, names.values())):
        return
    done = subprocess.run([BOOT, context.build], capture_output=True, text=True, errors="replace")
    counts = {}
    for line in done.stdout.splitlines():
        if line.startswith("@icount "):
            _, who, loop, ticks = line.split()
            counts.setdefault((who, loop), float(ticks))
    for (who, loop), name in names.items():
        row = Row(name, "instructions", goal_ratio=0.2 if (who, loop) == ("inline", "pair") else None)
        if done.returncode:
            row.note = "not measured: " + (done.stdout + done.stderr).strip().rpartition("\n")[2]
            yield row
        else:
            yield compare(row, [counts[who, loop]], {"SLUB": [counts["slub", loop]]})
