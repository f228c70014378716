"""All resources of an installation, page by page, for the panel (``admin.md`` §6).

Every filter has an index, so that a page comes quickly however many records there are.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sentinel.core.database import contains_folded, unindexed
from sentinel.core.errors import NotFound, Unprocessable
from sentinel.identity.models import User
from sentinel.permissions import resources
from sentinel.permissions.lookup import groups
from sentinel.permissions.models import Resource, Share
from sentinel.permissions.resources import EnrichedAcl, NamedShare, Person

MAX_PAGE_SIZE = 100
FEW = 10_000
"""So many records that fit are cheaper to come across than to collect and sort."""
LAST_ROW = 2**63 - 1
"""The greatest offset that both databases take."""

# The table belongs to a room above; here only its columns are named.
workspaces = sa.table("workspaces", sa.column("id", sa.Uuid()), sa.column("name", sa.Text()))
# The written form of a UUID or its beginning, hyphens where they belong or none at all.
_PREFIX = re.compile(
    r"[0-9a-f]{0,32}|[0-9a-f]{8}-(?:[0-9a-f]{0,4}|[0-9a-f]{4}-(?:[0-9a-f]{0,4}|[0-9a-f]{4}-(?:[0-9a-f]{0,4}"
    r"|[0-9a-f]{4}-[0-9a-f]{0,12})))"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None and the empty text ask nothing.

    ``resource_id`` is the beginning of a written UUID, ``owner`` a part of the owner's address, whatever the case.
    ``page`` counts from 1, ``page_size`` is 1 to 100 records. More than ``count_to`` records are not counted: knowing
    that a million fit takes longer than everything else.
    """

    workspace_id: UUID | None = None
    service_name: str | None = None
    resource_id: str | None = None
    owner: str | None = None
    sort_by: Literal["created_at", "shares"] = "created_at"
    descending: bool = True
    page: int = 1
    page_size: int = 20
    count_to: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in the list; the owner's address and name are None when there is no owner any more."""

    resource: Resource
    owner_email: str | None
    share_count: int
    workspace_name: str
    owner_name: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page, and how many records fit in all; with ``has_more`` more than ``total`` do."""

    items: list[Entry]
    total: int
    page: int
    page_size: int
    has_more: bool = False


async def browse(session: AsyncSession, search: Search) -> Page:
    """A page of the records that fit, in four statements or fewer.

    What is equal in the number of shares comes in the order of ids, what has none in that of creation, so that pages
    never overlap. Raises :class:`Unprocessable` for a page out of range or a beginning that no UUID has.
    """
    if search.page < 1:
        raise Unprocessable("Pages count from 1", field="page")
    if not 1 <= search.page_size <= MAX_PAGE_SIZE:
        raise Unprocessable(f"A page has 1 to {MAX_PAGE_SIZE} records", field="page_size")
    offset = (search.page - 1) * search.page_size
    if offset > LAST_ROW:
        raise Unprocessable("There is no such page", field="page")
    total, has_more = await _total(session, search)
    if offset >= total and not has_more:
        return Page([], total, search.page, search.page_size)
    found = (
        await _by_shares(session, search, total, offset)
        if search.sort_by == "shares"
        else await _read(session, _by_creation(search, total, offset))
    )
    return Page(_sorted(found, search), total, search.page, search.page_size, has_more)


async def _total(session: AsyncSession, search: Search) -> tuple[int, bool]:
    """How many records fit, and whether more than that do."""
    which = sa.select(sa.literal(1)).select_from(Resource).where(*_conditions(search))
    if search.count_to is not None:
        which = which.limit(search.count_to + 1)
    total = await session.scalar(sa.select(sa.func.count()).select_from(which.subquery("every"))) or 0
    if search.count_to is not None and total > search.count_to:
        return search.count_to, True
    return total, False


async def _read(session: AsyncSession, cut: sa.Select[Any]) -> list[Entry]:
    """The records whose ids ``cut`` selects: addresses and counts are looked up for what is on the page."""
    page = cut.subquery("page")
    rows = await session.execute(
        sa.select(Resource, User.email, _share_count(), workspaces.c.name, User.name)
        .join(page, page.c[0] == Resource.id)
        .join(workspaces, workspaces.c.id == Resource.workspace_id)
        .outerjoin(User, User.id == Resource.owner_id)
    )
    return [Entry(*row) for row in rows]


async def entry(session: AsyncSession, permission_id: UUID) -> Entry:
    """One record as the list shows it, in one statement. Raises :class:`NotFound`."""
    row = (
        await session.execute(
            sa.select(Resource, User.email, _share_count(), workspaces.c.name, User.name)
            .join(workspaces, workspaces.c.id == Resource.workspace_id)
            .outerjoin(User, User.id == Resource.owner_id)
            .where(Resource.id == permission_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Resource not found", reason="resource_not_found")
    return Entry(*row)


async def shares(
    session: AsyncSession, permission_id: UUID, *, page: int, page_size: int
) -> tuple[NamedShare, ...]:
    """A page of the shares of a record, oldest first, with the names behind their ids, in one statement."""
    cut = (
        sa.select(Share.id)
        .where(Share.resource_permission_id == permission_id)
        .order_by(Share.granted_at, Share.id)
        .limit(page_size)
        .offset(min((page - 1) * page_size, LAST_ROW))
        .subquery("cut")
    )
    grantee, grantor = aliased(User), aliased(User)
    rows = await session.execute(
        sa.select(Share, sa.func.coalesce(grantee.name, groups.c.name), grantee.email, grantor.name)
        .join(cut, cut.c.id == Share.id)
        .outerjoin(grantee, sa.and_(Share.grantee_type == "user", grantee.id == Share.grantee_id))
        .outerjoin(groups, sa.and_(Share.grantee_type == "group", groups.c.id == Share.grantee_id))
        .outerjoin(grantor, grantor.id == Share.granted_by)
        .order_by(Share.granted_at, Share.id)
    )
    return tuple(NamedShare(share, Person(name, email), by) for share, name, email, by in rows)


async def detail(session: AsyncSession, permission_id: UUID) -> EnrichedAcl:
    """One record with its shares and the names behind all ids, in one statement. Raises :class:`NotFound`."""
    return await resources.enriched(session, Resource.id == permission_id)


def _conditions(search: Search, *, walking: bool = False) -> list[sa.ColumnElement[bool]]:
    """What a record has to fulfil. ``walking`` is for a statement that goes through the records in their order until
    the page is full: it looks at each of them, rather than for all that have such an id or such an owner.
    """

    def plain(column: Any) -> Any:
        return unindexed(column, type_=column.type) if walking else column

    found: list[sa.ColumnElement[bool]] = []
    if search.workspace_id is not None:
        found.append(Resource.workspace_id == search.workspace_id)
    if search.service_name:
        # One index has the records of a workspace in their order, another one those of a service.
        service = Resource.service_name if search.workspace_id is None else plain(Resource.service_name)
        found.append(service == search.service_name)
    if search.resource_id:
        found.append(plain(Resource.resource_id).between(*_range(search.resource_id)))
    if search.owner:
        fits = contains_folded(User.email, search.owner)
        if walking:
            # A value and no EXISTS, which PostgreSQL would turn round again.
            owner = sa.select(fits).where(User.id == Resource.owner_id).correlate(Resource)
            found.append(owner.scalar_subquery())
        else:
            found.append(Resource.owner_id.in_(sa.select(User.id).where(fits)))
    return found


def _range(prefix: str) -> tuple[UUID, UUID]:
    """The first and the last UUID that begin with ``prefix``: both databases order UUIDs as they are written, so an
    index finds what lies between them. Raises :class:`Unprocessable`.
    """
    written = prefix.strip().lower()
    if not _PREFIX.fullmatch(written):
        raise Unprocessable("Give the beginning of a resource id, such as 3f2a", field="resource_id")
    digits = written.replace("-", "")
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _by_creation(search: Search, total: int, offset: int, *which: Any) -> sa.Select[Any]:
    """The ids of a page of the list that is sorted by creation, of those that are ``which``."""
    columns: list[Any] = [Resource.created_at, Resource.id]
    conditions = _conditions(search, walking=total >= FEW)
    if total < FEW and len(conditions) > 1:
        # Few fit all of them, and are found by all of them rather than by one and the order.
        columns = [unindexed(column, type_=column.type) for column in columns]
    order = [column.desc() if search.descending else column.asc() for column in columns]
    return (
        sa.select(Resource.id)
        .where(*conditions, *which)
        .order_by(*order)
        .limit(search.page_size)
        .offset(offset)
    )


async def _by_shares(session: AsyncSession, search: Search, total: int, offset: int) -> list[Entry]:
    """The page of the list that is sorted by the number of shares.

    Records with shares and those without are two lists, one behind the other: so what has no share, most of a large
    installation, need not be counted and sorted. How long the first one is, is asked only where it ends.
    """
    shared = _shared(search, total)
    counted = shared.subquery()
    columns = (counted.c.shares, counted.c[0])
    with_shares = sa.select(counted.c[0]).order_by(
        *(column.desc() if search.descending else column.asc() for column in columns)
    )
    without = _by_creation(search, total, 0, ~_is_shared())
    first, second = (with_shares, without) if search.descending else (without, with_shares)
    found = await _read(session, first.limit(search.page_size).offset(offset))
    missing = search.page_size - len(found)
    if not missing:
        return found
    length = offset + len(found)
    if not found:
        of_first = (
            shared if search.descending else sa.select(Resource.id).where(*_conditions(search), ~_is_shared())
        )
        length = await session.scalar(sa.select(sa.func.count()).select_from(of_first.subquery())) or 0
    rest = second.limit(missing).offset(max(0, offset - length))
    return found + await _read(session, rest)


def _sorted(entries: list[Entry], search: Search) -> list[Entry]:
    """The records of one page in their order, which a join does not keep."""

    def place(entry: Entry) -> tuple[object, ...]:
        if search.sort_by == "shares" and entry.share_count:
            return entry.share_count, entry.resource.id
        return 0, entry.resource.created_at, entry.resource.id

    return sorted(entries, key=place, reverse=search.descending)


def _shared(search: Search, total: int) -> sa.Select[Any, Any]:
    """The ids of the records that fit and have a share, each with the number of shares."""
    which = _conditions(search)
    if which and total < FEW:
        return sa.select(Resource.id, _share_count().label("shares")).where(*which, _is_shared())
    # One walk through the shares.
    found = sa.select(Share.resource_permission_id, sa.func.count().label("shares"))
    if which:
        found = found.join(Resource, Resource.id == Share.resource_permission_id).where(*which)
    return found.group_by(Share.resource_permission_id)


def _is_shared() -> sa.ColumnElement[bool]:
    return sa.exists().where(Share.resource_permission_id == Resource.id)


def _share_count() -> "sa.ScalarSelect[int]":
    return (
        sa.select(sa.func.count())
        .where(Share.resource_permission_id == Resource.id)
        .correlate(Resource)
        .scalar_subquery()
    )
