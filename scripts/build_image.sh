#!/bin/sh
# Build the image with the engine that is there: Docker, else Podman.
# Usage: scripts/build_image.sh [name]
# BASE_IMAGE in the environment gives another base; BUILD_OPTIONS further options of the engine.
set -eu
name=${1:-coinlog}
engine=""
if command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1; then
    engine="docker build"
elif command -v podman >/dev/null 2>&1; then
    # Podman's own format of images knows no HEALTHCHECK.
    engine="podman build --format docker"
fi
if [ -z "$engine" ]; then
    echo "No engine that builds images answers: 'docker info' must succeed, or 'podman' be there." >&2
    echo "Install Docker Desktop, or on Debian and Ubuntu: 'apt-get install docker.io' (then let" >&2
    echo "your user into the group 'docker') or 'apt-get install podman'." >&2
    exit 1
fi
# Several options stand in one word, on purpose.
# shellcheck disable=SC2086
DOCKER_BUILDKIT=1 exec $engine ${BASE_IMAGE:+--build-arg "BASE_IMAGE=$BASE_IMAGE"} \
    ${BUILD_OPTIONS:-} --tag "$name" .
