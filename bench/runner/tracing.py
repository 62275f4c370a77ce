# SPDX-License-Identifier: BSD-2-Clause
"""What tracing costs the traced process: CPU time with a tracer, as a multiple of that without; ours beside others' tools."""
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from runner.rows import Row, compare

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIBC_PROBES = "uprobe:{libc}:malloc {{ @ = count(); }} uprobe:{libc}:free {{ @ = count(); }}"
USDT_PROBES = "usdt:*:kmem:kmalloc {{ @ = count(); }} usdt:*:kmem:kfree {{ @ = count(); }}"
SAMPLE_PROBE = "usdt:*:kmem:sample {{ @ = count(); }}"


@dataclass
class Tool:
    name: str
    allocator: str           # kmem or glibc
    pairs: int               # of the loop: so many take a second or so
    records: int             # of the Python program
    attach: object = None    # function: (context, folder, pid) -> the tracer, attached
    wrap: object = None      # function: (folder) -> what goes before the command
    options: str = ""        # KMEM_OPTIONS
    needs: str = ""          # program, or empty


def started(command, pattern, pause, **how):
    """Start a tracer. Return: it, `pause` seconds after it has printed the pattern."""
    tracer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **how)
    while pattern and not re.search(pattern, line := tracer.stdout.readline()):
        if not line:
            raise OSError(f"{command[0]} did not attach (exit {tracer.wait()})")
    time.sleep(pause)
    if tracer.poll() is not None:
        raise OSError(f"{command[0]}: {tracer.stdout.read().strip()}")
    return tracer


def recorder(mode):
    return lambda context, folder, pid: started([f"{context.build}/bench/recorder", str(pid), mode], "^attached", 0)


def kmemtrace(*options):
    return lambda context, folder, pid: started([f"{context.build}/kmemtrace", "record", "-q", "-p", str(pid), *options, "-o",
                                                 f"{folder}/trace"], "", 3)


def bpftrace(script):
    def attach(_, __, pid):
        with open("/proc/%d/maps" % pid) as f:
            libc = re.search(r"/\S*libc\.so\.6", f.read())
        return started(["bpftrace", "-p", str(pid), "-e", script.format(libc=libc[0])], "Attaching", 3)
    return attach


def perf(_, folder, pid):
    tool = [os.path.join(os.path.dirname(HERE), "tools", "tracing", "kmem-tracefs"), "run", "--prefix", "bench_", str(pid), "kmalloc", "kfree"]
    return started([*tool, "--", "perf", "record", "-q", "-o", f"{folder}/perf.data", "-e", "kmem:bench_*", "-p", str(pid)], "", 3,
                   start_new_session=True)


def memleak(_, __, pid):
    """bcc wants kernel headers; of its user-mode probes any will do, shown to it in a mount namespace of its own."""
    command = ["memleak-bpfcc", "-p", str(pid), "3600", "1"]
    headers, common = glob.glob("/usr/src/linux-headers-*-amd64"), glob.glob("/usr/src/linux-headers-*-common")
    modules = f"/lib/modules/{os.uname().release}"
    if not os.path.exists(modules + "/build") and headers and common:
        command = ["unshare", "--mount", "sh", "-c", f"mount -t tmpfs none /lib/modules && mkdir {modules} && ln -s {headers[-1]} "
                   f"{modules}/build && ln -s {common[-1]} {modules}/source && exec \"$@\"", "sh", *command]
    return started(command, "", 10)


OURS = [
    Tool("batch", "kmem", 5000000, 20000, recorder("batch")),
    Tool("untimed", "kmem", 5000000, 20000, recorder("untimed")),
    Tool("stacks", "kmem", 3000000, 20000, recorder("stacks")),
    Tool("kmemtrace", "kmem", 5000000, 20000, kmemtrace()),
    Tool("event", "kmem", 300000, 10000, recorder("event")),
    Tool("bpftrace", "kmem", 300000, 10000, bpftrace(USDT_PROBES), needs="bpftrace"),
    Tool("perf", "kmem", 200000, 5000, perf, needs="perf"),
    Tool("sample", "kmem", 5000000, 20000, bpftrace(SAMPLE_PROBE), options="sample=512K", needs="bpftrace"),
]
PEERS = [
    Tool("heaptrack", "glibc", 2000000, 10000, wrap=lambda folder: ["heaptrack", "--raw", "-o", f"{folder}/heaptrack"], needs="heaptrack"),
    Tool("massif", "glibc", 500000, 500, wrap=lambda folder: ["valgrind", "--tool=massif", f"--massif-out-file={folder}/massif"], needs="valgrind"),
    Tool("bpftrace_libc", "glibc", 50000, 1000, bpftrace(LIBC_PROBES), needs="bpftrace"),
    Tool("memleak", "glibc", 50000, 500, memleak, needs="memleak-bpfcc"),
    Tool("ltrace", "glibc", 2000, 10, wrap=lambda folder: ["ltrace", "-c", "-o", f"{folder}/ltrace", "-e", "malloc+calloc+realloc+free"],
         needs="ltrace"),
]


