# SPDX-License-Identifier: BSD-2-Clause
"""What the batch and the sample tier of tracing cost."""
from runner.measure import in_parallel, loop_instructions
from runner.rows import Row, compare

# ns per event, the operation itself included; of the machine at its full clock.
STREAM = {"op": None, "append": None, "append_time": None, "append_stacks": None, "deliver": 6, "deliver_time": 13,
          "deliver_stacks": 10}


def stream(context):
    """Each launch measures all of them in turns, so one set of launches serves all rows."""
    timed = [name for name in STREAM if context.wanted(f"stream/{name}")]
    counted = [name for name in STREAM if not name.startswith("deliver") and context.wanted(f"stream/instructions/{name}")]
    extra = [name for name in ("rate", "lost") if context.wanted(f"stream/{name}")]
    if timed or extra:
        got = context.interleave(["stream"], lambda program: context.run(program))["stream"]
        for name in timed:
            yield compare(Row(f"stream/{name}", "ns", goal=STREAM[name]), [r[name] for r in got], {})
        if "rate" in extra:
            yield compare(Row("stream/rate", "-million/s", goal=-100), [-r["rate"] for r in got], {})
        if "lost" in extra:
            lost = [r["lost"] + r["lost_time"] + r["lost_stacks"] for r in got]
            yield compare(Row("stream/lost", "events", goal=0), lost, {})
    counts = in_parallel({name: (lambda n=name: loop_instructions(f"{context.build}/bench/stream", n)) for name in counted})
    for name in counted:
        if counts[name] is not None:
            yield compare(Row(f"stream/instructions/{name}", "instructions"), [counts[name] / 2], {})


def sample(context):
    """malloc with samples each 512 KiB as a ratio to the same without, nobody attached; in both orders of loading."""
    loops = [loop for loop in ("pair", "fifo_1000") if context.wanted(f"sample/{loop}")]
    options = ("sample=0", "sample=512K")
    if loops:
        got = context.interleave([options, options[::-1]],
                                 lambda order: context.run("guard", context.allocators["kmem"], *order))
        for loop in loops:
            ratios = [(on[f"{loop}_ratio"] / off[f"{loop}_ratio"]) ** 0.5
                      for on, off in zip(got[options], got[options[::-1]])]
            yield compare(Row(f"sample/{loop}", "on/off", goal=1.01), ratios, {})
    for loop in ("pair", "fifo_1000"):
        if context.wanted(f"sample/instructions/{loop}"):
            program, preload = f"{context.build}/bench/loops-malloc", context.allocators["kmem"]
            counts = [loop_instructions(program, loop, preload, chosen, 1000000) for chosen in options]
            if None not in counts:
                yield compare(Row(f"sample/instructions/{loop}", "on/off", goal=1.01), [counts[1] / counts[0]], {})
