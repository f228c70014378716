"""From where and with what people sign in: the rows of sign-ins, counted by browser, system and country
(``admin.md`` §3).
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.country_names import COUNTRY_NAMES
from sentinel.audit.days import Days
from sentinel.audit.devices import device_of
from sentinel.audit.geo import CountryLookup
from sentinel.audit.models import Activity

SIGN_INS = ("user_login", "admin_login")


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
    parts = []
    for kind in ("user_agent", "ip"):
        value = Activity.detail[kind].as_string().label("value")
        parts.append(
            sa.select(sa.literal(kind).label("kind"), value, sa.func.count().label("number"))
            .where(*wanted)
            .group_by(value)
        )
    rows = (await session.execute(sa.union_all(*parts))).all()
    agents = [(row.value, row.number) for row in rows if row.kind == "user_agent"]
    addresses = [(row.value, row.number) for row in rows if row.kind == "ip"]
    # A large installation has many addresses; other requests must not wait for them.
    return await asyncio.to_thread(_count, lookup, days, agents, addresses)


def _count(
    lookup: CountryLookup,
    days: int,
    agents: Iterable[tuple[str | None, int]],
    addresses: Iterable[tuple[str | None, int]],
) -> SignIns:
    browsers, systems, countries = Counter[str](), Counter[str](), Counter[str]()
    total = unresolved = 0
    for agent, number in agents:
        device = device_of(agent)
        browsers[device.browser] += number
        systems[device.system] += number
        total += number
    for address, number in addresses:
        country = lookup.find(address)
        if country is None:
            unresolved += number
        else:
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
        unresolved=unresolved,
    )


def _by_number(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
