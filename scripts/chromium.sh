#!/bin/sh
# Makes sure that there is a Chromium for the browser tests: finds one, or installs Debian's when that is allowed.
# CHROMIUM names one that is not on PATH. In CI (CI=true) it must be there in the end.
set -eu

found() {
    for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

if found; then exit 0; fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing chromium ..." >&2
    log=$(mktemp)
    if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
         chromium; } >"$log" 2>&1 && found; then
        rm -f "$log"
        exit 0
    fi
    tail -n 20 "$log" >&2
    rm -f "$log"
fi

echo "There is no Chromium for the browser tests: install it (Debian: apt-get install chromium) or set CHROMIUM." >&2
if [ "${CI:-}" = true ]; then exit 1; fi
