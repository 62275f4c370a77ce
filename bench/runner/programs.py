# SPDX-License-Identifier: BSD-2-Clause
"""Real programs under every allocator: equal output, CPU time and peak memory; means over all of them."""
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from http.client import HTTPException

from runner import machine, servers
from runner.rows import Row, compare

SCRIPTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs")


@dataclass
class Program:
    """Started in a folder of its own; inputs are in the folder above. What it prints must not depend on the allocator."""
    name: str
    command: list
    stdin: str = os.devnull
    environment: dict = field(default_factory=dict)
    prepare: object = None   # called with the folder before each run
    output: object = None    # called with the folder and what was printed: the text to compare
    serve: object = None     # for servers: called with the folder while it runs; returns text and further figures
    user: str = None         # for programs that refuse to be root
    needs: str = None        # what must be installed, if not the command's first word


# Processes of its own, so that a program that kills all it can reaches nobody else.
ALONE = ["unshare", *([] if os.getuid() == 0 else ["--user", "--map-root-user"]), "--pid", "--fork", "--kill-child"]


def cc1plus():
    done = subprocess.run(["g++", "-print-prog-name=cc1plus"], capture_output=True, text=True)
    return done.stdout.strip()


def copy_repository(folder):
    shutil.copytree(f"{folder}/../repository", f"{folder}/repository")


def objects_of_repository(folder, _):
    git = ["git", "--git-dir", f"{folder}/repository"]
    subprocess.run([*git, "fsck", "--full"], check=True, capture_output=True)
    return subprocess.run([*git, "cat-file", "--batch-all-objects", "--batch-check"], capture_output=True, text=True).stdout


def copy_cluster(folder):
    subprocess.run(["cp", "-a", f"{folder}/../cluster", f"{folder}/cluster"], check=True)


def without_timings(_, text):
    return "\n".join(line for line in text.splitlines() if "(typeid" in line or "= \"" in line)


def scan_database(folder, _):
    return subprocess.run(["ldb", f"--db={folder}/db", "scan", "--hex"], capture_output=True, text=True).stdout


def completed(_, text):
    return str("successful run completed" in text)


PROGRAMS = [
    Program("redis_list", servers.REDIS, serve=servers.redis_list),
    Program("redis_set", servers.REDIS, serve=servers.redis_set),
    Program("python", ["/usr/bin/python3", "../scripts/objects.py"]),
    Program("pyjson", ["/usr/bin/python3", "../scripts/json_round_trip.py", "../people.json"],
            environment={"PYTHONMALLOC": "malloc"}),
    Program("lua", ["lua5.4", "../scripts/trees.lua"]),
    Program("node", ["node", "../scripts/objects.js", "../people.json"]),
    Program("cc1plus", [cc1plus(), "-quiet", "-O1", "-std=gnu++17", "../g++.ii", "-o", "-"]),
    Program("clang", ["clang++", "-O1", "-S", "-o", "-", "../clang++.ii"]),
    Program("sqlite", ["sqlite3", ":memory:"], stdin="../scripts/rows.sql"),
    Program("perl", ["perl", "../scripts/words.pl", "../people.txt"], environment={"PERL_HASH_SEED": "0"}),
    Program("ruby", ["ruby", "../scripts/objects.rb", "../people.json"]),
    Program("jq", ["jq", "-f", "../scripts/people.jq", "../people.json"]),
    Program("xmllint", ["xmllint", "--format", "--c14n", "../people.xml"]),
    Program("gawk", ["gawk", "-f", "../scripts/words.awk", "../people.txt"]),
    Program("git_log", ["git", "--git-dir", "../repository", "log", "-p", "--stat", "--format=%H %s", "-n", "1500"]),
    Program("git_repack", ["git", "--git-dir", "repository", "-c", "pack.threads=1", "repack", "-adfq", "--window=8"],
            prepare=copy_repository, output=objects_of_repository),
    Program("rocksdb", ["db_bench", "--db=db", "--benchmarks=fillrandom,overwrite,readrandom", "--num=100000", "--seed=1",
                        "--compression_type=none"], output=scan_database),
    Program("nginx", servers.NGINX, prepare=servers.nginx_configuration, serve=servers.nginx),
    Program("memcached", servers.MEMCACHED, serve=servers.memcached),
    Program("postgres", [servers.postgres_binary(), "--single", "-j", "-D", "cluster", "postgres"],
            stdin="../scripts/rows.postgres.sql", prepare=copy_cluster, output=without_timings, user="postgres"),
    Program("stress_ng", [*ALONE, "stress-ng", "--malloc", "1", "--malloc-ops", "20000", "--verify", "--no-rand-seed"],
            output=completed, needs="stress-ng"),
]
QUICK = {"pyjson", "lua", "sqlite", "perl", "jq", "redis_set"}


@dataclass
class Run:
    digest: str
    cpu_ms: float
    rss_kib: float
    more: dict


def start(context, program, preload, folder):
    """The command line of a program under the launcher, its environment, and its standard input."""
    environment = dict(os.environ, PYTHONHASHSEED="0", LC_ALL="C", **program.environment)
    command = [f"{context.build}/bench/launch", f"{folder}/cost", preload, *program.command]
    if program.user and os.getuid() == 0:
        command = ["setpriv", f"--reuid={program.user}", f"--regid={program.user}", "--clear-groups", *command]
        shutil.chown(folder, program.user)
    return command, environment, open(os.path.join(folder, program.stdin), "rb")


