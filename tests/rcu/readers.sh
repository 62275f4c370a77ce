#!/usr/bin/env bash
# With liburcu in the process: no reader sees an object that was freed with kfree_rcu().
exec "$1/tests/rcu/readers" "${RCU_SECONDS:-2}"
