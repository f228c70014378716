"""The production checklist as a program (``configuration.md`` §3 and §5): what is unsafe, why, and how to mend it.

One decorated function is one numbered check. The functions only judge; ``facts.py`` looks at files and servers.
"""

from collections.abc import Iterable

from redis.asyncio import Redis

# Importing the modules of checks enters them into the list.
from sentinel.checklist import keys, operation, storage, web  # noqa: F401
from sentinel.checklist.facts import Facts, gather
from sentinel.checklist.finding import CHECKS, Finding, Verdict, entered, in_order
from sentinel.checklist.loading import REFUSALS, from_settings_error
from sentinel.checklist.summary import block, report_text, summary
from sentinel.core.database import Database
from sentinel.settings import Settings

__all__ = [
    "IDS",
    "Facts",
    "Finding",
    "Verdict",
    "block",
    "from_settings_error",
    "judge",
    "refusals",
    "report_text",
    "run",
    "summary",
]

IDS = tuple(sorted({*CHECKS, *(entry[0] for entry in REFUSALS.values())}, key=in_order))
"""Every id that a finding can have: C-1 to C-23 of the contract, and X-1 to X-3 beyond it."""


async def run(
    settings: Settings,
    *,
    database: Database | None = None,
    redis: Redis | None = None,
    as_production: bool = False,
) -> list[Finding]:
    """All findings on ``settings``, in the order of the list.

    ``database`` and ``redis`` are the open ones of a running service; without them the checklist opens its own and
    closes them. In development (`DEBUG=true`) most refusals are warnings; ``as_production`` judges as if it were
    false. Never raises for what it finds broken, and takes a few seconds at most.
    """
    facts = await gather(settings, database=database, redis=redis)
    return judge(facts, lenient=settings.debug and not as_production)


def judge(facts: Facts, *, lenient: bool) -> list[Finding]:
    """The findings on ``facts``; ``lenient`` turns refusals into warnings, except those of every mode."""
    return [
        entered(finding, check.id, lenient=lenient and not check.every_mode)
        for check in sorted(CHECKS.values(), key=lambda check: in_order(check.id))
        for finding in check.judge(facts)
    ]


def refusals(findings: Iterable[Finding]) -> list[Finding]:
    """Those of ``findings`` that keep the service from starting."""
    return [finding for finding in findings if finding.verdict == "refuse"]
