"""What a sign-in leaves in the activity log and tells the anomaly signals (A3, AD-9)."""

from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.audit.signals import Signals
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.errors import DomainError
from sentinel.core.logging import security_event
from sentinel.login.sign_in import SignedIn
from sentinel.providers import Identity
from sentinel.tokens.families import ClientContext

ACTIONS = {"user": ("user_login", "login_failed"), "admin": ("admin_login", "admin_login_failed")}


class Trail:
    """The trail of one ``flow``: that of applications (``user``) or that of the panel (``admin``)."""

    def __init__(
        self, flow: Literal["user", "admin"], database: Database, signals: Signals, clock: Clock
    ) -> None:
        self._flow = flow
        self._succeeded, self._failed = ACTIONS[flow]
        self._database = database
        self._signals = signals
        self._clock = clock

    async def succeeded(
        self, session: AsyncSession, signed_in: SignedIn, identity: Identity, context: ClientContext
    ) -> None:
        """Note a sign-in in its own transaction."""
        detail = self._circumstances(identity.provider, context)
        if identity.email != signed_in.user.email:
            detail["provider_email"] = identity.email
        await activity.record(
            session,
            self._succeeded,
            target_type="user",
            target_id=signed_in.user.id,
            actor_id=signed_in.user.id,
            detail=detail,
            now=self._clock.now(),
        )
        await self._signals.observe_sign_in(
            session,
            user_id=signed_in.user.id,
            ip=context.ip,
            user_agent=context.user_agent,
            now=self._clock.now(),
        )

    async def failed(
        self, reason: str, provider: str, context: ClientContext, email: str | None = None
    ) -> None:
        """Note a failure in a transaction of its own: that of the failed sign-in has been undone.

        ``email`` is the address that tried, if it is known; it goes to the signals alone.
        """
        try:
            async with self._database.transaction() as session:
                await activity.record(
                    session,
                    self._failed,
                    target_type="system",
                    target_id=activity.SYSTEM_TARGET,
                    detail={"reason": reason} | self._circumstances(provider, context),
                    now=self._clock.now(),
                )
        except DomainError:
            # The database is away: the answer to the browser must not depend on the audit row of a refusal.
            security_event("audit.write_failed", outcome="error", level="error", reason=self._failed)
        await self._signals.observe_failure(
            reason=reason, ip=context.ip, user_agent=context.user_agent, email=email
        )

    def _circumstances(self, provider: str, context: ClientContext) -> dict[str, Any]:
        return {
            "provider": provider[:64],
            "ip": context.ip,
            "user_agent": context.user_agent,
            "flow": self._flow,
        }
