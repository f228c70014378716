"""Findings of a configuration that could not even be loaded: the settings refuse it in every mode."""

from collections.abc import Callable

from sentinel.checklist.finding import Finding, entered, in_order, refuse
from sentinel.settings import SettingsError, SettingsProblem

Account = Callable[[SettingsProblem, str, str], Finding]

REFUSALS: dict[str, tuple[str, Account]] = {}
"""Reason code of a problem -> id and function of its finding."""

INVALID = "X-3"
"""Not part of the numbered list: any other variable that cannot be used (``configuration.md`` §1.2)."""


def refusal(id: str, reason: str) -> Callable[[Account], Account]:
    """Enter the decorated function as the account of problems with ``reason``; it gets what is seen and the mend."""

    def enter(account: Account) -> Account:
        REFUSALS[reason] = (id, account)
        return account

    return enter


@refusal("C-20", "bad_tier")
def tier(problem: SettingsProblem, seen: str, _mend: str) -> Finding:
    return refuse(
        problem.reason,
        seen=seen,
        why="A process of an unknown tier would serve routes that nobody has chosen.",
        remedy="TIER=all",
    )


@refusal("C-22", "entra_multi_tenant")
def entra_tenant(problem: SettingsProblem, seen: str, _mend: str) -> Finding:
    return refuse(
        problem.reason,
        seen=seen,
        why="Every directory in the world could then vouch for any address it likes.",
        remedy="ENTRA_TENANT_ID=<id of your own tenant>",
    )


@refusal(INVALID, "invalid_value")
def invalid_value(problem: SettingsProblem, seen: str, mend: str) -> Finding:
    return refuse(
        problem.reason,
        seen=seen,
        why="A value that cannot be understood is never guessed.",
        remedy=mend or f"Correct {problem.variable}, or remove it to get its default",
    )


def from_settings_error(error: SettingsError) -> list[Finding]:
    """Every problem of ``error`` as a finding, in the order of the list."""
    findings = [_account(problem) for problem in error.problems]
    return sorted(findings, key=lambda finding: in_order(finding.id))


def _account(problem: SettingsProblem) -> Finding:
    # The messages of the settings are made of two halves: what is wrong; how to mend it.
    wrong, _, mend = problem.message.partition("; ")
    number, account = REFUSALS.get(problem.reason, REFUSALS["invalid_value"])
    mend = f"{problem.variable}: {mend}" if mend else ""
    return entered(account(problem, f"{problem.variable}: {wrong}", mend), number)
