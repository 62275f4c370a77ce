# SPDX-License-Identifier: BSD-2-Clause
"""Inputs of the programs, the same ones each time. prepare.py FOLDER"""
import glob
import json
import os
import random
import shutil
import subprocess
import sys

WORDS = [f"{a}{b}{c}" for a in ("al", "be", "co", "du", "er") for b in ("mi", "no", "pa", "ru", "sa", "to")
         for c in ("k", "len", "rin", "sta", "x", "ven")]
CPP = """#include <algorithm>
#include <deque>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>
template <int N> struct node { std::map<std::string, std::vector<node<N - 1>>> below; std::set<int> keys; };
template <> struct node<0> { std::string text; };
template <int N> long walk(const node<N> &n)
{
    long s = 0;
    for (auto &b : n.below)
        for (auto &c : b.second) s += walk(c);
    return s + (long)n.keys.size();
}
template <> long walk(const node<0> &n) { return (long)n.text.size(); }
long all(const node<12> &n) { return walk(n); }
int match(const std::string &s)
{
    static const std::regex r("([a-z]+)=([0-9]+)(,|$)");
    std::smatch m;
    return std::regex_search(s, m, r) ? (int)m.size() : 0;
}
"""


def person(rng, i):
    return {"id": i, "name": " ".join(rng.sample(WORDS, 2)), "tags": rng.sample(WORDS, rng.randrange(1, 7)),
            "score": round(rng.random() * 1000, 3), "address": {"street": rng.choice(WORDS), "number": rng.randrange(200)},
            "text": " ".join(rng.choices(WORDS, k=rng.randrange(3, 30)))}


def xml(people):
    yield "<people>\n"
    for p in people:
        tags = "".join(f"<tag>{tag}</tag>" for tag in p["tags"])
        yield f' <person id="{p["id"]}" score="{p["score"]}"><name>{p["name"]}</name>{tags}<text>{p["text"]}</text></person>\n'
    yield "</people>\n"


def resp(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)


def redis(folder, rng):
    with open(f"{folder}/set.resp", "wb") as f:
        for i in range(500000):
            f.write(resp(b"SET", b"key:%d" % rng.randrange(500000), b"%0100d" % i))
    with open(f"{folder}/list.resp", "wb") as f:
        for i in range(150000):
            f.write(resp(b"LPUSH", b"list:%d" % rng.randrange(100), b"element-%d" % i * rng.randrange(1, 6)))
            if i % 10 == 0:
                f.write(resp(b"LRANGE", b"list:%d" % rng.randrange(100), b"0", b"50"))
            if i % 3 == 0:
                f.write(resp(b"RPOP", b"list:%d" % rng.randrange(100)))


def history(folder, rng):
    """A repository of 2500 commits to 300 files."""
    subprocess.run(["git", "init", "-q", "-b", "main", "--bare", f"{folder}/repository"], check=True)
    feed = subprocess.Popen(["git", "--git-dir", f"{folder}/repository", "fast-import", "--quiet"], stdin=subprocess.PIPE)
    texts = {f"src/{i % 20}/{WORDS[i % len(WORDS)]}-{i}.c": rng.choices(WORDS, k=300) for i in range(300)}
    for commit in range(2500):
        message = " ".join(rng.choices(WORDS, k=9)).encode()
        feed.stdin.write(b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata %d\n%b\n" % (1600000000 + commit * 60,
                                                                                              len(message), message))
        for name in rng.sample(sorted(texts), 3) if commit else sorted(texts):
            texts[name][rng.randrange(300)] = rng.choice(WORDS)
            data = "\n".join(texts[name]).encode()
            feed.stdin.write(b"M 644 inline %b\ndata %d\n%b\n" % (name.encode(), len(data), data))
    feed.stdin.close()
    if feed.wait():
        sys.exit("prepare: git fast-import failed")


def cluster(folder):
    """An empty PostgreSQL cluster, where it is installed."""
    initdb = max(glob.glob("/usr/lib/postgresql/*/bin/initdb"), default=None)
    if not initdb:
        return
    command = [initdb, "-D", f"{folder}/cluster", "--no-sync", "--no-locale", "-E", "UTF8"]
    os.mkdir(f"{folder}/cluster", 0o700)
    if os.getuid() == 0:
        shutil.chown(f"{folder}/cluster", "postgres", "postgres")
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def main():
    folder = sys.argv[1]
    rng = random.Random(5)
    people = [person(rng, i) for i in range(40000)]
    with open(f"{folder}/people.json", "w") as f:
        json.dump(people, f)
    with open(f"{folder}/people.xml", "w") as f:
        f.writelines(xml(people))
    with open(f"{folder}/people.txt", "w") as f:
        f.writelines(f"{p['id']}\t{p['name']}\t{p['score']}\t{','.join(p['tags'])}\t{p['text']}\n" for p in people * 2)
    with open(f"{folder}/page.html", "w") as f:
        f.writelines(f"<p>{p['text']}</p>\n" for p in people[:400])
    with open(f"{folder}/program.cpp", "w") as f:
        f.write(CPP)
    for compiler in ("g++", "clang++"):
        subprocess.run([compiler, "-E", "-o", f"{folder}/{compiler}.ii", f"{folder}/program.cpp"], check=True)
    redis(folder, rng)
    history(folder, rng)
    cluster(folder)
    os.symlink(os.path.dirname(os.path.abspath(__file__)), f"{folder}/scripts")


main()
