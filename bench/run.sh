#!/usr/bin/env bash
# Measures Ringfence side by side with other programs, in one run, in rotated order.
#
#   bench/run.sh [egress|sandbox|policy|all]     measure (default: all); tables on the terminal and in bench/results
#   bench/run.sh --install                       install the peers from Debian (asks for root by sudo)
#
# Environment: REPS (repetitions, 5), SECS (seconds per measurement, 2), RATE (tunnels per second for the added latency, 50),
# IDLE (idle tunnels, 1000), COUNT (starts per repetition, 20), RINGFENCE (the binary; built if not given), BENCH_PORT (18000).
set -euo pipefail
cd "$(dirname "$0")"

if [ "${1:-}" = --install ]; then
    exec ../scripts/packages.sh "the benchmark" nginx squid-openssl tinyproxy bubblewrap openssl python3 util-linux
fi

case ${1:-all} in
egress | sandbox | policy) parts=("$1") ;;
all) parts=(policy sandbox egress) ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 64
    ;;
esac

echo "building the load generator"
cargo build --quiet --release --locked --manifest-path Cargo.toml
if [ -z "${RINGFENCE:-}" ] && [ "${parts[*]}" != policy ]; then
    echo "building ringfence"
    cargo build --quiet --release --locked --manifest-path ../Cargo.toml --bin ringfence
    RINGFENCE=$(cd .. && pwd)/target/release/ringfence
fi
export RINGFENCE=${RINGFENCE:-}

mkdir -p results
for part in "${parts[@]}"; do
    "./$part.sh" | tee "results/$part.txt"
done
