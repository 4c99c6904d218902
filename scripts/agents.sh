#!/usr/bin/env bash
# Installs the coding agents that the end-to-end tests run, at pinned versions, where any user can read them. Nothing of them runs here:
# no install script is executed.
#
#   scripts/agents.sh          prints the directory that they are in
set -euo pipefail
cd "$(dirname "$0")/.."

directory=${RINGFENCE_AGENTS:-/var/tmp/ringfence-e2e-agents-$(id -u)}
mkdir -p "$directory"
[ -O "$directory" ] || {
    echo "agents: $directory belongs to somebody else; set RINGFENCE_AGENTS to another directory" >&2
    exit 1
}
# Not `npm ci`: some mirrors have the packages of their own platform alone, and no lock file is whole there. The versions are pinned, and
# what is installed runs in sandboxes.
if ! cmp -s e2e/agents/package.json "$directory/installed"; then
    echo "agents: installing coding agents from npm (about 1 GB) into $directory" >&2
    cp e2e/agents/package.json "$directory"
    (umask 022 && npm install --prefix "$directory" --package-lock=false --ignore-scripts --no-audit --no-fund >&2)
    # What their install scripts would do: the programs for this machine in one place.
    mkdir -p "$directory/bin"
    (
        cd "$directory/bin"
        modules=../node_modules
        for program in "$modules"/.bin/{codex,gemini} "$modules"/@anthropic-ai/claude-code-linux-*/claude "$modules"/opencode-linux-*-baseline/bin/opencode; do
            case $program in *-musl*) ;; *) ln -sf "$program" . ;; esac
        done
    )
    chmod -R go+rX "$directory"
    cp e2e/agents/package.json "$directory/installed"
fi
echo "$directory"
