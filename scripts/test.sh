#!/usr/bin/env bash
# Runs every check and test and ends with one line, "N passed, N failed".
#
#   scripts/test.sh            everything, as continuous integration does
#   scripts/test.sh STEP...    some of: fmt clippy bench-code deny unit e2e fuzz
#
# A step that fails does not stop the others. Each check counts as one, each test as one.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:/usr/sbin:/sbin"
target=${CARGO_TARGET_DIR:-$PWD/target}
export RINGFENCE_BIN=${RINGFENCE_BIN:-$target/debug/ringfence}
# The build whose protections a test can switch off one by one. It has a directory of its own, so that it is never taken for the other.
export RINGFENCE_WEAK_BIN=${RINGFENCE_WEAK_BIN:-$target/weaken/debug/ringfence}

passed=0
failed=0
failures=()

main() {
    local steps=("$@") step
    [ $# -gt 0 ] || steps=(fmt clippy bench-code deny unit e2e fuzz)
    if ! prepare "${steps[@]}"; then
        fail "what the tests need could not be installed"
        finish
    fi
    for step in "${steps[@]}"; do
        run_step "$step"
    done
    finish
}

run_step() {
    case $1 in
    fmt)
        check "formatting" cargo fmt --all --check -- -l
        check "formatting of the benchmark" cargo fmt --check --manifest-path bench/Cargo.toml -p loadgen -p policy-bench -- -l
        ;;
    clippy) check "clippy" cargo clippy --quiet --locked --workspace --all-targets -- -D warnings ;;
    bench-code) check "clippy of the benchmark" cargo clippy --quiet --locked --manifest-path bench/Cargo.toml --all-targets -- -D warnings ;;
    deny)
        check "licences, layers and sources" cargo deny --locked check bans licenses sources
        advisories
        ;;
    unit) tests "unit and property tests" 'not package(ringfence-e2e)' ;;
    e2e)
        check "build of the binary under test" cargo build --quiet --locked --workspace
        check "build without protections" cargo build --quiet --locked -p ringfence-cli --features weaken --target-dir "$target/weaken"
        tests "end-to-end tests" 'package(ringfence-e2e)'
        ;;
    fuzz) check "fuzz targets, 10 seconds each" fuzz/run.sh 10 ;;
    *) fail "unknown step: $1" ;;
    esac
}

# Installs what the given steps need. Only what is missing is installed.
prepare() {
    local tools=() packages=() manifests=() manifest step
    for step in "$@"; do
        case $step in
        deny) tools+=(cargo-deny) ;;
        unit) tools+=(cargo-nextest) ;;
        e2e)
            tools+=(cargo-nextest)
            # Real servers and real clients: what an agent would use, and what it would talk to.
            packages+=(nginx fcgiwrap git git-lfs gh curl wget ca-certificates openssl openssh-client openssh-server
                python3 python3-requests python3-httpx python3-h2 python3-boto3 python3-grpcio python3-websockets python3-dulwich python3-pygit2 python3-pip
                python3-venv redis-server redis-tools postgresql postgresql-client
                openjdk-17-jdk-headless chromium socat iproute2 procps tmux util-linux xz-utils)
            manifests+=(e2e/isomorphic-git)
            ;;
        fuzz)
            tools+=(cargo-fuzz)
            packages+=(g++) # libFuzzer is built from C++
            ;;
        esac
    done
    { [ ${#packages[@]} -eq 0 ] || scripts/packages.sh "the tests" "${packages[@]}"; } &&
        { [ ${#tools[@]} -eq 0 ] || scripts/tools.sh "${tools[@]}"; } || return
    for manifest in "${manifests[@]}"; do
        scripts/npm.sh "$manifest" >/dev/null || return
    done
    [[ " $* " != *" e2e "* ]] || { agents && libraries && messages && mcp; }
}

# The coding agents that the end-to-end tests run.
agents() {
    RINGFENCE_AGENTS=$(scripts/agents.sh) || return
    export RINGFENCE_AGENTS
}

# The providers' libraries that they ask models with.
libraries() {
    RINGFENCE_SDKS=$(scripts/sdks.sh) || return
    export RINGFENCE_SDKS
}

# The messages of OpenTelemetry that they read with what a collector gets.
messages() {
    RINGFENCE_OTLP=$(scripts/otlp.sh) || return
    export RINGFENCE_OTLP
}

# The servers, clients and conformance suite of the Model Context Protocol.
mcp() {
    RINGFENCE_MCP=$(scripts/mcp.sh) || return
    export RINGFENCE_MCP
}

# check NAME COMMAND...
check() {
    local name=$1
    shift
    announce "$name"
    if "$@"; then
        passed=$((passed + 1))
    else
        fail "$name"
    fi
}

# tests NAME FILTER: one nextest run over a part of the workspace. The whole workspace is selected for the build each time,
# so that the features, and with them the built crates, stay the same.
tests() {
    local name=$1 filter=$2 status=0 total bad junit=target/nextest/ci/junit.xml
    announce "$name"
    rm -f "$junit"
    cargo nextest run --locked --profile ci --workspace -E "$filter" || status=$?
    total=$(junit_count tests "$junit")
    bad=$(($(junit_count failures "$junit") + $(junit_count errors "$junit")))
    passed=$((passed + total - bad))
    failed=$((failed + bad))
    [ "$bad" -eq 0 ] || failures+=("$name: $bad of $total")
    if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
        fail "$name: the run itself failed"
    fi
}

# junit_count ATTRIBUTE FILE: a number from the summary element, 0 without a file.
junit_count() {
    local count=""
    [ ! -f "$2" ] || count=$(sed -nE "s/.*<testsuites .*\\b$1=\"([0-9]+)\".*/\\1/p" "$2" | head -n 1)
    echo "${count:-0}"
}

# The advisory database comes over the network. Not reaching it is said aloud and counted as nothing; what it reports is a failure.
advisories() {
    local name="advisories" log
    log=$(mktemp)
    announce "$name"
    if cargo deny --locked check advisories >"$log" 2>&1; then
        cat "$log"
        passed=$((passed + 1))
    elif grep -q 'failed to fetch advisory database' "$log"; then
        echo "NOT CHECKED: advisories: the RustSec database could not be fetched from here"
    else
        cat "$log"
        fail "$name"
    fi
    rm -f "$log"
}

announce() {
    printf '\n== %s\n' "$1"
}

fail() {
    failed=$((failed + 1))
    failures+=("$1")
    echo "FAILED: $1"
}

finish() {
    echo
    [ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}

main "$@"
