"""From and to, as people and programs write them in the query of an address."""

import re
from datetime import UTC, datetime, timedelta

from sentinel.core.errors import Unprocessable


def first_moment(text: str | None, field: str) -> datetime | None:
    """Where ``text`` begins: a day (``2026-03-01``) or a point in time (ISO 8601, UTC without an offset).

    None for nothing. Raises :class:`Unprocessable` for ``field`` when it is neither.
    """
    return _read(text, field, timedelta(0), timedelta(0))


def moment_after(text: str | None, field: str) -> datetime | None:
    """The first moment after ``text``: the next midnight for a day, so that the whole day is in."""
    return _read(text, field, timedelta(days=1), timedelta(microseconds=1))


def _read(text: str | None, field: str, day: timedelta, moment: timedelta) -> datetime | None:
    text = (text or "").strip()
    if not text:
        return None
    is_day = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is not None
    try:
        # A plus sign that was not encoded arrives as a blank.
        value = datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", text) if "T" in text else text)
        value = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return value + (day if is_day else moment)
    except (ValueError, OverflowError):
        raise Unprocessable("Give a day such as 2026-03-01, or a point in time", field=field) from None
