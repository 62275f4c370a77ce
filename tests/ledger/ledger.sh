#!/usr/bin/env bash
# Ten million mixed operations on four threads with all probes on: events == counters == bitmaps.
exec "$1/tests/ledger/ledger" "${LEDGER_OPERATIONS:-10000000}" 4
