#!/usr/bin/env bash
# Git over HTTPS: clone, fetch and push of a large repository and many shallow clones at once, through Ringfence, through nginx as a
# reverse proxy that ends TLS, and directly. The server is nginx with `git http-backend`.
. "$(dirname "$0")/lib.sh"
COMMITS=${1:-${COMMITS:-2000}}
MEGABYTES=${2:-${MEGABYTES:-200}}
AT_ONCE=${AT_ONCE:-50}
CASES=${CASES:-*}
ONLY=${ONLY:-direct nginx ringfence}
LONGEST=${LONGEST:-600}

HOST=github.com
URL=https://$HOST/bench
SERVER_PORT=$((PORT + 43))
MEASURE=$BENCH/git/measure.py
MADE=$BENCH/target/git-$COMMITS-$MEGABYTES.git
SERVED=$WORK/served/bench
PEERS=()
# The arguments that make the measurement look at a peer's process, with what it had in memory at the begin.
declare -A LOOK=()
BASIC=$(printf 'x-access-token:%s' "$(openssl rand -hex 20)" | base64 -w 0)

# What the user has configured does not matter here.
export HOME=$WORK GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0
unset GIT_DIR http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

wanted() { [[ " $ONLY " == *" $1 "* ]]; }

# The repository is made once and kept. Its random files are above the threshold, so that no deltas are looked for in them.
repository() {
    if [ ! -f "$MADE/made" ]; then
        note "making a repository of $COMMITS commits and $MEGABYTES MB"
        rm -rf "$MADE"
        git init --quiet --bare --initial-branch=main "$MADE"
        python3 "$BENCH/git/generate.py" "$COMMITS" "$MEGABYTES" | git -C "$MADE" fast-import --quiet --done
        git -C "$MADE" -c core.bigFileThreshold=4k repack -adfq
        touch "$MADE/made"
    fi
    mkdir -p "$SERVED"
    git clone --quiet --bare --no-hardlinks "$MADE" "$SERVED/big.git"
    git -C "$SERVED/big.git" repack -adbq
    PACK_OCTETS=$(pack_octets "$SERVED/big.git")
    OBJECTS=$(git -C "$SERVED/big.git" count-objects -v | sed -n 's/^in-pack: //p')
    # What is fetched into: the first half of the history.
    git init --quiet --bare "$WORK/half.git"
    git -C "$WORK/half.git" fetch --quiet "file://$MADE" main
    git -C "$WORK/half.git" update-ref refs/heads/main "FETCH_HEAD~$((COMMITS / 2))"
    rm "$WORK/half.git/FETCH_HEAD"
    git -C "$WORK/half.git" repack -adq
    git -C "$WORK/half.git" prune-packed
    FETCHED_OCTETS=$((PACK_OCTETS - $(pack_octets "$WORK/half.git")))
}

