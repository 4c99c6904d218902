#!/usr/bin/env bash
# Interception: requests over TLS that the proxy decrypts, gives a credential and encrypts again: Ringfence, mitmproxy and Squid (ssl-bump)
# as proxies, nginx as a reverse proxy that ends TLS, and directly.
. "$(dirname "$0")/lib.sh"
RATE=${RATE:-200}
IDLE=${IDLE:-1000}
ONLY=${ONLY:-direct nginx squid mitmproxy ringfence}
CASES=${CASES:-*}
ulimit -n 16384 2>/dev/null || note "the limit of open files is $(ulimit -n): idle connections may fail"

TLS_PORT=$((PORT + 43))
PLAIN_PORT=$((PORT + 80))
CONNECTIONS=16
STREAMS=8
PEERS=()
# The arguments that make the load generator use a peer, for TLS and for plain HTTP.
declare -A THROUGH=() PLAINLY=()
# Peers that speak no HTTP/2 with clients.
declare -A HTTP1_ONLY=([squid]=1)
# Ringfence serves one request of a whole URL on a connection; in a tunnel, and for what it captures, connections are kept.
declare -A PLAIN=([ringfence]=tunnelled)
CREDENTIAL=$(openssl rand -hex 20)

# Small answers of JSON, a large one of random octets, and a check that the credential has arrived.
upstream() {
    mkdir -p "$WORK/www"
    head -c 100 /dev/zero | tr '\0' x >"$WORK/www/small"
    python3 -c 'import json; print(json.dumps([{"id": n, "title": f"Item {n}", "open": True, "labels": ["a", "b"]} for n in range(16)]))' >"$WORK/www/item"
    head -c 64M /dev/urandom >"$WORK/www/big"
    cat >"$WORK/upstream.conf" <<END
daemon off; worker_processes 2; pid $WORK/upstream.pid; error_log stderr error;
events { worker_connections 8192; }
http {
    access_log off; default_type application/json; tcp_nodelay on; sendfile on; output_buffers 2 256k;
    open_file_cache max=16;
    client_body_temp_path $WORK/u1; proxy_temp_path $WORK/u2; fastcgi_temp_path $WORK/u3; uwsgi_temp_path $WORK/u4; scgi_temp_path $WORK/u5;
    keepalive_timeout 600s; keepalive_requests 100000000; client_header_timeout 600s;
    ssl_certificate $WORK/certificate.pem; ssl_certificate_key $WORK/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
    server {
        listen 127.0.0.1:$TLS_PORT ssl http2;
        listen 127.0.0.1:$PLAIN_PORT;
        root $WORK/www;
        location = /credential {
            if (\$http_authorization != "Bearer $CREDENTIAL") { return 401; }
            return 204;
        }
    }
}
END
    start upstream "$TLS_PORT" nginx -e stderr -c "$WORK/upstream.conf"
}

wanted() { [[ " $ONLY " == *" $1 "* ]]; }

# contender NAME: in the measurement, if its requests arrive upstream with the credential
contender() {
    local name=$1 proxy=() url=https://localhost:$TLS_PORT
    case $name in
    nginx) url=https://localhost:$((PORT + 110)) ;;
    *) proxy=(--proxy "http://127.0.0.1:$2") ;;
    esac
    if curl --silent --show-error --insecure --fail --max-time 10 --noproxy '' "${proxy[@]}" --output "$WORK/$name.answer" "$url/credential" 2>>"$WORK/$name.log"; then
        PEERS+=("$name")
    else
        note "$name is left out, the credential does not arrive: $(tail -n 3 "$WORK/$name.log" | tr '\n' ' ')"
    fi
}

