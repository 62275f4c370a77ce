# SPDX-License-Identifier: BSD-2-Clause
"""Several threads: producer and consumer, exchange, a thousand threads, one core; and the tail of single calls."""
from runner.rows import Row, busy, compare

LEAST_LAUNCHES = 3
LEAST_OVERLAP = 0.9


def variants(context, program):
    return [("inline", f"{program}-inline", "")] + [
        ("malloc" if name == "kmem" else name, f"{program}-malloc", path) for name, path in context.allocators.items()]


def quiet_launches(context, program, arguments, overlap):
    """
    Launches of all variants for which the machine was quiet before and after each.
    Return: {variant: [results]}, or None when there were too few.
    """
    chosen = variants(context, program)

    def launch(variant):
        for _ in range(2):
            if not context.quiet.wait():
                return {}
            got = context.run(variant[1], *arguments, preload=variant[2])
            if context.quiet.probe() and (not overlap or got.get("overlap", 0) >= LEAST_OVERLAP):
                return got
        return {}

    results = {variant[0]: [] for variant in chosen}
    misses = 0
    while len(results["malloc"]) < context.launches and misses <= max(0, context.launches - LEAST_LAUNCHES):
        once = {}
        for variant in chosen:
            once[variant[0]] = launch(variant)
            if not once[variant[0]]:
                break
        if all(once.get(variant[0]) for variant in chosen):
            for name, got in once.items():
                results[name].append(got)
        else:
            misses += 1
    return results if len(results["malloc"]) >= min(LEAST_LAUNCHES, context.launches) else None


def rows_of(context, name, unit, results, field, **goals):
    """Both of our interfaces beside the peers, for one figure of the results."""
    for api in ("inline", "malloc"):
        row = Row(f"{name}/{api}", unit, **goals)
        if results is None:
            yield busy(row)
        else:
            yield compare(row, [r[field] for r in results[api]],
                          {peer: [r[field] for r in results[peer]] for peer in context.peers})


def wanted(context, name):
    return context.wanted(f"{name}/inline") or context.wanted(f"{name}/malloc")


def flow(context):
    one = None
    for batch, pairs in ((1000, 1), (64, 1), (1000, 4)):
        name = f"flow/{batch}" + (f"/{pairs}_pairs" if pairs > 1 else "")
        if not wanted(context, name):
            continue
        results = quiet_launches(context, "flow", (batch, pairs), overlap=True)
        rows = list(rows_of(context, name, "ns/object", results, "sum", goal=12))
        if pairs > 1:
            for row in rows:
                row.goal = round(1.2 * one[row.name.rsplit("/")[-1]], 3) if one else None
                row.judge()
        elif batch == 1000 and results:
            one = {row.name.rsplit("/")[-1]: row.ours for row in rows}
        yield from rows


def crowd(context):
    """Two and a thousand threads."""
    for mode, nr, goal in (("private", 2, None), ("exchange", 2, 14), ("private", 1000, 9), ("exchange", 1000, 12)):
        name = f"threads/{nr}_{mode}"
        if wanted(context, name):
            results = quiet_launches(context, "threads", (mode, nr), overlap=False)
            yield from rows_of(context, name, "ns CPU", results, "ns", goal=goal)


def crowd_memory(context):
    """What each of a thousand threads adds, its stack included; a busy machine does not change that."""
    for mode, goal in (("private", 16), ("exchange", 6), ("idle", 1)):
        name = f"threads/1000_{mode}_memory"
        if wanted(context, name):
            got = context.interleave(variants(context, "threads"), lambda v: context.run(v[1], mode, 1000, preload=v[2]), 3)
            results = {v[0]: values for v, values in got.items()}
            yield from rows_of(context, name, "KiB/thread", results, "kib_per_thread", goal=goal)


def one_core(context):
    """Sixty-four threads on one CPU against one: a preempted holder of a lock holds up nobody."""
    if not wanted(context, "threads/one_core_64"):
        return

    def launch(variant):
        few, many = (context.run(variant[1], "one-core", nr, preload=variant[2]) for nr in (1, 64))
        return {"times": many["ns"] / few["ns"]} if few and many else {}

    got = context.interleave(variants(context, "threads"), launch)
    times = {v[0]: [r["times"] for r in results] for v, results in got.items()}
    for api in ("inline", "malloc"):
        yield compare(Row(f"threads/one_core_64/{api}", "times 1 thread", goal=1.5), times[api],
                      {peer: times[peer] for peer in context.peers})


def tail(context):
    """Quantiles of single calls; the control shows what the clock and the machine add."""
    fields = [("alloc_p999", 20), ("alloc_p9999", 40), ("free_p999", 20), ("free_p9999", 40), ("alloc_slow", None),
              ("free_slow", None)]
    if not any(wanted(context, f"tail/{field}") for field, _ in fields):
        return
    got = context.interleave(variants(context, "tail"), lambda v: context.run(v[1], preload=v[2]))
    values = {v[0]: results for v, results in got.items()}
    for field, goal in fields:
        control = "control_" + field.split("_")[1]
        unit = "per million" if field.endswith("slow") else "ns"
        for api in ("inline", "malloc"):
            row = compare(Row(f"tail/{field}/{api}", unit, goal=goal), [r[field] for r in values[api]],
                          {peer: [r[field] for r in values[peer]] for peer in context.peers})
            row.peers["control"] = compare(Row("", ""), [r[control] for r in values[api]], {}).ours
            yield row