pack_octets() { stat -c %s "$1"/objects/pack/*.pack; }

nginx_head() { # NAME
    local user=""
    # Started as root, nginx would become another user, who cannot write here.
    [ "$(id -u)" != 0 ] || user="user root;"
    cat <<END
daemon off; $user worker_processes 2; pid $WORK/$1.pid; error_log stderr error;
events { worker_connections 1024; }
http {
    access_log off; client_max_body_size 0; keepalive_timeout 600s;
    client_body_temp_path $WORK/$1-1; proxy_temp_path $WORK/$1-2; fastcgi_temp_path $WORK/$1-3; uwsgi_temp_path $WORK/$1-4; scgi_temp_path $WORK/$1-5;
    ssl_certificate $WORK/certificate.pem; ssl_certificate_key $WORK/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
END
}

# Like a hosting service: HTTP/2 is offered, nothing is buffered, a credential is wanted.
server() {
    local backend
    backend=$(git --exec-path)/git-http-backend
    GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=http.receivepack GIT_CONFIG_VALUE_0=true GIT_CONFIG_KEY_1=receive.autogc GIT_CONFIG_VALUE_1=false \
        fcgiwrap -c 16 -s "unix:$WORK/fcgi.socket" >"$WORK/fcgiwrap.log" 2>&1 &
    PID[fcgiwrap]=$!
    {
        nginx_head server
        cat <<END
    server {
        listen 127.0.0.1:$SERVER_PORT ssl http2;
        location / {
            if (\$http_authorization != "Basic $BASIC") { return 401; }
            fastcgi_pass unix:$WORK/fcgi.socket;
            fastcgi_buffering off; fastcgi_request_buffering off; fastcgi_buffer_size 64k; fastcgi_buffers 8 64k; fastcgi_read_timeout 600s;
            fastcgi_param SCRIPT_FILENAME $backend;
            fastcgi_param GIT_PROJECT_ROOT $WORK/served;
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_PROTOCOL \$http_git_protocol;
            fastcgi_param HTTP_CONTENT_ENCODING \$http_content_encoding;
            fastcgi_param PATH_INFO \$uri;
            fastcgi_param QUERY_STRING \$args;
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_param CONTENT_TYPE \$content_type;
            fastcgi_param CONTENT_LENGTH \$content_length;
            fastcgi_param SERVER_PROTOCOL \$server_protocol;
            fastcgi_param REMOTE_USER bench;
            fastcgi_param REMOTE_ADDR \$remote_addr;
        }
    }
}
END
    } >"$WORK/server.conf"
    start server "$SERVER_PORT" nginx -e stderr -c "$WORK/server.conf"
}

# ways NAME PORT: how git and curl come to an address that is not the host's
ways() {
    printf '[url "https://%s:%s/"]\n\tinsteadOf = https://%s/\n' "$HOST" "$2" "$HOST"
    printf '[http]\n\tcurloptResolve = %s:%s:127.0.0.1\n\tsslVerify = false\n' "$HOST" "$2"
} >"$WORK/$1.gitconfig"

# contender NAME: in the measurement, if the repository is there through it
contender() {
    local name=$1
    if through "$name" git ls-remote "$URL/big" >"$WORK/$name.refs" 2>"$WORK/$name.messages"; then
        PEERS+=("$name")
        [ -z "${PID[$name]:-}" ] || LOOK[$name]="--pid ${PID[$name]} --idle $(python3 "$MEASURE" --memory "${PID[$name]}")"
    else
        note "$name is left out, the repository is not there: $(tail -n 3 "$WORK/$name.messages" | tr '\n' ' ')"
    fi
}

# through NAME COMMAND...
through() {
    local name=$1
    shift
    GIT_CONFIG_GLOBAL=$WORK/$name.gitconfig CURL_HOME=$WORK/$name "$@"
}

direct_peer() {
    ways direct "$SERVER_PORT"
    printf '\textraHeader = Authorization: Basic %s\n' "$BASIC" >>"$WORK/direct.gitconfig"
    mkdir -p "$WORK/direct"
    printf 'insecure\nconnect-to = "%s:443:127.0.0.1:%s"\nheader = "Authorization: Basic %s"\n' "$HOST" "$SERVER_PORT" "$BASIC" >"$WORK/direct/.curlrc"
    contender direct
}

nginx_peer() {
    local port=$((PORT + 110))
    {
        nginx_head nginx
        cat <<END
    upstream server { server 127.0.0.1:$SERVER_PORT; keepalive 64; }
    server {
        listen 127.0.0.1:$port ssl http2;
        location / {
            proxy_pass https://server;
            proxy_http_version 1.1;
            proxy_set_header Host $HOST;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Basic $BASIC";
            proxy_ssl_verify on; proxy_ssl_trusted_certificate $WORK/authority.pem; proxy_ssl_name $HOST; proxy_ssl_server_name on;
            proxy_request_buffering off; proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_buffer_size 64k; proxy_read_timeout 600s;
        }
    }
}
END
    } >"$WORK/nginx.conf"
    start nginx "$port" nginx -e stderr -c "$WORK/nginx.conf" || return 0
    ways nginx "$port"
    mkdir -p "$WORK/nginx"
    printf 'insecure\nconnect-to = "%s:443:127.0.0.1:%s"\n' "$HOST" "$port" >"$WORK/nginx/.curlrc"
    contender nginx
}

# Ringfence as people run it: the host's own address through the proxy, rules for repositories and refs, the credential sealed in the store,
# every pushed object looked at, answers scrubbed, every request recorded.
ringfence_peer() {
    local port=$((PORT + 120))
    cat >"$WORK/profile.yaml" <<END
apiVersion: ringfence/v1
kind: Profile
name: bench
git:
  - allow: { id: read, repo: github/bench/big, access: read, credential: bench }
  - allow: { id: write, repo: "github/bench/empty-*", access: write, refs: { "refs/heads/**": [create, fast-forward] }, credential: bench }
END
    printf '[dial]\nhosts = { "%s" = "127.0.0.1:%s" }\nextra_roots = ["%s"]\n' "$HOST" "$SERVER_PORT" "$WORK/authority.pem" >"$WORK/config.toml"
    local ringfence=(env XDG_DATA_HOME="$WORK/data" XDG_CONFIG_HOME="$WORK/config" RINGFENCE_CONFIG="$WORK/config.toml" "$RINGFENCE")
    printf '%s' "$BASIC" | base64 -d | cut -d: -f2 | tr -d '\n' |
        "${ringfence[@]}" credential add bench --kind basic --set username=x-access-token --host "$HOST" >"$WORK/credentials.log" 2>&1 ||
        note "ringfence credential add: $(tail -n 2 "$WORK/credentials.log")"
    start ringfence "$port" "${ringfence[@]}" gateway --listen "127.0.0.1:$port" --profile "$WORK/profile.yaml" || return 0
    printf '[http]\n\tproxy = http://127.0.0.1:%s\n\tsslVerify = false\n' "$port" >"$WORK/ringfence.gitconfig"
    mkdir -p "$WORK/ringfence"
    printf 'insecure\nproxy = "http://127.0.0.1:%s"\n' "$port" >"$WORK/ringfence/.curlrc"
    contender ringfence
}

# load CASE PEER REPETITION OPTION... -- COMMAND...
load() {
    local case=$1 peer=$2 repetition=$3
    shift 3
    # shellcheck disable=SC2086 # these are several arguments
    through "$peer" record "$case" "$peer" "$repetition" python3 "$MEASURE" ${LOOK[$peer]:-} "$@"
}

runs() { # CASE
    # shellcheck disable=SC2053 # a pattern
    [[ $1 == $CASES ]]
}

# The pack alone, asked for by protocol 2 and thrown away, so that little but the proxy and the server works.
want() {
    local head
    head=$(git -C "$SERVED/big.git" rev-parse main)
    printf '0012command=fetch\n0001000eofs-delta\n0032want %s\n0009done\n0000' "$head" >"$WORK/want"
}

each() { # PEER REPETITION
    local peer=$1 repetition=$2 place=$WORK/place
    mkdir -p "$place"
    if runs ls-remote; then load ls-remote "$peer" "$repetition" -- git ls-remote "$URL/big"; fi
    if runs pack; then
        load pack "$peer" "$repetition" --octets "$PACK_OCTETS" -- curl --silent --show-error --fail --noproxy '' --output /dev/null \
            --header 'Git-Protocol: version=2' --header 'Content-Type: application/x-git-upload-pack-request' \
            --data-binary "@$WORK/want" "$URL/big.git/git-upload-pack"
    fi
    if runs clone; then load clone "$peer" "$repetition" --octets "$PACK_OCTETS" -- git clone --quiet --bare "$URL/big" "$place/clone"; fi
    if runs fetch; then
        cp -rl "$WORK/half.git" "$place/half"
        load fetch "$peer" "$repetition" --octets "$FETCHED_OCTETS" -- git -C "$place/half" fetch --quiet "$URL/big" main
    fi
    if runs push; then
        git init --quiet --bare --initial-branch=main "$SERVED/empty-1.git"
        load push "$peer" "$repetition" --octets "$PACK_OCTETS" -- git -C "$MADE" push --quiet "$URL/empty-1" main
        arrived "$peer"
        rm -rf "$SERVED/empty-1.git"
    fi
    if runs shallow; then
        load shallow "$peer" "$repetition" --at-once "$AT_ONCE" -- git clone --quiet --bare --depth 1 "$URL/big" "$place/shallow-{}"
    fi
    rm -rf "$place"
}

arrived() { # PEER
    [ "$(git -C "$SERVED/empty-1.git" rev-parse main 2>/dev/null)" = "$(git -C "$MADE" rev-parse main)" ] || note "$1: the push did not arrive"
}

for program in nginx fcgiwrap git; do
    have "$program" || { note "$program is missing: bench/run.sh --install"; exit 69; }
done
authority "$HOST"
repository
want
server
if wanted direct; then direct_peer; fi
if wanted nginx; then nginx_peer; fi
if wanted ringfence && [ -x "$RINGFENCE" ]; then ringfence_peer; fi

machine
echo "peers: ${PEERS[*]}; $COMMITS commits, $OBJECTS objects, a pack of $((PACK_OCTETS / 1000000)) MB, of which a fetch brings $((FETCHED_OCTETS / 1000000)); $AT_ONCE shallow clones at once"
for repetition in $(seq "$REPS"); do
    for peer in $(rotate "$repetition" "${PEERS[@]}"); do
        each "$peer" "$repetition"
    done
done
metrics=(ls-remote:ms:low)
for case in pack clone fetch push; do
    metrics+=("$case:mb_s:high")
done
metrics+=(shallow:ms:low)
for case in ls-remote pack clone fetch push shallow; do
    metrics+=("$case:cpu_ms:low" "$case:peak_mb:low")
done
report "${metrics[@]}"
