#!/bin/sh
# Install what the benchmarks compare with: nginx and wrk, on Debian and Ubuntu.
set -eu
PATH="$PATH:/usr/sbin"
missing=""
for tool in nginx wrk; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null 2>&1 || {
    echo "the benchmarks need$missing: install them with your package manager" >&2
    exit 1
}
sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo -n"
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing
