"""One page of a list and the length of the whole list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import Unprocessable

MAX_PAGE_SIZE = 100
LAST_ROW = 2**31
"""No list is looked into beyond this row; a page after it is empty."""
MANY = 10_000
"""Up to so many hits of a search are collected, to be counted and sorted."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page of a list; ``total`` counts all pages, ``page`` counts from 1."""

    items: tuple[T, ...]
    total: int
    page: int
    page_size: int


async def read(
    session: AsyncSession,
    make: Callable[..., T],
    base: sa.Select[*tuple[Any, ...]],
    order: Callable[[Any], Sequence[Any]],
    *,
    page: int,
    page_size: int,
    largest: int = MAX_PAGE_SIZE,
    beside: Callable[[Any], Sequence[Any]] = lambda _: (),
    searched: bool = False,
) -> Listing[T]:
    """The rows of ``base``, each made into an item by ``make`` from its columns in their order, in one statement, or
    in two when a search has found very many.

    The first column of ``base`` is the id of a row and never null. ``order`` gives the sorting from columns by their
    names in ``base``; an index that ends with the id and has the same order makes far pages quick. ``beside`` gives
    further columns, which are worked out for the rows of the page alone: counts, above all. ``searched`` says that no
    index knows which rows fit: they are gone through once only. Raises :class:`Unprocessable` for a page below
    1 or a size that is not 1 to ``largest``.
    """
    offset = _offset(page, page_size, largest)
    if searched:
        # Collected in the order in which they lie there, and sorted afterwards.
        hits = base.limit(MANY + 1).cte("hits")
        total = sa.select(sa.func.count().label("entries")).select_from(hits).subquery("total")
        shown = sa.select(hits).order_by(*order(hits.c)).limit(page_size).offset(offset).subquery("shown")
        found = await _fetch(session, make, total, shown, order, beside)
        if found[1] <= MANY:
            return Listing(*found, page, page_size)
        # Where so many fit, one comes across a page of them soon.
    identity = base.selected_columns[0]
    # Bare ids first: an index holds them in order, so what comes before the page is not looked at.
    chosen = (
        base.with_only_columns(identity.label("id"), maintain_column_froms=True)
        .order_by(*order(base.selected_columns))
        .limit(page_size)
        .offset(offset)
        .subquery("chosen")
    )
    total = _count(base).subquery("total")
    shown = base.where(identity.in_(sa.select(chosen.c.id))).subquery("shown")
    return Listing(*await _fetch(session, make, total, shown, order, beside), page, page_size)


async def _fetch(
    session: AsyncSession,
    make: Callable[..., T],
    total: Any,
    shown: Any,
    order: Callable[[Any], Sequence[Any]],
    beside: Callable[[Any], Sequence[Any]],
) -> tuple[tuple[T, ...], int]:
    rows = (
        await session.execute(
            sa.select(total.c.entries, *shown.c, *beside(shown))
            .select_from(total.outerjoin(shown, sa.true()))
            .order_by(*order(shown.c))
        )
    ).all()
    return tuple(make(*values) for _, *values in rows if values[0] is not None), rows[0][0]


def _count(base: sa.Select[*tuple[Any, ...]]) -> "sa.Select[int]":
    every = base.with_only_columns(sa.literal(1), maintain_column_froms=True).subquery("every")
    return sa.select(sa.func.count().label("entries")).select_from(every)


async def objects(
    session: AsyncSession,
    make: Callable[..., T],
    statement: sa.Select[*tuple[Any, ...]],
    *,
    page: int,
    page_size: int = 20,
) -> Listing[T]:
    """A page of a short list of whole objects: what ``statement``, which is sorted, selects, each row made into an
    item by ``make``. Two statements. Raises :class:`Unprocessable` as :func:`read` does.
    """
    offset = _offset(page, page_size, MAX_PAGE_SIZE)
    total = await session.scalar(_count(statement.order_by(None))) or 0
    if offset >= total:
        return Listing((), total, page, page_size)
    rows = await session.execute(statement.limit(page_size).offset(offset))
    return Listing(tuple(make(*row) for row in rows), total, page, page_size)


def counted(table: Any, *conditions: Any, of: Any) -> "sa.ScalarSelect[int]":
    """How many rows of ``table`` fit, for each row of ``of``."""
    return sa.select(sa.func.count()).select_from(table).where(*conditions).correlate(of).scalar_subquery()


def _offset(page: int, page_size: int, largest: int) -> int:
    if page < 1:
        raise Unprocessable("Pages count from 1", field="page")
    if not 1 <= page_size <= largest:
        raise Unprocessable(f"A page has 1 to {largest} entries", field="page_size")
    return min((page - 1) * page_size, LAST_ROW)
