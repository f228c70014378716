"""One page of a list and the length of the whole list, in one statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import Unprocessable

MAX_PAGE_SIZE = 100
LAST_ROW = 2**31
"""No list is looked into beyond this row; a page after it is empty."""

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
) -> Listing[T]:
    """The rows of ``base``, each made into an item by ``make`` from its columns in their order.

    ``order`` gives the sorting from columns by their names in ``base``, the first of which is never null. ``beside``
    gives further columns, which are worked out for the rows of the page alone: counts, above all. Raises
    :class:`Unprocessable` for a page below 1 or a size that is not 1 to ``largest``.
    """
    if page < 1:
        raise Unprocessable("Pages count from 1", field="page")
    if not 1 <= page_size <= largest:
        raise Unprocessable(f"A page has 1 to {largest} entries", field="page_size")
    shown = (
        base.order_by(*order(base.selected_columns))
        .limit(page_size)
        .offset(min((page - 1) * page_size, LAST_ROW))
        .subquery("shown")
    )
    total = sa.select(sa.func.count().label("entries")).select_from(base.subquery("every")).subquery("total")
    rows = (
        await session.execute(
            sa.select(total.c.entries, *shown.c, *beside(shown))
            .select_from(total.outerjoin(shown, sa.true()))
            .order_by(*order(shown.c))
        )
    ).all()
    items = tuple(make(*values) for _, *values in rows if values[0] is not None)
    return Listing(items, rows[0][0], page, page_size)


def counted(table: Any, *conditions: Any, of: Any) -> "sa.ScalarSelect[int]":
    """How many rows of ``table`` fit, for each row of ``of``."""
    return sa.select(sa.func.count()).select_from(table).where(*conditions).correlate(of).scalar_subquery()
