#!/bin/sh
# Makes sure that the programs which no package brings are there for the tests: Chromium, nginx and Caddy. It finds
# them, or installs Debian's when that is allowed; the tests start them. CHROMIUM names a Chromium that is not on PATH.
# In CI (CI=true) they must be there in the end.
set -eu

PATH="$PATH:/usr/sbin"

has() { command -v "$1" >/dev/null 2>&1; }

has_chromium() {
    for name in ${CHROMIUM:+"$CHROMIUM"} chromium-headless-shell chromium chromium-browser google-chrome; do
        if has "$name"; then return 0; fi
    done
    return 1
}

missing() {
    has_chromium || echo chromium-headless-shell # which does without the desktop that a whole Chromium brings
    has nginx || echo nginx
    has caddy || echo caddy
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

install_all() { # together, or as many as can be had
    apt-get update -qq
    # shellcheck disable=SC2046
    apt_install $(missing) || for name in $(missing); do apt_install "$name" || true; done
    has_chromium || apt_install chromium
}

if [ -z "$(missing)" ]; then exit 0; fi

if [ "$(id -u)" = 0 ] && has apt-get; then
    echo "Installing" $(missing) "..." >&2
    # Debian starts what it installs; the tests bring their own configurations and ports.
    policy=/usr/sbin/policy-rc.d
    ours=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        ours=yes
    fi
    log=$(mktemp)
    install_all >"$log" 2>&1 || true
    if [ -n "$ours" ]; then rm -f "$policy"; fi
    if [ -n "$(missing)" ]; then tail -n 20 "$log" >&2; fi
    rm -f "$log"
    if [ -z "$(missing)" ]; then exit 0; fi
fi

echo "Not here for the tests:" $(missing)". Install them (Debian: apt-get install" $(missing)"); CHROMIUM can name a Chromium." >&2
if [ "${CI:-}" = true ]; then exit 1; fi
