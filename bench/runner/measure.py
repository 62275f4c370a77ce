# SPDX-License-Identifier: BSD-2-Clause
"""Running the benchmark programs: interleaved launches, exact instructions."""
import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


class Context:
    """What every group of rows needs to know."""

    def __init__(self, build, allocators, quiet, launches, quick, wanted):
        self.build = build
        self.allocators = allocators
        self.peers = [name for name in allocators if name != "kmem"]
        self.quiet = quiet
        self.launches = launches
        self.quick = quick
        self.wanted = wanted  # function: name of a row -> bool

    def run(self, program, *arguments, preload="", options="", timeout=300):
        """Launch build/bench/PROGRAM. Return: {name: number} of the lines it prints; {} when it fails."""
        env = dict(os.environ, LD_PRELOAD=preload)
        if options:
            env["KMEM_OPTIONS"] = options
        try:
            done = subprocess.run([f"{self.build}/bench/{program}", *map(str, arguments)], env=env, capture_output=True,
                                  text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            print(f"{program} {arguments} under {preload or 'glibc'}: not finished after {timeout} s", file=sys.stderr)
            return {}
        if done.returncode:
            print(f"{program} {arguments} under {preload or 'glibc'}: exit {done.returncode}: {done.stderr.strip()}",
                  file=sys.stderr)
            return {}
        return {name: float(value) for name, value in (line.split() for line in done.stdout.splitlines())}

    def interleave(self, variants, launch, launches=None, keep_failed=False):
        """
        Call launch(variant) for every variant in random order, as often as there are launches.
        Return: {variant: [results]}; a launch in which one failed is left out for all, unless told to keep it.
        """
        results = {variant: [] for variant in variants}
        for _ in range(launches or self.launches):
            once = {variant: launch(variant) for variant in random.sample(list(variants), len(variants))}
            if keep_failed or all(once.values()):
                for variant in variants:
                    results[variant].append(once[variant])
        return results

    def each_malloc(self, program, *arguments, **options):
        """{allocator: results} of PROGRAM-malloc under every allocator, one launch each."""
        return {name: self.run(f"{program}-malloc", *arguments, preload=path, **options)
                for name, path in self.allocators.items()}


def callgrind(command, preload="", options=""):
    """Instructions of a command, or None. Start-up is in it."""
    env = dict(os.environ, LD_PRELOAD=preload, KMEM_OPTIONS="rseq=assume" + ("," + options if options else ""))
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], env=env,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    match = re.search(r"Collected : (\d+)", done.stderr)
    return int(match[1]) if match and done.returncode == 0 else None


def loop_instructions(program, loop, preload="", options="", units=100000):
    """Instructions per unit of a loop of loops.c: two lengths, so that start-up and warm-up cancel out."""
    counts = [callgrind([program, loop, str(n * units)], preload, options) for n in (2, 4)]
    return None if None in counts else (counts[1] - counts[0]) / (2 * units)


def in_parallel(jobs):
    """Run {key: function} on all CPUs; for what is counted, not timed. Return: {key: result}."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {key: pool.submit(job) for key, job in jobs.items()}
        return {key: future.result() for key, future in futures.items()}
