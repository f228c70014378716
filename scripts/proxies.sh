#!/bin/sh
# Makes sure that nginx and Caddy are there for the tests behind real proxies: finds them, or installs Debian's when
# that is allowed. They are started by the tests alone. In CI (CI=true) they must be there in the end.
set -eu

PATH="$PATH:/usr/sbin"
missing=
for name in nginx caddy; do
    command -v "$name" >/dev/null 2>&1 || missing="$missing $name"
done
if [ -z "$missing" ]; then exit 0; fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$missing ..." >&2
    # Debian starts what it installs; the tests bring their own configurations and ports.
    policy=/usr/sbin/policy-rc.d
    ours=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        ours=yes
    fi
    log=$(mktemp)
    # shellcheck disable=SC2086
    if { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
         $missing; } >"$log" 2>&1; then status=0; else status=1; fi
    if [ -n "$ours" ]; then rm -f "$policy"; fi
    if [ "$status" = 0 ]; then rm -f "$log"; exit 0; fi
    tail -n 20 "$log" >&2
    rm -f "$log"
fi

echo "Not here for the tests behind real proxies:$missing. Install them (Debian: apt-get install$missing)." >&2
if [ "${CI:-}" = true ]; then exit 1; fi
