# SPDX-License-Identifier: BSD-2-Clause
"""Memory: resident bytes for each byte asked for, give-back, and figures of ours alone: drain, colouring and a reader."""
import subprocess

from runner.rows import Row, compare

SIZES = [8, 16, 24, 32, 48, 64, 96, 100, 128, 192, 200, 256, 384, 500, 512, 768, 1000, 1024, 1500, 2000, 2048, 3000,
         4000, 4096, 6000, 8192]


def footprint(context):
    """memory/...: every byte written. sparse: 90 % freed at random; left: all freed; both after some light use."""
    for size in SIZES + ["mix"]:
        names = [f"memory/{kind}/{size}" for kind in ("inline", "malloc", "sparse", "left")]
        if not any(map(context.wanted, names)) or context.quick and size not in (8, 64, 100, 1000, 8192):
            continue
        # Dense blocks of 8 bytes, as the peers' but glibc's, are an option of ours.
        got = context.each_malloc("memory", size, options="malloc_align=8" if size == 8 else "")
        peers = {name: got[name] for name in context.peers}
        if size != "mix" and context.wanted(names[0]):
            typed = context.run("memory-inline", size)
            yield compare(Row(names[0], "resident/asked", goal=1.02), [typed["peak"]],
                          {name: [r["peak"]] for name, r in peers.items()})
        for name, field, goals in ((names[1], "peak", {"goal_ratio": 1.0, "against": "mimalloc"}),
                                   (names[2], "sparse", {"goal_ratio": 1.05}), (names[3], "left_kib", {})):
            if context.wanted(name):
                unit = "KiB" if field == "left_kib" else "resident/asked"
                yield compare(Row(name, unit, **goals), [got["kmem"][field]], {n: [r[field]] for n, r in peers.items()})


def giveback(context):
    """Percent of the peak that is resident 100 ms after all was freed."""
    for size in (64, 1000):
        for use in ("idle", "use"):
            names = {api: f"giveback/{api}/{size}_{use}" for api in ("inline", "malloc")}
            if not any(map(context.wanted, names.values())):
                continue
            got = context.each_malloc("giveback", size, use)
            got["inline"] = context.run("giveback-inline", size, use)
            peers = {name: [got[name]["left"]] for name in context.peers}
            for api, name in names.items():
                if context.wanted(name):
                    yield compare(Row(name, "% of peak", goal=5), [got["kmem" if api == "malloc" else api]["left"]], peers)


def drain(context):
    if context.wanted("drain"):
        got = [context.run("drain-so") for _ in range(context.launches)]
        yield compare(Row("drain", "us", goal=20), [r["drain"] for r in got if r], {})


def colour(context):
    """Touching the first word of every object of a working set: with cache colouring, beside the same cache without."""
    for size, objects in ((700, 300), (2400, 300), (10000, 300), (10000, 3000), (64, 1000), (4096, 300)):
        name = f"colour/{size}x{objects}"
        if context.wanted(name):
            got = [r for r in (context.run("colour", size, objects) for _ in range(context.launches)) if r]
            yield compare(Row(name, "ns/touch", goal_ratio=1.0 if size not in (64, 4096) else None),
                          [r["coloured"] for r in got], {"plain": [r["plain"] for r in got]})


def reader(context):
    """CPU time to read the descriptors and bitmaps of 10 000 slabs of another process."""
    if not context.wanted("read_10000_slabs"):
        return
    done = [subprocess.run([f"{context.build}/bench/reader", f"{context.build}/bench/holder"], capture_output=True, text=True)
            for _ in range(3)]
    values = [float(d.stdout.split()[1]) for d in done if d.returncode == 0]
    if values:
        yield compare(Row("read_10000_slabs", "ms CPU", goal=1.0), values, {})
    else:
        print(f"read_10000_slabs: {done[0].stderr.strip()}")
