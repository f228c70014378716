"""Anomaly signals (``tokens.md`` §15): they tell administrators, and never change the outcome of a sign-in (SG-1).

Whatever fails in here is logged and ignored. A signal is an activity row and, after the commit, a security event.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity, sign_in_memory
from sentinel.audit.devices import Device, device_of
from sentinel.audit.geo import Country, CountryLookup, distance_km
from sentinel.audit.models import Activity
from sentinel.audit.sign_in_memory import Kind, Seen
from sentinel.audit.stuffing import Origin, StuffingWatch
from sentinel.core.clock import Clock
from sentinel.core.database import Database, after_commit, savepoint
from sentinel.core.errors import Unavailable
from sentinel.core.logging import app_event, security_event

Name = Literal[
    "login_impossible_travel", "login_new_country", "login_new_device", "credential_stuffing_suspected"
]
Severity = Literal["low", "medium", "high"]

SEVERITIES: Mapping[Name, Severity] = {
    "login_impossible_travel": "high",
    "login_new_country": "medium",
    "login_new_device": "low",
    "credential_stuffing_suspected": "high",
}

LAST_COUNTRY_FOR = timedelta(days=90)
"""How long the last country of a person counts as a place that he has come from (SG-2)."""
SHORTEST_TRAVEL = timedelta(seconds=60)
TRAVEL_ONCE_PER = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Signal:
    """One finding of a rule; ``fields`` are the rule's own."""

    name: Name
    fields: dict[str, Any] = field(default_factory=dict)


