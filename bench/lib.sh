# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is used by the parts
# What the parts of the benchmark have in common; sourced by them. Every process that is started here is ended by its pid at the end.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

BENCH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPS=${REPS:-5}
SECS=${SECS:-2}
PORT=${BENCH_PORT:-18000}
LOADGEN=$BENCH/target/release/loadgen
WORK=$(mktemp -d)
chmod 755 "$WORK"
RESULTS=$BENCH/results/$(basename "$0" .sh)-$(date +%Y%m%d-%H%M%S).jsonl
declare -A PID=()

cleanup() {
    local name children
    for name in "${!PID[@]}"; do
        # fcgiwrap makes its children anew while it lives, and does not end them when it ends.
        children=$(pgrep -P "${PID[$name]}" || true)
        kill "${PID[$name]}" 2>/dev/null || true
        [ -z "$children" ] || kill $children 2>/dev/null || true # one word each
    done
    for name in "${!PID[@]}"; do
        wait_for_end "${PID[$name]}"
    done
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

wait_for_end() { # PID
    local _
    for _ in {1..50}; do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -9 "$1" 2>/dev/null || true
}

have() { command -v "$1" >/dev/null; }

note() { echo "# $*" >&2; }

# start NAME PORT COMMAND...: a server in the foreground of a child process, ready when its port accepts, within PATIENCE seconds
start() {
    local name=$1 port=$2 _
    shift 2
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        note "$name: port $port is taken; set BENCH_PORT to another base"
        return 1
    fi
    "$@" >"$WORK/$name.log" 2>&1 &
    PID[$name]=$!
    for _ in $(seq $((${PATIENCE:-20} * 10))); do
        kill -0 "${PID[$name]}" 2>/dev/null || break
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
        sleep 0.1
    done
    note "$name did not start: $(tail -n 3 "$WORK/$name.log" | tr '\n' ' ')"
    return 1
}

# rotate REPETITION ITEM...: the items, beginning with another one each time
rotate() {
    local shift_by=$(($1 % ($# - 1)))
    shift
    echo "${@:shift_by+1}" "${@:1:shift_by}"
}

# calm: waits until the machine does nothing, for a minute at most. Some peers work on what they were asked long after they answered, and
# whoever is measured next would pay for it. Where other work runs all the time, LOUD=1 goes on without waiting (and `chrt --rr 1` before
# the command lets the measurement go first).
calm() {
    [ -z "${LOUD:-}" ] || return 0
    local until=$((SECONDS + 60)) before after
    while [ "$SECONDS" -lt "$until" ]; do
        before=$(busy)
        sleep 0.5
        after=$(busy)
        # A tenth of one core, in hundredths of a second.
        [ $((after - before)) -gt 5 ] || return 0
    done
    note "the machine did not come to rest before a measurement"
}

# busy: hundredths of a second that all cores have worked
busy() {
    awk '/^cpu / { print $2 + $3 + $4 + $7 + $8; exit }' /proc/stat
}

# record CASE PEER REPETITION COMMAND...: one measurement; a failed one is recorded as failed
record() {
    local case=$1 peer=$2 repetition=$3 result
    shift 3
    result=$(timeout "${LONGEST:-120}" "$@" 2>>"$WORK/messages") || result='{"failed":1}'
    printf '{"case":"%s","peer":"%s","repetition":%s,"result":%s}\n' "$case" "$peer" "$repetition" "$result" >>"$RESULTS"
}

# authority: an authority in authority.pem and authority-key.pem of the working directory, and a server's certificate from it
# (certificate.pem, key.pem) for hosts, localhost if none is given
authority() { # [HOST...]
    local host=${1:-localhost} names key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30)
    [ $# -gt 0 ] || set -- localhost
    names=$(printf ',DNS:%s' "$@")
    openssl req -x509 "${key[@]}" -subj "/CN=benchmark authority" -keyout "$WORK/authority-key.pem" -out "$WORK/authority.pem" 2>/dev/null
    openssl req "${key[@]}" -subj "/CN=$host" -keyout "$WORK/key.pem" -out "$WORK/request.pem" 2>/dev/null
    openssl x509 -req -in "$WORK/request.pem" -CA "$WORK/authority.pem" -CAkey "$WORK/authority-key.pem" -days 30 -set_serial 1 \
        -extfile <(printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' "${names#,}") \
        -out "$WORK/certificate.pem" 2>/dev/null
    chmod 644 "$WORK"/*.pem
}

machine() {
    echo "machine: $(nproc) cores, $(uname -srm), load $(cut -d' ' -f1-3 /proc/loadavg); $REPS repetitions"
}

# report CASE:METRIC:BETTER[:difference]...
report() {
    python3 "$BENCH/report.py" "$RESULTS" "$@"
    if [ -s "$WORK/messages" ]; then
        echo "messages:"
        sort "$WORK/messages" | uniq -c | sort -rn | head -n 5
    fi
    echo "raw data: ${RESULTS#"$BENCH/"}"
}
