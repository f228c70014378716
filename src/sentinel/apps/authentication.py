"""The live half of authentication (``http-api.md`` §0.7): what only the database knows of a service key and of a
token that has already been verified offline. Key, user, membership and denylist are read as columns of one
statement, so a hot call can carry them in the statement that answers it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sentinel.apps.models import Realm, ServiceApp
from sentinel.core.database import UtcDateTime
from sentinel.core.errors import Forbidden, Unauthenticated
from sentinel.identity.models import User
from sentinel.tokens.claims import ROLE_RANK, TokenType, UserClaims
from sentinel.tokens.models import RevokedToken

NO_KEY = "-"
"""A key hash that no key has: hashes are hexadecimal."""
NO_ID = UUID(int=0)
NOT_A_MEMBER = "Not a member of this workspace"

# The table belongs to a room above; here only its columns are named.
memberships = sa.table(
    "workspace_memberships",
    sa.column("workspace_id", sa.Uuid()),
    sa.column("user_id", sa.Uuid()),
    sa.column("role", sa.Text()),
)


class Credentials(NamedTuple):
    """What a request has shown, checked as far as that goes offline. ``key_hash`` is None without a key."""

    key_hash: str | None = None
    claims: UserClaims | None = None


class ServiceCaller(NamedTuple):
    """A service that showed a valid key. ``scope`` is its effective scope: its realm's slug, or its own name.

    With ``scope`` None the development exception is in force and every scope is open.
    """

    app_id: UUID | None
    service_name: str | None
    scope: str | None
    last_used_at: datetime | None = None

    def require_scope(self, scope: str) -> None:
        """Raise :class:`Forbidden` unless ``scope`` is the caller's own (SB-4, SB-5)."""
        if self.scope is not None and scope != self.scope:
            raise Forbidden("Service key is not valid for this service", reason="scope_mismatch")


class UserCaller(NamedTuple):
    """A person whose token has passed every check. ``role`` is the live one, None for a non-member."""

    user_id: UUID
    workspace_id: UUID
    role: str | None
    token_type: TokenType
    jti: UUID
    expires_at: datetime


class Member(NamedTuple):
    """A current member of the workspace of his token. Only :func:`member` makes one, so a function that asks for a
    ``Member`` cannot be called without that check.
    """

    user_id: UUID
    workspace_id: UUID
    role: str

    def has(self, minimum: str) -> bool:
        """Whether the role is ``minimum`` or above."""
        return ROLE_RANK[self.role] >= ROLE_RANK[minimum]

    def require(self, minimum: str) -> None:
        """Raise :class:`Forbidden` below ``minimum``."""
        if not self.has(minimum):
            raise Forbidden("Insufficient role", reason="insufficient_role")


# ── the columns ───────────────────────────────────────────────────────────────────────────────────────────────────

_now = sa.bindparam("auth_now", type_=UtcDateTime)
_shown = sa.bindparam("auth_key", type_=sa.CHAR(64))
_any_app = aliased(ServiceApp)
_one = sa.literal_column("1", sa.Integer).label("one")
_key_is_shown = sa.and_(
    ServiceApp.is_active,
    sa.or_(
        ServiceApp.key_hash == _shown,
        sa.and_(ServiceApp.previous_key_hash == _shown, ServiceApp.previous_key_expires_at > _now),
    ),
)
_is_callers = sa.and_(
    memberships.c.user_id == User.id,
    memberships.c.workspace_id == sa.bindparam("auth_wid", type_=sa.Uuid()),
)

