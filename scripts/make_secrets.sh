#!/bin/sh
# Make the passwords that compose.yaml hands to its containers; those that are there stay.
# Usage: scripts/make_secrets.sh [folder]
#
# Nobody but you can enter the folder. The files themselves may be read: inside a container each is
# mounted alone, and the user there is another than you.
set -eu
folder=${1:-secrets}
mkdir -p "$folder"
chmod 700 "$folder"

write() {
    [ -e "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"
    chmod 644 "$folder/$1"
}

for who in root recorder page; do
    write "${who}_password" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
done
for who in recorder page; do
    password=$(cat "$folder/${who}_password")
    write "${who}_database" "mysql://coinlog_$who:$password@database/coinlog?ssl_disabled=true"
done
