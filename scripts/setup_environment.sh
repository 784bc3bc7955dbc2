#!/bin/sh
# Make .venv and install the given hash-locked requirements into it.
# Usage: scripts/setup_environment.sh requirements.lock [more.lock...]
set -eu
uv=$(scripts/find_uv.sh)
# A Python that was upgraded or removed leaves a .venv that cannot start: make it anew.
if ! .venv/bin/python -c '' 2>/dev/null; then
    rm -rf .venv
    "$uv" venv --quiet --no-project --python '>=3.11' .venv
fi
for lock in "$@"; do set -- "$@" --requirement "$lock"; shift; done
exec "$uv" pip install --quiet --python .venv --require-hashes "$@"