COLUMNS: tuple[Any, ...] = (
    ServiceApp.id.label("auth_app_id"),
    ServiceApp.service_name.label("auth_service_name"),
    ServiceApp.last_used_at.label("auth_last_used_at"),
    Realm.slug.label("auth_realm_slug"),
    sa.exists(_one).where(_any_app.is_active).label("auth_any_app"),
    User.id.label("auth_user_id"),
    User.is_active.label("auth_user_active"),
    User.token_epoch.label("auth_epoch"),
    memberships.c.role.label("auth_role"),
    sa.exists(_one)
    .where(RevokedToken.jti == sa.bindparam("auth_jti", type_=sa.Uuid()))
    .label("auth_revoked"),
)
"""What a statement has to select so that the judgement below can read its row."""

_anchor = sa.select(_one).subquery("auth_anchor")
SOURCE: Any = (
    # One after the other and no subqueries, which SQLite would write down first.
    _anchor.outerjoin(ServiceApp, _key_is_shown)
    .outerjoin(Realm, Realm.id == ServiceApp.realm_id)
    .outerjoin(User, User.id == sa.bindparam("auth_sub", type_=sa.Uuid()))
    .outerjoin(memberships, _is_callers)
)
"""What it has to select from: always exactly one row, whatever was found."""
_STATEMENT = sa.select(*COLUMNS).select_from(SOURCE)


def parameters(shown: Credentials, now: datetime) -> dict[str, Any]:
    """The bind values of :data:`COLUMNS` and :data:`SOURCE`."""
    claims = shown.claims
    return {
        "auth_now": now,
        "auth_key": shown.key_hash or NO_KEY,
        "auth_sub": claims.user_id if claims else NO_ID,
        "auth_wid": claims.workspace_id if claims else NO_ID,
        "auth_jti": claims.jti if claims else NO_ID,
    }


async def read(session: AsyncSession, shown: Credentials, now: datetime) -> Any:
    """The row of facts about ``shown``, in one statement of its own."""
    return (await session.execute(_STATEMENT, parameters(shown, now))).one()


# ── the judgement ─────────────────────────────────────────────────────────────────────────────────────────────────


class KeyRefused(Unauthenticated):
    """No valid service key. ``unknown`` is true for a key that was shown and is nobody's (failed-auth limit)."""

    def __init__(self, *, unknown: bool) -> None:
        super().__init__(
            "Invalid or missing service key",
            reason="unknown_service_key" if unknown else "missing_service_key",
        )
        self.unknown = unknown


def service_of(row: Any) -> ServiceCaller | None:
    """The service whose key was found, or None."""
    if row.auth_app_id is None:
        return None
    return ServiceCaller(
        app_id=row.auth_app_id,
        service_name=row.auth_service_name,
        scope=row.auth_realm_slug or row.auth_service_name,
        last_used_at=row.auth_last_used_at,
    )


def require_service(row: Any, shown: Credentials, *, debug: bool) -> ServiceCaller:
    """The calling service. Raises :class:`KeyRefused`.

    In development (``debug``), and only while no active service app exists, every caller passes with every scope
    open (checklist item 2).
    """
    if found := service_of(row):
        return found
    if debug and not row.auth_any_app:
        return ServiceCaller(None, None, None)
    raise KeyRefused(unknown=shown.key_hash is not None)


def require_user(row: Any, claims: UserClaims) -> UserCaller:
    """The person behind a verified token, if nothing live speaks against it (VR-7 to VR-9).

    Raises :class:`Unauthenticated`. Does not ask whether he is a member of the workspace: see :func:`member`.
    """
    reason = None
    if row.auth_user_id is None:
        reason = "unknown_user"
    elif not row.auth_user_active:
        reason = "inactive_user"
    elif row.auth_revoked:
        reason = "revoked"
    elif claims.epoch < row.auth_epoch:
        reason = "outdated_epoch"
    if reason:
        raise Unauthenticated("Invalid or expired token", reason=reason)
    return UserCaller(
        user_id=claims.user_id,
        workspace_id=claims.workspace_id,
        role=row.auth_role,
        token_type=claims.type,
        jti=claims.jti,
        expires_at=claims.expires_at,
    )