def run_once(context, program, preload, inputs):
    """Return: a Run, or None with a line on stderr when the program failed."""
    with tempfile.TemporaryDirectory(dir=inputs) as folder:
        if program.prepare:
            program.prepare(folder)
        command, environment, stdin = start(context, program, preload, folder)
        more = {}
        with stdin, open(f"{folder}/out", "w+b") as out, open(f"{folder}/err", "w+b") as err:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdin=stdin, stdout=out, stderr=err)
            try:
                if program.serve:
                    text, more = program.serve(folder)
                process.wait(timeout=300)
            except (OSError, EOFError, ValueError, HTTPException, subprocess.SubprocessError) as error:
                process.terminate()
                process.wait(timeout=60)
                print(f"{program.name} under {preload or 'glibc'}: {error}", file=sys.stderr)
                return None
            out.seek(0), err.seek(0)
            printed, complaints = out.read().decode(errors="replace"), err.read().decode(errors="replace")
        with open(f"{folder}/cost") as cost:
            user, system, rss, status = cost.read().split()
        if status != "0":
            print(f"{program.name} under {preload or 'glibc'}: wait status {status}: {complaints[-300:]}", file=sys.stderr)
            return None
        if not program.serve:
            text = program.output(folder, printed + complaints) if program.output else printed
        return Run(hashlib.sha256(text.encode()).hexdigest(), float(user) + float(system), float(rss), more)


def preload_of(context, program, name):
    """Debian links redis with jemalloc: for its glibc row, glibc itself is preloaded."""
    path = context.allocators[name]
    if path or not shutil.which(program.command[0]):
        return path
    linked = subprocess.run(["ldd", shutil.which(program.command[0])], capture_output=True, text=True).stdout
    return machine.libc() if "malloc" in linked else path


def measure(context, program, inputs):
    """{allocator: [Run]}, and what is to be said about wrong output."""
    runs = {name: [] for name in context.allocators}
    wrong = set()
    preloads = {name: preload_of(context, program, name) for name in context.allocators}
    expected = run_once(context, program, preloads["glibc"], inputs)
    if not expected:
        return runs, ["fails without us"]
    for _ in range(min(3, context.launches)):
        def launch(name):
            return run_once(context, program, preloads[name], inputs)
        for name, got in context.interleave(context.allocators, launch, 1, keep_failed=True).items():
            if got and got[0] and got[0].digest == expected.digest:
                runs[name].append(got[0])
            else:
                wrong.add(name)
    return runs, [f"WRONG OUTPUT OR FAILURE under {name}" for name in sorted(wrong)]


def geometric_mean(values):
    return statistics.geometric_mean(values) if values else None


def programs(context):
    """Rows of all programs that are installed, then the geometric means relative to glibc."""
    chosen = [p for p in PROGRAMS if context.wanted(f"programs/{p.name}") or context.wanted(f"programs/{p.name}_rss")]
    chosen = [p for p in chosen if not context.quick or p.name in QUICK]
    if not chosen:
        return
    cpu, rss = {name: [] for name in context.allocators}, {name: [] for name in context.allocators}
    with tempfile.TemporaryDirectory(prefix="bench.") as inputs:
        os.chmod(inputs, 0o755)
        made = subprocess.run([sys.executable, f"{SCRIPTS}/prepare.py", inputs], stderr=subprocess.PIPE, text=True)
        if made.returncode:
            print(f"programs: their inputs could not be made: {made.stderr.strip()}", file=sys.stderr)
            return
        for program in chosen:
            needs = program.needs or program.command[0]
            if not shutil.which(needs):
                print(f"programs/{program.name}: {needs} is not installed (make bench-programs)", file=sys.stderr)
                continue
            runs, notes = measure(context, program, inputs)
            yield from rows_of(context, program, runs, notes, cpu, rss)
    yield from means(context, cpu, rss)


def rows_of(context, program, runs, notes, cpu, rss):
    if not runs["kmem"]:
        yield Row(f"programs/{program.name}", "ms CPU", met=False, note="; ".join(notes))
        return
    figures = (("", "ms CPU", cpu, "cpu_ms", {"goal_ratio": 1.15}), ("_rss", "KiB", rss, "rss_kib", {}))
    for suffix, unit, sums, figure, goals in figures:
        values = {name: [getattr(run, figure) for run in runs[name]] for name in runs}
        row = compare(Row(f"programs/{program.name}{suffix}", unit, note="; ".join(notes), **goals), values["kmem"],
                      {name: values[name] for name in context.peers if values[name]})
        if any("under kmem" in note for note in notes):
            row.met = False
        yield row
        if all(values.values()):
            for name in sums:
                sums[name].append(statistics.median(values[name]) / statistics.median(values["glibc"]))
    for key in runs["kmem"][0].more:
        values = {name: [run.more[key][0] for run in runs[name]] for name in runs}
        _, unit, goal = runs["kmem"][0].more[key]
        yield compare(Row(f"programs/{program.name}_{key}", unit, goal=goal), values["kmem"],
                      {name: values[name] for name in context.peers if values[name]})


def means(context, cpu, rss):
    for name, sums, goals in (("cpu_mean", cpu, {"goal_ratio": 0.98}), ("rss_mean", rss, {"goal": 1.05})):
        mean = {allocator: geometric_mean(values) for allocator, values in sums.items()}
        if mean["kmem"]:
            yield compare(Row(f"programs/{name}", "of glibc", note=f"{len(sums['kmem'])} programs", **goals), [mean["kmem"]],
                          {peer: [mean[peer]] for peer in context.peers})
