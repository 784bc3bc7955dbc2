#!/bin/sh
# Make sure that the tests of the image have an engine: the one that answers, else one of their own,
# on Debian as root. They skip, and say so, where neither is there.
#
# Of their own are: Docker from the distribution, never started by the system; Compose and BuildKit's
# client from the next Debian, which the present one lacks; and a base image that stands in for
# Python's, made of Debian's packages, since such machines often reach no registry.
set -eu
cache=${XDG_CACHE_HOME:-$HOME/.cache}/coinlog/containers
release=trixie # whose Python is 3.13
PATH=$PATH:/usr/sbin:/sbin

has() { command -v "$1" >/dev/null 2>&1; }

if has docker && docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! has apt-get || ! grep -q '^ID=debian' /etc/os-release; then
    echo "no engine answers, and none is installed here: the tests of the image are skipped"
    exit 0
fi

# Other programs may hold apt's lock for a while, and mirrors may be slow: wait, try again.
apt() {
    env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes -o DPkg::Lock::Timeout=600 \
        -o Acquire::Retries=3 -o Acquire::http::Timeout=60 "$@"
}

# A service that is installed must not start: the tests run a daemon with a folder of its own.
install() {
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        apt install --no-install-recommends "$@"
    else
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        apt install --no-install-recommends "$@" || { rm "$policy"; return 1; }
        rm "$policy"
    fi
}

missing=""
has dockerd || missing="docker.io"
has mmdebstrap || missing="$missing mmdebstrap"
# Several packages stand in one word, on purpose.
# shellcheck disable=SC2086
if [ -n "$missing" ] && ! install $missing; then
    apt update
    install $missing
fi

mkdir -p "$cache/cli-plugins"
# shellcheck disable=SC2016  # apt expands it
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg

# The next release's packages are asked for beside the system's lists, which stay as they are.
beside() {
    apt -o APT::Sandbox::User=root -o Dir::State::status=/dev/null -o "Dir::State=$cache/apt" \
        -o "Dir::Cache=$cache/apt" \
        -o "Dir::Etc::SourceList=$cache/apt/sources.list" -o Dir::Etc::SourceParts=- "$@"
}

if ! [ -x "$cache/cli-plugins/docker-compose" ]; then
    mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial"
    echo "deb [signed-by=$keys] $mirror $release main" >"$cache/apt/sources.list"
    beside update
    (cd "$cache/apt" && beside download docker-compose docker-buildx)
    for package in "$cache"/apt/*.deb; do dpkg --extract "$package" "$cache/apt/root"; done
    find "$cache/apt/root" -path '*/cli-plugins/docker-*' -type f \
        -exec mv {} "$cache/cli-plugins/" \;
    rm -rf "$cache/apt"
fi

base=$cache/python-3.13-slim.tar
if ! [ -e "$base" ]; then
    # As small as Python's own: no manuals and no translations. Certificates are this machine's,
    # which may know a proxy that others do not.
    mmdebstrap --quiet --format=tar --variant=apt --include=python3,python3-venv,ca-certificates,passwd \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='upload /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt' \
        "$release" "$base.part" "deb [signed-by=$keys] $mirror $release main"
    mv "$base.part" "$base"
fi
