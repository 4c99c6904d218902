#!/usr/bin/env bash
# The main job, end to end, against real servers on this machine: an agent in a sandbox clones, fetches and builds, and is
# stopped wherever it tries to send something out. Ends with 0 only if all that should work did, and nothing else did.
#
#   demo/run.sh        builds target/release/ringfence first; RINGFENCE=PATH takes another binary instead
#
# Everything is in one temporary directory, listens on 127.0.0.1 only, and is gone at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH:/usr/sbin:/sbin"

root=$PWD
work=""
pids=()
problems=0

main() {
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    scripts/packages.sh "the demo" nginx fcgiwrap git gh curl ca-certificates openssl python3
    build
    work=$(mktemp -d)
    own_directories
    check_host
    certificates
    repository
    start_upstreams
    configuration
    run_agent
    look_from_outside
    credential
    change_the_credential
    branch_of_its_own
    coding_agent
    tools
    close_the_loop
    look_at_the_record
    finish
}

build() {
    if [ -n "${RINGFENCE:-}" ]; then
        ringfence=$(realpath "$RINGFENCE")
        step "Using $ringfence"
        return
    fi
    step "Building the release binary (the first time takes some minutes)"
    cargo build --release --locked --bin ringfence
    ringfence=$(realpath "${CARGO_TARGET_DIR:-target}/release/ringfence")
}

# The demo has a home, a configuration and a record of its own, so that nothing of the caller's is read or changed.
own_directories() {
    export HOME=$work/home XDG_CONFIG_HOME=$work/config XDG_DATA_HOME=$work/data
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    unset RINGFENCE_CONFIG
    mkdir -p "$HOME/.ssh" "$XDG_CONFIG_HOME/ringfence" "$work/project" "$work/log"
    project=$work/project
    echo "a key that no agent needs" >"$HOME/.ssh/id_ed25519"
    export DEMO_TOKEN="a token that no agent needs"
}

check_host() {
    step "What this machine supports (ringfence doctor)"
    "$ringfence" doctor || exit 69
}

certificates() {
    cd "$work"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=Ringfence demo CA" \
        -keyout ca.key -out ca.pem 2>log/openssl
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=acme.test" \
        -keyout site.key -out site.csr 2>>log/openssl
    printf 'subjectAltName=DNS:*.acme.test,DNS:api.github.com,DNS:github.com,DNS:api.anthropic.com\nbasicConstraints=CA:FALSE\n' >site.ext
    openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile site.ext -out site.pem 2>>log/openssl
}

# What the agent will clone: a C program and its Makefile. And the project that it works in, a repository too.
repository() {
    local source=$work/source name
    mkdir -p "$source" "$work/repositories" "$work/www"
    printf '#include <stdio.h>\nint main(void) { puts("built in the sandbox"); return 0; }\n' >"$source/hello.c"
    # shellcheck disable=SC2016 # make expands these
    printf 'hello: hello.c\n\t$(CC) -o $@ $<\n' >"$source/Makefile"
    git init -q -b main "$source"
    git -C "$source" add .
    git -C "$source" -c user.name=Demo -c user.email=demo@acme.test commit -q -m "first commit"
    git clone -q --bare "$source" "$work/repositories/hello.git"
    for name in web payroll; do
        git clone -q --bare "$source" "$work/repositories/acme/$name.git"
        git -C "$work/repositories/acme/$name.git" config http.receivepack true
    done
    git init -q -b main "$project"
    cp "$root/demo/agent.sh" "$project"
    echo '{"hello":"from the API"}' >"$work/www/hello.json"
}

