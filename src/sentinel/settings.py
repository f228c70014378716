"""Every variable that Sentinel reads, typed and checked: ``configuration.md`` §1 and §2.

``Settings.load()`` reads the environment and ``.env``; ``Settings(...)`` takes explicit values and reads
nothing. Whether a valid configuration is also a *safe* one is for the checks of ``checklist/`` to say.
"""

import ast
import base64
import binascii
import inspect
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from dotenv.parser import parse_stream
from pydantic import BeforeValidator, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core.core_schema import ValidationInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

DEV_SESSION_SECRET = "dev-only-change-me-in-production"  # noqa: S105 - published on purpose, refused by C-1
SQLITE_URL = "sqlite+aiosqlite:///data/sentinel.db"

RESERVED_PROVIDERS = frozenset({"google", "github", "entra_id", "test_oidc", "admin"})
MULTI_TENANT_ENTRA = frozenset({"common", "organizations", "consumers"})
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_SECRETS = {
    "session_secret_key",
    "session_secret_key_previous",
    "database_url",
    "redis_url",
    "google_client_secret",
    "github_client_secret",
    "entra_client_secret",
}
_OIDC_PARTS = ("client_id", "client_secret", "metadata_url", "label")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*")
_RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """One variable that cannot be used: what is wrong and how to mend it; never the value of a secret."""

    variable: str
    message: str
    reason: str = "invalid_value"

    def __str__(self) -> str:
        return f"{self.variable}: {self.message}"


