#!/bin/sh
# Run the CDK command that belongs to this checkout, with the Node and the Python of .venv.
# Usage: scripts/cdk.sh synth --quiet
set -eu
cd "$(dirname "$0")/../infra"
PATH="$PWD/../.venv/bin:$PATH"
export PATH
# Nothing of this asks or tells anybody: no usage reports, no notices.
export CDK_DISABLE_CLI_TELEMETRY=true JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1
exec node node_modules/aws-cdk/bin/cdk "$@"
