#!/bin/sh
# Make sure that the tests have a MariaDB server and a Chromium: install what is missing on
# Debian and Ubuntu (as root or with sudo), say what to install elsewhere.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin

has() { command -v "$1" >/dev/null 2>&1; }

# Ubuntu's chromium package is only a door to a snap, which a container cannot open: ask it.
has_chromium() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        has "$name" && "$name" --version >/dev/null 2>&1 && return 0
    done
    for folder in "${PLAYWRIGHT_BROWSERS_PATH:-}" ~/.cache/ms-playwright \
        ~/Library/Caches/ms-playwright; do
        ls -d "$folder"/chromium-* >/dev/null 2>&1 && return 0
    done
    return 1
}

missing=""
{ has mariadbd && has mariadb-install-db; } || missing="mariadb-server"
has_chromium || missing="${missing:+$missing }chromium"
[ -n "$missing" ] || exit 0

give_up() {
    echo "The tests need $missing: $1, then run the same command again." >&2
    exit 1
}

playwright="'.venv/bin/playwright install chromium' gets a Chromium without root"
has apt-get || give_up "install it with your system's package manager ($playwright)"
as_root=""
if [ "$(id -u)" != 0 ]; then
    { has sudo && sudo -n true 2>/dev/null; } || give_up "run 'sudo apt-get install $missing'"
    as_root="sudo -n"
fi

# Other programs may hold apt's lock for a while, and mirrors may be slow: wait, try again.
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Acquire::http::Timeout=60 "$@"
}

# Several packages stand in one word, on purpose.
# shellcheck disable=SC2086
install() { apt install --no-install-recommends $missing; }

# A machine's package lists can be absent or too old to fetch from: refresh them only then.
# shellcheck disable=SC2086
if ! apt-cache show $missing >/dev/null 2>&1 || ! install; then
    apt update
    install
fi
{ has mariadbd && has_chromium; } || give_up "apt-get's does not start ($playwright)"
