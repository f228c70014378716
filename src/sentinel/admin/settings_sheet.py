"""The configuration as administrators may read it: never a secret, not even a part of one (``admin.md`` §3)."""

import asyncio
import hmac
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.api.state import State
from sentinel.apps.models import ServiceApp
from sentinel.audit import activity
from sentinel.checklist.operation import sign_in_providers
from sentinel.settings import DEV_SESSION_SECRET, RateLimit, Settings
from sentinel.tokens import key_files
from sentinel.tokens.models import RevokedToken

BUILT_IN = ("google", "github", "entra_id")
COUNTED = {
    "default": "per address and route, where nothing else is said",
    "aggregate": "per address, over those routes together",
    "auth": "per address and route of signing in",
    "auth-admin": "per address and route of signing in to the panel",
    "resolve": "per service and identity token",
    "read": "per person or service",
    "admin-write": "per administrator",
    "sensitive": "per administrator",
    "service": "per service key",
    "failed-auth": "per address, credentials that look forged",
}
"""Whom each limit counts."""


@dataclass(frozen=True, slots=True)
class ProviderState:
    name: str
    configured: bool


@dataclass(frozen=True, slots=True)
class Jwt:
    """Lifetimes and keys of the tokens; ``denylist_count`` are single tokens revoked before their end."""

    algorithm: str
    access_token_expire_minutes: int
    refresh_token_expire_days: int
    public_key_preview: str
    denylist_count: int
    authz_token_expire_minutes: int
    admin_token_expire_minutes: int
    kid: str
    previous_kids: list[str]


@dataclass(frozen=True, slots=True)
class Security:
    """``session_secret_configured`` is false for the published development value."""

    cookie_secure: bool
    allowed_hosts: list[str]
    cors_origins: list[str]
    session_secret_configured: bool
    admin_emails: list[str]


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate limit by its name in the configuration, such as ``120/minute`` or ``off``."""

    endpoint: str
    limit: str


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A service app and the public beginning of its key."""

    name: str
    preview: str


@dataclass(frozen=True, slots=True)
class Addresses:
    base_url: str
    frontend_url: str
    admin_url: str


@dataclass(frozen=True, slots=True)
class SelfServe:
    enabled: bool
    max_workspaces_per_user: int
    max_creates_per_hour: int


@dataclass(frozen=True, slots=True)
class SettingsSheet:
    """Everything on the page and in the answer of ``GET /admin/api/system/settings``."""

    oauth_providers: list[ProviderState]
    jwt: Jwt
    security: Security
    rate_limits: list[Limit]
    service_keys: list[ServiceKey]
    service: Addresses
    self_serve: SelfServe


async def show(session: AsyncSession, state: State, *, actor_id: UUID) -> SettingsSheet:
    """The configuration of this process, and the note in the activity log that somebody has read it."""
    settings, now = state.settings, state.now()
    denied = (
        sa.select(sa.func.count())
        .select_from(RevokedToken)
        .where(RevokedToken.expires_at > now)
        .scalar_subquery()
    )
    keys = (
        await session.execute(
            sa.select(sa.literal(0).label("denied"), ServiceApp.name, ServiceApp.key_prefix).union_all(
                sa.select(denied, sa.null(), sa.null())
            )
        )
    ).all()
    await activity.record(
        session,
        "view_system_settings",
        target_type="system",
        target_id=activity.SYSTEM_TARGET,
        actor_id=actor_id,
        now=now,
    )
    named = sorted((row for row in keys if row.name is not None), key=lambda row: row.name.lower())
    kid, *previous = state.keyring.kids
    preview = await asyncio.to_thread(key_files.preview, settings.jwt_public_key_path)
    return SettingsSheet(
        oauth_providers=_providers(settings),
        jwt=Jwt(
            algorithm=settings.jwt_algorithm,
            access_token_expire_minutes=settings.access_token_expire_minutes,
            refresh_token_expire_days=settings.refresh_token_expire_days,
            public_key_preview=preview or "",
            denylist_count=sum(row.denied for row in keys),
            authz_token_expire_minutes=settings.authz_token_expire_minutes,
            admin_token_expire_minutes=settings.admin_token_expire_minutes,
            kid=kid,
            previous_kids=previous,
        ),
        security=Security(
            cookie_secure=settings.cookie_secure,
            allowed_hosts=list(settings.effective_allowed_hosts),
            cors_origins=list(settings.cors_origins),
            session_secret_configured=_has_own_secret(settings),
            admin_emails=list(settings.admin_emails),
        ),
        rate_limits=[Limit(name, text) for name, text in _limits(settings)],
        service_keys=[ServiceKey(row.name, row.key_prefix) for row in named],
        service=Addresses(settings.base_url, settings.frontend_url, settings.admin_url),
        self_serve=SelfServe(
            settings.self_serve_enabled,
            settings.self_serve_max_workspaces_per_user,
            settings.self_serve_max_creates_per_hour,
        ),
    )


def _providers(settings: Settings) -> list[ProviderState]:
    usable = sign_in_providers(settings)
    names = [*BUILT_IN, *(issuer.name for issuer in settings.oidc)]
    return [ProviderState(name, name in usable) for name in names]


def _has_own_secret(settings: Settings) -> bool:
    secret = settings.session_secret_key.get_secret_value()
    return bool(secret) and not hmac.compare_digest(secret.encode(), DEV_SESSION_SECRET.encode())


def _limits(settings: Settings) -> list[tuple[str, str]]:
    configured: dict[str, RateLimit | None] = {
        "default": settings.rate_limit_default,
        "aggregate": settings.rate_limit_aggregate,
        "auth": settings.rate_limit_auth,
        "auth-admin": settings.rate_limit_auth_admin,
        "resolve": settings.rate_limit_authz_resolve,
        "read": settings.rate_limit_read,
        "admin-write": settings.rate_limit_admin_write,
        "sensitive": settings.rate_limit_sensitive,
        "service": settings.rate_limit_service,
        "failed-auth": settings.rate_limit_failed_auth,
    }
    on = settings.rate_limit_enabled
    return [(name, str(limit) if on and limit else "off") for name, limit in configured.items()]
