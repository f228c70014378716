"""``sentinel check``: the production checklist, for people and for pipelines."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from sentinel import checklist
from sentinel.checklist import Finding
from sentinel.cli import history as history_scan
from sentinel.settings import Settings, SettingsError

COLOURS = {"refuse": "bold red", "warn": "yellow"}


class FailLevel(StrEnum):
    """From which verdict on the exit status is not 0."""

    warn = "warn"
    refuse = "refuse"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the checklist found, without what was silenced; the summary counts everything."""

    production: bool
    findings: list[Finding]
    silenced: list[Finding]
    summary: list[tuple[int, str, bool]]

    def exit_status(self, fail_level: FailLevel) -> int:
        """2 for refusals, 1 for warnings that fail, else 0."""
        if checklist.refusals(self.findings):
            return 2
        return 1 if self.findings and fail_level is FailLevel.warn else 0


def register(app: typer.Typer) -> None:
    """Add ``sentinel check``."""
    app.command("check")(check)


def check(
    deploy: Annotated[
        bool, typer.Option("--deploy", help="Judge as for production, whatever DEBUG says.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    fail_level: Annotated[
        FailLevel,
        typer.Option("--fail-level", help="Lowest verdict that makes the exit status differ from 0."),
    ] = FailLevel.refuse,
    silence: Annotated[
        list[str] | None,
        typer.Option("--silence", metavar="ID", help="Leave out the warnings of this check; repeatable."),
    ] = None,
    history: Annotated[
        bool,
        typer.Option("--history", help="Search a git history for secrets instead; PATH is the repository."),
    ] = False,
    known: Annotated[
        Path | None,
        typer.Option("--known", help="With --history: file of findings that have been dealt with."),
    ] = None,
    path: Annotated[Path | None, typer.Argument(metavar="[PATH]", show_default=False)] = None,
) -> None:
    """Check the configuration of the environment and of .env, its key files, its database and its Redis.

    With --history [PATH]: search all commits of the git repository in PATH (default: this folder) for the secrets
    of this configuration and for credentials of this product. Only place and kind are printed.

    Exit status: 0 nothing at or above the fail level, 1 warnings, 2 refusals.
    """
    if history:
        if deploy or silence:
            raise typer.BadParameter("takes neither --deploy nor --silence", param_hint="--history")
        fail_on_warnings = fail_level is FailLevel.warn
        status = history_scan.run(path or Path(), known, json_output=json_output, strict=fail_on_warnings)
        raise typer.Exit(status)
    if path is not None or known is not None:
        raise typer.BadParameter("goes with --history", param_hint="PATH" if path else "--known")
    ids = _ids(silence or [])
    outcome = _outcome(deploy, ids)
    if json_output:
        typer.echo(json.dumps(_document(outcome), indent=2))
    else:
        _print(outcome)
    stuck = sorted({finding.id for finding in checklist.refusals(outcome.findings)} & ids)
    if stuck:
        typer.echo(
            f"{', '.join(stuck)} cannot be silenced: only warnings can, refusals must be mended.", err=True
        )
    raise typer.Exit(outcome.exit_status(fail_level))


def _ids(written: list[str]) -> set[str]:
    ids = {word.strip().upper() for word in written}
    unknown = sorted(ids.difference(checklist.IDS))
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(unknown)} is no check; ids look like C-5 ({checklist.IDS[0]} to {checklist.IDS[-1]})",
            param_hint="--silence",
        )
    return ids


def _outcome(deploy: bool, silenced: set[str]) -> Outcome:
    try:
        settings = Settings.load()
    except SettingsError as error:
        # Whether DEBUG is set is not known, and these refusals stand in every mode.
        return Outcome(True, checklist.from_settings_error(error), [], [])
    findings = asyncio.run(checklist.run(settings, as_production=deploy))
    hidden = [finding for finding in findings if finding.id in silenced and finding.verdict == "warn"]
    shown = [finding for finding in findings if finding not in hidden]
    return Outcome(deploy or not settings.debug, shown, hidden, checklist.summary(findings, settings))


def _document(outcome: Outcome) -> dict[str, Any]:
    return {
        "mode": "production" if outcome.production else "development",
        "findings": [_plain(finding) for finding in outcome.findings],
        "silenced": [_plain(finding) for finding in outcome.silenced],
        "counts": _counts(outcome),
        "summary": [
            {"number": number, "text": text, "satisfied": satisfied}
            for number, text, satisfied in outcome.summary
        ],
    }


def _plain(finding: Finding) -> dict[str, str]:
    names = ("id", "reason", "verdict", "seen", "why", "remedy")
    return {name: getattr(finding, name) for name in names}


def _counts(outcome: Outcome) -> dict[str, int]:
    refused = len(checklist.refusals(outcome.findings))
    return {
        "refuse": refused,
        "warn": len(outcome.findings) - refused,
        "silenced": len(outcome.silenced),
    }


def _print(outcome: Outcome) -> None:
    # Colour on a terminal only, whatever the environment says; and lines stay whole, so that they can be pasted.
    console = Console(force_terminal=sys.stdout.isatty(), soft_wrap=True, highlight=False)
    for finding in outcome.findings:
        first, *others = checklist.block(finding)
        console.print(Text(first, style=COLOURS[finding.verdict]))
        for line in others:
            console.print(Text(line))
        console.print()
    counts = _counts(outcome)
    silenced = f", {counts['silenced']} silenced" if counts["silenced"] else ""
    mode = "production" if outcome.production else "development"
    console.print(Text(f"Judged for {mode}: {_count(counts)}{silenced}."))
    _print_summary(console, outcome.summary)


def _count(counts: dict[str, int]) -> str:
    words = []
    for verdict, noun in (("refuse", "refusal"), ("warn", "warning")):
        words.append(f"{counts[verdict]} {noun}" + ("" if counts[verdict] == 1 else "s"))
    return ", ".join(words)


def _print_summary(console: Console, items: Sequence[tuple[int, str, bool]]) -> None:
    console.print()
    if not items:
        console.print(Text("The production checklist can be gone through once every variable can be read."))
        return
    console.print(Text("Production checklist:"))
    for number, text, satisfied in items:
        mark, style = ("ok  ", "green") if satisfied else ("open", "yellow")
        console.print(Text.assemble(f"{number:>4}  ", (mark, style), f"  {text}"))
