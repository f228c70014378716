"""Checks of what the world sees: session key, cookies, hosts, origins, public URL, rate limits."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from sentinel.apps.addresses import DEFAULT_PORTS
from sentinel.checklist.facts import Facts
from sentinel.checklist.finding import Finding, check, refuse, warn
from sentinel.checklist.hosts import in_url, is_local, is_private
from sentinel.settings import DEV_SESSION_SECRET, Settings

MINIMUM_SESSION_KEY = 32
"""Characters; ``secrets.token_urlsafe(32)`` gives 43, and 32 hexadecimal digits are the least that is random."""
REPETITIVE = 8
"""A key with fewer different characters was typed, not drawn: 32 random hexadecimal digits have 14 of 16."""

NEW_SESSION_KEY = "python3 -c \"import secrets; print('SESSION_SECRET_KEY=' + secrets.token_urlsafe(32))\""

_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")


def base_host(settings: Settings) -> str:
    """The host of ``BASE_URL``."""
    return urlsplit(settings.base_url).hostname or ""


@check("C-1")
def session_secret(facts: Facts) -> Iterator[Finding]:
    """R1, R1b: whoever knows the key can forge the state of a login; a previous key is as good as the current one."""
    settings = facts.settings
    if settings.tier == "internal":
        return
    variable = "SESSION_SECRET_KEY"
    yield from _session_key(variable, settings.session_secret_key.get_secret_value(), NEW_SESSION_KEY)
    for number, key in enumerate(settings.session_secret_key_previous, start=1):
        entry = f"entry {number} of {variable}_PREVIOUS"
        yield from _session_key(entry, key.get_secret_value(), f"{variable}_PREVIOUS=")


def _session_key(place: str, key: str, remedy: str) -> Iterator[Finding]:
    reason, key = "insecure_session", key.strip()
    why = "Whoever guesses the key that signs the login state can forge it and sign in as somebody else."
    if key == DEV_SESSION_SECRET:
        seen = f"{place} is the published development default"
        yield refuse(reason, seen=seen, why=why, remedy=remedy, published=True)
    elif not key:
        yield refuse(reason, seen=f"{place} is empty", why=why, remedy=remedy)
    elif len(key) < MINIMUM_SESSION_KEY:
        seen = f"{place} has fewer than {MINIMUM_SESSION_KEY} characters"
        yield refuse(reason, seen=seen, why=why, remedy=remedy)
    elif len(set(key)) < REPETITIVE:
        seen = f"{place} repeats a few characters, so it is not random"
        yield warn(reason, seen=seen, why=why, remedy=remedy)


@check("C-2")
def cookies(facts: Facts) -> Iterator[Finding]:
    if not facts.settings.cookie_secure:
        yield refuse(
            "insecure_cookie",
            seen="COOKIE_SECURE is false",
            why="Without it browsers send the session and admin cookies over plain HTTP, where they can be read.",
            remedy="COOKIE_SECURE=true",
        )


@check("C-7")
def allowed_hosts(facts: Facts) -> Iterator[Finding]:
    hosts = [host for host in facts.settings.effective_allowed_hosts if host]
    if not hosts or "*" in hosts:
        yield refuse(
            "allowed_hosts_wildcard",
            seen="ALLOWED_HOSTS holds *, so every Host header is served"
            if hosts
            else "ALLOWED_HOSTS is empty and no host can be taken from BASE_URL",
            why="Host validation is off, and requests under a foreign name reach the service.",
            remedy=f"ALLOWED_HOSTS={in_url(base_host(facts.settings)) or 'auth.example.com'}",
        )


@check("C-8")
def cors_origins(facts: Facts) -> Iterator[Finding]:
    """R5: exact origins. An entry in a spelling that no browser sends is told too: it has no effect."""
    refused, warned, good = [], [], []
    for number, entry in enumerate(facts.settings.cors_origins, start=1):
        fault, origin = _origin_fault(entry)
        local = is_local(urlsplit(origin).hostname or "")
        good.append(origin if local else origin.replace("http://", "https://"))
        # Never the entry itself: it may hold a password, or be something else that was pasted here.
        place = (
            f"entry {number} ({origin or entry})" if origin or entry in ("*", "null") else f"entry {number}"
        )
        if fault:
            refused.append(f"{place} {fault}")
        elif origin != entry:
            warned.append(f"{place} is not written as browsers send it")
        elif entry.startswith("http://") and not local:
            warned.append(f"{place} is plain http")
    remedy = f"CORS_ORIGINS={','.join(dict.fromkeys(filter(None, good))) or 'https://app.example.com'}"
    if refused:
        yield refuse(
            "cors_invalid",
            seen=f"CORS_ORIGINS: {'; '.join(refused)}",
            why="Only exact origins keep foreign pages from calling with the credentials of their visitor.",
            remedy=remedy,
        )
    if warned:
        yield warn(
            "cors_invalid",
            seen=f"CORS_ORIGINS: {'; '.join(warned)}",
            why="A page loaded over plain http can be changed on its way, and another spelling never matches.",
            remedy=remedy,
        )


def _origin_fault(entry: str) -> tuple[str | None, str]:
    """What keeps ``entry`` from being an origin, and the origin that it holds or may have been meant for."""
    if entry == "*":
        return "lets in every site", ""
    if entry == "null":
        return "is sent by every sandboxed frame and local file", ""
    if "*" in entry:
        return "holds a wildcard", ""
    try:
        url = urlsplit(entry)
        host, port = url.hostname or "", url.port
    except ValueError:
        return "is not a URL", ""
    if url.scheme not in DEFAULT_PORTS or not _HOST.fullmatch(in_url(host)):
        return "is not an http or https origin", ""
    origin = f"{url.scheme}://{in_url(host)}"
    if port not in (None, DEFAULT_PORTS[url.scheme]):
        origin += f":{port}"
    if "@" in url.netloc:
        return "holds a user name or password", origin
    if url.path or "?" in entry or "#" in entry:
        return "has a path, a query or a final slash", origin
    return None, origin


@check("C-13")
def base_url(facts: Facts) -> Iterator[Finding]:
    url, host = facts.settings.base_url, base_host(facts.settings)
    why = "It is the issuer of every token and the start of every callback, so it has to be the public https URL."
    if is_local(host):
        seen = f"BASE_URL is {url}, which is this machine alone"
        yield warn("base_url_insecure", seen=seen, why=why, remedy="BASE_URL=https://auth.example.com")
    elif url.startswith("http://") and not is_private(host):
        remedy = f"BASE_URL=https://{url.removeprefix('http://')}"
        yield warn(
            "base_url_insecure", seen=f"BASE_URL is {url}: plain http in public", why=why, remedy=remedy
        )


@check("C-14")
def admin_host(facts: Facts) -> Iterator[Finding]:
    admin, base = urlsplit(facts.settings.admin_url).hostname, base_host(facts.settings)
    if admin != base:
        yield warn(
            "admin_host_mismatch",
            seen=f"ADMIN_URL is on {admin}, BASE_URL on {base}",
            why="The admin cookie is set for the host of BASE_URL, so a panel on another host does not get it.",
            remedy=f"ADMIN_URL={facts.settings.base_url}/admin",
        )


@check("C-15")
def proxy(facts: Facts) -> Iterator[Finding]:
    settings = facts.settings
    if settings.base_url.startswith("https://") and not settings.behind_proxy:
        yield warn(
            "proxy_not_declared",
            seen="BASE_URL is https and BEHIND_PROXY is false",
            why="TLS ends at a proxy, so all clients seem to have its address and share one rate limit.",
            remedy="BEHIND_PROXY=true",
        )


@check("C-16")
def rate_limits(facts: Facts) -> Iterator[Finding]:
    if not facts.settings.rate_limit_enabled:
        yield refuse(
            "rate_limit_disabled",
            seen="RATE_LIMIT_ENABLED is false",
            why="Nothing slows down whoever tries credentials or floods the service.",
            remedy="RATE_LIMIT_ENABLED=true",
        )
