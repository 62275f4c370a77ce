# SPDX-License-Identifier: BSD-2-Clause
"""Whole programs in instructions, by callgrind; the start of an empty one in instructions and memory."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from runner.measure import callgrind, in_parallel
from runner.programs import SCRIPTS, cc1plus
from runner.rows import Row, compare

C_PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct word { struct word *next; int count; char text[]; };
static struct word *table[64];
static struct word *look_up(const char *text)
{
    unsigned int h = 0; const char *c; struct word *w;
    for (c = text; *c; c++) h = h * 31 + (unsigned char)*c;
    for (w = table[h % 64]; w; w = w->next) if (!strcmp(w->text, text)) return w;
    w = calloc(1, sizeof(*w) + strlen(text) + 1);
    strcpy(w->text, text); w->next = table[h % 64]; table[h % 64] = w;
    return w;
}
"""


def inputs(folder):
    """Small ones: callgrind takes fifty times as long."""
    words = [f"w{i * 7919 % 401}" for i in range(4000)]
    with open(f"{folder}/words", "w") as f:
        for i in range(4000):
            text = " ".join(words[i % 900:i % 900 + 12])
            f.write(f"{i}\t{words[i]}\t{i % 97}.5\t{words[i % 13]},{words[i % 17]}\t{text}\n")
    with open(f"{folder}/rows.sql", "w") as f, open(f"{SCRIPTS}/rows.sql") as full:
        f.write(full.read().replace("200000", "5000"))
    with open(f"{folder}/people.json", "w") as f:
        json.dump([{"id": i, "name": words[i], "tags": words[i + 1:i + 3], "text": " ".join(words[i:i + 9])}
                   for i in range(2500)], f)
    with open(f"{folder}/program.c", "w") as f:
        f.write(C_PROGRAM + "".join(f"int f{i}(char *s) {{ struct word *w = look_up(s); return w->count++ + {i}; }}\n"
                                    for i in range(120)))
    subprocess.run(["gcc", "-E", "-o", f"{folder}/program.i", f"{folder}/program.c"], check=True)


def commands(folder):
    """Name -> command. The loops of the scripts end at once where they read their number from the command line."""
    scripts = {"perl": ["perl", f"{SCRIPTS}/words.pl", f"{folder}/words"],
               "lua": ["lua5.4", f"{SCRIPTS}/trees.lua", "1"],
               "python3": ["/usr/bin/python3", f"{SCRIPTS}/objects.py", "15000"],
               "gawk": ["gawk", "-f", f"{SCRIPTS}/words.awk", f"{folder}/words"],
               "jq": ["jq", "-f", f"{SCRIPTS}/people.jq", f"{folder}/people.json"],
               "sqlite3": ["sqlite3", ":memory:", f".read {folder}/rows.sql"],
               "cc1": [cc1plus().replace("cc1plus", "cc1"), "-quiet", "-O1", f"{folder}/program.i", "-o", "/dev/null"]}
    return {name: command for name, command in scripts.items() if shutil.which(command[0])}


def program_instructions(context):
    """None above glibc; the mean of what mimalloc takes."""
    chosen = ["kmem", "glibc"] + [name for name in context.peers if name == "mimalloc"]
    if not any(context.wanted(f"program_instructions/{name}") for name in (*commands(""), "mean")):
        return
    os.environ.update(PERL_HASH_SEED="0", PYTHONHASHSEED="0", LC_ALL="C")
    with tempfile.TemporaryDirectory(prefix="bench.") as folder:
        inputs(folder)
        programs = {name: command for name, command in commands(folder).items()
                    if not context.quick or name in ("perl", "sqlite3")}
        counts = in_parallel({(name, allocator): (lambda c=command, a=allocator: callgrind(c, context.allocators[a]))
                              for name, command in programs.items() for allocator in chosen})
    relative = {allocator: [] for allocator in chosen}
    for name in programs:
        got = {allocator: counts[name, allocator] for allocator in chosen}
        if None in got.values():
            print(f"program_instructions/{name}: callgrind failed: {got}", file=sys.stderr)
            continue
        yield compare(Row(f"program_instructions/{name}", "million", goal_ratio=1.0, against="glibc"), [got["kmem"] / 1e6],
                      {peer: [got[peer] / 1e6] for peer in chosen[1:]})
        for allocator in chosen:
            relative[allocator].append(got[allocator] / got["glibc"])
    if relative["kmem"]:
        mean = {allocator: statistics.geometric_mean(values) for allocator, values in relative.items()}
        yield compare(Row("program_instructions/mean", "of glibc", goal_ratio=1.0, against="mimalloc"), [mean["kmem"]],
                      {peer: [mean[peer]] for peer in chosen[1:]})


def startup(context):
    """/bin/true, which does nothing but start."""
    if context.wanted("startup/instructions"):
        counts = in_parallel({name: (lambda p=path: callgrind(["/bin/true"], p)) for name, path in context.allocators.items()})
        if counts["kmem"] is not None:
            yield compare(Row("startup/instructions", "million", goal=1.0), [counts["kmem"] / 1e6],
                          {peer: [counts[peer] / 1e6] for peer in context.peers if counts[peer]})
    if not context.wanted("startup/rss"):
        return
    with tempfile.NamedTemporaryFile() as cost:
        def launch(name):
            command = [f"{context.build}/bench/launch", cost.name, context.allocators[name], "/bin/true"]
            subprocess.run(command, check=True)
            with open(cost.name) as f:
                return float(f.read().split()[2])
        got = context.interleave(context.allocators, launch)
    row = compare(Row("startup/rss", "KiB"), got["kmem"], {peer: got[peer] for peer in context.peers})
    row.goal = row.peers["glibc"] + 512
    yield row.judge()
