"""Looks up the locked packages in a database of known vulnerabilities, with pip-audit.

    .venv/bin/python scripts/audit.py [--required] [LOCK ...]

Ends with 1 when a vulnerability is known. Where no database can be reached it says so in one line and ends with 0, or,
with ``--required`` (for a release), with 2: that nothing was found is never said of packages that were not looked up.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LOCKS = [ROOT / "requirements" / name for name in ("runtime.txt", "otel.txt")]
SERVICES = ("osv", "pypi")
"""Tried in this order."""
PROBE = "fastapi==0.110.0\n"
"""Asked first: who has never heard of that one need not be asked about a hundred others."""
SECONDS = 60.0


def look_up(locks: Sequence[Path], service: str, *options: str) -> list[dict[str, Any]] | None:
    """What the service says of each package; None when it could not be asked."""
    command = [sys.executable, "-m", "pip_audit", "-s", service, "--format", "json", "--timeout", "5"]
    command += ["--progress-spinner", "off", "--disable-pip", "--no-deps", *options]
    for lock in locks:
        command += ["--requirement", str(lock)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.stdout.startswith("{"):
        return list(json.loads(done.stdout)["dependencies"])
    reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
    if "requests.exceptions" in reason or "ConnectionError" in reason or "Service" in reason:
        return None
    # Anything else is a fault of ours, and would pass for a missing network if nobody said so.
    raise SystemExit(f"audit: pip-audit failed: {reason}")


def judge(answers: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The vulnerabilities that are known, one a line, and the packages of which nothing is known."""
    known = [
        f"{answer['name']} {answer['version']}: {vulnerability['id']}"
        + (f", mended in {', '.join(versions)}" if (versions := vulnerability.get("fix_versions")) else "")
        for answer in answers
        for vulnerability in answer.get("vulns", [])
    ]
    return known, [answer["name"] for answer in answers if "vulns" not in answer]


def audit(
    locks: Sequence[Path], *options: str, services: Sequence[str] = SERVICES, required: bool = False
) -> int:
    """Look up everything in the locks and print what came of it; the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe.txt"
        probe.write_text(PROBE)
        # A mirror without advisories answers, and has never heard of anything.
        reached = (
            service
            for service in services
            if any("vulns" in answer for answer in look_up([probe], service, *options) or [])
        )
        service = next(reached, None)
    answers = look_up(locks, service, *options) if service else None
    if answers is None:
        print(
            "audit: packages NOT looked up, because no database of vulnerabilities can be reached from here"
        )
        return 2 if required else 0
    known, unknown = judge(answers)
    for line in known:
        print(f"audit: {line}")
    remark = f"; nothing is known of {', '.join(unknown)}" if unknown else ""
    print(
        f"audit: {len(answers) - len(unknown)} packages looked up, {len(known)} known vulnerabilities{remark}"
    )
    return 1 if known else 2 if unknown and required else 0


def main() -> int:
    """Parse the arguments and audit the locks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--required", action="store_true", help="fail when a package cannot be looked up")
    parser.add_argument("locks", nargs="*", type=Path, default=LOCKS, metavar="LOCK")
    chosen = parser.parse_args()
    return audit(chosen.locks, required=chosen.required)


if __name__ == "__main__":
    sys.exit(main())
