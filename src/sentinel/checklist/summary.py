"""The ten items of the production checklist, and findings as text (``configuration.md`` §5)."""

from collections.abc import Sequence

from sentinel.checklist.finding import Finding
from sentinel.settings import Settings

Item = tuple[int, str, bool]


def summary(findings: Sequence[Finding], settings: Settings) -> list[Item]:
    """Number, text and whether it is satisfied, for each of the ten items.

    ``findings`` are all that :func:`sentinel.checklist.run` made of ``settings``. Some items ask for more than the
    absence of a finding: hosts and origins that were written down, a proxy that was declared.
    """
    found = {finding.id for finding in findings}
    reasons = {finding.reason for finding in findings}
    published = any(finding.published for finding in findings)
    proxied = settings.base_url.startswith("https://") and settings.behind_proxy
    fresh_keys = not {"jwt_key_invalid", "dev_jwt_key"} & reasons
    return [
        (1, "session key random, at least 32 characters", "C-1" not in found),
        (2, "at least one active service app", not {"no_active_service_app", "db_down"} & reasons),
        (3, "COOKIE_SECURE=true", settings.cookie_secure),
        (4, "ALLOWED_HOSTS explicit, no *", bool(settings.allowed_hosts) and "C-7" not in found),
        (
            5,
            "CORS_ORIGINS explicit, no *",
            "cors_origins" in settings.model_fields_set and "C-8" not in found,
        ),
        (6, "TLS proxy in front (BASE_URL https, BEHIND_PROXY=true)", proxied),
        (
            7,
            "rate limiting on; Redis configured and reachable when there is more than one worker",
            not {"C-3", "C-16"} & found,
        ),
        (8, "fresh, non-development RSA key pair", fresh_keys),
        (9, "no known committed value in use (the secret scanner of CI is not asked here)", not published),
        (10, "database credentials not the development pair", "C-9" not in found),
    ]


def report_text(findings: Sequence[Finding]) -> str:
    """All ``findings`` for people to read, each with its reason and its remedy; plain text."""
    refused = sum(finding.verdict == "refuse" for finding in findings)
    if refused:
        head = f"This configuration is not safe to serve; {_count(refused, 'finding')} must be mended first."
    elif findings:
        head = f"This configuration can be served, with {_count(len(findings), 'warning')}."
    else:
        head = "The checklist finds nothing wrong with this configuration."
    return "\n\n".join([head, *("\n".join(block(finding)) for finding in findings)])


def block(finding: Finding) -> list[str]:
    """The lines of one finding; the first holds id, reason code, verdict and what was seen."""
    return [
        f"{finding.id}  {finding.reason}  {finding.verdict}: {finding.seen}",
        f"    why:  {finding.why}",
        f"    mend: {finding.remedy}",
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
