#!/usr/bin/env bash
# Installs the providers' own libraries that the end-to-end tests ask models with, at pinned versions, where any user can read them: those for
# Python in a virtual environment of the system's Python, those for Node beside it. No install script is executed.
#
#   scripts/sdks.sh          prints the directory that they are in: python/ and node_modules/
set -euo pipefail
cd "$(dirname "$0")/.."

directory=${RINGFENCE_SDKS:-/var/tmp/ringfence-e2e-sdks-$(id -u)}
mkdir -p "$directory"
[ -O "$directory" ] || {
    echo "sdks: $directory belongs to somebody else; set RINGFENCE_SDKS to another directory" >&2
    exit 1
}
wanted=$(cat e2e/sdks/requirements.txt e2e/sdks/package-lock.json | sha256sum | cut -d' ' -f1)
if [ "$(cat "$directory/installed" 2>/dev/null)" != "$wanted" ]; then
    echo "sdks: installing libraries for Python and Node (about 270 MB) into $directory" >&2
    rm -rf "${directory:?}/python" "$directory/node_modules"
    (
        umask 022
        # A Python of the user's own is not seen in a sandbox.
        /usr/bin/python3 -m venv "$directory/python"
        "$directory/python/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r e2e/sdks/requirements.txt >&2
        cp e2e/sdks/package.json e2e/sdks/package-lock.json "$directory"
        npm ci --prefix "$directory" --ignore-scripts --no-audit --no-fund --no-update-notifier >&2
    )
    chmod -R go+rX "$directory"
    echo "$wanted" >"$directory/installed"
fi
echo "$directory"
