"""All resources of an installation, page by page, for the panel (``admin.md`` §6).

Every filter has an index, so that a page comes quickly however many records there are.
"""

import re
from dataclasses import dataclass, replace
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
from sentinel.permissions.models import Resource, Share, ShareCount
from sentinel.permissions.resources import EnrichedAcl, NamedShare, Person

MAX_PAGE_SIZE = 100
FEW = 10_000
"""So many records that fit are cheaper to come across than to collect and sort."""
FEW_OWNERS = 100
"""The records of so few people are collected all the same: they may lie anywhere in the order of the list."""
DEEP = 1_000
SOME_OWNERS = 5_000
"""Beyond so many records, those of so many people are collected, too: to come across so many would take long."""
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
    owner_ids: tuple[UUID, ...] | None = None
    """Whom ``owner`` fits, when it fits few; looked up by :func:`browse`."""


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
    """A page of the records that fit, in four statements or fewer: owners, number, and one or two for the page.

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
    of_few = False
    if search.owner:
        most = SOME_OWNERS if offset > DEEP else FEW_OWNERS
        ids = await _owners(session, search.owner, most=most)
        of_few = len(ids) <= most
        if len(ids) <= FEW_OWNERS:
            search = replace(search, owner_ids=ids)
    total, has_more = await _total(session, search)
    if offset >= total and not has_more:
        return Page([], total, search.page, search.page_size)
    few = total < FEW or of_few
    found = (
        await _by_shares(session, search, few, offset)
        if search.sort_by == "shares"
        else await _read(session, _page_by_creation(search, few, offset, None if has_more else total))
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


async def _owners(session: AsyncSession, owner: str, *, most: int) -> tuple[UUID, ...]:
    """The people whose address contains ``owner``, and at most one more than ``most``."""
    found = await session.execute(
        sa.select(User.id).where(contains_folded(User.email, owner)).limit(most + 1)
    )
    return tuple(found.scalars())


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
        if search.owner_ids is not None:
            found.append(Resource.owner_id.in_(search.owner_ids))
        elif walking:
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


def _by_creation(search: Search, few: bool, offset: int, *which: Any) -> sa.Select[Any]:
    """The ids of a page of the list that is sorted by creation, of those that are ``which``."""
    columns: list[Any] = [Resource.created_at, Resource.id]
    conditions = _conditions(search, walking=not few)
    several_owners = search.owner is not None and len(search.owner_ids or ()) != 1
    if few and (len(conditions) > 1 or several_owners):
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


def _page_by_creation(search: Search, few: bool, offset: int, total: int | None) -> sa.Select[Any]:
    """The ids of a page of that list, which is counted from the end when that is nearer."""
    if total is None or offset <= total // 2:
        return _by_creation(search, few, offset)
    turned = replace(
        search,
        descending=not search.descending,
        # What has come since the counting is no reason for a longer page.
        page_size=min(search.page_size, total - offset),
    )
    return _by_creation(turned, few, max(0, total - offset - search.page_size))


async def _by_shares(session: AsyncSession, search: Search, few: bool, offset: int) -> list[Entry]:
    """The page of the list that is sorted by the number of shares, in at most two statements.

    Records with shares and those without are two lists, one behind the other, each with an index of its own. How long
    the first one is, is asked only where it ends.
    """
    if few and _conditions(search):
        return await _read(session, _few_by_shares(search, offset))
    shared = _shared(search)
    with_shares = shared.order_by(
        *(column.desc() if search.descending else column.asc() for column in _PLACE)
    )
    without = _by_creation(search, few, 0, ~_is_shared())
    first, second = (with_shares, without) if search.descending else (without, with_shares)
    found = await _read(session, first.limit(search.page_size).offset(offset))
    missing = search.page_size - len(found)
    if not missing:
        return found
    if found:
        return found + await _read(session, second.limit(missing))
    of_first = (
        shared if search.descending else sa.select(Resource.id).where(*_conditions(search), ~_is_shared())
    )
    length = sa.select(sa.func.count()).select_from(of_first.subquery()).scalar_subquery()
    # Never less than nothing, should the first list have grown just now.
    beyond = sa.case((length < offset, offset - length), else_=0)
    return await _read(session, second.limit(missing).offset(beyond))


def _few_by_shares(search: Search, offset: int) -> sa.Select[Any]:
    """The ids of the page where few fit: they are collected, each with its number, and sorted."""
    number = sa.func.coalesce(ShareCount.shares, 0)
    created = sa.case((ShareCount.shares.is_(None), Resource.created_at))
    return (
        sa.select(Resource.id)
        .outerjoin(ShareCount, ShareCount.resource_permission_id == Resource.id)
        .where(*_conditions(search))
        .order_by(
            *(
                column.desc() if search.descending else column.asc()
                for column in (number, created, Resource.id)
            )
        )
        .limit(search.page_size)
        .offset(offset)
    )


def _sorted(entries: list[Entry], search: Search) -> list[Entry]:
    """The records of one page in their order, which a join does not keep."""

    def place(entry: Entry) -> tuple[object, ...]:
        if search.sort_by == "shares" and entry.share_count:
            return entry.share_count, entry.resource.id
        return 0, entry.resource.created_at, entry.resource.id

    return sorted(entries, key=place, reverse=search.descending)


def _shared(search: Search) -> sa.Select[Any]:
    """The ids of the records that fit and have a share, where many do: gone through in the order of their numbers,
    without a look at the records when an index has what the filters ask for.
    """
    of_place = replace(search, workspace_id=None, service_name=None)
    found = sa.select(ShareCount.resource_permission_id)
    if search.workspace_id is not None:
        found = found.where(ShareCount.workspace_id == search.workspace_id)
    if search.service_name:
        column: Any = ShareCount.service_name
        if search.workspace_id is not None:
            column = unindexed(column, type_=column.type)
        found = found.where(column == search.service_name)
    if others := _conditions(of_place, walking=True):
        found = found.join(Resource, Resource.id == ShareCount.resource_permission_id).where(*others)
    return found


_PLACE = (ShareCount.shares, ShareCount.resource_permission_id)


def _is_shared() -> sa.ColumnElement[bool]:
    return sa.exists().where(ShareCount.resource_permission_id == Resource.id)


def _share_count() -> Any:
    number = sa.select(ShareCount.shares).where(ShareCount.resource_permission_id == Resource.id)
    return sa.func.coalesce(number.correlate(Resource).scalar_subquery(), 0)
