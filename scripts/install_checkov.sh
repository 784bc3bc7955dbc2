#!/bin/sh
# Make .venv-checkov: checkov wants older versions of packages that the program itself uses.
set -eu
uv=$(scripts/find_uv.sh)
rm -rf .venv-checkov
"$uv" venv --quiet --no-project --python '>=3.11' .venv-checkov
exec "$uv" pip install --quiet --python .venv-checkov --require-hashes \
    --requirement requirements-checkov.lock
