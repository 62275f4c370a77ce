#!/usr/bin/env bash
# Every function of an API group that has manual pages of its own is named there, and the pages are good roff.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0

declared() { # HEADER
	tr '\n' ' ' <"alloc/include/kmem/$1.h" | grep -oE 'KMEM_API [^;(]*\(' | sed -E 's/.*[ *]([A-Za-z_0-9]+) *\($/\1/' | sort -u
}

for pair in mempool:mempool genalloc:gen_pool mp_pool:mp_pool percpu:alloc_percpu shrinker:shrinker_alloc; do
	header=${pair%:*} page=docs/man/${pair#*:}.3
	functions=$(declared "$header")
	[ "$(wc -w <<<"$functions")" -ge 4 ] || { echo "$header.h: no functions found"; bad=1; }
	for function in $functions; do
		grep -qwF -- "$function" "$page" || { echo "$page does not name $function() of kmem/$header.h"; bad=1; }
	done
done

if command -v man >/dev/null && command -v groff >/dev/null; then
	for page in docs/man/*.[1378]; do
		said=$(LC_ALL=C MANROFFSEQ='' MANWIDTH=120 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
		[ -z "$said" ] || { echo "$page: $said"; bad=1; }
	done
else
	echo "leg roff: skipped: man or groff is not installed"
fi
exit $bad
