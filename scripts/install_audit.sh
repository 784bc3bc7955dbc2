#!/bin/sh
# Make .venv-audit: what audits shall not be part of what it audits.
set -eu
uv=$(scripts/find_uv.sh)
rm -rf .venv-audit
"$uv" venv --quiet --no-project --python '>=3.11' .venv-audit
exec "$uv" pip install --quiet --python .venv-audit --require-hashes \
    --requirement requirements-audit.lock
