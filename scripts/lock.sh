#!/bin/sh
# Resolves the dependencies of pyproject.toml into requirements/, with hashes and without addresses, for every
# platform and every Python from 3.11. Versions that still fit are kept; arguments go to uv (--upgrade for the newest).
set -eu
cd "$(dirname "$0")/.."

uv=$(command -v uv || echo .venv/bin/uv)
if [ ! -x "$uv" ]; then .venv/bin/python -m pip install --quiet --disable-pip-version-check uv; fi

compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@"
}

compile "$@" pyproject.toml --group build -o requirements/runtime.txt
compile "$@" pyproject.toml --group build --group dev -c requirements/runtime.txt -o requirements/dev.txt
# The extra for traces, beside runtime.txt.
compile "$@" pyproject.toml --extra otel -c requirements/runtime.txt -o requirements/otel.txt
# What stands in for npm where there is none (scripts/frontend.py).
compile "$@" --group node -o requirements/node.txt
