"""The one namespace that service names and realm slugs share (SB-2, SB-3)."""

import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.models import Realm, ServiceApp
from sentinel.audit import activity
from sentinel.core.errors import Conflict, Invalid, NotFound, Unprocessable

NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
# Tables of other rooms whose rows belong to a scope; here only the column that says so is named.
resources = sa.table(
    "resource_permissions",
    sa.column("service_name", sa.Text()),
    sa.column("resource_type", sa.Text()),
    sa.column("resource_id", sa.Uuid()),
)
actions = sa.table("service_actions", sa.column("service_name", sa.Text()), sa.column("action", sa.Text()))
KEYED = (resources, actions)
LOCK_CLASS = 0x53434F50  # "SCOP": first half of the advisory lock that is held on a name


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows stand under a scope, or were changed there; shares and links go with them uncounted."""

    resources: int
    actions: int

    def __bool__(self) -> bool:
        return bool(self.resources or self.actions)

    def __str__(self) -> str:
        return f"{_count(self.resources, 'resource')} and {_count(self.actions, 'action')}"


def check_name(name: str, *, field: str) -> str:
    """``name`` if it can be a scope. Raises :class:`Unprocessable`."""
    if not 2 <= len(name) <= 255 or not NAME.fullmatch(name):
        raise Unprocessable(
            "Use 2 to 255 lower-case letters, digits and hyphens, a letter first and no hyphen last",
            field=field,
        )
    return name


async def reserve(session: AsyncSession, name: str, *, for_realm: bool = False) -> None:
    """Make sure that ``name`` is free to become a new scope, and hold it until the transaction ends.

    Raises :class:`Invalid` when the other kind of scope has it, :class:`Conflict` when the same kind has it or
    when rows of an earlier owner still stand under it (SB-3).
    """
    await hold(session, name)
    taken = (
        await session.execute(
            sa.select(
                sa.exists().where(ServiceApp.service_name == name).label("service"),
                sa.exists().where(Realm.slug == name).label("realm"),
                any_row(name).label("rows"),
            )
        )
    ).one()
    if taken.realm:
        if for_realm:
            raise Conflict(f"A realm with the slug {name!r} exists already", reason="slug_taken")
        raise Invalid(f"The name {name!r} is the slug of a realm", reason="name_is_realm")
    if taken.service:
        if for_realm:
            raise Invalid(f"The slug {name!r} is the name of a service", reason="slug_is_service")
        raise Conflict(f"A service app named {name!r} exists already", reason="name_taken")
    if taken.rows:
        raise Conflict(
            f"Resources or actions of an earlier owner of {name!r} still exist; purge them first",
            reason="name_reserved",
        )


async def has_rows(session: AsyncSession, name: str) -> bool:
    """Whether resources or actions stand under a scope."""
    return bool(await session.scalar(sa.select(any_row(name))))


async def count_rows(session: AsyncSession, name: str) -> Rows:
    """How many resources and actions stand under a scope, in one statement."""
    counts = await session.execute(
        sa.select(
            *(
                sa.select(sa.func.count())
                .select_from(table)
                .where(table.c.service_name == name)
                .scalar_subquery()
                for table in KEYED
            )
        )
    )
    return Rows(*counts.one())


def any_row(name: Any) -> sa.ColumnElement[bool]:
    """The condition that resources or actions stand under ``name``, a text or a column."""
    found = []
    for table, then in ((resources, sa.column("created_at")), (actions, actions.c.action)):
        # In the order of an index, which PostgreSQL has to take then: it knows few names, and would read every row
        # rather than believe that there is none of this one.
        first = sa.select(sa.literal(1)).select_from(table).where(table.c.service_name == name).order_by(then)
        found.append(first.limit(1).scalar_subquery().is_not(None))
    return sa.or_(*found)


async def purge(session: AsyncSession, name: str) -> Rows:
    """Delete every resource, share and action that stands under a scope (``authorization.md`` §8)."""
    deleted: list[int] = []
    for table in KEYED:
        removed = await session.execute(sa.delete(table).where(table.c.service_name == name))
        deleted.append(removed.rowcount)  # type: ignore[attr-defined]
    return Rows(*deleted)


async def move(session: AsyncSession, old: str, new: str) -> Rows:
    """Put all rows of one scope under another. Raises :class:`Conflict`, with the number of rows, when any exists there
    already.
    """
    conflicts = Rows(*[await session.scalar(_doubles(table, old, new)) or 0 for table in KEYED])
    if conflicts:
        raise Conflict(f"{conflicts} of {old!r} exist under {new!r} already", reason="rekey_conflict")
    moved: list[int] = []
    for table in KEYED:
        changed = await session.execute(
            sa.update(table).where(table.c.service_name == old).values(service_name=new)
        )
        moved.append(changed.rowcount)  # type: ignore[attr-defined]
    return Rows(*moved)


def _doubles(table: sa.TableClause, old: str, new: str) -> "sa.Select[int]":
    """How many rows of one scope another has, too: the same in everything but the scope."""
    there = table.alias()
    same = [column == there.c[column.name] for column in table.c if column.name != "service_name"]
    return (
        sa.select(sa.func.count())
        .select_from(table)
        .where(table.c.service_name == old, sa.exists().where(there.c.service_name == new, *same))
    )


async def purge_orphaned(session: AsyncSession, name: str, *, actor_id: UUID | None, now: datetime) -> Rows:
    """Delete all rows of a scope that no service app and no realm has any more, which frees its name (SB-3).

    Raises :class:`Conflict` for a scope that is in use, :class:`NotFound` when nothing stands under the name.
    """
    await require_orphaned(session, name)
    deleted = await purge(session, name)
    if not deleted:
        raise NotFound(f"Nothing stands under the name {name!r}", reason="scope_empty")
    await activity.record(
        session,
        "permissions_purged",
        target_type="service",
        target_id=activity.SYSTEM_TARGET,
        actor_id=actor_id,
        detail={
            "service_name": name,
            "deleted_count": deleted.resources,
            "deleted_actions": deleted.actions,
        },
        now=now,
    )
    return deleted


async def require_orphaned(session: AsyncSession, name: str) -> None:
    """Raise :class:`Conflict` when a service app, active or not, or a realm has the name; hold it until the transaction
    ends, so that none takes it meanwhile.
    """
    await hold(session, name)
    if owner := await owner_of(session, name):
        raise Conflict(
            f"The name {name!r} belongs to a {owner}; only what is left behind can be purged",
            reason="scope_in_use",
        )


async def owner_of(session: AsyncSession, name: str) -> str | None:
    """What has a scope now, in words: ``service app``, active or not, or ``realm``; None for nothing."""
    used = (
        await session.execute(
            sa.select(
                sa.exists().where(ServiceApp.service_name == name).label("service"),
                sa.exists().where(Realm.slug == name).label("realm"),
            )
        )
    ).one()
    if used.service:
        return "service app"
    return "realm" if used.realm else None


async def hold(session: AsyncSession, name: str) -> None:
    """Keep a name as it is until the transaction ends: nothing that is free comes into use, or is purged, meanwhile."""
    if session.get_bind().dialect.name == "postgresql":
        # SQLite writes one transaction at a time; here two creations of one name have to be made to queue.
        key = zlib.crc32(name.encode()) - 2**31
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_CLASS, key)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
