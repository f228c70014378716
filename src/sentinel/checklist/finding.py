"""What a check says, and the list of all checks (``configuration.md`` §3)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from sentinel.checklist.facts import Facts

Verdict = Literal["refuse", "warn"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the checklist found.

    ``seen`` says what is the case and never holds a secret value; ``why`` is one sentence; ``remedy`` is text to
    paste: a line of configuration, or a command. ``published`` marks a secret that is known to the world because
    it stands in the program or its documentation.
    """

    id: str
    reason: str
    verdict: Verdict
    seen: str
    why: str
    remedy: str
    published: bool = False


Judge = Callable[[Facts], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One numbered check; with ``every_mode`` its refusals stand in development too."""

    id: str
    judge: Judge
    every_mode: bool


CHECKS: dict[str, Check] = {}


def check(id: str, *, every_mode: bool = False) -> Callable[[Judge], Judge]:
    """Enter the decorated function as check ``id``. What it yields are its findings, judged for production."""

    def enter(judge: Judge) -> Judge:
        assert id not in CHECKS, f"{id} is taken"
        CHECKS[id] = Check(id, judge, every_mode)
        return judge

    return enter


def refuse(reason: str, *, seen: str, why: str, remedy: str, published: bool = False) -> Finding:
    """A finding that keeps production from starting; the check it belongs to adds its id."""
    return Finding("", reason, "refuse", seen, why, remedy, published)


def warn(reason: str, *, seen: str, why: str, remedy: str) -> Finding:
    """A finding that is only told."""
    return Finding("", reason, "warn", seen, why, remedy)


def entered(finding: Finding, id: str, *, lenient: bool = False) -> Finding:
    """``finding`` under its number, safe to print; ``lenient`` turns a refusal into a warning."""
    return replace(
        finding,
        id=id,
        verdict="warn" if lenient else finding.verdict,
        seen=printable(finding.seen),
        why=printable(finding.why),
        remedy=printable(finding.remedy),
    )


def printable(text: str) -> str:
    """``text`` on one line and without control characters: parts of it come from the configuration."""
    return "".join(character if character.isprintable() else "?" for character in text)


def in_order(id: str) -> tuple[str, int]:
    """Sort key of an id: C-1 to C-23, then the X range."""
    letters, _, number = id.partition("-")
    return letters, int(number)
