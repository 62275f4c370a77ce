#!/usr/bin/env bash
# Ten million mixed operations on four threads with all probes on: events == counters == bitmaps.
# Then a tenth of them with objects between guard pages, which lie in no slab.
"$1/tests/ledger/ledger" "${LEDGER_OPERATIONS:-10000000}" 4 || exit
KMEM_OPTIONS=guard=1 exec "$1/tests/ledger/ledger" "$((${LEDGER_OPERATIONS:-10000000} / 10))" 4 guarded
