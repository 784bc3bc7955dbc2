#!/bin/sh
# Install coinlog itself into .venv, editable; its dependencies are there from the lock.
set -eu
exec "$(scripts/find_uv.sh)" pip install --quiet --python .venv \
    --no-deps --no-build-isolation --editable .