class Signals:
    """The signals of one installation; with ``enabled`` false nothing is looked at, counted or remembered.

    ``travel_kmh`` is the speed above which a journey is impossible.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        countries: CountryLookup,
        stuffing: StuffingWatch,
        *,
        travel_kmh: int,
        enabled: bool = True,
    ) -> None:
        self._database = database
        self._clock = clock
        self._countries = countries
        self._stuffing = stuffing
        self._travel_kmh = travel_kmh
        self._enabled = enabled

    async def observe_sign_in(
        self, session: AsyncSession, *, user_id: UUID, ip: str | None, user_agent: str | None, now: datetime
    ) -> None:
        """Compare a sign-in that succeeds with earlier ones of the person (SG-2, SG-3).

        Call it in the transaction of the sign-in, after its activity row. Never raises. Two statements when
        nothing is new.
        """
        await self._observe(session, user_id, Origin(ip, user_agent), now, is_sign_in=True)

    async def observe_context_change(
        self, session: AsyncSession, *, user_id: UUID, ip: str | None, user_agent: str | None, now: datetime
    ) -> None:
        """The same for a refresh from elsewhere (RF-11): travel only; its country counts as seen. Never raises."""
        await self._observe(session, user_id, Origin(ip, user_agent), now, is_sign_in=False)

    async def observe_failure(
        self, *, reason: str, ip: str | None, user_agent: str | None, email: str | None = None
    ) -> None:
        """Count a failed sign-in (SG-4), outside any transaction: a signal gets one of its own. Never raises.

        ``email`` is the address that tried, if it is known; only a keyed hash of it is kept (SG-7).
        """
        if not self._enabled:
            return
        origin = Origin(ip, user_agent)
        try:
            found = await self._stuffing.count(origin.ip, email, reason)
            if found is None:
                return
            try:
                async with self._database.transaction() as session:
                    await _raise(
                        session,
                        Signal("credential_stuffing_suspected", found),
                        origin,
                        user_id=None,
                        now=self._clock.now(),
                    )
            except Exception:
                # The next failure of this window tries again.
                await self._stuffing.release(origin.ip)
                raise
        except Exception as error:
            _note_failure(error)

    async def aclose(self) -> None:
        """Let go of Redis."""
        await self._stuffing.aclose()

    async def _observe(
        self, session: AsyncSession, user_id: UUID, origin: Origin, now: datetime, *, is_sign_in: bool
    ) -> None:
        if not self._enabled:
            return
        try:
            country = self._countries.find(origin.ip)
            device = device_of(origin.user_agent) if is_sign_in else None
            if country is None and device is None:
                return
            async with savepoint(session):
                await self._compare(session, user_id, origin, country, device, now)
        except Exception as error:
            _note_failure(error)

    async def _compare(
        self,
        session: AsyncSession,
        user_id: UUID,
        origin: Origin,
        country: Country | None,
        device: Device | None,
        now: datetime,
    ) -> None:
        """``device`` is None for a refresh, of which only the journey is judged."""
        values: dict[Kind, str] = {}
        if country is not None:
            values["country"] = country.code
        if device is not None:
            values["device"] = device.label
        known = await sign_in_memory.recall(session, user_id, now=now)
        # Written before anything is judged: of sign-ins at once, each but the first sees what the others raised.
        first = await sign_in_memory.remember(session, user_id, values, known, now=now)
        signals: list[Signal] = []
        if country is not None:
            travel = self._travel(known, country, now)
            if travel is not None and not await _raised_lately(session, user_id, travel, now):
                signals.append(travel)
            if device is not None and "country" in first and _has_any("country", known):
                signals.append(Signal("login_new_country", {"country": country.code}))
        if device is not None and "device" in first and _has_any("device", known):
            fields = {"browser": device.browser, "os": device.system}
            signals.append(Signal("login_new_device", fields))
        for signal in signals:
            await _raise(session, signal, origin, user_id=user_id, now=now)

    def _travel(self, known: Sequence[Seen], country: Country, now: datetime) -> Signal | None:
        """The journey from the last country to this one, if nobody can have made it (SG-2)."""
        recent = (
            seen for seen in known if seen.kind == "country" and seen.last_seen > now - LAST_COUNTRY_FOR
        )
        last = next(recent, None)
        if last is None or last.value == country.code:
            return None
        origin = self._countries.country(last.value)
        if origin is None:
            return None
        elapsed = max(now - last.last_seen, SHORTEST_TRAVEL)
        km = distance_km(origin, country)
        kmh = km / (elapsed / timedelta(hours=1))
        if kmh <= self._travel_kmh:
            return None
        fields = {
            "prev_country": origin.code,
            "country": country.code,
            "km": round(km),
            "minutes": math.floor(elapsed / timedelta(minutes=1)),
            "kmh": round(kmh),
        }
        return Signal("login_impossible_travel", fields)


def _has_any(kind: Kind, known: Sequence[Seen]) -> bool:
    """Whether something of this kind is known of the person; if not, what is seen now only seeds (SG-3)."""
    return any(seen.kind == kind for seen in known)


async def _raised_lately(session: AsyncSession, user_id: UUID, travel: Signal, now: datetime) -> bool:
    """Whether this journey, in either direction, was signalled within the last hours."""
    rows = await session.scalars(
        sa.select(Activity.detail).where(
            Activity.target_type == "user",
            Activity.target_id == user_id,
            Activity.action == travel.name,
            Activity.created_at > now - TRAVEL_ONCE_PER,
        )
    )
    pair = {travel.fields["prev_country"], travel.fields["country"]}
    return any({row.get("prev_country"), row.get("country")} == pair for row in rows if row)


async def _raise(
    session: AsyncSession, signal: Signal, origin: Origin, *, user_id: UUID | None, now: datetime
) -> None:
    """The activity row, and the security event after the commit (SG-5)."""
    severity = SEVERITIES[signal.name]
    await activity.record(
        session,
        signal.name,
        target_type="user" if user_id else "system",
        target_id=user_id or activity.SYSTEM_TARGET,
        actor_id=user_id,
        detail={
            "signal": signal.name,
            "severity": severity,
            "ip": origin.ip,
            "user_agent": origin.user_agent,
            **signal.fields,
        },
        now=now,
    )
    after_commit(
        session,
        lambda: security_event(
            f"auth.signal.{signal.name}",
            outcome="anomaly",
            level="warning" if severity == "high" else "info",
            actor=str(user_id) if user_id else None,
            severity=severity,
            source_ip=origin.ip,
            **signal.fields,
        ),
    )


def _note_failure(error: Exception) -> None:
    app_event(
        "signal.evaluate_failed",
        outcome="error",
        level="warning",
        reason=error.reason if isinstance(error, Unavailable) else "unexpected_error",
        exc_info=error,
    )
