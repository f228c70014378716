"""From where and with what people sign in: the rows of sign-ins, counted by browser, system and country
(``admin.md`` §3).
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.country_names import COUNTRY_NAMES
from sentinel.audit.days import Days
from sentinel.audit.devices import OTHER, device_of
from sentinel.audit.geo import CountryLookup
from sentinel.audit.models import Activity

SIGN_INS = ("user_login", "admin_login")
MOST_ADDRESSES = 20_000
"""Addresses that are looked up for a report, the most frequent ones; sign-ins from others count as unresolved."""

MOST_AGENTS = 2_000
"""User-Agents that are looked at for a report, the most frequent ones; sign-ins with others count as ``Other``."""


@dataclass(frozen=True, slots=True)
class NameCount:
    """A browser or an operating system, and its sign-ins."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class CountryCount:
    """A country by its ISO 3166-1 alpha-2 code, and its sign-ins."""

    code: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class SignIns:
    """The sign-ins of the last ``days`` days, each list by number. ``unresolved`` came from no known country."""

    days: int
    total: int
    browsers: tuple[NameCount, ...]
    os: tuple[NameCount, ...]
    countries: tuple[CountryCount, ...]
    unresolved: int


async def insights(
    session: AsyncSession, lookup: CountryLookup, *, days: int, now: datetime, user_id: UUID | None = None
) -> SignIns:
    """Count the sign-ins of the last ``days`` days, of one person or of all: one statement.

    The database counts equal browsers and equal addresses, so what is left to look up is what differs.
    """
    wanted = [Activity.action.in_(SIGN_INS), Activity.created_at >= Days.until(now, days).since]
    if user_id is not None:
        wanted.append(Activity.actor_id == user_id)
    everything: sa.CompoundSelect[Any] = sa.union_all(
        _by_value("user_agent", wanted, limit=MOST_AGENTS),
        _by_value("ip", wanted, limit=MOST_ADDRESSES),
        sa.select(sa.literal("all"), sa.cast(sa.null(), sa.Text()), sa.func.count()).where(*wanted),
    )
    found: dict[str, list[tuple[str | None, int]]] = {"user_agent": [], "ip": [], "all": []}
    for row in await session.execute(everything):
        found[row.kind].append((row.value, row.number))
    [(_, total)] = found["all"]
    # A large installation has many addresses; other requests must not wait for them.
    return await asyncio.to_thread(_count, lookup, days, total, found["user_agent"], found["ip"])


def _by_value(kind: str, wanted: Sequence[sa.ColumnElement[bool]], *, limit: int) -> sa.Select[Any]:
    """The sign-ins by one detail of their rows, the most frequent values first."""
    value = Activity.detail[kind].as_string().label("value")
    number = sa.func.count().label("number")
    counted = (
        sa.select(value, number).where(*wanted).group_by(value).order_by(number.desc(), value).limit(limit)
    )
    # A select of its own, because SQLite takes no LIMIT inside a union otherwise.
    inner = counted.subquery()
    return sa.select(sa.literal(kind).label("kind"), inner.c.value, inner.c.number)


def _count(
    lookup: CountryLookup,
    days: int,
    total: int,
    agents: Iterable[tuple[str | None, int]],
    addresses: Iterable[tuple[str | None, int]],
) -> SignIns:
    browsers, systems, countries = Counter[str](), Counter[str](), Counter[str]()
    for agent, number in agents:
        device = device_of(agent)
        browsers[device.browser] += number
        systems[device.system] += number
    if rest := total - browsers.total():
        browsers[OTHER] += rest
        systems[OTHER] += rest
    for address, number in addresses:
        country = lookup.find(address)
        if country is not None:
            countries[country.code] += number
    return SignIns(
        days=days,
        total=total,
        browsers=tuple(NameCount(*pair) for pair in _by_number(browsers)),
        os=tuple(NameCount(*pair) for pair in _by_number(systems)),
        countries=tuple(
            CountryCount(code, COUNTRY_NAMES.get(code, code), number)
            for code, number in _by_number(countries)
        ),
        unresolved=total - countries.total(),
    )


def _by_number(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
