#!/usr/bin/env bash
# Egress: CONNECT tunnels through Ringfence, tinyproxy, Squid and Squid with an SNI check, each with an allow-list, and directly.
. "$(dirname "$0")/lib.sh"
RATE=${RATE:-50}
IDLE=${IDLE:-1000}
ulimit -n 16384 2>/dev/null || note "the limit of open files is $(ulimit -n): idle tunnels may fail"

TLS_PORT=$((PORT + 43))
RAW_PORT=$((PORT + 90))
PEERS=(direct)
declare -A PROXY=()

certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=localhost" \
        -addext "subjectAltName=DNS:localhost" -keyout "$WORK/key.pem" -out "$WORK/certificate.pem" 2>/dev/null
    chmod 644 "$WORK"/*.pem
}

upstreams() {
    mkdir -p "$WORK/www"
    head -c 100 /dev/zero | tr '\0' x >"$WORK/www/small"
    cat >"$WORK/nginx.conf" <<END
daemon off; worker_processes 2; pid $WORK/nginx.pid; error_log stderr error;
events { worker_connections 8192; }
http {
    access_log off;
    client_body_temp_path $WORK/t1; proxy_temp_path $WORK/t2; fastcgi_temp_path $WORK/t3; uwsgi_temp_path $WORK/t4; scgi_temp_path $WORK/t5;
    keepalive_timeout 600s;
    client_header_timeout 600s;
    server {
        listen 127.0.0.1:$TLS_PORT ssl;
        ssl_certificate $WORK/certificate.pem;
        ssl_certificate_key $WORK/key.pem;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
        ssl_session_tickets off;
        root $WORK/www;
    }
}
END
    start upstream-tls "$TLS_PORT" nginx -e stderr -c "$WORK/nginx.conf"
    start upstream-raw "$RAW_PORT" "$LOADGEN" upstream --port "$RAW_PORT"
}

# peer NAME PORT COMMAND...
peer() {
    local name=$1 port=$2
    start "$@" || return 0
    PEERS+=("$name")
    PROXY[$name]=127.0.0.1:$port
}

tinyproxy_peer() {
    local port=$((PORT + 110))
    printf '^localhost$\n' >"$WORK/tinyproxy.filter"
    cat >"$WORK/tinyproxy.conf" <<END
Port $port
Listen 127.0.0.1
Timeout 600
MaxClients 4000
LogLevel Critical
Filter "$WORK/tinyproxy.filter"
FilterDefaultDeny Yes
FilterExtended On
END
    peer tinyproxy "$port" tinyproxy -d -c "$WORK/tinyproxy.conf"
}

# squid_peer NAME PORT PORT_OPTIONS EXTRA_CONFIGURATION
squid_peer() {
    local name=$1 port=$2 directory=$WORK/$1
    mkdir -p "$directory"
    cp "$WORK/certificate.pem" "$WORK/key.pem" "$directory"
    cat >"$directory/squid.conf" <<END
http_port 127.0.0.1:$port $3
pid_filename $directory/pid
cache_log $directory/cache.log
access_log none
cache_store_log none
cache deny all
coredump_dir $directory
shutdown_lifetime 0 seconds
max_filedescriptors 16384
acl allowed dstdomain localhost
$4
http_access allow allowed
http_access deny all
END
    # Started as root, Squid becomes the user proxy.
    [ "$(id -u)" != 0 ] || chown -R proxy "$directory"
    peer "$name" "$port" squid -N -f "$directory/squid.conf"
}

squid_peers() {
    squid_peer squid $((PORT + 111)) "" ""
    squid_peer squid-sni $((PORT + 112)) \
        "ssl-bump cert=$WORK/squid-sni/certificate.pem key=$WORK/squid-sni/key.pem generate-host-certificates=off" \
        "acl step1 at_step SslBump1
acl named ssl::server_name localhost
ssl_bump peek step1
ssl_bump splice named
ssl_bump terminate all"
}

# Ringfence as people run it: an allow-list, the SNI check, and every tunnel recorded.
ringfence_peer() {
    local port=$((PORT + 120))
    cat >"$WORK/profile.yaml" <<END
apiVersion: ringfence/v1
kind: Profile
name: bench
network:
  - allow: { host: localhost, ports: [$TLS_PORT, $RAW_PORT] }
END
    printf '[dial]\nhosts = { "localhost" = "127.0.0.1" }\n' >"$WORK/config.toml"
    peer ringfence "$port" env XDG_DATA_HOME="$WORK/data" XDG_CONFIG_HOME="$WORK/config" \
        "$RINGFENCE" gateway --listen "127.0.0.1:$port" --profile "$WORK/profile.yaml" --config "$WORK/config.toml"
}

# load CASE PEER REPETITION COMMAND UPSTREAM_PORT OPTION...: one measurement, through the peer's proxy if it has one
load() {
    local case=$1 peer=$2 repetition=$3 command=$4 port=$5 through=()
    shift 5
    [ "$peer" = direct ] || through=(--proxy "${PROXY[$peer]}" --pid "${PID[$peer]}")
    record "$case" "$peer" "$repetition" "$LOADGEN" "$command" --port "$port" "${through[@]}" "$@"
}

measure() {
    local repetition peer
    for repetition in $(seq "$REPS"); do
        for peer in $(rotate "$repetition" "${PEERS[@]}"); do
            load tunnels "$peer" "$repetition" tunnels "$TLS_PORT" --seconds "$SECS"
            load latency "$peer" "$repetition" tunnels "$TLS_PORT" --seconds "$((SECS + 1))" --rate "$RATE"
            load bulk "$peer" "$repetition" bulk "$RAW_PORT" --seconds "$SECS"
        done
    done
    for peer in "${PEERS[@]}"; do
        [ "$peer" = direct ] || load idle "$peer" 1 idle "$TLS_PORT" --count "$IDLE"
    done
}

have nginx || { note "nginx is missing: bench/run.sh --install"; exit 69; }
certificates
upstreams
if have tinyproxy; then tinyproxy_peer; fi
if have squid; then squid_peers; fi
if [ -x "$RINGFENCE" ]; then ringfence_peer; fi

machine
echo "peers: ${PEERS[*]}; $SECS s per measurement, latency at $RATE tunnels/s, $IDLE idle tunnels"
measure
report tunnels:per_s:high tunnels:cpu_us_op:low latency:p50_us:low:difference latency:p99_us:low:difference \
    bulk:mb_s:high bulk:cpu_s_gb:low idle:kb_each:low idle:mb:low
