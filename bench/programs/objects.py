# Objects, dictionaries and strings; Python's own allocator takes arenas from malloc. objects.py [STEPS]
import collections
import sys


class Node:
    def __init__(self, key):
        self.key, self.links, self.label = key, [], f"node-{key}"


nodes = {}
state = 12345
for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 400000):
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    key = state % 60000
    node = nodes.get(key) or nodes.setdefault(key, Node(key))
    node.links.append(f"{state:x}")
    if len(node.links) > 12:
        del nodes[key]
counts = collections.Counter(text[:2] for node in nodes.values() for text in node.links)
print(len(nodes), sorted(counts.items())[:20], sum(len(node.label) for node in nodes.values()))
