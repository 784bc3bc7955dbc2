#!/bin/sh
# Let checkov look at the templates in cdk.out/ and at every shape that the options can make; what
# is accepted says so, with its reason, there.
set -eu
shapes=$(mktemp -d)
trap 'rm -rf "$shapes"' EXIT
# Those that are refused tell so: their sentences are for the tests.
if ! PATH="$PWD/.venv/bin:$PATH" PYTHONPATH=infra .venv/bin/python tests/aws_shapes.py "$shapes/all" \
    >"$shapes/log" 2>&1; then
    cat "$shapes/log" >&2
    exit 1
fi
mkdir "$shapes/templates"
cp cdk.out/*.template.json "$shapes/templates/"
for shape in page mariadb domain edition edition-domain; do
    cp "$shapes/all/$shape/coinlog.template.json" "$shapes/templates/$shape.template.json"
done
# Nothing is fetched and nobody is told: its list of rules comes with it.
.venv-checkov/bin/checkov --directory "$shapes/templates" --framework cloudformation \
    --skip-download --compact --quiet
