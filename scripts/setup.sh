#!/bin/sh
# Sets up .venv: setup.sh runtime | setup.sh dev | setup.sh venv (empty, for one of the others to fill). A second call
# finds nothing to do and asks no network.
#
# A stamp in .venv holds the fingerprint of everything that was installed from; it is written last, so that an
# interrupted set-up is done again. PYTHON names the interpreter to use.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-runtime}
venv=.venv

say() { printf '%s\n' "$*" >&2; }

fingerprint() { # of one kind of set-up, in this place
    { pwd -P; cat pyproject.toml scripts/setup.sh "requirements/$1.txt"; frontend_sources; } | cksum_strong
}

frontend_sources() {
    cat scripts/frontend.py requirements/node.txt frontend/package.json frontend/package-lock.json frontend/icons.txt
}

cksum_strong() {
    if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

done_already() {
    [ -x "$venv/bin/python" ] && [ -f src/sentinel/admin/static/vendor/stamp ] && [ -f "$venv/.stamp-$1" ] && [ "$(cat "$venv/.stamp-$1")" = "$(fingerprint "$1")" ]
}

# The tools of development include everything that the service needs.
if done_already dev || { [ "$kind" = runtime ] && done_already runtime; }; then
    if "$venv/bin/python" -c '' 2>/dev/null; then exit 0; fi
fi

recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        if recent_enough "$PYTHON"; then command -v "$PYTHON"; return; fi
        say "PYTHON=$PYTHON is not a Python 3.11 or newer."
        exit 1
    fi
    for name in python3.11 python3.12 python3.13 python3.14 python3; do
        if recent_enough "$name"; then command -v "$name"; return; fi
    done
    say "Python 3.11 or newer is needed. Install it (Debian: apt-get install python3-venv), or name it: PYTHON=..."
    exit 1
}

can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

python=$(choose_python)

if ! can_make_venv "$python"; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "Installing python$version-venv ..."
        log=$(mktemp)
        if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
               "python$version-venv"; } >"$log" 2>&1; then
            cat "$log" >&2
            rm -f "$log"
            say "python$version-venv could not be installed; see above."
            exit 1
        fi
        rm -f "$log"
    fi
    if ! can_make_venv "$python"; then
        say "$python cannot make virtual environments. Install its venv module (Debian: apt-get install python$version-venv)."
        exit 1
    fi
fi

rm -f "$venv"/.stamp-*
# Programs in .venv hold its path, so one that was made elsewhere is of no use here.
if ! grep -qsF -e "-m venv $(pwd -P)/$venv" "$venv/pyvenv.cfg" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1
then
    say "Making $venv with $("$python" --version) ..."
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

if [ "$kind" = venv ]; then exit 0; fi

pip() { "$venv/bin/python" -m pip -qq --disable-pip-version-check --no-input "$@"; }

say "Installing the packages of requirements/$kind.txt ..."
"$venv/bin/python" scripts/frontend.py & # needs none of them
frontend=$!
trap 'kill "$frontend" 2>/dev/null || true' EXIT
pip install --require-hashes --no-deps -r "requirements/$kind.txt"
pip install --no-deps --no-build-isolation --editable .
wait "$frontend"

# To a file beside it first, so that a stamp is never half written.
fingerprint "$kind" >"$venv/.stamp-new"
mv "$venv/.stamp-new" "$venv/.stamp-$kind"
