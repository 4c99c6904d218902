#!/usr/bin/env bash
# Scrubbing: gigabytes per second of one core, for each kind of text. "direct" copies the same pieces and looks for nothing.
. "$(dirname "$0")/lib.sh"
TEXTS=(random json base64 percent near breaks folded nested wide)
FEW=4
MANY=64

machine
for repetition in $(seq "$REPS"); do
    for text in "${TEXTS[@]}"; do
        for values in $(rotate "$repetition" 0 "$FEW" "$MANY"); do
            peer=$values-values
            [ "$values" -gt 0 ] || peer=direct
            record "$text" "$peer" "$repetition" "$BENCH/target/release/scrub-bench" "$text" "$values"
        done
    done
done
report "${TEXTS[@]/%/:gb_per_s:high}"
