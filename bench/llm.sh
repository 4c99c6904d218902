#!/usr/bin/env bash
# Language models: requests of 1 KB and of 48 KB, streams at once, and what open streams cost, through Ringfence (from inside of a sandbox),
# nginx as a reverse proxy, LiteLLM, and directly. The provider is the load generator's own, over TLS for all of them.
REPS=${REPS:-3}
. "$(dirname "$0")/lib.sh"
RATE=${RATE:-50}
AGENT_RATE=${AGENT_RATE:-25}
OPEN=${OPEN:-500}
WORKERS=${WORKERS:-2}
ONLY=${ONLY:-direct nginx litellm ringfence}
CASES=${CASES:-*}
LONGEST=${LONGEST:-60}
ulimit -n 16384 2>/dev/null || note "the limit of open files is $(ulimit -n): many streams may fail"

CONNECTIONS=16
PROVIDER_PORT=$((PORT + 43))
SINK_PORT=$((PORT + 44))
PROVIDER=https://127.0.0.1:$PROVIDER_PORT
KEY=sk-bench-$(openssl rand -hex 20)
CLIENT_KEY=sk-client-$(openssl rand -hex 20)
AGENT=$WORK/agent
PEERS=()
# Where a peer has the provider's two dialects, with which key, where the requests are for it, and how it is looked at.
declare -A OPENAI=() ANTHROPIC=() HAS=() BODIES=() THROUGH=()

wanted() { [[ " $ONLY " == *" $1 "* ]]; }

provider() {
    authority localhost api.openai.com api.anthropic.com
    mkdir -p "$AGENT"
    python3 "$BENCH/llm/bodies.py" "$AGENT"
    cp "$LOADGEN" "$AGENT/loadgen"
    start provider "$PROVIDER_PORT" "$LOADGEN" provider --port "$PROVIDER_PORT" --certificate "$WORK/certificate.pem" \
        --private-key "$WORK/key.pem" --key "$KEY" --slow gpt-4o --slow claude-opus-4-5
    start sink "$SINK_PORT" "$LOADGEN" sink --port "$SINK_PORT"
}

# peer NAME BASE KEY WHERE LOOK: in the measurement, if it answers
peer() {
    local name=$1
    OPENAI[$name]=$2${6:-}/v1/chat/completions
    ANTHROPIC[$name]=$2${7:-}/v1/messages
    HAS[$name]=$3
    BODIES[$name]=$4
    THROUGH[$name]=$5
    if answers "$name" chat && answers "$name" agent; then
        PEERS+=("$name")
    else
        note "$name is left out, it does not answer: $(tail -n 3 "$WORK/$name.answer" "$WORK/$name.log" 2>/dev/null | tr '\n' ' ')"
    fi
}

answers() { # NAME BODY
    local command=()
    words "$1" "$2" requests --connections 1 --seconds 0.1
    timeout 60 "${command[@]}" >"$WORK/$1.answer" 2>&1 && grep -q '"errors":0,' "$WORK/$1.answer"
}

# words PEER BODY OPTION...: the command of the load generator for a peer, into `command`
words() {
    local name=$1 body=$2 what=$3 dialect
    shift 3
    dialect=${OPENAI[$name]}
    # Without a key it is the one of the sandbox, which only those inside know.
    local key=${HAS[$name]} header
    # shellcheck disable=SC2016 # expanded there
    [ -n "$key" ] || key='${OPENAI_API_KEY}'
    header="Authorization: Bearer $key"
    if [[ $body == agent* ]]; then
        dialect=${ANTHROPIC[$name]}
        # shellcheck disable=SC2016
        [ -n "${HAS[$name]}" ] || key='${ANTHROPIC_API_KEY}'
        header="x-api-key: $key"
    fi
    # shellcheck disable=SC2206 # several words
    local ask=(llm $what --url "$dialect" --header "$header" --body "${BODIES[$name]}$body.json" "$@")
    [[ $body != agent* ]] || ask+=(--header "anthropic-version: 2023-06-01")
    case ${THROUGH[$name]} in
    inside) command=("$LOADGEN" ask --to "$WORK/to" --from "$WORK/from" --pid "${PID[ringfence]}" -- "${ask[@]}") ;;
    *) command=("$LOADGEN" "${ask[@]}" ${THROUGH[$name]}) ;;
    esac
}

