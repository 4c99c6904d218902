#!/usr/bin/env bash
# The MCP gateway: calls of a tool by the Model Context Protocol, answers of 1 KB and 100 KB: Ringfence and FastMCP's proxy in front of a server
# that can keep up, and directly.
. "$(dirname "$0")/lib.sh"
RATE=${RATE:-1000}
SLOW_RATE=${SLOW_RATE:-20}
ONLY=${ONLY:-direct fastmcp fastmcp-shared ringfence}
CASES=${CASES:-*}

SERVER=$((PORT + 140))
CONNECTIONS=8
KEY=$(openssl rand -hex 20)
PEERS=()
declare -A THROUGH=()
# Latency of a peer that cannot do RATE calls per second is measured at a rate that it can; the table says so.
declare -A RATES=([fastmcp]=$SLOW_RATE [fastmcp-shared]=$SLOW_RATE)

wanted() { [[ " $ONLY " == *" $1 "* ]]; }

# contender NAME: in the measurement, if one call is answered
contender() {
    local name=$1 answer
    # shellcheck disable=SC2086 # these are several arguments
    if answer=$("$LOADGEN" mcp --seconds 0.2 --connections 1 ${THROUGH[$name]} 2>>"$WORK/$name.log") && [[ $answer == *'"errors":0'* ]]; then
        PEERS+=("$name")
    else
        note "$name is left out, a call is not answered: $answer $(tail -n 2 "$WORK/$name.log" | tr '\n' ' ')"
    fi
}

fastmcp_peer() { # NAME PORT [shared]
    local name=$1 port=$2
    start "$name" "$port" "$PYTHON" "$BENCH/mcp/proxy.py" "$port" "http://127.0.0.1:$SERVER/mcp" "$KEY" "${@:3}" || return 0
    THROUGH[$name]="--address 127.0.0.1:$port --host 127.0.0.1:$port --pid ${PID[$name]}"
    contender "$name"
}

# Ringfence as people run it: rules that name tools, with arguments for one, definitions pinned, the credential sealed in the store, results
# scrubbed and searched, every call recorded.
ringfence_peer() {
    local port=$((PORT + 143))
    cat >"$WORK/profile.yaml" <<END
apiVersion: ringfence/v1
kind: Profile
name: bench
mcpServers:
  - { name: bench, url: "http://localhost:$SERVER/mcp", credential: bench, addresses: [127.0.0.0/8] }
mcp:
  - allow:
      id: bench
      server: bench
      tools: [large, { name: small, arguments: { type: object, properties: { text: { type: string, maxLength: 100 } }, required: [text] } }]
END
    printf '[dial]\nhosts = { "localhost" = "127.0.0.1" }\n' >"$WORK/config.toml"
    local ringfence=(env XDG_DATA_HOME="$WORK/data" XDG_CONFIG_HOME="$WORK/config" RINGFENCE_CONFIG="$WORK/config.toml" "$RINGFENCE")
    printf '%s' "$KEY" | "${ringfence[@]}" credential add bench --kind bearer --host "localhost:$SERVER" --plain-http >"$WORK/credentials.log" 2>&1 ||
        note "ringfence credential add: $(tail -n 2 "$WORK/credentials.log")"
    start ringfence "$port" "${ringfence[@]}" gateway --listen "127.0.0.1:$port" --profile "$WORK/profile.yaml" || return 0
    THROUGH[ringfence]="--address 127.0.0.1:$port --tunnel mcp.ringfence.internal:80 --host mcp.ringfence.internal --path /bench --pid ${PID[ringfence]}"
    contender ringfence
}

# load CASE PEER REPETITION OPTION...
load() {
    local case=$1 peer=$2 repetition=$3
    shift 3
    # shellcheck disable=SC2053 # a pattern
    [[ $case == $CASES ]] || return 0
    # shellcheck disable=SC2086 # these are several arguments
    record "$case" "$peer" "$repetition" "$LOADGEN" mcp --connections "$CONNECTIONS" "$@" ${THROUGH[$peer]}
}

measure() {
    local repetition peer
    for repetition in $(seq "$REPS"); do
        for peer in $(rotate "$repetition" "${PEERS[@]}"); do
            calm
            load calls-1kb "$peer" "$repetition" --seconds "$SECS"
            load latency-1kb "$peer" "$repetition" --seconds "$((SECS + 1))" --rate "${RATES[$peer]:-$RATE}"
            load calls-100kb "$peer" "$repetition" --seconds "$SECS" --tool large
            load latency-100kb "$peer" "$repetition" --seconds "$((SECS + 1))" --tool large --rate "${RATES[$peer]:-$((RATE / 5))}"
        done
    done
}

start server "$SERVER" "$LOADGEN" mcp-server --port "$SERVER" --key "$KEY"
if wanted direct; then
    THROUGH[direct]="--address 127.0.0.1:$SERVER --host localhost:$SERVER --key $KEY"
    contender direct
fi
PYTHON=$(../scripts/mcp.sh)/bin/python
if wanted fastmcp; then fastmcp_peer fastmcp $((PORT + 141)); fi
if wanted fastmcp-shared; then fastmcp_peer fastmcp-shared $((PORT + 142)) shared; fi
if wanted ringfence && [ -x "$RINGFENCE" ]; then ringfence_peer; fi

machine
echo "peers: ${PEERS[*]}; $SECS s per measurement, $CONNECTIONS connections with a session each; latency at $RATE calls/s of 1 KB and $((RATE / 5)) of 100 KB, of FastMCP at $SLOW_RATE"
measure
metrics=()
for size in 1kb 100kb; do
    metrics+=("calls-$size:per_s:high" "calls-$size:cpu_us_op:low" "latency-$size:p50_us:low:difference" "latency-$size:p99_us:low:difference")
done
report "${metrics[@]}"
