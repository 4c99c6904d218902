#!/usr/bin/env bash
# Installs the Debian packages that are missing and says why: scripts/packages.sh REASON PACKAGE...
set -euo pipefail

reason=$1
shift

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null; then
    echo "packages: not a Debian system, so nothing is installed; needed for $reason: $*"
    exit 0
fi

missing=()
for package in "$@"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "packages: installing from Debian for $reason: ${missing[*]}"
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    # Nobody can type a password in continuous integration.
    [ -z "${CI:-}" ] || as_root=(sudo -n)
    if ! command -v sudo >/dev/null; then
        echo "packages: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi

# The packages' own services are of no use here: a policy-rc.d that says "no" keeps them from being started.
policy=/usr/sbin/policy-rc.d
allow_services() { "${as_root[@]}" rm -f "$policy"; }
if [ ! -e "$policy" ]; then
    echo "packages: $policy is there during the installation, so that no service is started by it"
    trap allow_services EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
fi

"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