start_upstreams() {
    step "Starting real servers on 127.0.0.1: HTTPS, git over HTTPS, HTTP, plain TCP, and a collector that wants your data"
    read -r https_port git_port http_port github_port forge_port model_port < <(python3 -c '
import socket
free = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
print(*[listener.getsockname()[1] for listener in free])')
    GIT_CONFIG_NOSYSTEM=1 start fcgiwrap fcgiwrap -s "unix:$work/fcgiwrap"
    start services python3 "$root/demo/services.py" "$work"
    random_token >"$work/github-token"
    random_token >"$work/forge-token"
    random_token >"$work/model-key"
    echo "x-access-token:$(openssl passwd -apr1 -stdin <"$work/forge-token")" >"$work/forge-users"
    start github python3 "$root/demo/github.py" "$work"
    start models python3 "$root/crates/testkit/llm/provider.py" "$model_port" "$(cat "$work/model-key")" "$work/asked" "$work/site.pem" "$work/site.key"
    until_true "the git server" test -S "$work/fcgiwrap"
    until_true "the GitHub of the demo" test -f "$work/github-port"
    nginx_configuration >"$work/nginx.conf"
    start nginx nginx -e stderr -p "$work" -c "$work/nginx.conf"
    until_true "nginx" bash -c "exec 3<>/dev/tcp/127.0.0.1/$https_port"
    until_true "the TCP services" test -f "$work/ports"
    read -r tcp_port collector_port dns_port <"$work/ports"
}

nginx_configuration() {
    local tls="ssl_certificate $work/site.pem; ssl_certificate_key $work/site.key;"
    cat <<END
daemon off; master_process off; pid $work/nginx.pid; error_log stderr error;
events {}
http {
    access_log off;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
    default_type application/json;
    root $work/www;
    server { listen 127.0.0.1:$https_port ssl; $tls }
    server {
        listen 127.0.0.1:$github_port ssl http2; $tls
        location / { proxy_pass http://127.0.0.1:$(cat "$work/github-port"); }
    }
    server { listen 127.0.0.1:$http_port; }
    server {
        listen 127.0.0.1:$git_port ssl; $tls
        location / {
            $(git_backend)
        }
    }
    server {
        listen 127.0.0.1:$forge_port ssl; $tls
        client_max_body_size 0;
        location / {
            auth_basic git;
            auth_basic_user_file $work/forge-users;
            $(git_backend)
        }
    }
}
END
}

git_backend() {
    cat <<END
fastcgi_pass unix:$work/fcgiwrap;
fastcgi_param SCRIPT_FILENAME $(git --exec-path)/git-http-backend;
fastcgi_param GIT_PROJECT_ROOT $work/repositories;
fastcgi_param GIT_HTTP_EXPORT_ALL "1";
fastcgi_param GIT_PROTOCOL \$http_git_protocol;
fastcgi_param HTTP_CONTENT_ENCODING \$http_content_encoding;
fastcgi_param PATH_INFO \$uri;
fastcgi_param QUERY_STRING \$query_string;
fastcgi_param REQUEST_METHOD \$request_method;
fastcgi_param CONTENT_TYPE \$content_type;
fastcgi_param CONTENT_LENGTH \$content_length;
fastcgi_param REMOTE_USER \$remote_user;
END
}

# Every name, also the collector's, leads to a real server: what is stopped is stopped by policy and not by a missing upstream.
configuration() {
    cat >"$XDG_CONFIG_HOME/ringfence/config.toml" <<END
[dial]
extra_roots = ["$work/ca.pem"]
dns_servers = ["127.0.0.1:$dns_port"]

[dial.hosts]
"api.acme.test" = "127.0.0.1:$https_port"
"docs.acme.test" = "127.0.0.1:$https_port"
"git.acme.test" = "127.0.0.1:$git_port"
"api.github.com" = "127.0.0.1:$github_port"
"github.com" = "127.0.0.1:$forge_port"
"api.anthropic.com" = "127.0.0.1:$model_port"
"mirror.acme.test" = "127.0.0.1:$http_port"
"queue.acme.test" = "127.0.0.1:$tcp_port"
"collector.evil.test" = "127.0.0.1:$collector_port"
END
    cat >"$work/demo.yaml" <<'END'
apiVersion: ringfence/v1
kind: Profile
name: demo
network:
  - allow: { id: git, host: git.acme.test, ports: [443] }
  - allow: { id: api, host: api.acme.test, ports: [443] }
  - allow: { id: mirror, host: mirror.acme.test, ports: [80], methods: [GET, HEAD] }
  - allow: { id: queue, host: queue.acme.test, ports: [7000], protocol: tcp }
tests:
  - allow: { connect: "git.acme.test:443" }
  - deny: { connect: "collector.evil.test:443" }
  - deny: { http: { method: POST, url: "http://mirror.acme.test/" } }
END
    step "The policy (demo.yaml), checked and tested before it is used"
    sed -n '/^network/,/^tests/{/^tests/!p}' "$work/demo.yaml"
    "$ringfence" policy test "$work/demo.yaml"
}

run_agent() {
    step "The agent at work (ringfence run --profile demo.yaml -- bash agent.sh)"
    cd "$project"
    "$ringfence" run --profile "$work/demo.yaml" --agent demo --json-report "$work/report.json" -- bash agent.sh ||
        problem "the agent says that not everything was as it should be"
}

# The agent's own word is not proof: what arrived, and what is there, is looked at from outside.
look_from_outside() {
    step "Seen from outside"
    expect "the program that the agent built is in the workspace" test -x "$project/hello/hello"
    expect "nothing arrived at the collector, by TCP or UDP" test ! -s "$work/collected"
    expect "no name was looked up outside" test ! -s "$work/lookups"
    expect "the git hook that the agent wrote is not in the workspace" test ! -e "$project/.git/hooks/post-commit"
    show "ringfence overlay diff" "$ringfence" overlay diff
    show "ringfence overlay discard" "$ringfence" overlay discard
}

# An API that wants a real credential. The agent has a token of Ringfence's, which is worth nothing anywhere else.
credential() {
    step "A credential for GitHub, sealed outside of every sandbox, and a profile for pull requests (ringfence credential add, profile new)"
    "$ringfence" credential add github --kind bearer --host api.github.com <"$work/github-token"
    "$ringfence" profile new github-pr --set repos=acme/web
    step "The agent works on GitHub (ringfence run --profile github-pr -- bash agent.sh github)"
    "$ringfence" run --quiet --profile github-pr --agent reviewer -- bash agent.sh github ||
        problem "the agent says that not everything was as it should be"
    step "Seen from outside"
    expect "one pull request arrived, and no other write" test "$(writes)" = 1
    expect "GitHub saw the real token and never the agent's" sent_the_real_one
    expect "the real token is nowhere in what the agent could see" not grep -rqF "$(cat "$work/github-token")" "$project"
    expect "the record says which credential was used, by which rule, to write" recorded
}

change_the_credential() {
    step "The token is changed, and then taken away (ringfence credential rotate, revoke)"
    random_token >"$work/github-token"
    expect "the old one is refused by GitHub" not ask_github
    "$ringfence" credential rotate github <"$work/github-token"
    expect "the next request has the new one" ask_github
    "$ringfence" credential revoke github
    expect "and now none is sent" not ask_github
}

ask_github() {
    "$ringfence" run --quiet --profile github-pr --agent reviewer -- curl -sS --fail https://api.github.com/repos/acme/web
}

random_token() { printf 'ghp_%s\n' "$(openssl rand -hex 18)"; }

# Writes that arrived at GitHub: neither a GET nor a query.
writes() {
    python3 -c '
import json, sys
sent = [json.loads(line) for line in open(sys.argv[1])]
print(sum(method != "GET" and (path != "/graphql" or "mutation" in body) for method, path, _, body in sent))' "$work/github-requests"
}

sent_the_real_one() {
    grep -qF "$(cat "$work/github-token")" "$work/github-requests" && ! grep -q rf_ "$work/github-requests"
}

recorded() { "$ringfence" events --agent reviewer | grep -E "graphql-open.*write, credential github"; }

# A git server that wants a password. The agent reads one repository of it and pushes to branches of its own.
branch_of_its_own() {
    local web=$work/repositories/acme/web.git before
    "$ringfence" credential add forge --kind basic --set username=x-access-token --host github.com <"$work/forge-token"
    cat >"$work/branch.yaml" <<'END'
apiVersion: ringfence/v1
kind: Profile
name: branch
git:
  - allow:
      repo: github/acme/web
      access: write
      refs: { "refs/heads/agent/**": [create, fast-forward] }
      credential: forge
END
    step "An agent with branches of its own (ringfence run --profile branch.yaml -- bash agent.sh branch)"
    before=$(git -C "$web" rev-parse main)
    "$ringfence" run --quiet --profile "$work/branch.yaml" --agent coder -- bash agent.sh branch ||
        problem "the agent says that not everything was as it should be"
    step "Seen from outside"
    expect "its branch is there, two commits ahead" test "$(git -C "$web" rev-list --count main..agent/fix)" = 2
    expect "nothing else is, and main is where it was" \
        test "$(git -C "$web" for-each-ref --format='%(refname)' | xargs) $(git -C "$web" rev-parse main)" = "refs/heads/agent/fix refs/heads/main $before"
    expect "the password of the server is nowhere in what the agent could see" not grep -rqF "$(cat "$work/forge-token")" "$project"
    show "ringfence events --agent coder" bash -c "'$ringfence' events --agent coder | grep 'git push'"
}

# A coding agent, a provider of models that is faithful on the wire, and a key that the agent never sees.
coding_agent() {
    local agents=${RINGFENCE_AGENTS:-/var/tmp/ringfence-e2e-agents-$(id -u)} task="RUN: echo made by the agent > made.txt && cat made.txt" command
    until_true "the provider of models" bash -c "exec 3<>/dev/tcp/127.0.0.1/$model_port"
    step "The key of a coding agent, and the agent without it (ringfence setup claude-code, run --profile claude-code)"
    "$ringfence" setup claude-code <"$work/model-key"
    if [ -x "$agents/bin/claude" ]; then
        command=(--read "$agents" -- "$agents/bin/claude" -p "$task" --allowedTools Bash)
    else
        echo "    no coding agent is installed (scripts/agents.sh installs four, about 1 GB): a script of 40 lines takes its place"
        cp "$root/demo/loop.py" "$project"
        command=(-- python3 loop.py "$task")
    fi
    "$ringfence" run --profile claude-code --agent claude "${command[@]}" || problem "the coding agent did not do its task"
    step "Seen from outside"
    expect "the agent made its file" grep -q "made by the agent" "$project/made.txt"
    expect "the provider saw the real key and never the agent's token" model_saw_the_real_one
    expect "the real key is nowhere in what the agent could see" not grep -rqF "$(cat "$work/model-key")" "$project"
    show "ringfence trace show" "$ringfence" trace show
    expect "the trace has two steps and the tool between" bash -c "'$ringfence' trace show | grep -c -e 'step [12]:' -e 'tool Bash' | grep -qx 3"
}

model_saw_the_real_one() {
    grep -qF "$(cat "$work/model-key")" "$work/asked" && ! grep -q rf_ "$work/asked"
}

# A tool of a person's own as an MCP server in a sandbox of its own: it reads what the agent's rules let nobody reach.
tools() {
    local ask='curl -sS http://mcp.ringfence.internal/mirror -H "Content-Type: application/json" -H "MCP-Protocol-Version: 2025-11-25"'
    cat >"$work/mirror.yaml" <<'END'
apiVersion: ringfence/v1
kind: Tools
tools:
  - name: page
    description: One page of the mirror, by its name.
    readOnly: true
    arguments: { properties: { name: { type: string } }, required: [name] }
    http: { method: GET, url: "http://mirror.acme.test/{name}" }
END
    cat >"$work/mirror-server.yaml" <<'END'
apiVersion: ringfence/v1
kind: Profile
name: mirror-server
network:
  - allow: { host: mirror.acme.test, ports: [80], methods: [GET] }
END
    cat >"$work/tools.yaml" <<'END'
apiVersion: ringfence/v1
kind: Profile
name: tools
mcpServers:
  - { name: mirror, tools: ./mirror.yaml, profile: ./mirror-server.yaml }
mcp:
  - allow: { id: pages, server: mirror, tools: [{ name: page, arguments: { properties: { name: { pattern: "^[a-z.]+$" } }, required: [name] } }] }
END
    step "A tool of your own over MCP, served from another sandbox (ringfence mcp check, run --profile tools.yaml)"
    "$ringfence" mcp check "$work/mirror.yaml"
    cat >"$project/tools.sh" <<END
session=\$($ask -D - -o /dev/null -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"demo","version":"1"}}}' | tr -d '\r' | sed -n 's/^mcp-session-id: //p')
say() { $ask -H "Mcp-Session-Id: \$session" -d "\$1"; echo; }
say '{"jsonrpc":"2.0","method":"notifications/initialized"}'
say '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"page","arguments":{"name":"hello.json"}}}'
say '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"page","arguments":{"name":"SECRETS"}}}'
curl -sS -o /dev/null -w '%{http_code}\n' http://mirror.acme.test/
END
    "$ringfence" run --profile "$work/tools.yaml" --agent tools -- bash tools.sh | tee "$work/tools.out"
    step "Seen from outside"
    expect "the tool answered the agent" grep -q '"structuredContent":{"hello"' "$work/tools.out"
    expect "an argument that no rule allows went nowhere" grep -q 'allows page with other arguments' "$work/tools.out"
    expect "the agent itself does not reach what its tool does" grep -qx 403 "$work/tools.out"
}

