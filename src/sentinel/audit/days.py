"""Days as reports count them: whole days in UTC, today included."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


@dataclass(frozen=True, slots=True)
class Days:
    """The last days up to now: ``first`` to ``last``, both included."""

    first: date
    last: date

    @classmethod
    def until(cls, now: datetime, days: int) -> "Days":
        """The last ``days`` days, of which the present one is the last."""
        last = now.astimezone(UTC).date()
        return cls(last - timedelta(days=days - 1), last)

    @property
    def since(self) -> datetime:
        """The moment at which the first day began."""
        return datetime.combine(self.first, time(), UTC)

    def __iter__(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            yield day
            day += timedelta(days=1)

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


class utc_day(GenericFunction[date]):  # noqa: N801 - named like the SQL function it stands for
    """The day of a point in time, in UTC whatever the time zone of the database."""

    type = sa.Date()
    inherit_cache = True
    name = "utc_day"


@compiles(utc_day, "postgresql")
def _on_postgresql(element: utc_day, compiler: Any, **kw: Any) -> str:
    return f"CAST(timezone('UTC', {compiler.process(element.clauses, **kw)}) AS DATE)"


@compiles(utc_day, "sqlite")
def _on_sqlite(element: utc_day, compiler: Any, **kw: Any) -> str:
    return f"date({compiler.process(element.clauses, **kw)})"
