#!/usr/bin/env bash
# Installs OpenTelemetry's own messages and Prometheus' own parser for Python, at pinned versions: what the end-to-end tests read with what
# arrives at a collector, and what a scrape gets.
#
#   scripts/otlp.sh          prints the directory of the virtual environment
set -euo pipefail

version=1.45.2
prometheus=0.23.1
directory=${RINGFENCE_OTLP:-/var/tmp/ringfence-e2e-otlp-$(id -u)}
mkdir -p "$directory"
[ -O "$directory" ] || {
    echo "otlp: $directory belongs to somebody else; set RINGFENCE_OTLP to another directory" >&2
    exit 1
}
if [ "$(cat "$directory/installed" 2>/dev/null)" != "$version $prometheus" ]; then
    echo "otlp: installing opentelemetry-proto $version and prometheus-client $prometheus into $directory" >&2
    (
        umask 022
        python3 -m venv "$directory"
        "$directory/bin/pip" install --quiet --disable-pip-version-check "opentelemetry-proto==$version" "prometheus-client==$prometheus" >&2
    )
    echo "$version $prometheus" >"$directory/installed"
fi
echo "$directory"
