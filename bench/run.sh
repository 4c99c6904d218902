#!/usr/bin/env bash
# Measures Ringfence side by side with other programs, in one run, in rotated order.
#
#   bench/run.sh [egress|intercept|git|llm|mcp|sandbox|policy|scrub|all]   measure (default: all); tables on the terminal and in bench/results
#   bench/run.sh git COMMITS MEGABYTES   the same with a repository of this size (default: 2000 200)
#   bench/run.sh --install [mitmproxy|litellm]   install the peers from Debian (asks for root by sudo); mitmproxy or LiteLLM, by pip, into bench/target
#
# Environment: REPS (repetitions, 5), SECS (seconds per measurement, 2), RATE (tunnels per second for the added latency, 50; requests, 200; calls of tools, 1000),
# IDLE (idle connections, 1000), COUNT (starts per repetition, 20), ONLY and CASES (of intercept, git, llm and mcp: "direct nginx", "latency-*"),
# OPEN (open streams, 500), WORKERS (of LiteLLM, 2), LITELLM (if not in bench/target or PATH),
# RINGFENCE (the binary; built if not given), MITMPROXY (mitmdump, if not in bench/target or PATH), BENCH_PORT (18000).
set -euo pipefail
cd "$(dirname "$0")"

if [ "${1:-}" = --install ]; then
    ../scripts/packages.sh "the benchmark" nginx fcgiwrap squid-openssl tinyproxy bubblewrap openssl curl python3 python3-venv util-linux
    case ${2:-} in
    mitmproxy) package=mitmproxy ;;
    litellm) package="litellm[proxy]==1.106.2" ;;
    *) exit 0 ;;
    esac
    python3 -m venv "target/$2"
    exec "target/$2/bin/pip" install --quiet "$package"
fi

case ${1:-all} in
egress | intercept | git | llm | mcp | sandbox | policy | scrub) parts=("$1") ;;
all) parts=(policy scrub sandbox egress intercept git llm mcp) ;;
*)
    sed -n '2,11s/^# \{0,1\}//p' run.sh >&2
    exit 64
    ;;
esac

echo "building the load generator"
cargo build --quiet --release --locked --manifest-path Cargo.toml
if [ -z "${RINGFENCE:-}" ] && [[ ! ${parts[*]} =~ ^(policy|scrub)$ ]]; then
    echo "building ringfence"
    cargo build --quiet --release --locked --manifest-path ../Cargo.toml --bin ringfence
    RINGFENCE=$(cd .. && pwd)/target/release/ringfence
fi
export RINGFENCE=${RINGFENCE:-}

mkdir -p results
for part in "${parts[@]}"; do
    "./$part.sh" "${@:2}" | tee "results/$part.txt"
done