close_the_loop() {
    step "What was denied, and what would allow it (ringfence denied)"
    "$ringfence" denied
    step "A person allows one of them for an hour, and it works"
    "$ringfence" allow docs.acme.test:443 --for 1h --reason "the demo"
    expect "curl https://docs.acme.test/hello.json works now" \
        "$ringfence" run --quiet --profile "$work/demo.yaml" --agent demo -- curl -sS --fail https://docs.acme.test/hello.json
}

look_at_the_record() {
    step "The record (ringfence events verify)"
    "$ringfence" events verify || problem "the record is not whole"
    expect "the report counts 5 or more allowed and 7 or more denied" \
        python3 -c 'import json, sys; c = json.load(open(sys.argv[1]))["counts"]; sys.exit(c["allowed"] < 5 or c["denied"] < 7)' "$work/report.json"
}

finish() {
    echo
    if [ "$problems" -gt 0 ]; then
        echo "demo: $problems problems"
        exit 1
    fi
    echo "demo: all that should work worked, and all that should be stopped was stopped"
}

step() { printf '\n== %s\n' "$1"; }

problem() {
    problems=$((problems + 1))
    echo "PROBLEM: $1"
}

# expect WHAT COMMAND...
expect() {
    local what=$1
    shift
    if "$@" >"$work/log/expect" 2>&1; then
        echo "    yes: $what"
    else
        problem "not so: $what"
        cat "$work/log/expect"
    fi
}

not() { ! "$@"; }

# show WHAT COMMAND...: runs the command, which must succeed, with its output indented
show() {
    local what=$1
    shift
    echo "    $what:"
    "$@" 2>&1 | sed 's/^/      /' || problem "$what failed"
}

# start NAME COMMAND...: a server in the background; its messages go to a file that is shown when it does not come up
start() {
    local name=$1
    shift
    "$@" >"$work/log/$name" 2>&1 &
    pids+=($!)
}

until_true() {
    local what=$1 _
    shift
    for _ in {1..100}; do
        "$@" 2>/dev/null && return
        sleep 0.1
    done
    echo "demo: $what did not start:" >&2
    cat "$work"/log/* >&2
    exit 70
}

clean_up() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    [ -z "$work" ] || rm -rf "$work"
}

main "$@"
