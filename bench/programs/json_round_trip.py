# Parse, change and print people.json, twice; run with PYTHONMALLOC=malloc.
import hashlib
import json
import sys

text = open(sys.argv[1]).read()
for turn in range(2):
    people = json.loads(text)
    for person in people:
        person["tags"] = sorted(person["tags"]) + [str(turn)]
        person["name"] = person["name"].upper()
    text = json.dumps(people)
print(hashlib.sha256(text.encode()).hexdigest())
