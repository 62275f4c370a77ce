# SPDX-License-Identifier: BSD-2-Clause
"""What watching the kernel's allocator costs the kernel, per event (bench/watched.c)."""
import subprocess

from runner.rows import Row, compare

GOALS = {"count": 150, "stream": 180, "objects": None}
LOOPS = ["message", "open"]


def kernel_trace(context):
    names = {(what, loop): f"kernel_trace/{what}/{loop}" for what in GOALS for loop in LOOPS}
    if not any(map(context.wanted, names.values())):
        return
    values, why = {}, ""
    for _ in range(context.launches):
        done = subprocess.run([f"{context.build}/bench/watched"], capture_output=True, text=True)
        if done.returncode:
            why = "not measured: " + done.stderr.strip().rpartition("\n")[2]
            break
        for line in done.stdout.splitlines():
            _, what, loop, ns, _ = line.split()
            values.setdefault((what, loop), []).append(float(ns))
    for (what, loop), name in names.items():
        row = Row(name, "ns per event", goal=GOALS[what])
        if why:
            row.note = why
            yield row
        else:
            yield compare(row, values[what, loop], {})
