#!/bin/sh
# Make sure that the tests have a MySQL server, beside MariaDB: fetch it into a cache folder and
# touch nothing else. Debian keeps MySQL in its unstable suite alone, so its packages are unpacked
# there with the C library they want, and run with its loader. Prints how to start the server, one
# word a line. Where it cannot be had, says why and succeeds: the tests of MySQL are then skipped.
set -eu
root=${XDG_CACHE_HOME:-$HOME/.cache}/coinlog/mysql

skip() {
    echo "no MySQL for the tests: $1" >&2
    exit 0
}

# A MySQL that is installed is as good; MariaDB answers to the same name.
installed=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v mysqld || true)
if [ -n "$installed" ] && "$installed" --version | grep -qi -v mariadb; then
    echo "$installed"
    exit 0
fi

# The mirror that this machine uses, as apt knows it.
debian_mirror() {
    apt-get indextargets --format "\$(ORIGIN)|\$(LABEL)|\$(REPO_URI)" "Identifier: Packages" |
        sed -n 's/^Debian|Debian|//p' | head -n 1
}

private_apt() {
    apt-get -qq \
        -o Dir::State="$work/state" -o Dir::State::status=/dev/null -o Dir::Cache="$work/cache" \
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
        -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false \
        -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

# Each step waits for the one before it: where a failure is asked about, `set -e` is asleep.
fetch() {
    mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/root" &&
        echo "deb [signed-by=$keyring] $mirror sid main" >"$work/sources.list" &&
        private_apt update &&
        private_apt install --yes --no-install-recommends --download-only \
            mysql-server-core mysql-client-core &&
        for package in "$work"/cache/archives/*.deb; do
            dpkg -x "$package" "$work/root" || return
        done
}

if [ ! -e "$root/usr/sbin/mysqld" ]; then
    command -v apt-get >/dev/null 2>&1 || skip "this is no Debian"
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(debian_mirror)
    { [ -n "$mirror" ] && [ -e "$keyring" ]; } || skip "apt knows no mirror of Debian"
    mkdir -p "$(dirname "$root")"
    work=$(mktemp -d "$root.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    fetch >&2 || skip "its packages could not be fetched"
    rm -rf "$root"
    mv "$work/root" "$root"
fi

libraries=$(dirname "$(find "$root/usr/lib" -name libc.so.6 | head -n 1)")
loader=$(find "$libraries" -name 'ld-linux-*.so.*' | head -n 1)
printf '%s\n' "$loader" --library-path "$libraries:$libraries/mysql/private" \
    "$root/usr/sbin/mysqld"
