# SPDX-License-Identifier: BSD-2-Clause
"""One thread: pairs, batches, bulk, constructors, classes; in ns and in instructions. Dormant probes, guard pages."""
import sys

from runner.measure import in_parallel, loop_instructions
from runner.rows import Row, compare

LOOPS = ["pair", "fifo_1000", "random_1000", "fifo_100000", "random_100000", "bulk_32", "constructed", "classes_8"]
APIS = ["inline", "so", "kmalloc", "malloc"]

# (api, loop) -> ratio to the best peer's malloc, and absolute instructions.
RATIO = {("inline", "pair"): 0.42, ("so", "pair"): 1.0, ("inline", "fifo_1000"): 0.75, ("inline", "random_1000"): 0.60,
         ("inline", "fifo_100000"): 0.82, ("inline", "random_100000"): 0.76, ("inline", "bulk_32"): 0.30,
         ("inline", "constructed"): 0.015, ("malloc", "pair"): 1.0, ("malloc", "fifo_1000"): 0.97,
         ("malloc", "classes_8"): 0.95}
INSTRUCTIONS = {("inline", "pair"): 34, ("so", "pair"): 46, ("inline", "bulk_32"): 12, ("malloc", "pair"): 48}


def variants(context):
    """(kind, program, preload): ours by interface, then the peers'."""
    ours = [(api, f"loops-{api}", "") for api in APIS if api != "malloc"]
    return ours + [("malloc" if name == "kmem" else name, "loops-malloc", path)
                   for name, path in context.allocators.items()]


def nanoseconds(context):
    for loop in LOOPS:
        apis = [api for api in APIS if context.wanted(f"ns/{api}/{loop}")]
        counted = loop == "constructed" and context.wanted("ctor_calls/inline")
        if not apis and not counted:
            continue
        chosen = [v for v in variants(context) if v[0] in apis or v[0] in context.peers or counted and v[0] == "inline"]
        got = context.interleave(chosen, lambda v: context.run(v[1], loop, preload=v[2]))
        values = {v[0]: [r[loop] for r in got[v]] for v in chosen}
        peers = {name: values[name] for name in context.peers}
        for api in apis:
            yield compare(Row(f"ns/{api}/{loop}", "ns", goal_ratio=RATIO.get((api, loop))), values[api], peers)
        if counted:
            calls = [r["ctor_calls"] for v in chosen if v[0] == "inline" for r in got[v]]
            yield compare(Row("ctor_calls/inline", "per object", goal=0), calls, {})


def instructions(context):
    rows = [(api, loop) for api in APIS for loop in LOOPS
            if loop != "constructed" and context.wanted(f"instructions/{api}/{loop}")
            and not (context.quick and loop.endswith("100000"))]
    loops = {loop for _, loop in rows}
    jobs = {}
    for kind, program, preload in variants(context):
        for loop in loops:
            if kind in context.peers or (kind, loop) in rows:
                jobs[kind, loop] = (lambda p=program, l=loop, so=preload:
                                    loop_instructions(f"{context.build}/bench/{p}", l, so))
    counts = in_parallel(jobs)
    for api, loop in rows:
        if counts[api, loop] is None:
            print(f"instructions/{api}/{loop}: callgrind failed (is valgrind installed? make deps)", file=sys.stderr)
            continue
        peers = {name: [counts[name, loop]] for name in context.peers if counts[name, loop] is not None}
        yield compare(Row(f"instructions/{api}/{loop}", "instructions", goal=INSTRUCTIONS.get((api, loop))),
                      [counts[api, loop]], peers)


def probes(context):
    """What the dormant probes cost in a pair: the inline path with and without their comparison."""
    for loop, goal in (("pair", 0.3), ("batch_32", 0.1)):
        if not context.wanted(f"probes/{loop}"):
            continue
        without = f"{loop}_no_probes"

        def launch(which):
            """The fastest of three: a difference of tenths of a nanosecond drowns in the machine's changes of speed."""
            got = [context.run("loops-inline", which).get(which) for _ in range(3)]
            return {} if None in got else {"ns": min(got)}

        got = context.interleave([loop, without], launch)
        difference = [a["ns"] - b["ns"] for a, b in zip(got[loop], got[without])]
        yield compare(Row(f"probes/{loop}", "ns", goal=goal), difference, {})
    if context.wanted("probes/instructions"):
        program = f"{context.build}/bench/loops-inline"
        counts = [loop_instructions(program, loop) for loop in ("pair", "pair_no_probes")]
        if None not in counts:
            yield compare(Row("probes/instructions", "instructions", goal=7), [counts[0] - counts[1]], {})


def guard(context):
    """malloc with samples between guard pages each 100 ms, as a ratio to the same without; in both orders of loading."""
    loops = [loop for loop in ("pair", "fifo_1000") if context.wanted(f"guard/{loop}")]
    if not loops:
        return
    options = ("guard=off", "guard=100")
    got = context.interleave([options, options[::-1]],
                             lambda order: context.run("guard", context.allocators["kmem"], *order))
    for loop in loops:
        ratios = [(on[f"{loop}_ratio"] / off[f"{loop}_ratio"]) ** 0.5
                  for on, off in zip(got[options], got[options[::-1]])]
        yield compare(Row(f"guard/{loop}", "on/off", goal=1.02), ratios, {})
