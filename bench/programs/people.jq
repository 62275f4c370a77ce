[.[] | {name, tags: (.tags | sort | join(",")), words: (.text | split(" ") | length)}]
| group_by(.tags) | map({tags: .[0].tags, n: length, words: (map(.words) | add)}) | sort_by(-.n, .tags) | .[0:200]
