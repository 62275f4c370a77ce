#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
What is written from the probes' descriptions in alloc/base/trace.h.

    docs/probes.py          docs/PROBES.md, the SystemTap tapset, the list in kmem-tracefs; run by `make docs`
    docs/probes.py --check  whether they are up to date
"""
import os
import re
import sys

TYPES = {"size_t": "u64", "unsigned long": "u64", "long": "s64", "unsigned int": "u32", "int": "s32", "gfp_t": "u32",
         "const char *": "string", "const void *": "address", "const struct kmem_batch *": "address"}
PLACES = {"object": "as `kmem_cache_alloc`", "slow": "a compare and a branch on a slow path",
          "rare": "a compare and a branch beside a system call or a registry lock"}

HEAD = """<!-- Written by docs/probes.py from alloc/base/trace.h: change that, then `make docs`. -->
# Probes

USDT probes of `libkmem.so`, `libkmem.a` and `libkmem-malloc.so`. Names and fields that the kernel has, too, are those of the event records of
Linux 6.18, in their order; see [KERNEL-DIFFERENCES.md](KERNEL-DIFFERENCES.md#events) for what differs. [kmem-probes(7)](man/kmem-probes.7)
shows how to use them; `examples/bpftrace/` and `examples/systemtap/` have scripts, `kmem-tracefs` makes them events of perf.

**Argument types**: `address` and `u64` 8 bytes, `u32` and `s32` 4 bytes, `string` the address of a string that ends with 0. The arguments are those of
the C calling convention (rdi, rsi, rdx, rcx, r8, r9, then the stack from 8(%rsp)), in a function with nothing but the probe, so that a plain
uprobe program finds them in the registers without decoding the note.

**Cost while nobody is attached**: probes of objects cost one compare that the fast path makes anyway: nothing in `malloc()`, `free()`, `kmalloc()` and
`kfree()`, two instructions a pair in the inline `kmem_cache_alloc()` and `kmem_cache_free()`. All others are a compare with memory and a branch, on
paths that are slow anyway. Each probe has a semaphore of its own, which the tracer raises: attaching to one wakes no other.

**Cost attached**: about half a microsecond an event, nearly all of it the trap (`tracing/*` in [PERFORMANCE.md](PERFORMANCE.md#tracing)). The complete stream
at a fraction of it is the probe `batch`; a share of it, whose sums are right, for nearly nothing, are `sample` and the provider `otel_memory`. While a probe of objects is attached, objects of all caches take the traced path, which costs some ten
nanoseconds more without an event.

**Stability**: a probe's name and the place, type and meaning of its arguments stay; arguments may be added behind the last. Where the kernel
changes a record, the probe follows in a new major version only. Which internal event leads to `slot_*`, `zone_*` and `purge` may change with the
allocator.

**Exactly once**: each object's allocation fires one event and its free another, on every path: single, bulk, from a prefilled sheaf, from a
mempool's allocator, `kfree_rcu()` (when it is freed), `kfree_nolock()`, `realloc()` that moves. `realloc()` in place fires none.
An allocation's event follows it, a free's comes before it, so that events of one address never cross.

"""


def probes(path):
    """(comment lines, name, [(type, name)]) of each declared trace_*() function with a comment that has a place."""
    text = open(path).read()
    for match in re.finditer(r"/\*\n((?: \*.*\n)+?) \*/\nvoid trace_(\w+)\(([^;]*)\);", text):
        lines = [line[3:] for line in match[1].splitlines()]
        if any(line.startswith("Place:") for line in lines):
            arguments = [re.match(r"(.*?)(\w+)$", part.strip()) for part in re.sub(r"\s+", " ", match[3]).split(",")]
            yield lines, match[2], [(a[1].strip(), a[2]) for a in arguments]


def tags(lines):
    return dict(line.split(": ", 1) for line in lines if re.match(r"(Kernel|Place): ", line))


def summary(lines):
    return " ".join(line for line in lines if line and not re.match(r"  |(Kernel|Place): ", line))


def described(lines, name, arguments):
    """{argument: text}; what does not fit the declaration ends the program."""
    texts = {}
    for line in lines:
        match = re.match(r"  (\w+) +(.*)", line)
        if match:
            texts[match[1]] = match[2]
    if list(texts) != [argument for _, argument in arguments]:
        sys.exit(f"trace_{name}: the comment describes {list(texts)}, the arguments are {[a for _, a in arguments]}")
    return texts


def section(lines, name, provider, arguments):
    tag, texts = tags(lines), described(lines, name, arguments)
    kernel = f"`{tag['Kernel']}`" if tag["Kernel"] != "none" else "none"
    out = f"### {provider}:{name}\n\n{summary(lines)} Kernel: {kernel}. Dormant: {PLACES[tag['Place']]}.\n\n| | argument | type | |\n|---|---|---|---|\n"
    for index, (kind, argument) in enumerate(arguments):
        out += f"| {index} | {argument} | {TYPES[kind]} | {texts[argument]} |\n"
    return out + "\n"


def described_probes(path):
    """
    [(provider, name, comment lines, arguments)] of each probe. The list has the providers; all of it must be described,
    and nothing else.
    """
    listed = {name: provider for provider, name in re.findall(r"\tX\((\w+), (\w+), \w+\)", open(path).read())}
    found = {name: (lines, arguments) for lines, name, arguments in probes(path)}
    if set(listed) != set(found):
        sys.exit(f"{path}: probes in the list and described functions differ: {sorted(set(listed) ^ set(found))}")
    return [(listed[name], name, *description) for name, description in found.items()]


def document(path):
    found = described_probes(path)
    groups = (("Of the kernel", lambda tag: tag["Kernel"] != "none"), ("The library's own", lambda tag: tag["Kernel"] == "none"))
    out = HEAD + "| probe | arguments | kernel |\n|---|---|---|\n"
    for provider, name, lines, arguments in found:
        kernel = tags(lines)["Kernel"]
        out += f"| [{provider}:{name}](#{provider}{name}) | {', '.join(a for _, a in arguments)} | {kernel if kernel != 'none' else ''} |\n"
    for title, wanted in groups:
        out += f"\n## {title}\n\n" + "".join(section(lines, name, provider, arguments)
                                             for provider, name, lines, arguments in found if wanted(tags(lines)))
    out += NOT_HERE
    return re.sub(r"\n\n\n+", "\n\n", out).rstrip() + "\n"


def tapset(path, folder):
    """Probes libkmem.NAME with the arguments as variables; a string is read."""
    out = "# libkmem.stp - the probes of libkmem; see PROBES.md. Written by docs/probes.py.\n"
    for provider, name, lines, arguments in described_probes(path):
        texts = described(lines, name, arguments)
        alias = f"libkmem.{name}" if provider == "kmem" else f"libkmem.{provider}.{name}"
        points = ", ".join(f'process("{folder}/{library}").provider("{provider}").mark("{name}") ?'
                           for library in ("libkmem.so.0", "libkmem-malloc.so"))
        out += f"\n/**\n * probe {alias} - {summary(lines)}\n"
        out += "".join(f" * @{argument}: {texts[argument]}\n" for _, argument in arguments)
        out += f" */\nprobe {alias} = {points}\n{{\n\tprobestr = \"{provider}:{name}\"\n"
        for index, (kind, argument) in enumerate(arguments):
            value = f"user_string_warn($arg{index + 1})" if TYPES[kind] == "string" else f"$arg{index + 1}"
            out += f"\t{argument} = {value}\n"
        out += "}\n"
    return out


NOT_HERE = """
## Events of the kernel that are not here

| event | why |
|---|---|
| `kmem:rss_stat` | a process's resident memory changes in the kernel, which fires its own event for this process |
| `kmem:mm_setup_per_zone_wmarks`, `mm_setup_per_zone_lowmem_reserve`, `mm_calculate_totalreserve_pages` | watermarks follow each growth of a zone: `zone_grow` |
| `kmem:test_pages_isolated`, `mm_alloc_contig_migrate_range_info` | nothing is isolated or migrated: objects have addresses |
| `kmem:kmalloc_node`, `kmem_cache_alloc_node` | gone since 6.1: field `node` |
"""


def listed(path, script):
    """kmem-tracefs with the list of all probes between its END marks."""
    names = "".join(f"{provider}:{name} {' '.join(f'{argument}={TYPES[kind]}' for kind, argument in arguments)}\n"
                    for provider, name, _, arguments in described_probes(path))
    return re.sub(r"(<<'END'\n).*?(END\n)", lambda match: match[1] + names + match[2], script, count=1, flags=re.S)


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    source, script = "alloc/base/trace.h", "tools/tracing/kmem-tracefs"
    written = {"docs/PROBES.md": document(source), "tools/tracing/libkmem.stp.in": tapset(source, "@libdir@"),
               script: listed(source, open(script).read())}
    for path, text in written.items():
        if sys.argv[1:] != ["--check"]:
            with open(path, "w") as f:
                f.write(text)
        elif not os.path.exists(path) or open(path).read() != text:
            sys.exit(f"{path} is stale: make docs")


main()
