"""Realms: families of service apps that share one scope, and tokens between them (``authorization.md`` §6,
``tokens.md`` §9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps import scopes, service_apps
from sentinel.apps.authentication import ServiceCaller
from sentinel.apps.models import Realm, ServiceApp
from sentinel.audit import activity
from sentinel.core import listing
from sentinel.core.database import contains_folded
from sentinel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unprocessable
from sentinel.core.listing import Listing
from sentinel.core.logging import security_event
from sentinel.identity.text import label
from sentinel.tokens.claims import IssuedToken
from sentinel.tokens.issue import Issuer

SHORTEST_SECONDS, LONGEST_SECONDS = 30, 3600
_NEWEST_FIRST = (Realm.created_at.desc(), Realm.id)


@dataclass(frozen=True, slots=True)
class WhoAmI:
    """A service as it stands: its own name, the scope it acts under, its realm if it is in one."""

    service_name: str
    effective_scope: str
    realm_slug: str | None
    realm_name: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a realm; ``has_grants`` when rows stand under its own name, out of the realm's sight."""

    id: UUID
    name: str
    service_name: str
    has_grants: bool
    is_active: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A realm in the list."""

    realm: Realm
    member_count: int


async def whoami(session: AsyncSession, caller: ServiceCaller) -> WhoAmI:
    """Who the caller is (M1). Raises :class:`Forbidden` in development without any service app."""
    row = (
        await session.execute(
            sa.select(ServiceApp.service_name, Realm.slug, Realm.name)
            .outerjoin(Realm, Realm.id == ServiceApp.realm_id)
            .where(ServiceApp.id == caller.app_id)
        )
    ).one_or_none()
    if row is None:
        raise Forbidden("Register a service app first", reason="no_service_app")
    return WhoAmI(row.service_name, row.slug or row.service_name, row.slug, row.name)


async def mint_m2m(
    session: AsyncSession, caller: ServiceCaller, issuer: Issuer, *, target: str | None
) -> tuple[IssuedToken, int]:
    """A token that names the calling service inside its realm, and its life in seconds (M2, MM-1 to MM-3).

    ``target`` is the one service that may accept it, None for every member. Raises :class:`Forbidden` for a service
    without an active realm, :class:`Invalid` for a target that is not an active member.
    """
    try:
        realm, caller_name = await _active_realm(session, caller)
        if target is not None:
            await _require_target(session, realm.id, target)
    except DomainError as refusal:
        security_event(
            "realm.m2m.denied", outcome="denied", reason=refusal.reason, caller_service=caller.service_name
        )
        raise
    token = issuer.m2m(
        realm_slug=realm.slug,
        caller=caller_name,
        target=target,
        lifetime=timedelta(seconds=realm.m2m_ttl_s),
    )
    security_event("realm.m2m.minted", outcome="success", caller_service=caller_name, realm=realm.slug)
    return token, realm.m2m_ttl_s


async def create(
    session: AsyncSession,
    *,
    name: str,
    slug: str,
    m2m_ttl_s: int = 300,
    actor_id: UUID | None,
    now: datetime,
) -> Realm:
    """Make a realm; its slug is a scope and never changes (``authorization.md`` §6 rule 4).

    Raises :class:`Unprocessable`, :class:`Invalid` when the slug is a service name, :class:`Conflict` when it is
    taken or reserved (SB-2, SB-3).
    """
    realm = Realm(
        id=uuid4(),
        slug=scopes.check_name(slug, field="slug"),
        name=label(name),
        m2m_ttl_s=_lifetime(m2m_ttl_s),
        is_active=True,
        created_by=actor_id,
        created_at=now,
        updated_at=now,
    )
    await scopes.reserve(session, slug, for_realm=True)
    session.add(realm)
    await session.flush()
    await _record(session, "realm_created", realm, actor_id, now)
    return realm


async def get(session: AsyncSession, realm_id: UUID) -> Realm:
    """The realm of that id. Raises :class:`NotFound`."""
    realm = await session.get(Realm, realm_id)
    if realm is None:
        raise _unknown()
    return realm


async def list_all(session: AsyncSession) -> Sequence[Realm]:
    """Every realm, newest first."""
    return (await session.execute(sa.select(Realm).order_by(*_NEWEST_FIRST))).scalars().all()


async def browse(session: AsyncSession, text: str | None = None, *, page: int = 1) -> Listing[Entry]:
    """A page of realms with the number of members, newest first; ``text`` is a part of name or slug, whatever the
    case.
    """
    members = (
        sa.select(sa.func.count()).where(ServiceApp.realm_id == Realm.id).correlate(Realm).scalar_subquery()
    )
    statement = sa.select(Realm, members).order_by(*_NEWEST_FIRST)
    if text:
        fits = [contains_folded(column, text) for column in (Realm.name, Realm.slug)]
        statement = statement.where(sa.or_(*fits))
    return await listing.objects(session, Entry, statement, page=page)


async def members(session: AsyncSession, realm_id: UUID) -> list[Member]:
    """The members of a realm by service name, in one statement. Raises :class:`NotFound`."""
    rows = (
        await session.execute(
            sa.select(
                Realm.id,
                ServiceApp.id,
                ServiceApp.name,
                ServiceApp.service_name,
                scopes.any_row(ServiceApp.service_name),
                ServiceApp.is_active,
            )
            .outerjoin(ServiceApp, ServiceApp.realm_id == Realm.id)
            .where(Realm.id == realm_id)
        )
    ).all()
    if not rows:
        raise _unknown()
    found = [Member(row[1], row[2], row[3], bool(row[4]), bool(row[5])) for row in rows if row[1] is not None]
    return sorted(found, key=lambda member: member.service_name)


async def search_members(
    session: AsyncSession, realm_id: UUID, text: str | None = None, *, page: int = 1
) -> Listing[Member]:
    """A page of the members of a realm, by service name; ``text`` is a part of name or service name, whatever the case.
    Nobody when the realm does not exist. Two statements.
    """
    statement = (
        sa.select(
            ServiceApp.id,
            ServiceApp.name,
            ServiceApp.service_name,
            scopes.any_row(ServiceApp.service_name),
            ServiceApp.is_active,
        )
        .where(ServiceApp.realm_id == realm_id)
        .order_by(ServiceApp.service_name)
    )
    if text:
        statement = statement.where(service_apps.matching(text))
    return await listing.objects(session, Member, statement, page=page)


async def change(
    session: AsyncSession,
    realm_id: UUID,
    *,
    name: str | None = None,
    m2m_ttl_s: int | None = None,
    is_active: bool | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> Realm:
    """Change what may change of a realm; None leaves a field as it is. Inactive: no new m2m tokens (rule 5).

    Writes one activity, and none when everything is so already. Raises :class:`NotFound`, :class:`Unprocessable`.
    """
    # Members may come and go meanwhile: the slug, which they hold on to, never changes.
    realm = await _locked(session, realm_id, key_share=True)
    wishes: dict[str, object] = {}
    if name is not None:
        wishes["name"] = label(name)
    if m2m_ttl_s is not None:
        wishes["m2m_ttl_s"] = _lifetime(m2m_ttl_s)
    if is_active is not None:
        wishes["is_active"] = is_active
    changes = {field: value for field, value in wishes.items() if getattr(realm, field) != value}
    if not changes:
        return realm
    for field, value in changes.items():
        setattr(realm, field, value)
    realm.updated_at = now
    await session.flush()
    await _record(session, "realm_updated", realm, actor_id, now)
    return realm


async def delete(
    session: AsyncSession, realm_id: UUID, *, purge: bool = False, actor_id: UUID | None, now: datetime
) -> scopes.Rows:
    """Delete a realm: its members stand alone again. Rows under its slug stay and keep it reserved (SB-3), unless
    ``purge`` deletes them, too. Returns how many were purged. Raises :class:`NotFound`.
    """
    realm = await _locked(session, realm_id)
    await session.execute(sa.delete(Realm).where(Realm.id == realm.id))
    await _record(session, "realm_deleted", realm, actor_id, now)
    if purge and await scopes.has_rows(session, realm.slug):
        return await scopes.purge_orphaned(session, realm.slug, actor_id=actor_id, now=now)
    return scopes.Rows(0, 0)


async def add_member(
    session: AsyncSession, realm_id: UUID, app_id: UUID, *, actor_id: UUID | None, now: datetime
) -> Member:
    """Put a service app into a realm; in the same realm again it is a no-op.

    Rows under the app's own name stay there, out of sight (rule 3). Raises :class:`NotFound`, :class:`Conflict`
    for an app of another realm.
    """
    realm = await _held(session, realm_id)
    app = await service_apps.hold(session, app_id)
    if app.realm_id is not None and app.realm_id != realm.id:
        raise Conflict("The service app is in another realm", reason="other_realm")
    if app.realm_id is None:
        app.realm_id, app.updated_at = realm.id, now
        await session.flush()
        await _record(session, "realm_member_added", realm, actor_id, now, service_name=app.service_name)
    has_grants = await scopes.has_rows(session, app.service_name)
    return Member(app.id, app.name, app.service_name, has_grants, app.is_active)


async def remove_member(
    session: AsyncSession, realm_id: UUID, app_id: UUID, *, actor_id: UUID | None, now: datetime
) -> None:
    """Take a service app out of a realm; from the next request on it acts under its own name (SB-6)."""
    realm = await _held(session, realm_id)
    app = await _member_app(session, realm, app_id)
    app.realm_id, app.updated_at = None, now
    await session.flush()
    await _record(session, "realm_member_removed", realm, actor_id, now, service_name=app.service_name)


async def rekey(
    session: AsyncSession, realm_id: UUID, app_id: UUID, *, actor_id: UUID | None, now: datetime
) -> scopes.Rows:
    """Move the actions and resources that stand under a member's own name to the realm's slug, all or none (rule 3).

    From then on every member of the realm sees them; shares and the roles that hold the actions stay as they are.
    Returns how many rows have moved. Raises :class:`NotFound` for the realm or an app that is not in it,
    :class:`Conflict` when any of the rows exists under the slug already.
    """
    realm = await _held(session, realm_id)
    app = await _member_app(session, realm, app_id)
    try:
        async with session.begin_nested():
            moved = await scopes.move(session, app.service_name, realm.slug)
    except IntegrityError as error:
        # Another member registers the same at this very moment.
        raise Conflict(
            "The rows of the realm are being changed; try again", reason="rekey_conflict"
        ) from error
    if moved:
        await _record(
            session,
            "realm_updated",
            realm,
            actor_id,
            now,
            rekeyed_from=app.service_name,
            resources=moved.resources,
            actions=moved.actions,
        )
    return moved


async def _locked(session: AsyncSession, realm_id: UUID, *, key_share: bool = False) -> Realm:
    """The realm for a change. With ``key_share`` members may still join and leave. Raises :class:`NotFound`."""
    realm = (
        await session.execute(
            sa.select(Realm)
            .where(Realm.id == realm_id)
            .with_for_update(key_share=key_share)
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if realm is None:
        raise _unknown()
    return realm


async def member(session: AsyncSession, realm_id: UUID, app_id: UUID) -> tuple[Realm, ServiceApp]:
    """A realm and one of its members, in one statement. Raises :class:`NotFound` for an app that is not in it."""
    row = (
        await session.execute(
            sa.select(Realm, ServiceApp)
            .join(ServiceApp, ServiceApp.realm_id == Realm.id)
            .where(Realm.id == realm_id, ServiceApp.id == app_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("The service app is not in this realm", reason="realm_member_not_found")
    return row[0], row[1]


async def _held(session: AsyncSession, realm_id: UUID) -> Realm:
    """The realm, which cannot be deleted until the transaction ends. It comes before its members, as where it is
    deleted. Raises :class:`NotFound`.
    """
    realm = await session.get(Realm, realm_id, with_for_update={"read": True, "key_share": True})
    if realm is None:
        raise _unknown()
    return realm


async def _member_app(session: AsyncSession, realm: Realm, app_id: UUID) -> ServiceApp:
    app = await service_apps.hold(session, app_id)
    if app.realm_id != realm.id:
        raise NotFound("The service app is not in this realm", reason="realm_member_not_found")
    return app


async def _active_realm(session: AsyncSession, caller: ServiceCaller) -> tuple[Realm, str]:
    row = (
        await session.execute(
            sa.select(Realm, ServiceApp.service_name)
            .join(ServiceApp, ServiceApp.realm_id == Realm.id)
            .where(ServiceApp.id == caller.app_id)
        )
    ).one_or_none()
    if row is None:
        raise Forbidden(
            "The service is not in a realm; register a service app and add it to one", reason="no_realm"
        )
    if not row[0].is_active:
        raise Forbidden("The realm is not active", reason="realm_inactive")
    return row[0], row[1]


async def _require_target(session: AsyncSession, realm_id: UUID, target: str) -> None:
    found = await session.scalar(
        sa.select(ServiceApp.id).where(
            ServiceApp.service_name == target, ServiceApp.realm_id == realm_id, ServiceApp.is_active
        )
    )
    if found is None:
        raise Invalid("The target is not an active member of the realm", reason="unknown_target")


def _unknown() -> NotFound:
    return NotFound("Realm not found", reason="realm_not_found")


def _lifetime(seconds: int) -> int:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise Unprocessable(
            f"The life of m2m tokens is {SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds", field="m2m_ttl_s"
        )
    return seconds


async def _record(
    session: AsyncSession, action: str, realm: Realm, actor_id: UUID | None, now: datetime, **detail: object
) -> None:
    await activity.record(
        session,
        action,
        target_type="realm",
        target_id=realm.id,
        actor_id=actor_id,
        detail={"slug": realm.slug, **detail},
        now=now,
    )
