#!/bin/sh
# Refresh every lock from pyproject.toml and the package.json files to the newest allowed versions.
# Hashes are kept, addresses are not: whoever installs uses the index they have.
#
# A poisoned release is mostly found and withdrawn within days, so what is younger than a week is not
# taken. Where a release mends a hole that is known: COOLDOWN_DAYS=0 make lock
set -eu
uv=$(scripts/find_uv.sh)
export UV_CUSTOM_COMPILE_COMMAND="make lock"
before=$("${PYTHON:-python3}" -c 'import sys, datetime as d
print((d.datetime.now(d.UTC) - d.timedelta(days=int(sys.argv[1]))).strftime("%Y-%m-%dT%H:%M:%SZ"))' \
    "${COOLDOWN_DAYS:-7}")

compile() {
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 \
        --exclude-newer "$before" --generate-hashes --no-emit-index-url --no-annotate "$@"
}

compile pyproject.toml --output-file requirements.lock
compile --group build --constraint requirements.lock --output-file requirements-build.lock
# What people install for data frames is what the tests run on, so the tests' lock comes first.
compile pyproject.toml --extra data --group dev --constraint requirements.lock \
    --constraint requirements-build.lock --output-file requirements-dev.lock
compile pyproject.toml --extra data --constraint requirements-dev.lock \
    --output-file requirements-data.lock
compile pyproject.toml --extra aws --constraint requirements-dev.lock \
    --output-file requirements-aws.lock
compile --group bench --constraint requirements-dev.lock --output-file requirements-bench.lock
compile --group lambda --constraint requirements.lock --output-file requirements-lambda.lock
compile --group send --constraint requirements.lock --output-file requirements-send.lock
compile --group lambda-runtime --constraint requirements-dev.lock \
    --output-file requirements-lambda-runtime.lock
compile --group infra --constraint requirements-dev.lock --output-file requirements-infra.lock
compile --group checkov --output-file requirements-checkov.lock
compile --group audit --output-file requirements-audit.lock
compile --group uv --output-file requirements-uv.lock

for folder in frontend infra; do
    rm -f "$folder/package-lock.json"
    .venv/bin/npm --prefix "$folder" install --package-lock-only --before "$before"
done
