"""``sentinel check --history``: the secrets that a git history holds, by place and kind alone."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from sentinel.apps import service_apps
from sentinel.checklist.history import OWN, REMEDIES, Leak, Search, search
from sentinel.checklist.repository import NotReadable
from sentinel.cli import context
from sentinel.cli.console import remark, stop
from sentinel.core.clock import Clock
from sentinel.settings import Settings

COLOURS = {"refuse": "bold red", "warn": "yellow"}
Mark = tuple[str, str, str]


def run(folder: Path, known: Path | None, *, json_output: bool, strict: bool) -> int:
    """Search the repository in ``folder``, print what was found, and return the exit status: 2 for refusals, 1 for
    warnings when ``strict``, else 0.

    ``known`` is a file of lines ``kind commit path``, as they are printed, that are not to be reported again.
    """
    marks = _marks(known)
    settings = context.load_settings()
    hashes = _key_hashes(settings)
    try:
        outcome = search(folder, settings, key_hashes=hashes, now=Clock().now())
    except NotReadable as problem:
        stop(f"{folder}: {problem}", status=2)
    leaks = [leak for leak in outcome.leaks if leak.kind in OWN or _mark(leak) not in marks]
    if json_output:
        typer.echo(json.dumps(_document(outcome, leaks), indent=2))
    else:
        _print(outcome, leaks)
    if hashes is None:
        remark("Without the database, service keys from before the checksum are not recognised.")
    if outcome.is_shallow:
        remark("The history is cut off (a shallow clone), so older commits were not searched.")
    if any(leak.verdict == "refuse" for leak in leaks):
        return 2
    return 1 if strict and (leaks or outcome.is_shallow) else 0


def _key_hashes(settings: Settings) -> frozenset[str] | None:
    try:
        return context.read(settings, lambda session, now: service_apps.key_hashes(session, now=now))
    except context.DatabaseProblem:
        # Where a repository is scanned there is often no database, and most of the work needs none.
        return None


def _marks(known: Path | None) -> set[Mark]:
    if known is None:
        return set()
    lines = (line.strip() for line in known.read_text(encoding="utf-8").splitlines())
    marks = set()
    for line in lines:
        if line and not line.startswith("#"):
            kind, commit, path = (*line.split(None, 2), "", "")[:3]
            if kind not in REMEDIES or not path:
                raise typer.BadParameter(
                    f"{known} has a line that is not 'kind commit path'", param_hint="--known"
                )
            marks.add((kind, commit, path))
    return marks


def _mark(leak: Leak) -> Mark:
    return leak.kind, leak.commit, leak.path


def _document(outcome: Search, leaks: list[Leak]) -> dict[str, Any]:
    refused = sum(leak.verdict == "refuse" for leak in leaks)
    return {
        "commits": outcome.commits,
        "objects": outcome.objects,
        "shallow": outcome.is_shallow,
        "findings": [asdict(leak) | {"remedy": REMEDIES[leak.kind]} for leak in leaks],
        "counts": {
            "refuse": refused,
            "warn": len(leaks) - refused,
            "known": len(outcome.leaks) - len(leaks),
        },
    }


def _print(outcome: Search, leaks: list[Leak]) -> None:
    console = Console(force_terminal=sys.stdout.isatty(), soft_wrap=True, highlight=False)
    for leak in leaks:
        console.print(Text(f"{leak.verdict}:", style=COLOURS[leak.verdict]), Text(" ".join(_mark(leak))))
    for kind in dict.fromkeys(leak.kind for leak in leaks):
        console.print(Text(f"    mend {kind}: {REMEDIES[kind]}"))
    counts = _document(outcome, leaks)["counts"]
    console.print(
        Text(
            f"Searched {outcome.commits} commits, {outcome.objects} objects: {counts['refuse']} to refuse, "
            f"{counts['warn']} to know of, {counts['known']} known."
        )
    )
