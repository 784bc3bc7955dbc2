#!/bin/sh
# Let the tests' MariaDB check tokens of AWS, through PAM: a service of ours, and what it runs.
# Both belong to root, so elsewhere than on Linux as root or with sudo this does nothing, and the
# tests that need it say that they are skipped.
set -eu
place=/usr/local/lib/coinlog-tests/check_token
service=/etc/pam.d/coinlog-tests
wanted="auth required pam_exec.so expose_authtok quiet $place
account required pam_permit.so"

[ -d /etc/pam.d ] || exit 0
if [ -x "$place" ] && cmp -s scripts/check_token.py "$place" && [ -f "$service" ] &&
    [ "$(cat "$service")" = "$wanted" ]; then
    exit 0
fi
as_root=""
if [ "$(id -u)" != 0 ]; then
    { command -v sudo && sudo -n true; } >/dev/null 2>&1 || exit 0
    as_root="sudo -n"
fi
$as_root install -D -m 0755 scripts/check_token.py "$place"
echo "$wanted" | $as_root tee "$service" >/dev/null