def commands(context, what, tool):
    if what == "loop":
        return [f"{context.build}/bench/traced", str(tool.pairs)]
    return ["/usr/bin/python3", f"{HERE}/programs/traced.py", str(tool.records)]


def stop(tracer):
    """As Ctrl-C does: to all of its processes, if it has a session of its own."""
    if tracer.poll() is None:
        try:
            (os.killpg if os.getpgid(tracer.pid) == tracer.pid else os.kill)(tracer.pid, signal.SIGINT)
        except ProcessLookupError:
            pass
    try:
        return tracer.communicate(timeout=60)[0]
    except subprocess.TimeoutExpired:
        tracer.kill()
        return tracer.communicate()[0]


def check(what, tool, said):
    """Ours must have seen all of it: cheap and incomplete would be no comparison."""
    counted = re.search(r"events (\d+) lost (\d+)", said)
    if counted and (int(counted[2]) or what == "loop" and int(counted[1]) < 2 * tool.pairs):
        raise ValueError(f"not complete: {counted[0]}")


def cost(context, what, tool, traced):
    """CPU nanoseconds of the program per unit. What a tracer's own processes use is not in it."""
    preload = context.allocators[tool.allocator] if tool.allocator == "kmem" else ""
    # A tool that starts the program must not get our malloc itself: heaptrack and valgrind have their own.
    environment = dict(os.environ, LD_PRELOAD=preload, PYTHONMALLOC="malloc", PYTHONHASHSEED="0")
    if tool.options and traced:
        environment["KMEM_OPTIONS"] = tool.options
    with tempfile.TemporaryDirectory() as folder:
        wrap = tool.wrap(folder) if tool.wrap and traced else []
        program = subprocess.Popen([*wrap, *commands(context, what, tool)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, env=environment)
        tracer = None
        try:
            pid = int(answer(program, "ready"))
            tracer = tool.attach(context, folder, pid) if tool.attach and traced else None
            print(file=program.stdin, flush=True)
            ns = float(answer(program, "cpu"))
            if tracer:
                check(what, tool, stop(tracer))
            program.communicate("\n", timeout=300)
        finally:
            for process in (program, tracer):
                if process and process.poll() is None:
                    process.kill()
                    process.communicate()
    return ns


def answer(program, word):
    for line in program.stdout:
        if line.startswith(word + " "):
            return line.split()[1]
    raise OSError(f"{program.args[0]} ended without \"{word}\"")


def usable(context, tool):
    """None, or why there is no figure."""
    if os.getuid() != 0 and tool.attach:
        return "needs root"
    if tool.needs and not shutil.which(tool.needs):
        return f"{tool.needs} is not installed"
    if tool.name == "kmemtrace" and subprocess.run([f"{context.build}/kmemtrace", "record", "--help"], capture_output=True).returncode:
        return "no kmemtrace"
    if tool.name == "sample" and "Name: sample" not in subprocess.run(["readelf", "-nW", context.allocators["kmem"]], capture_output=True,
                                                                      text=True).stdout:
        return "no probe kmem:sample"
    return None


def ratios(context, what, tool):
    """[traced / untraced], [traced ns], each launch beside one without a tracer; empty when it does not work."""
    result = [], []
    for _ in range(1 if context.quick else min(context.launches, 3)):
        try:
            native, traced = cost(context, what, tool, False), cost(context, what, tool, True)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            print(f"tracing/{what}: {tool.name}: {error}", file=sys.stderr)
            return [], []
        result[0].append(traced / native)
        result[1].append(traced)
    return result


def tracing(context):
    """tracing/PROGRAM/TIER: how many times the CPU time of the untraced program. Others' tools are the peers."""
    for what in ("loop", "python"):
        names = {tool.name: f"tracing/{what}/{tool.name}" for tool in OURS}
        if not any(map(context.wanted, names.values())):
            continue
        peers = {}
        for tool in PEERS:
            why = usable(context, tool)
            if why:
                print(f"tracing/{what}: no figures of {tool.name}: {why}", file=sys.stderr)
            else:
                peers[tool.name] = ratios(context, what, tool)[0]
        for tool in OURS:
            if not context.wanted(names[tool.name]):
                continue
            complete = tool.name in ("batch", "untimed", "stacks", "kmemtrace")
            row, why = Row(names[tool.name], "times native", goal_ratio=1.0 if complete else None), usable(context, tool)
            values, ns = ([], []) if why else ratios(context, what, tool)
            if values:
                row.note = f"{min(ns):.1f} ns a {'pair' if what == 'loop' else 'record'}"
                yield compare(row, values, {name: v[:len(values)] for name, v in peers.items()})
            else:
                row.note = f"not measured: {why or 'see above'}"
                yield row
