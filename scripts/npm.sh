#!/usr/bin/env bash
# Installs what a package-lock.json lists, once, in a cache folder outside of the tree, and prints where node_modules is:
# scripts/npm.sh FOLDER
set -euo pipefail

manifest=$1
digest=$(sha256sum "$manifest/package-lock.json" | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ringfence-tests/npm
installed=$cache/$(basename "$manifest")-$digest

if [ ! -d "$installed/node_modules" ]; then
    mkdir -p "$cache"
    fresh=$(mktemp -d "$cache/new.XXXXXX")
    trap 'rm -rf "$fresh"' EXIT
    chmod 755 "$fresh"
    cp "$manifest/package.json" "$manifest/package-lock.json" "$fresh"
    echo "npm: installing $(basename "$manifest"), which the tests use" >&2
    (cd "$fresh" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier >&2)
    # Whoever was faster has installed the same.
    mv --no-target-directory "$fresh" "$installed" 2>/dev/null || [ -d "$installed/node_modules" ]
fi
echo "$installed/node_modules"
