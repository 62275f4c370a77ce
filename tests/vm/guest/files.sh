#!/bin/sh
# files.sh - work for the kernel's caches: files, directories, pipes, processes. usage: files.sh ROUNDS
folder=/tmp/files.$$
i=0
while [ $i -lt "$1" ]; do
	mkdir -p $folder/$i
	for j in 0 1 2 3 4 5 6 7 8 9 10 11; do echo text >$folder/$i/$j; done
	[ $((i % 3)) = 0 ] && [ $i != 0 ] && rm -rf $folder/$((i / 2))
	tr a-z A-Z <$folder/$i/3 | cat >/dev/null
	i=$((i + 1))
done
ls -lR /proc/self /sys/class >/dev/null 2>&1
exit 0
