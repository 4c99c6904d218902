#!/usr/bin/env bash
# Policy: time of one decision at a growing number of rules. There is no peer; what matters is that it stays flat.
. "$(dirname "$0")/lib.sh"
SIZES=(10 1000 10000 100000)

machine
for repetition in $(seq "$REPS"); do
    for rules in $(rotate "$repetition" "${SIZES[@]}"); do
        record decision "$rules-rules" "$repetition" "$BENCH/target/release/policy-bench" "$rules"
    done
done
report decision:ns:low decision:parse_ms:low decision:compile_ms:low
