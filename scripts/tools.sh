#!/usr/bin/env bash
# Installs the cargo tools that are missing: scripts/tools.sh TOOL...
set -euo pipefail

declare -A version=([cargo-nextest]=0.9.151 [cargo-deny]=0.20.2 [cargo-fuzz]=0.13.2)
declare -A purpose=([cargo-nextest]="runs the tests" [cargo-deny]="checks licences and layers" [cargo-fuzz]="runs the fuzz targets")
declare -A features=([cargo-nextest]="--no-default-features --features default-no-update")

for tool in "$@"; do
    command -v "$tool" >/dev/null && continue
    echo "tools: installing $tool ${version[$tool]}, which ${purpose[$tool]} (built from source, some minutes)"
    # shellcheck disable=SC2086 # the feature flags are several words
    cargo install --quiet --locked "$tool@${version[$tool]}" ${features[$tool]:-}
done
