#!/bin/sh
# Print the path of uv; install it into .venv-uv first where it is neither there nor on PATH.
set -eu
python=${PYTHON:-python3}
uv=.venv-uv/bin/uv

pip_install() {
    "$@" --quiet --disable-pip-version-check --require-hashes --requirement requirements-uv.lock
}

install_uv() {
    rm -rf .venv-uv
    if "$python" -m venv .venv-uv; then
        pip_install .venv-uv/bin/python -m pip install
    else
        # Debian keeps venv in a package of its own; pip alone can do it too.
        rm -rf .venv-uv
        pip_install "$python" -m pip install --target .venv-uv
    fi
}

if command -v uv; then exit 0; fi
if [ ! -x "$uv" ] && ! install_uv >&2; then
    echo "uv cannot be installed: Python 3.11 or newer with its venv module is needed (Debian and" >&2
    echo "Ubuntu: 'apt-get install python3-venv'), or uv itself. Then run the same command again." >&2
    exit 1
fi
echo "$uv"
