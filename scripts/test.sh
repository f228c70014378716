#!/bin/sh
# Runs the tests, and beside them the checks that take their time: test.sh ARGUMENT... The arguments go to pytest.
# What the checks have to say stands below what the tests say, and a check that fails makes it all fail.
set -u
cd "$(dirname "$0")/.."

"${MAKE:-make}" --no-print-directory -j 2 lint imports ARGS= || exit 1

report=$(mktemp)
"${MAKE:-make}" --no-print-directory -j 3 types audit sbom ARGS= >"$report" 2>&1 &
checks=$!
trap 'kill "$checks" 2>/dev/null; rm -f "$report"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

.venv/bin/pytest "$@"
tests=$?
wait "$checks"
checked=$?

cat "$report"
if [ "$checked" -ne 0 ]; then
    echo "A check has failed: see above, or run 'make types audit sbom'." >&2
    if [ "$tests" -eq 0 ]; then exit 1; fi
fi
exit "$tests"
