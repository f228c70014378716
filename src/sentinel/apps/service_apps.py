"""Service apps and their keys (``tokens.md`` §8, ``admin.md`` §7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps import keys, scopes
from sentinel.apps.addresses import MAX_ENTRIES, check_origins
from sentinel.apps.keys import ServiceKey
from sentinel.apps.models import Realm, ServiceApp
from sentinel.audit import activity
from sentinel.core import listing
from sentinel.core.database import contains_folded
from sentinel.core.errors import Conflict, NotFound, Unprocessable
from sentinel.core.listing import Listing
from sentinel.identity.text import NAME_LENGTH, label

MAX_OVERLAP_MINUTES = 1440
ORIGINS_LOCK = 0x4F524947  # "ORIG": held while the origins of active apps are compared (RO-10)


@dataclass(frozen=True, slots=True)
class Entry:
    """An app in the list, with the name of its realm, None when it stands alone."""

    app: ServiceApp
    realm_name: str | None


async def create(
    session: AsyncSession,
    *,
    name: str,
    service_name: str,
    allowed_origins: Sequence[str] = (),
    allowed_idp_audiences: Sequence[str] = (),
    actor_id: UUID | None,
    now: datetime,
) -> tuple[ServiceApp, ServiceKey]:
    """Register a service and return it with its key, whose plaintext exists only here (SK-2).

    Raises :class:`Unprocessable` for malformed values, :class:`Invalid` when ``service_name`` is a realm's slug,
    :class:`Conflict` when it is taken or reserved, or an origin belongs to another active app (RO-10).
    """
    app = ServiceApp(
        id=uuid4(),
        name=label(name),
        service_name=scopes.check_name(service_name, field="service_name"),
        allowed_origins=check_origins(list(allowed_origins)),
        allowed_idp_audiences=_audiences(allowed_idp_audiences),
        is_active=True,
        created_by=actor_id,
        created_at=now,
        updated_at=now,
    )
    await scopes.reserve(session, app.service_name)
    await _claim_origins(session, app)
    key = keys.generate()
    app.key_hash, app.key_prefix = key.hash, key.prefix
    session.add(app)
    await session.flush()
    await _record(session, "service_app_created", app, actor_id, now, service_name=app.service_name)
    return app, key


async def get(session: AsyncSession, app_id: UUID) -> ServiceApp:
    """The service app of that id. Raises :class:`NotFound`."""
    app = await session.get(ServiceApp, app_id)
    if app is None:
        raise _unknown()
    return app


async def entry(session: AsyncSession, app_id: UUID) -> Entry:
    """The app of that id with the name of its realm, in one statement. Raises :class:`NotFound`."""
    row = (
        await session.execute(
            sa.select(ServiceApp, Realm.name)
            .outerjoin(Realm, Realm.id == ServiceApp.realm_id)
            .where(ServiceApp.id == app_id)
        )
    ).one_or_none()
    if row is None:
        raise _unknown()
    return Entry(row[0], row[1])


async def find(session: AsyncSession, service_name: str) -> ServiceApp | None:
    """The service app of that service name."""
    return (
        await session.execute(sa.select(ServiceApp).where(ServiceApp.service_name == service_name))
    ).scalar_one_or_none()


async def list_all(session: AsyncSession) -> Sequence[ServiceApp]:
    """Every service app, newest first."""
    return (
        (await session.execute(sa.select(ServiceApp).order_by(ServiceApp.created_at.desc(), ServiceApp.id)))
        .scalars()
        .all()
    )


async def browse(session: AsyncSession, text: str | None = None, *, page: int = 1) -> Listing[Entry]:
    """A page of service apps with their realms, newest first; ``text`` is a part of its name or service name, or of
    its realm's name or slug, whatever the case.
    """
    statement = (
        sa.select(ServiceApp, Realm.name)
        .outerjoin(Realm, Realm.id == ServiceApp.realm_id)
        .order_by(ServiceApp.created_at.desc(), ServiceApp.id)
    )
    if text:
        searched = (ServiceApp.name, ServiceApp.service_name, Realm.name, Realm.slug)
        statement = statement.where(sa.or_(*(contains_folded(column, text) for column in searched)))
    return await listing.objects(session, Entry, statement, page=page)


async def standalone(
    session: AsyncSession, text: str | None = None, *, amount: int
) -> tuple[Sequence[ServiceApp], int]:
    """The first ``amount`` apps that are in no realm, by service name, and how many there are; ``text`` is a part of
    name or service name, whatever the case. Two statements, one where all are shown.
    """
    which: list[sa.ColumnElement[bool]] = [ServiceApp.realm_id.is_(None)]
    if text:
        which.append(matching(text))
    rows = await session.execute(
        sa.select(ServiceApp).where(*which).order_by(ServiceApp.service_name).limit(amount + 1)
    )
    found = rows.scalars().all()
    if len(found) <= amount:
        return found, len(found)
    total = await session.scalar(sa.select(sa.func.count()).select_from(ServiceApp).where(*which))
    return found[:amount], total or 0


def matching(text: str) -> sa.ColumnElement[bool]:
    """The condition that name or service name of an app contains ``text``, whatever the case."""
    return sa.or_(contains_folded(ServiceApp.name, text), contains_folded(ServiceApp.service_name, text))


async def rotate_key(
    session: AsyncSession,
    app_id: UUID,
    *,
    overlap: timedelta,
    replaces: str | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> tuple[ServiceApp, ServiceKey]:
    """Give the app a new key. The old one fails from the next request on, or after ``overlap`` (SK-3).

    ``replaces`` is the display prefix of the key that is meant, so that a wish that arrives twice acts once. Raises
    :class:`NotFound`, :class:`Conflict` when that is not the key any more, and :class:`Unprocessable` for an overlap
    outside 0 to 1440 minutes.
    """
    if not timedelta() <= overlap <= timedelta(minutes=MAX_OVERLAP_MINUTES):
        raise Unprocessable(f"The overlap is 0 to {MAX_OVERLAP_MINUTES} minutes", field="overlap_minutes")
    app = await hold(session, app_id)
    if replaces is not None and replaces != app.key_prefix:
        raise Conflict("The key has been rotated already", reason="key_rotated")
    key = keys.generate()
    app.previous_key_hash = app.key_hash if overlap else None
    app.previous_key_expires_at = now + overlap if overlap else None
    app.key_hash, app.key_prefix, app.updated_at = key.hash, key.prefix, now
    await session.flush()
    await _record(
        session,
        "service_app_key_rotated",
        app,
        actor_id,
        now,
        overlap_minutes=int(overlap.total_seconds() // 60),
    )
    return app, key


async def set_active(
    session: AsyncSession, app_id: UUID, active: bool, *, actor_id: UUID | None, now: datetime
) -> ServiceApp:
    """Switch an app on or off; off refuses its key at once (SK-4). Raises :class:`NotFound`, :class:`Conflict`."""
    return await change(session, app_id, is_active=active, actor_id=actor_id, now=now)


async def change(
    session: AsyncSession,
    app_id: UUID,
    *,
    name: str | None = None,
    allowed_origins: Sequence[str] | None = None,
    allowed_idp_audiences: Sequence[str] | None = None,
    is_active: bool | None = None,
    actor_id: UUID | None,
    now: datetime,
) -> ServiceApp:
    """Change what may change of an app; its service name never does. None leaves a field as it is.

    Writes one activity, and none when everything is so already. Raises :class:`NotFound`, :class:`Unprocessable`,
    :class:`Conflict` as :func:`create` does.
    """
    app = await hold(session, app_id)
    wishes: dict[str, object] = {}
    if name is not None:
        wishes["name"] = label(name)
    if allowed_origins is not None:
        wishes["allowed_origins"] = check_origins(list(allowed_origins))
    if allowed_idp_audiences is not None:
        wishes["allowed_idp_audiences"] = _audiences(allowed_idp_audiences)
    if is_active is not None:
        wishes["is_active"] = is_active
    changes = {field: value for field, value in wishes.items() if getattr(app, field) != value}
    if not changes:
        return app
    for field, value in changes.items():
        setattr(app, field, value)
    # An app that is off claims nothing until it is switched on.
    if app.is_active and changes.keys() & {"allowed_origins", "is_active"}:
        await _claim_origins(session, app)
    app.updated_at = now
    await session.flush()
    await _record(session, "service_app_updated", app, actor_id, now, **changes)
    return app


async def delete(session: AsyncSession, app_id: UUID, *, actor_id: UUID | None, now: datetime) -> scopes.Rows:
    """Delete an app and, when it stands alone, all resources and actions under its name (``authorization.md`` §8).

    A realm's member leaves all rows in place. Returns how many were purged. Raises :class:`NotFound`.
    """
    app = await hold(session, app_id)
    purged = scopes.Rows(0, 0)
    if app.realm_id is None:
        purged = await scopes.purge(session, app.service_name)
    await session.execute(sa.delete(ServiceApp).where(ServiceApp.id == app.id))
    await _record(session, "service_app_deleted", app, actor_id, now, service_name=app.service_name)
    return purged


async def active_origins(session: AsyncSession) -> frozenset[str]:
    """Every origin of every active service app (``http-api.md`` §0.5)."""
    rows = await session.execute(sa.select(ServiceApp.allowed_origins).where(ServiceApp.is_active))
    return frozenset(origin for origins in rows.scalars() for origin in origins or ())


async def key_hashes(session: AsyncSession, *, now: datetime) -> frozenset[str]:
    """The hash of every key that opens something, or would if its app were switched on; replaced keys as long as
    they overlap.
    """
    overlapping = sa.case(
        (ServiceApp.previous_key_expires_at > now, ServiceApp.previous_key_hash), else_=sa.null()
    )
    rows = await session.execute(sa.select(ServiceApp.key_hash, overlapping))
    return frozenset(found for row in rows for found in row if found)


async def hold(session: AsyncSession, app_id: UUID) -> ServiceApp:
    """The app for a change: another change of it waits until this one is committed. Raises :class:`NotFound`."""
    app = (
        await session.execute(
            sa.select(ServiceApp)
            .where(ServiceApp.id == app_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if app is None:
        raise _unknown()
    return app


def _unknown() -> NotFound:
    return NotFound("Service app not found", reason="service_app_not_found")


async def _claim_origins(session: AsyncSession, app: ServiceApp) -> None:
    if not app.allowed_origins:
        return
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(ORIGINS_LOCK)))
    others = await session.execute(
        sa.select(ServiceApp.service_name, ServiceApp.allowed_origins).where(
            ServiceApp.is_active, ServiceApp.id != app.id
        )
    )
    for service_name, origins in others:
        if shared := set(app.allowed_origins) & set(origins or ()):
            raise Conflict(
                f"The origin {min(shared)} is registered on the active service {service_name!r}; an origin "
                "belongs to one service",
                reason="origin_taken",
            )


def _audiences(values: Sequence[str]) -> list[str]:
    if len(values) > MAX_ENTRIES or any(not 1 <= len(value) <= NAME_LENGTH for value in values):
        raise Unprocessable(
            f"Give at most {MAX_ENTRIES} audiences of 1 to {NAME_LENGTH} characters",
            field="allowed_idp_audiences",
        )
    return list(dict.fromkeys(values))


async def _record(
    session: AsyncSession,
    action: str,
    app: ServiceApp,
    actor_id: UUID | None,
    now: datetime,
    **detail: object,
) -> None:
    await activity.record(
        session,
        action,
        target_type="service_app",
        target_id=app.id,
        actor_id=actor_id,
        detail={"app": app.name, **detail},
        now=now,
    )
