"""A program for tracers to watch: records to JSON and back, sorted and counted. traced.py RECORDS; as bench/traced.c."""
import json
import os
import sys
import time


def work(records):
    people = [{"id": i, "name": f"name {i * 7919 % records}", "tags": [str(i % k) for k in (3, 5, 7)]} for i in range(records)]
    people = json.loads(json.dumps(people))
    words = {}
    for person in sorted(people, key=lambda p: p["name"]):
        for word in person["tags"]:
            words.setdefault(word, []).append(person["name"])
    return len(words)


records = int(sys.argv[1])
work(10)
print("ready", os.getpid(), flush=True)
sys.stdin.readline()
begin = time.process_time_ns()
work(records)
print("cpu", (time.process_time_ns() - begin) / records, flush=True)
sys.stdin.readline()