class SettingsError(Exception):
    """The configuration cannot be used. The text lists every problem, one a line."""

    def __init__(self, problems: Iterable[SettingsProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class _Refusal(ValueError):
    """Raised by a validator whose problems lie with other variables, or have a reason code of their own."""

    def __init__(self, *problems: SettingsProblem) -> None:
        self.problems = problems
        super().__init__("; ".join(map(str, problems)))


@dataclass(frozen=True, slots=True)
class RateLimit:
    """``count`` requests in each ``per``: second, minute, hour or day. ``str()`` gives ``<count>/<per>``."""

    count: int
    per: str

    @property
    def seconds(self) -> int:
        """Length of the window in seconds."""
        return _SECONDS[self.per]

    def __str__(self) -> str:
        return f"{self.count}/{self.per}"


@dataclass(frozen=True, slots=True)
class OidcProviderSettings:
    """One further OIDC issuer, from ``OIDC_PROVIDERS`` and the ``OIDC_<NAME>_*`` variables."""

    name: str
    client_id: str
    client_secret: SecretStr
    metadata_url: str
    label: str


# ── how a value is read: each function takes the text (or an already typed value) and raises ValueError ──


def _text(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _filled(value: Any) -> Any:
    if _text(value) in ("", None):
        raise ValueError("is empty; give it a value, or remove it to get the default")
    return _text(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    match str(value).strip().lower():
        case "true" | "1" | "yes":
            return True
        case "false" | "0" | "no":
            return False
    raise ValueError(f"{_seen(value)} is neither yes nor no; use true or false")


def _whole(minimum: int, maximum: int | None = None) -> BeforeValidator:
    wanted = (
        f"a whole number of {minimum} or more"
        if maximum is None
        else f"a whole number, {minimum} to {maximum}"
    )

    def read(value: Any) -> int:
        text = str(value).strip()
        # The bound on the length keeps int() cheap and clear of the interpreter's own limit on digits.
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,12}", text):
            raise ValueError(f"{_seen(value)} is not a number; give {wanted}")
        if int(text) < minimum or (maximum is not None and int(text) > maximum):
            raise ValueError(f"{text} is out of range; give {wanted}")
        return int(text)

    return BeforeValidator(read)


def _one_of(*choices: str, reason: str | None = None) -> BeforeValidator:
    known = {choice.lower(): choice for choice in choices}

    def read(value: Any, info: ValidationInfo) -> str:
        choice = known.get(str(value).strip().lower())
        if choice is None:
            message = f"{_seen(value)} is not known; use one of {', '.join(choices)}"
            if reason:
                raise _Refusal(SettingsProblem(str(info.field_name).upper(), message, reason))
            raise ValueError(message)
        return choice

    return BeforeValidator(read)


def _list(value: Any) -> Any:
    items = value.split(",") if isinstance(value, str) else value
    return tuple(item for item in map(_text, items) if item)


def _secrets(value: Any) -> tuple[SecretStr, ...]:
    return tuple(item if isinstance(item, SecretStr) else SecretStr(item) for item in _list(_plain(value)))


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _emails(value: Any) -> tuple[str, ...]:
    emails = dict.fromkeys(item.lower() for item in _list(value))
    for number, email in enumerate(emails, start=1):
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
            raise ValueError(f"entry {number} is not an e-mail address; separate addresses by commas")
    return tuple(emails)


def _hosts(value: Any) -> tuple[str, ...]:
    hosts = dict.fromkeys(item.lower() for item in _list(value))
    for host in hosts:
        if host == "*" or _HOST.fullmatch(host):
            continue
        if "*" in host:
            raise ValueError(
                f"{_seen(host)} is a pattern; write out each host name ('*' alone switches the check off)"
            )
        if re.fullmatch(r".+:[0-9]+", host):
            raise ValueError(f"{_seen(host)} has a port; give the host name alone, it is matched on any port")
        raise ValueError(
            "has an entry that is not a host name; give names such as auth.example.com, no scheme, no path"
        )
    return tuple(hosts)


def _split_url(text: str, schemes: tuple[str, ...]) -> SplitResult:
    """Split ``text``; raise ValueError unless it has one of ``schemes``, a plain host and no user info."""
    example = f"{schemes[-1]}://auth.example.com"
    if re.search(r"[\x00-\x20\x7f\\]", text):
        raise ValueError(f"holds a blank, a control character or a backslash; give a URL such as {example}")
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        raise ValueError(f"is not a URL; give one such as {example}") from None
    if url.scheme not in schemes or not host:
        raise ValueError(f"is not an absolute {' or '.join(schemes)} URL; give one such as {example}")
    if "@" in url.netloc:
        raise ValueError("holds a user name or password; remove everything up to the @")
    if port == 0 or url.netloc.endswith(":"):
        raise ValueError("has an impossible port; give one from 1 to 65535, or none")
    if not _HOST.fullmatch(_bracketed(host)):
        raise ValueError("has a host that is not a plain name; write international names in their xn-- form")
    return url


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _base_url(value: Any) -> str:
    url = _split_url(str(_filled(value)), ("http", "https"))
    if "?" in str(value) or "#" in str(value):
        raise ValueError("has a query or a fragment; end the URL after its path")
    path = url.path.rstrip("/")
    if not _PATH.fullmatch(path):
        raise ValueError("has an unusual path; use letters, digits and . _ ~ - between single slashes")
    # Scheme and host in lower case (RFC 3986 §6.2.2.1), as browsers write the origin that we compare with.
    return f"{url.scheme}://{url.netloc.lower()}{path}"


def _database_url(value: Any) -> SecretStr:
    text = str(_plain(value) or "").strip() or SQLITE_URL
    text = re.sub(r"^postgres(ql)?://", "postgresql+asyncpg://", text)
    if not text.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite://")):
        raise ValueError(
            "has a scheme that is not supported; use postgresql+asyncpg:// or sqlite+aiosqlite:///path"
        )
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError(
            "is not a database URL; use postgresql+asyncpg://user:password@host:5432/name, "
            "with special characters of the password percent-encoded"
        ) from None
    if url.get_backend_name() == "postgresql":
        # asyncpg knows the option as ssl; sslmode is libpq's word for it and what hosting providers print.
        modes = {str(url.query[key]) for key in ("ssl", "sslmode") if key in url.query}
        if len(modes) > 1 or not modes <= set(SSL_MODES):
            raise ValueError(f"has an unknown TLS option; use ?ssl= with one of {', '.join(SSL_MODES)}")
        url = url.difference_update_query(["sslmode"]).update_query_pairs([("ssl", mode) for mode in modes])
    return SecretStr(url.render_as_string(hide_password=False))


def _redis_url(value: Any) -> SecretStr:
    text = str(_plain(value) or "").strip()
    if text:
        try:
            url = urlsplit(text)
            usable = url.scheme in ("redis", "rediss") and bool(url.hostname) and url.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(
                "is not a Redis URL; use redis://user:password@host:6379/0 or rediss:// for TLS, "
                "with special characters of the password percent-encoded"
            )
    return SecretStr(text)


def _rate(value: Any) -> RateLimit:
    if isinstance(value, RateLimit):
        return value
    found = _RATE.fullmatch(str(value).strip())
    if not found:
        raise ValueError(
            f"{_seen(value)} is not a rate limit; write <n>/<second|minute|hour|day>, such as 60/minute"
        )
    return RateLimit(int(found[1]), found[2])


def _rate_or_off(value: Any) -> RateLimit | None:
    return None if _text(value) in ("", None) else _rate(value)


def _tenant(value: Any) -> str:
    tenant = str(value).strip()
    if tenant.lower() in MULTI_TENANT_ENTRA:
        message = f"{_seen(tenant)} lets in every tenant; give the id or domain of your own tenant"
        raise _Refusal(SettingsProblem("ENTRA_TENANT_ID", message, "entra_multi_tenant"))
    return tenant


def _public_key(value: Any) -> str:
    text = str(value).strip()
    if text and not text.startswith("-----BEGIN"):
        try:
            text = base64.b64decode("".join(text.split()), validate=True).decode("ascii").strip()
        except (binascii.Error, ValueError):
            raise ValueError(
                "is neither PEM nor base64 of PEM; give the public key of the test issuer"
            ) from None
    if text:
        try:
            load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError(
                "holds no PEM public key; it must begin with -----BEGIN PUBLIC KEY-----"
            ) from None
    return text


def _seen(value: Any) -> str:
    """A refused value as shown to people; only for variables that are no secrets."""
    return repr(str(value)[:40])


Flag = Annotated[bool, BeforeValidator(_flag)]
Text = Annotated[str, BeforeValidator(_text)]
FilledText = Annotated[str, BeforeValidator(_filled)]
FilePath = Annotated[Path, BeforeValidator(_filled)]
BaseUrl = Annotated[str, BeforeValidator(_base_url)]
Rate = Annotated[RateLimit, BeforeValidator(_rate)]
RateOrOff = Annotated[RateLimit | None, BeforeValidator(_rate_or_off)]
BaseUrlOrEmpty = Annotated[str, BeforeValidator(lambda value: _base_url(value) if _text(value) else "")]
Tier = Annotated[
    Literal["all", "public", "internal"], _one_of("all", "public", "internal", reason="bad_tier")
]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    _one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
]
EMPTY = SecretStr("")


class Settings(BaseSettings):
    """The configuration of one process. Field names are the names of the variables in lower case."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    # Core
    debug: Flag = False
    """Development mode: API docs on, start-up checks only warn, service-key exception possible."""
    tier: Tier = "all"
    """Which routes this process serves: all, public or internal."""
    service_host: FilledText = "127.0.0.1"
    """Address to listen on; the container image sets 0.0.0.0."""
    service_port: Annotated[int, _whole(0, 65535)] = 9003
    """Port to listen on, 1 to 65535; the internal tier uses 9010 by convention, 0 takes any free port."""
    web_concurrency: Annotated[int, _whole(1)] = 1
    """Number of worker processes of `sentinel serve`."""
    metrics_port: Annotated[int, _whole(0, 65535)] = 0
    """Port of `/metrics` for Prometheus, one for all workers and never the public one; 0 means off."""
    metrics_host: FilledText = "127.0.0.1"
    """Address that the port of `/metrics` listens on; it has no authentication, so keep it on a private network."""
    base_url: BaseUrl = "http://localhost:9003"
    """Public URL of the service: issuer of its tokens and base of the OAuth callbacks."""
    frontend_url: BaseUrl = "http://localhost:3000"
    """URL of the default application; informational."""
    admin_url: BaseUrlOrEmpty = ""
    """URL of the admin panel, where admins land after signing in; empty means `{BASE_URL}/admin`."""
    admin_emails: Annotated[tuple[str, ...], BeforeValidator(_emails)] = ()
    """Addresses that become admin at their first sign-in, separated by commas."""

    # Storage
    database_url: Annotated[SecretStr, BeforeValidator(_database_url)] = EMPTY
    """Database: `postgresql+asyncpg://` (with `?ssl=require` for TLS) or, on one machine with one worker,
    `sqlite+aiosqlite:///path`; empty means embedded SQLite at `data/sentinel.db`."""
    redis_url: Annotated[SecretStr, BeforeValidator(_redis_url)] = EMPTY
    """`redis://` or `rediss://` server of the counters shared by all workers; empty keeps them in process."""
    redis_tls_ca_cert: Annotated[Path | None, BeforeValidator(lambda value: _text(value) or None)] = None
    """File with the CA certificate for a `rediss://` server."""
    redis_tls_verify: Annotated[Literal["none", "required"], _one_of("none", "required")] = "none"
    """Whether the certificate of a `rediss://` server is verified: none or required."""

    # Tokens and keys
    jwt_private_key_path: FilePath = Path("keys/private.pem")
    """File with the current signing key, PEM."""
    jwt_public_key_path: FilePath = Path("keys/public.pem")
    """File with the public half of the current signing key, PEM."""
    jwt_previous_public_key_paths: Annotated[tuple[Path, ...], BeforeValidator(_list)] = ()
    """Files with retired public keys that still verify tokens, separated by commas."""
    jwt_algorithm: Text = "RS256"
    """Signature algorithm of the tokens; only RS256 is supported."""
    access_token_expire_minutes: Annotated[int, _whole(1, 60)] = 15
    """Life of an access token in minutes, 1 to 60."""
    refresh_token_expire_days: Annotated[int, _whole(1, 90)] = 7
    """Life of a refresh token in days, 1 to 90."""
    admin_token_expire_minutes: Annotated[int, _whole(5, 720)] = 60
    """Life of an admin session and of its cookie in minutes, 5 to 720."""
    authz_token_expire_minutes: Annotated[int, _whole(1, 60)] = 5
    """Life of an authorization token in minutes, 1 to 60; above 15 draws a warning."""
    refresh_family_max_days: Annotated[int, _whole(0)] = 30
    """Days after which a refresh family ends however often it was used; 0 means never."""
    refresh_reuse_grace_seconds: Annotated[int, _whole(0, 60)] = 0
    """Seconds in which a repeated use of a refresh token is forgiven, 0 to 60."""

    # Sign-in providers
    google_client_id: Text = ""
    """Client id of the Google OIDC client."""
    google_client_secret: SecretStr = EMPTY
    """Client secret of the Google OIDC client."""
    github_client_id: Text = ""
    """Client id of the GitHub OAuth app."""
    github_client_secret: SecretStr = EMPTY
    """Client secret of the GitHub OAuth app."""
    entra_client_id: Text = ""
    """Client id of the Microsoft Entra ID app registration."""
    entra_client_secret: SecretStr = EMPTY
    """Client secret of the Microsoft Entra ID app registration."""
    entra_tenant_id: Annotated[str, BeforeValidator(_tenant)] = ""
    """The one Microsoft Entra ID tenant whose people may sign in."""
    oidc_providers: Annotated[tuple[str, ...], BeforeValidator(_list)] = ()
    """Names of further OIDC issuers, separated by commas; each needs `OIDC_<NAME>_CLIENT_ID`,
    `OIDC_<NAME>_CLIENT_SECRET` and `OIDC_<NAME>_METADATA_URL`, and may have an `OIDC_<NAME>_LABEL`."""
    oidc: tuple[OidcProviderSettings, ...] = ()
    """The issuers of OIDC_PROVIDERS with their settings; not a variable of its own."""
    test_trusted_issuer_pubkey: Annotated[str, BeforeValidator(_public_key)] = ""
    """Public key (PEM or base64 of PEM) of the static-key test provider `test_oidc`."""
    test_trusted_issuer: Text = ""
    """Issuer of the static-key test provider `test_oidc`."""
    test_trusted_audience: Text = ""
    """Audience of the static-key test provider `test_oidc`."""

    # Web security
    session_secret_key: SecretStr = SecretStr(DEV_SESSION_SECRET)
    """Key that signs the login session (OAuth state, PKCE): random, at least 32 characters."""
    session_secret_key_previous: Annotated[tuple[SecretStr, ...], BeforeValidator(_secrets)] = ()
    """Older session keys that are still accepted for reading while rotating, separated by commas."""
    cookie_secure: Flag = False
    """Whether all cookies carry `Secure` and HSTS is sent."""
    allowed_hosts: Annotated[tuple[str, ...], BeforeValidator(_hosts)] = ()
    """Accepted host names, separated by commas; empty means those of BASE_URL and ADMIN_URL, `*` is any."""
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_list)] = (
        "http://localhost:3000",
        "http://localhost:9101",
    )
    """Origins of front ends that may call from a browser, separated by commas."""
    behind_proxy: Flag = False
    """Whether the client address is read from X-Forwarded-For."""
    trusted_proxy_count: Annotated[int, _whole(1, 10)] = 1
    """Number of proxies that append to X-Forwarded-For, 1 to 10."""
    allow_workspace_create: Flag = True
    """Whether ordinary users may create workspaces (`POST /workspaces`)."""

    # Rate limits
    rate_limit_enabled: Flag = True
    """Whether requests are limited at all."""
    rate_limit_default: RateOrOff = RateLimit(120, "minute")
    """Limit per address and route, for routes without one of their own; empty means off."""
    rate_limit_aggregate: RateOrOff = RateLimit(300, "minute")
    """Limit per address over all routes without one of their own; empty means off."""
    rate_limit_auth: Rate = RateLimit(10, "minute")
    """Limit of signing in, per address and route."""
    rate_limit_auth_admin: Rate = RateLimit(5, "minute")
    """Limit of signing in to the admin panel, per address and route."""
    rate_limit_authz_resolve: Rate = RateLimit(60, "minute")
    """Limit of `/authz/resolve`, per service and identity token."""
    rate_limit_read: Rate = RateLimit(60, "minute")
    """Limit of reads, per user or service."""
    rate_limit_admin_write: Rate = RateLimit(10, "minute")
    """Limit of changes in the admin panel, per admin."""
    rate_limit_sensitive: Rate = RateLimit(5, "minute")
    """Limit of sensitive actions in the admin panel, per admin."""
    rate_limit_service: Rate = RateLimit(6000, "minute")
    """Limit of calls with a service key, per service."""
    rate_limit_failed_auth: Rate = RateLimit(30, "minute")
    """Limit of credentials that look forged, per address."""

    # Signals, logging, retention, self-serve
    signals_enabled: Flag = True
    """Whether anomaly signals are raised."""
    signal_impossible_travel_kmh: Annotated[int, _whole(1)] = 900
    """Speed in km/h above which two sign-ins of one person are impossible travel."""
    signal_stuffing_window_minutes: Annotated[int, _whole(1)] = 15
    """Window of the failure counters in minutes."""
    signal_stuffing_failures: Annotated[int, _whole(1)] = 10
    """Failures from one address within the window that, with the distinct addresses, raise a signal."""
    signal_stuffing_distinct_emails: Annotated[int, _whole(1)] = 5
    """Distinct e-mail addresses among the failures within the window that raise a signal."""
    log_level: LogLevel = "INFO"
    """Lowest level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL."""
    log_format: Annotated[Literal["json", "console"], _one_of("json", "console")] = "json"
    """Form of the log lines: json, or console for people."""
    log_pii_redaction: Flag = True
    """Whether personal data is redacted from log lines."""
    activity_retention_days: Annotated[int, _whole(0)] = 0
    """Days for which activity rows are kept; 0 means for ever."""
    self_serve_enabled: Flag = False
    """Whether the self-serve module is on."""
    self_serve_max_workspaces_per_user: Annotated[int, _whole(0)] = 1
    """Workspaces that one person may create by self-serve; 0 allows joining only."""
    self_serve_max_creates_per_hour: Annotated[int, _whole(1)] = 30
    """Workspaces that may be created by self-serve in an hour."""

    def __init__(self, **values: Any) -> None:
        """Take each value typed or as the text of its variable; the environment is not looked at."""
        super().__init__(**values)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit values only; ``load`` reads the environment itself, to report every problem at once."""
        return (init_settings,)

    @classmethod
    def load(cls, env: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Self:
        """Read the settings from ``env`` (the process environment if None), then from ``env_file``.

        A missing ``env_file`` is fine. Raises :class:`SettingsError` with every problem found.
        """
        problems: list[SettingsProblem] = []
        given = _read_env_file(env_file, problems) | _lower(os.environ if env is None else env)
        known = set(cls.model_fields) - {"oidc"}
        for name in _list(given.get("oidc_providers", "")):
            known |= {f"oidc_{name}_{part}".lower() for part in _OIDC_PARTS}
        values = {name: value for name, value in given.items() if name in known}
        for name in sorted(known):
            if name in _SECRETS or name.endswith("_client_secret"):
                _read_secret_file(name, given, values, problems)
        try:
            settings = cls(**values)
        except ValidationError as error:
            # A secret whose file was refused is not also missing.
            refused = {problem.variable.removesuffix("_FILE") for problem in problems}
            problems += [problem for problem in _problems_of(error) if problem.variable not in refused]
        if problems:
            raise SettingsError(problems)
        return settings

    @model_validator(mode="before")
    @classmethod
    def _gather_oidc(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Move the ``oidc_<name>_<part>`` values into ``oidc``, the field whose validator judges them."""
        parts = {key: data[key] for key in data if re.fullmatch(rf"oidc_.+_({'|'.join(_OIDC_PARTS)})", key)}
        data = {key: value for key, value in data.items() if key not in parts}
        if "oidc" in data:
            data.setdefault("oidc_providers", tuple(provider.name for provider in data["oidc"]))
        else:
            data["oidc"] = parts
        return data

    @field_validator("admin_url")
    @classmethod
    def _default_admin_url(cls, value: str, info: ValidationInfo) -> str:
        return value or f"{info.data.get('base_url', '')}/admin"

    @field_validator("metrics_port")
    @classmethod
    def _check_metrics_port(cls, port: int, info: ValidationInfo) -> int:
        if port and port == info.data.get("service_port"):
            raise ValueError("is SERVICE_PORT, which is public; give /metrics another port")
        return port

    @field_validator("oidc_providers")
    @classmethod
    def _check_oidc_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise ValueError(
                    f"{_seen(name)} is not a provider name; use lower-case letters, digits and _"
                )
            if name in RESERVED_PROVIDERS:
                raise ValueError(f"{_seen(name)} is a name of the service's own; choose another")
        if len(set(names)) < len(names):
            raise ValueError("names a provider twice; remove one of them")
        return names

    @field_validator("oidc", mode="before")
    @classmethod
    def _build_oidc(cls, value: Any, info: ValidationInfo) -> Any:
        names = info.data.get("oidc_providers", ())
        if not isinstance(value, dict):
            if tuple(provider.name for provider in value) != names:
                raise ValueError(
                    "does not match OIDC_PROVIDERS; give one of the two, or the same names in both"
                )
            return value
        providers, problems = [], []
        for name in names:
            part = {key: str(_plain(value.get(f"oidc_{name}_{key}", ""))).strip() for key in _OIDC_PARTS}
            variable = f"OIDC_{name}_".upper()
            for key in ("client_id", "client_secret", "metadata_url"):
                if not part[key]:
                    message = f"is missing; set it, or take {_seen(name)} out of OIDC_PROVIDERS"
                    problems.append(SettingsProblem(variable + key.upper(), message))
            try:
                if (
                    part["metadata_url"]
                    and "#" in _split_url(part["metadata_url"], ("http", "https")).geturl()
                ):
                    raise ValueError("has a fragment; end the URL before the #")
            except ValueError as error:
                problems.append(SettingsProblem(f"{variable}METADATA_URL", str(error)))
            label = part["label"] or name.replace("_", " ").title()
            secret = SecretStr(part["client_secret"])
            providers.append(
                OidcProviderSettings(name, part["client_id"], secret, part["metadata_url"], label)
            )
        if problems:
            raise _Refusal(*problems)
        return tuple(providers)

    @field_validator("test_trusted_audience")
    @classmethod
    def _check_test_trusted(cls, value: str, info: ValidationInfo) -> str:
        # A key that was refused above is absent from info.data, and is a problem of its own already.
        three = {
            "TEST_TRUSTED_ISSUER_PUBKEY": info.data.get("test_trusted_issuer_pubkey", "refused"),
            "TEST_TRUSTED_ISSUER": info.data.get("test_trusted_issuer", "refused"),
            "TEST_TRUSTED_AUDIENCE": value,
        }
        missing = [variable for variable, given in three.items() if not given]
        if 0 < len(missing) < 3:
            message = "is missing; set all three TEST_TRUSTED_* variables or none"
            raise _Refusal(*(SettingsProblem(variable, message) for variable in missing))
        return value

    @property
    def session_keys(self) -> list[str]:
        """The session keys that are accepted, the one that signs first."""
        keys = (self.session_secret_key, *self.session_secret_key_previous)
        return [key.get_secret_value() for key in keys]

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite: one worker, one machine."""
        return self.database_url.get_secret_value().startswith("sqlite")

    @property
    def effective_allowed_hosts(self) -> tuple[str, ...]:
        """Host names that are served, lower-case, without port; an IPv6 address keeps its brackets."""
        derived = (_bracketed(urlsplit(url).hostname or "") for url in (self.base_url, self.admin_url))
        return self.allowed_hosts or tuple(dict.fromkeys(derived))


def meanings() -> dict[str, str]:
    """What each variable is for, on one line, by the name of its field: the text below it in :class:`Settings`.

    Read from the source each time, which is for those who write about variables: pydantic would do it whenever the
    service starts.
    """
    [definition] = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _lower(variables: Mapping[str, str]) -> dict[str, str]:
    """Names in lower case; of two that differ only by case the upper-case one counts."""
    return {name.lower(): variables[name] for name in sorted(variables, key=str.isupper)}


def _read_env_file(path: Path | None, problems: list[SettingsProblem]) -> dict[str, str]:
    """The variables of a ``.env`` file, taken literally: ``${…}`` is not expanded, a secret may hold it."""
    try:
        if path is None or not path.is_file():
            return {}
        bindings = list(parse_stream(StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError):
        problems.append(
            SettingsProblem(str(path), "cannot be read as UTF-8 text; mend its permissions or encoding")
        )
        return {}
    for binding in bindings:
        if binding.error:
            line = binding.original.line
            problems.append(SettingsProblem(str(path), f"line {line} cannot be understood; write NAME=value"))
    return _lower(
        {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}
    )


def _read_secret_file(
    name: str, given: Mapping[str, str], values: dict[str, str], problems: list[SettingsProblem]
) -> None:
    """Put the content of the file that ``<NAME>_FILE`` points to into ``values``, if it is given."""
    path = given.get(f"{name}_file", "").strip()
    if not path:
        return
    message = None
    if values.get(name):
        message = f"is set beside {name.upper()}; remove one of them"
    else:
        try:
            values[name] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError, ValueError):
            message = "names a file that cannot be read as text; mend the path or its permissions"
        else:
            # An empty database file would otherwise fall back to embedded SQLite without a word.
            message = None if values[name] else "names an empty file; write the secret into it"
    if message:
        problems.append(SettingsProblem(f"{name}_FILE".upper(), message))


def _problems_of(error: ValidationError) -> list[SettingsProblem]:
    problems: list[SettingsProblem] = []
    for entry in error.errors(include_url=False, include_input=False):
        cause = entry.get("ctx", {}).get("error")
        if isinstance(cause, _Refusal):
            problems += cause.problems
        else:
            variable = "_".join(map(str, entry["loc"][:1])).upper()
            problems.append(SettingsProblem(variable, str(cause) if cause else entry["msg"]))
    return problems