# A reverse proxy has connections upstream in common for all clients. For /small it makes a new one each time, as the others must.
nginx_peer() {
    local tls=$((PORT + 110)) plain=$((PORT + 111))
    cat >"$WORK/nginx.conf" <<END
daemon off; worker_processes 2; pid $WORK/nginx.pid; error_log stderr error;
events { worker_connections 8192; }
http {
    access_log off; tcp_nodelay on;
    client_body_temp_path $WORK/n1; proxy_temp_path $WORK/n2; fastcgi_temp_path $WORK/n3; uwsgi_temp_path $WORK/n4; scgi_temp_path $WORK/n5;
    keepalive_timeout 600s; keepalive_requests 100000000; client_header_timeout 600s;
    ssl_certificate $WORK/certificate.pem; ssl_certificate_key $WORK/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
    proxy_http_version 1.1;
    proxy_set_header Host localhost;
    proxy_set_header Authorization "Bearer $CREDENTIAL";
    proxy_set_header Connection "";
    proxy_max_temp_file_size 0;
    proxy_ssl_verify on; proxy_ssl_trusted_certificate $WORK/authority.pem; proxy_ssl_name localhost; proxy_ssl_server_name on;
    proxy_ssl_session_reuse off;
    upstream tls { server 127.0.0.1:$TLS_PORT; keepalive 64; keepalive_requests 100000000; }
    upstream plain { server 127.0.0.1:$PLAIN_PORT; keepalive 64; keepalive_requests 100000000; }
    server {
        listen 127.0.0.1:$tls ssl http2;
        location / { proxy_pass https://tls; }
        location = /small { proxy_pass https://127.0.0.1:$TLS_PORT; }
    }
    server {
        listen 127.0.0.1:$plain;
        location / { proxy_pass http://plain; }
    }
}
END
    start nginx "$tls" nginx -e stderr -c "$WORK/nginx.conf" || return 0
    THROUGH[nginx]="--port $tls --pid ${PID[nginx]}"
    PLAINLY[nginx]="--port $plain --pid ${PID[nginx]}"
    contender nginx
}

# proxy NAME PORT COMMAND...
proxy() {
    local name=$1 port=$2
    start "$@" || return 0
    THROUGH[$name]="--port $TLS_PORT --proxy 127.0.0.1:$port --pid ${PID[$name]}"
    PLAINLY[$name]="--port $PLAIN_PORT --proxy 127.0.0.1:$port --pid ${PID[$name]}"
    contender "$name" "$port"
}

squid_peer() {
    local port=$((PORT + 112)) directory=$WORK/squid generator=/usr/lib/squid/security_file_certgen
    mkdir -p "$directory"
    cp "$WORK/authority.pem" "$WORK/authority-key.pem" "$directory"
    printf '127.0.0.1 localhost\n' >"$directory/hosts"
    cat >"$directory/squid.conf" <<END
http_port 127.0.0.1:$port ssl-bump cert=$directory/authority.pem key=$directory/authority-key.pem generate-host-certificates=on dynamic_cert_mem_cache_size=16MB
sslcrtd_program $generator -s $directory/certificates -M 16MB
tls_outgoing_options cafile=$directory/authority.pem
hosts_file $directory/hosts
pid_filename $directory/pid
cache_log $directory/cache.log
access_log none
cache_store_log none
cache deny all
coredump_dir $directory
shutdown_lifetime 0 seconds
max_filedescriptors 16384
acl allowed dstdomain localhost
acl hello at_step SslBump1
ssl_bump peek hello
ssl_bump bump all
request_header_access Authorization deny all
request_header_add Authorization "Bearer $CREDENTIAL" all
http_access allow allowed
http_access deny all
END
    "$generator" -c -s "$directory/certificates" -M 16MB >/dev/null
    # Started as root, Squid becomes the user proxy.
    [ "$(id -u)" != 0 ] || chown -R proxy "$directory"
    proxy squid "$port" squid -N -f "$directory/squid.conf"
}

mitmproxy_peer() {
    local port=$((PORT + 113))
    proxy mitmproxy "$port" "$MITMPROXY" --quiet --listen-host 127.0.0.1 --listen-port "$port" --set confdir="$WORK/mitmproxy" \
        --set flow_detail=0 --set stream_large_bodies=1m --set ssl_verify_upstream_trusted_ca="$WORK/authority.pem" \
        --modify-headers "/~q/Authorization/Bearer $CREDENTIAL"
}

# Ringfence as people run it: rules for methods and paths, the credential sealed in the store, answers scrubbed, every request recorded.
ringfence_peer() {
    local port=$((PORT + 120))
    cat >"$WORK/profile.yaml" <<END
apiVersion: ringfence/v1
kind: Profile
name: bench
api:
  - allow: { id: read, host: localhost, ports: [$TLS_PORT], methods: [GET], paths: ["/**"], credential: bench }
  - allow: { id: read-plainly, host: localhost, scheme: http, ports: [$PLAIN_PORT], methods: [GET], paths: ["/**"], credential: bench-plain }
END
    printf '[dial]\nhosts = { "localhost" = "127.0.0.1" }\nextra_roots = ["%s"]\n' "$WORK/authority.pem" >"$WORK/config.toml"
    local ringfence=(env XDG_DATA_HOME="$WORK/data" XDG_CONFIG_HOME="$WORK/config" RINGFENCE_CONFIG="$WORK/config.toml" "$RINGFENCE")
    {
        printf '%s' "$CREDENTIAL" | "${ringfence[@]}" credential add bench --kind bearer --host "localhost:$TLS_PORT"
        printf '%s' "$CREDENTIAL" | "${ringfence[@]}" credential add bench-plain --kind bearer --host "localhost:$PLAIN_PORT" --plain-http
    } >"$WORK/credentials.log" 2>&1 || note "ringfence credential add: $(tail -n 2 "$WORK/credentials.log")"
    proxy ringfence "$port" "${ringfence[@]}" gateway --listen "127.0.0.1:$port" --profile "$WORK/profile.yaml"
}

# load CASE PEER REPETITION COMMAND OPTION...
load() {
    local case=$1 peer=$2 repetition=$3 through=${THROUGH[$2]}
    shift 3
    # shellcheck disable=SC2053 # a pattern
    [[ $case == $CASES ]] || return 0
    [[ $case != *-plain ]] || through=${PLAINLY[$peer]}
    # shellcheck disable=SC2086 # these are several arguments
    record "$case" "$peer" "$repetition" "$LOADGEN" "$@" $through
}

# requests NAME PEER REPETITION OPTION...: as many as go through, and the latency at a fixed rate
requests() {
    local name=$1 peer=$2 repetition=$3
    shift 3
    load "requests-$name" "$peer" "$repetition" requests --seconds "$SECS" "$@"
    load "latency-$name" "$peer" "$repetition" requests --seconds "$((SECS + 1))" --rate "$RATE" "$@"
}

measure() {
    local repetition peer
    for repetition in $(seq "$REPS"); do
        for peer in $(rotate "$repetition" "${PEERS[@]}"); do
            load connections "$peer" "$repetition" tunnels --seconds "$SECS"
            requests http1 "$peer" "$repetition" --protocol http1 --connections "$CONNECTIONS"
            [ -n "${HTTP1_ONLY[$peer]:-}" ] || requests http2 "$peer" "$repetition" --protocol http2 --connections 2 --streams "$STREAMS"
            requests plain "$peer" "$repetition" --protocol "${PLAIN[$peer]:-plain}" --connections "$CONNECTIONS"
            load bulk "$peer" "$repetition" download --seconds "$SECS"
        done
    done
    for peer in "${PEERS[@]}"; do
        [ "$peer" = direct ] || load idle "$peer" 1 idle --ask /item --count "$IDLE"
    done
}

have nginx || { note "nginx is missing: bench/run.sh --install"; exit 69; }
authority
upstream
if wanted direct; then
    PEERS+=(direct)
    THROUGH[direct]="--port $TLS_PORT"
    PLAINLY[direct]="--port $PLAIN_PORT"
fi
if wanted nginx; then nginx_peer; fi
if wanted squid && have squid; then squid_peer; fi
MITMPROXY=${MITMPROXY:-$(command -v "$BENCH/target/mitmproxy/bin/mitmdump" mitmdump | head -n 1 || true)}
if wanted mitmproxy && [ -n "$MITMPROXY" ]; then mitmproxy_peer; fi
if wanted ringfence && [ -x "$RINGFENCE" ]; then ringfence_peer; fi

machine
echo "peers: ${PEERS[*]}; $SECS s per measurement, latency at $RATE requests/s on $CONNECTIONS connections (HTTP/2: 2 with $STREAMS streams), $IDLE idle connections"
measure
metrics=(connections:per_s:high connections:cpu_us_op:low)
for protocol in http1 http2 plain; do
    metrics+=("requests-$protocol:per_s:high" "requests-$protocol:cpu_us_op:low")
    metrics+=("latency-$protocol:p50_us:low:difference" "latency-$protocol:p99_us:low:difference")
done
report "${metrics[@]}" bulk:mb_s:high bulk:cpu_s_gb:low idle:kb_each:low idle:mb:low idle:mb_before:low