nginx_peer() {
    local port=$((PORT + 110)) user=""
    [ "$(id -u)" != 0 ] || user="user root;"
    cat >"$WORK/nginx.conf" <<END
daemon off; worker_processes 2; pid $WORK/nginx.pid; error_log stderr error; $user
events { worker_connections 8192; }
http {
    access_log off; tcp_nodelay on;
    client_body_temp_path $WORK/n1; proxy_temp_path $WORK/n2; fastcgi_temp_path $WORK/n3; uwsgi_temp_path $WORK/n4; scgi_temp_path $WORK/n5;
    keepalive_timeout 600s; keepalive_requests 100000000; client_body_buffer_size 128k;
    proxy_http_version 1.1; proxy_buffering off;
    proxy_set_header Host localhost;
    proxy_set_header Connection "";
    proxy_ssl_verify on; proxy_ssl_trusted_certificate $WORK/authority.pem; proxy_ssl_name localhost; proxy_ssl_server_name on;
    upstream provider { server 127.0.0.1:$PROVIDER_PORT; keepalive 512; keepalive_requests 100000000; }
    server {
        listen 127.0.0.1:$port backlog=1024;
        location = /v1/chat/completions { proxy_set_header Authorization "Bearer $KEY"; proxy_pass https://provider; }
        location = /v1/messages { proxy_set_header x-api-key "$KEY"; proxy_pass https://provider; }
    }
}
END
    start nginx "$port" nginx -e stderr -c "$WORK/nginx.conf" || return 0
    peer nginx "http://127.0.0.1:$port" "$CLIENT_KEY" "$AGENT/" "--pid ${PID[nginx]}"
}

# LiteLLM without anything but its key: no database, no callbacks, no cache, no log.
litellm_peer() {
    local port=$((PORT + 111)) model dialect
    {
        echo "model_list:"
        for model in openai/gpt-4.1-mini openai/gpt-4o anthropic/claude-sonnet-4-5 anthropic/claude-opus-4-5; do
            dialect=""
            [[ $model != openai/* ]] || dialect=/v1
            printf '  - { model_name: %s, litellm_params: { model: %s, api_base: "https://localhost:%s%s", api_key: %s } }\n' \
                "${model#*/}" "$model" "$PROVIDER_PORT" "$dialect" "$KEY"
        done
        printf 'general_settings: { master_key: %s }\nlitellm_settings: { telemetry: false, ssl_verify: %s }\n' "$CLIENT_KEY" "$WORK/authority.pem"
    } >"$WORK/litellm.yaml"
    PATIENCE=120 start litellm "$port" env HOME="$WORK" SSL_CERT_FILE="$WORK/authority.pem" LITELLM_LOCAL_MODEL_COST_MAP=True LITELLM_LOG=ERROR \
        LITELLM_TELEMETRY=False "$LITELLM" --config "$WORK/litellm.yaml" --host 127.0.0.1 --port "$port" --num_workers "$WORKERS" || return 0
    peer litellm "http://127.0.0.1:$port" "$CLIENT_KEY" "$AGENT/" "--pid ${PID[litellm]}"
}

# Ringfence as people run it, with all that it has: rules for models, budgets of money and tokens in the ledger, the key sealed in the store and
# a token of the sandbox in its place, texts searched for secrets, every request recorded, spans sent to a collector while it runs.
ringfence_peer() {
    cat >"$WORK/profile.yaml" <<END
apiVersion: ringfence/v1
kind: Profile
name: bench
tokens:
  - { env: [OPENAI_API_KEY], credentials: [openai] }
  - { env: [ANTHROPIC_API_KEY], credentials: [anthropic] }
llm:
  - allow: { id: openai, provider: openai, credential: openai, tokenRequired: true, models: ["gpt-4*"], $TERMS }
  - allow: { id: anthropic, provider: anthropic, credential: anthropic, tokenRequired: true, models: ["claude-*"], $TERMS }
  - forbid: { hosted: { any: [remote-mcp] }, reason: MCP servers are reached through the gateway }
END
    cat >"$WORK/config.toml" <<END
[dial]
hosts = { "api.openai.com" = "127.0.0.1:$PROVIDER_PORT", "api.anthropic.com" = "127.0.0.1:$PROVIDER_PORT" }
extra_roots = ["$WORK/authority.pem"]
[traces]
endpoint = "http://127.0.0.1:$SINK_PORT"
metrics = true
END
    local ringfence=(env XDG_DATA_HOME="$WORK/data" XDG_CONFIG_HOME="$WORK/config" RINGFENCE_CONFIG="$WORK/config.toml" "$RINGFENCE")
    {
        printf '%s' "$KEY" | "${ringfence[@]}" credential add openai --kind bearer --host api.openai.com
        printf '%s' "$KEY" | "${ringfence[@]}" credential add anthropic --kind header --set name=x-api-key --host api.anthropic.com
    } >"$WORK/credentials.log" 2>&1 || note "ringfence credential add: $(tail -n 2 "$WORK/credentials.log")"
    mkfifo "$WORK/to" "$WORK/from"
    # Opened for both, neither side waits for the other.
    exec 7<>"$WORK/to" 8<>"$WORK/from"
    "${ringfence[@]}" run --quiet --profile "$WORK/profile.yaml" --workspace "$AGENT" -- ./loadgen inside \
        <"$WORK/to" >"$WORK/from" 2>"$WORK/ringfence.log" 7>&- 8>&- &
    PID[ringfence]=$!
    # shellcheck disable=SC2016 # the variables are those of the sandbox
    peer ringfence http://llm.ringfence.internal '' "" inside /openai /anthropic
}
TERMS='budget: [{ usd: 100000, per: day }, { tokens: 100000000000, per: run, scope: run }], secrets: redact'

# load CASE PEER REPETITION BODY WHAT OPTION...
load() {
    local case=$1 name=$2 repetition=$3 command=()
    # shellcheck disable=SC2053 # a pattern
    [[ $case == $CASES ]] || return 0
    words "$name" "${@:4}"
    record "$case" "$name" "$repetition" "${command[@]}"
}

measure() {
    local repetition name count
    # First of all: what a process has had before, it takes again without asking for more.
    for name in "${PEERS[@]}"; do
        calm
        [ "$name" = direct ] || load open "$name" 1 agent-slow open --streams "$OPEN"
    done
    for repetition in $(seq "$REPS"); do
        for name in $(rotate "$repetition" "${PEERS[@]}"); do
            calm
            load requests-1k "$name" "$repetition" chat requests --seconds "$SECS" --connections "$CONNECTIONS"
            load latency-1k "$name" "$repetition" chat requests --seconds "$((SECS + 1))" --connections 4 --rate "$RATE"
            load requests-48k "$name" "$repetition" agent requests --seconds "$SECS" --connections "$CONNECTIONS"
            load latency-48k "$name" "$repetition" agent requests --seconds "$((SECS + 1))" --connections 4 --rate "$AGENT_RATE"
            load streams-1 "$name" "$repetition" chat-short streams --streams 1 --ramp 0.5 --seconds "$((SECS + 1))"
            for count in 50 500; do
                load "streams-$count" "$name" "$repetition" chat-stream streams --streams "$count" --seconds "$SECS"
            done
        done
    done
}

provider
if wanted direct; then peer direct "$PROVIDER" "$KEY" "$AGENT/" ""; fi
if wanted nginx && have nginx; then nginx_peer; fi
LITELLM=${LITELLM:-$(command -v "$BENCH/target/litellm/bin/litellm" litellm | head -n 1 || true)}
if wanted litellm && [ -n "$LITELLM" ]; then litellm_peer; fi
if wanted ringfence && [ -x "$RINGFENCE" ]; then ringfence_peer; fi

machine
echo "peers: ${PEERS[*]}; $SECS s per measurement on $CONNECTIONS connections, latency at $RATE (48 KB: $AGENT_RATE) requests/s on 4; LiteLLM has $WORKERS workers"
measure
[[ " ${PEERS[*]} " != *" ringfence "* ]] || echo "spans and metrics of ringfence: $(curl --silent --noproxy '*' "http://127.0.0.1:$SINK_PORT/")"
metrics=()
for size in 1k 48k; do
    metrics+=("requests-$size:per_s:high" "requests-$size:cpu_us_op:low" "latency-$size:p50_us:low:difference" "latency-$size:p99_us:low:difference")
done
for count in 1 50 500; do
    metrics+=("streams-$count:first_p50_us:low:difference" "streams-$count:first_p99_us:low:difference")
    metrics+=("streams-$count:delay_p50_us:low:difference" "streams-$count:delay_p99_us:low:difference" "streams-$count:cpu_us_op:low")
done
report "${metrics[@]}" open:kb_each:low open:mb_before:low
