"""The one namespace that service names and realm slugs share (SB-2, SB-3)."""

import re
import zlib

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.models import Realm, ServiceApp
from sentinel.core.errors import Conflict, Invalid, Unprocessable

NAME = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
# Tables of other rooms whose rows belong to a scope; here only the column that says so is named.
KEYED = tuple(
    sa.table(name, sa.column("service_name", sa.Text()))
    for name in ("resource_permissions", "service_actions")
)
LOCK_CLASS = 0x53434F50  # "SCOP": first half of the advisory lock that is held on a name


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
    if session.get_bind().dialect.name == "postgresql":
        # SQLite writes one transaction at a time; here two creations of one name have to be made to queue.
        key = zlib.crc32(name.encode()) - 2**31
        await session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_CLASS, key)))
    taken = (
        await session.execute(
            sa.select(
                sa.exists().where(ServiceApp.service_name == name).label("service"),
                sa.exists().where(Realm.slug == name).label("realm"),
                _any_row(name).label("rows"),
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
    return bool(await session.scalar(sa.select(_any_row(name))))


def _any_row(name: str) -> sa.ColumnElement[bool]:
    return sa.or_(*(sa.exists().where(table.c.service_name == name) for table in KEYED))


async def purge(session: AsyncSession, name: str) -> None:
    """Delete every resource, share and action that stands under a scope (``authorization.md`` §8)."""
    for table in KEYED:
        await session.execute(sa.delete(table).where(table.c.service_name == name))
