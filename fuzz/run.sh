#!/usr/bin/env bash
# Runs every fuzz target for SECONDS_PER_TARGET seconds (default 10), starting from fuzz/seeds and what earlier runs found
# (fuzz/corpus, not committed). Fails on any crash, hang or memory growth, and leaves the input in fuzz/artifacts/TARGET.
#
#   fuzz/run.sh [SECONDS_PER_TARGET] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
# The coverage flags of libFuzzer are unstable; this lets the stable compiler take them.
export RUSTC_BOOTSTRAP=1
# The code under test has no unsafe block, so panics, broken assertions, hangs and memory are what there is to find, and
# they are found some times faster without a sanitizer.
options=(--sanitizer none --target-dir "${FUZZ_TARGET_DIR:-fuzz/target}")

# Octets of the longest input: the limit of what is read, where it is reached in reasonable time.
declare -A max_len=([client_hello]=17000 [http_request]=4096 [http_response]=4096 [chunked]=4096 [dns]=4200 [socks5]=600 [policy_document]=4096 [scrub]=600 [decode]=4096 [members]=1024 [secrets]=2048 [graphql]=600 [intercept]=4096 [git_pack]=2048 [git_pkt]=4096 [git_push]=4096 [git_fetch]=4096 [git_identity]=600 [llm_request]=4096 [llm_response]=4096 [llm_target]=600 [otlp_spans]=4096 [mcp_message]=2048)

main() {
    local seconds=${1:-10} target failed=0
    [[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "usage: fuzz/run.sh [SECONDS_PER_TARGET] [TARGET...]" >&2; exit 64; }
    shift $(($# > 0))
    local targets=("$@")
    [ $# -gt 0 ] || targets=(client_hello http_request http_response chunked dns socks5 policy_document scrub decode members secrets graphql intercept git_pack git_pkt git_push git_fetch git_identity llm_request llm_response llm_target otlp_spans mcp_message)
    scripts/tools.sh cargo-fuzz
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    build "${targets[@]}"
    for target in "${targets[@]}"; do
        run_target "$target" "$seconds" || failed=1
    done
    exit "$failed"
}

build() {
    local target
    for target in "$@"; do
        if ! cargo fuzz build "${options[@]}" "$target" >"$log" 2>&1; then
            cat "$log" >&2
            exit 1
        fi
    done
}

run_target() {
    local target=$1 seconds=$2 status=0
    mkdir -p "fuzz/corpus/$target"
    cargo fuzz run "${options[@]}" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -max_len="${max_len[$target]}" -timeout=5 -rss_limit_mb=1024 >"$log" 2>&1 || status=$?
    if [ "$status" -eq 0 ]; then
        echo "fuzz: $target: $(sed -nE 's/^Done ([0-9]+) runs in ([0-9]+) second.*/\1 inputs in \2 s/p' "$log"), nothing found"
        return 0
    fi
    echo "fuzz: $target: FAILED"
    tail -n 40 "$log"
    return 1
}

main "$@"
