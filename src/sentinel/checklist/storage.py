"""Checks of Redis and of the database."""

from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy.engine import make_url

from sentinel.checklist.facts import Facts, database_address, database_hosts, database_options
from sentinel.checklist.finding import Finding, check, refuse, warn
from sentinel.checklist.hosts import in_url, is_local, is_private
from sentinel.settings import Settings

DEV_REDIS_PASSWORDS = frozenset({"sentinel_dev", "redis_dev", "dev", "password", "changeme"})
"""What compose files and tutorials use: everybody knows them, so they are as good as none (R8)."""

DEV_DATABASE_USER = "identity"
DEV_DATABASE_PASSWORD = "identity_dev"  # noqa: S105 - published on purpose, refused by C-9
"""The development pair of the contract (R9). The password is refused for every user: it is known to all (R8)."""

TLS_MODES = frozenset({"require", "verify-ca", "verify-full"})
"""Values of the ``ssl`` option that never fall back to plain text."""

POSTGRESQL = "DATABASE_URL=postgresql+asyncpg://identity_prod:<password>@<host>:5432/<database>?ssl=require"


def redis_url(settings: Settings) -> SplitResult | None:
    """`REDIS_URL` in its parts, None when it is empty."""
    text = settings.redis_url.get_secret_value()
    return urlsplit(text) if text else None


def _redis_address(url: SplitResult) -> str:
    """Host and port, to be shown."""
    if "@" in url.path + url.query + url.fragment:
        # The password has a /, ? or # that is not percent-encoded, so what looks like host and port is part of it.
        return "<host>:6379"
    return f"{in_url(url.hostname or '')}:{url.port or 6379}"


def _redis_number(url: SplitResult) -> str:
    return url.path if url.path[1:].isdecimal() else "/0"


@check("C-3")
def redis_reachable(facts: Facts) -> Iterator[Finding]:
    """R7: workers share their counters through Redis, and only there."""
    url, workers = redis_url(facts.settings), facts.settings.web_concurrency
    if url is None:
        if workers > 1:
            yield refuse(
                "redis_missing",
                seen=f"WEB_CONCURRENCY is {workers} and REDIS_URL is empty",
                why="Each worker would count for itself, so every rate limit would be several times as high.",
                remedy="REDIS_URL=rediss://:<password>@<host>:6379/0",
            )
    elif facts.redis_problem:
        yield refuse(
            "redis_down",
            seen=f"Redis at {_redis_address(url)} does not answer PING: {facts.redis_problem}",
            why="The rate limits count there, and without it each process counts for itself.",
            remedy='redis-cli -u "$REDIS_URL" ping',
        )


@check("C-4")
def redis_password(facts: Facts) -> Iterator[Finding]:
    url = redis_url(facts.settings)
    if url is None:
        return
    why = "Whoever reaches the port can read and reset the rate limit counters."
    remedy = f"REDIS_URL={url.scheme}://:<password>@{_redis_address(url)}{_redis_number(url)}"
    password = unquote(url.password or "")
    if not password:
        yield refuse("redis_no_auth", seen="REDIS_URL carries no password", why=why, remedy=remedy)
    elif password.lower() in DEV_REDIS_PASSWORDS:
        seen = "REDIS_URL carries a published development password"
        yield refuse("redis_no_auth", seen=seen, why=why, remedy=remedy, published=True)


@check("C-5")
def redis_tls(facts: Facts) -> Iterator[Finding]:
    url = redis_url(facts.settings)
    if url is not None and url.scheme != "rediss" and not is_local(url.hostname or ""):
        yield warn(
            "redis_no_tls",
            seen=f"REDIS_URL is {url.scheme}:// and {_redis_address(url)} is another machine",
            why="The password and the counters cross the network in plain text.",
            remedy=f"REDIS_URL=rediss://:<password>@{_redis_address(url)}{_redis_number(url)}",
        )


@check("C-6")
def redis_certificate(facts: Facts) -> Iterator[Finding]:
    url = redis_url(facts.settings)
    if url is not None and url.scheme == "rediss" and facts.settings.redis_tls_verify != "required":
        yield refuse(
            "redis_no_cert_verify",
            seen=f"REDIS_URL is rediss:// and REDIS_TLS_VERIFY is {facts.settings.redis_tls_verify}",
            why="Anybody on the way can answer in the name of Redis and is sent the password.",
            remedy="REDIS_TLS_VERIFY=required",
        )


@check("C-9")
def database_credentials(facts: Facts) -> Iterator[Finding]:
    """R9, judged by what the driver will use."""
    settings = facts.settings
    options = database_options(settings)
    if settings.is_sqlite or options is None:
        return
    password = str(options.get("password") or "")
    if password and password != DEV_DATABASE_PASSWORD:
        return
    database = make_url(settings.database_url.get_secret_value()).database or "<database>"
    pair = options.get("user") == DEV_DATABASE_USER
    if password:
        seen = f"DATABASE_URL carries the published development {'user and password' if pair else 'password'}"
    else:
        seen = "DATABASE_URL carries no password"
    yield refuse(
        "default_db_credentials",
        seen=seen,
        why="Whoever reaches the port reads and changes everything: people, roles, shares.",
        remedy=f"DATABASE_URL=postgresql+asyncpg://identity_prod:<password>@{database_address(settings)}/{database}",
        published=bool(password),
    )


@check("C-10")
def database(facts: Facts) -> Iterator[Finding]:
    settings, address = facts.settings, database_address(facts.settings)
    if facts.database.problem:
        yield refuse(
            "db_down",
            seen=f"the database ({address}) cannot be used: {facts.database.problem}",
            why="The database holds everything, and without it no request can be answered.",
            remedy="DATABASE_URL=sqlite+aiosqlite:////<folder that this process may write>/sentinel.db"
            if settings.is_sqlite
            else f"Start the database, or correct {POSTGRESQL}",
        )
    if settings.is_sqlite:
        yield from _sqlite(settings, address)
        return
    far = [host for host in database_hosts(settings) if not is_local(host) and not is_private(host)]
    if far and (database_options(settings) or {}).get("ssl") not in TLS_MODES:
        yield warn(
            "db_no_tls",
            seen=f"DATABASE_URL demands no TLS and {', '.join(far)} is not on a private network",
            why="The password and everything that is read crosses the network in plain text.",
            remedy="Append ?ssl=require to DATABASE_URL",
        )


def _sqlite(settings: Settings, address: str) -> Iterator[Finding]:
    if settings.web_concurrency > 1:
        yield refuse(
            "db_sqlite_workers",
            seen=f"DATABASE_URL is SQLite and WEB_CONCURRENCY is {settings.web_concurrency}",
            why="SQLite takes one writer at a time, so several workers block one another.",
            remedy=f"WEB_CONCURRENCY=1, or {POSTGRESQL}",
        )
    yield warn(
        "db_sqlite",
        seen=f"DATABASE_URL is SQLite ({address})",
        why="The service then runs on one machine with one worker and cannot have replicas.",
        remedy=POSTGRESQL,
    )