def require_binding(service: ServiceCaller, claims: UserClaims) -> None:
    """An authz token speaks only to the scope that it was minted for (VR-10, SB-1). Raises :class:`Forbidden`."""
    if claims.type is TokenType.AUTHZ and service.scope is not None and claims.scope != service.scope:
        raise Forbidden("Token was issued for another service", reason="scope_mismatch")


def member(caller: UserCaller, workspace_id: UUID | None = None) -> Member:
    """The caller as a current member of his token's workspace.

    ``workspace_id``, when given, is the one that the request names; it must be the token's (``authorization.md``
    §2 rule 6). Raises :class:`Forbidden`.
    """
    if caller.role is None or (workspace_id is not None and workspace_id != caller.workspace_id):
        raise Forbidden(NOT_A_MEMBER, reason="not_a_member")
    return Member(caller.user_id, caller.workspace_id, caller.role)


async def note_key_use(session: AsyncSession, app_ids: set[UUID], *, now: datetime) -> None:
    """Stamp ``last_used_at`` of apps, at most once a minute each (SK-7)."""
    await session.execute(
        sa.update(ServiceApp)
        .where(
            ServiceApp.id.in_(app_ids),
            sa.or_(ServiceApp.last_used_at.is_(None), ServiceApp.last_used_at <= now - timedelta(minutes=1)),
        )
        .values(last_used_at=now)
    )


# ── SVC|ORIGIN ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class AppCaller:
    """The service app behind a key or, for discovery only, behind the origin of a browser (RO-8)."""

    app_id: UUID
    service_name: str
    scope: str
    allowed_idp_audiences: tuple[str, ...]
    by_key: bool
    last_used_at: datetime | None


class OriginRefused(Unauthenticated):
    """Neither a valid key nor a registered origin."""

    def __init__(self) -> None:
        super().__init__("Invalid or missing service key or origin", reason="unknown_origin")


async def find_app(
    session: AsyncSession, key_hash: str | None, origin: str | None, now: datetime
) -> tuple[AppCaller | None, bool]:
    """The active app of a key or, without a key, of an origin; and whether any active app exists.

    A key that is shown and wrong never falls back to the origin (SK-9).
    """
    columns = (
        ServiceApp.id,
        ServiceApp.service_name,
        Realm.slug,
        ServiceApp.allowed_idp_audiences,
        ServiceApp.last_used_at,
    )
    if key_hash is not None:
        which: sa.ColumnElement[bool] = sa.or_(
            ServiceApp.key_hash == key_hash,
            sa.and_(ServiceApp.previous_key_hash == key_hash, ServiceApp.previous_key_expires_at > now),
        )
    else:
        which = _has_origin(session, origin)
    found = (
        sa.select(*columns)
        .outerjoin(Realm, Realm.id == ServiceApp.realm_id)
        .where(ServiceApp.is_active, which)
        .limit(1)
        .subquery("found")
    )
    row = (
        await session.execute(
            sa.select(*found.c, sa.exists().where(ServiceApp.is_active).label("any_app")).select_from(
                _anchor.outerjoin(found, sa.true())
            )
        )
    ).one()
    if row.id is None:
        return None, bool(row.any_app)
    caller = AppCaller(
        app_id=row.id,
        service_name=row.service_name,
        scope=row.slug or row.service_name,
        allowed_idp_audiences=tuple(row.allowed_idp_audiences or ()),
        by_key=key_hash is not None,
        last_used_at=row.last_used_at,
    )
    return caller, True


def _has_origin(session: AsyncSession, origin: str | None) -> sa.ColumnElement[bool]:
    if not origin:
        return sa.false()
    if session.get_bind().dialect.name == "sqlite":
        each = sa.func.json_each(ServiceApp.allowed_origins).table_valued("value")
        return sa.exists(sa.select(sa.literal(1)).select_from(each).where(each.c.value == origin))
    return sa.literal(origin, sa.Text()) == sa.any_(ServiceApp.allowed_origins)
