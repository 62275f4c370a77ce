# SPDX-License-Identifier: BSD-2-Clause
"""The machine and what is installed: allocators to compare with, load, and whether it is quiet."""
import os
import re
import subprocess
import time

PEERS = {"jemalloc": "libjemalloc.so.2", "mimalloc": "libmimalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4"}


def allocators(build):
    """Name -> library to preload. Ours is "kmem"; glibc needs none."""
    found = {"kmem": f"{build}/libkmem-malloc.so", "glibc": ""}
    cache = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True).stdout
    for name, soname in PEERS.items():
        match = re.search(rf"^\s*{re.escape(soname)}\b.*=> (.*)$", cache, re.M)
        if match:
            found[name] = match[1]
        else:
            print(f"not installed, no figures of it: {name} ({soname}; make deps)")
    return found


def libc():
    """glibc itself: to be preloaded where a program links another allocator."""
    cache = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True).stdout
    return re.search(r"^\s*libc\.so\.6\b.*x86-64.*=> (.*)$", cache, re.M)[1]


def description():
    with open("/proc/cpuinfo") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    return f"{os.uname().machine}, {os.cpu_count()} CPUs, {model[1] if model else 'unknown'}, Linux {os.uname().release}"


def load():
    with open("/proc/loadavg") as f:
        return float(f.read().split()[0])


def steal_ticks():
    with open("/proc/stat") as f:
        return int(f.readline().split()[8])


class Quiet:
    """Says whether every CPU was ours, before and after a measurement."""

    LEAST_SHARE = 0.97

    def __init__(self, build, seconds):
        self.program = f"{build}/bench/quiet"
        self.seconds = seconds  # to spend on waiting, in all
        self.ghz = []
        self.steal = steal_ticks()

    def probe(self):
        """One control loop of 50 ms. Return: all CPUs were ours meanwhile."""
        out = subprocess.run([self.program], capture_output=True, text=True).stdout.split()
        self.ghz.append(float(out[3]))
        steal, self.steal = steal_ticks() - self.steal, steal_ticks()
        return float(out[1]) >= self.LEAST_SHARE and steal == 0

    def wait(self):
        """Until it is quiet three times in a row, or the time for waiting is used up. Return: it is quiet."""
        while True:
            begin = time.monotonic()
            if all(self.probe() for _ in range(3)):
                return True
            if self.seconds <= 0:
                return False
            time.sleep(0.5)
            self.seconds -= time.monotonic() - begin
