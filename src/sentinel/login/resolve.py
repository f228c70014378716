"""Authz mode: the application signed the person in at the provider; here the token is judged and, for a service with
a key, exchanged for a short authz token bound to it (``http-api.md`` §3, Z1).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import AppCaller
from sentinel.audit import activity
from sentinel.audit.buffer import ActivityBuffer
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.errors import DomainError, Forbidden
from sentinel.core.logging import security_event
from sentinel.identity.models import User
from sentinel.login import subjects
from sentinel.login.sign_in import EmailConflict, SignInRefused, sign_in
from sentinel.providers import Identity, Providers, ProviderUnavailable
from sentinel.tokens.claims import IssuedToken, TokenSubject
from sentinel.tokens.families import ClientContext
from sentinel.tokens.issue import Issuer
from sentinel.workspaces import gates
from sentinel.workspaces.gates import WorkspaceChoice

NOT_ADMITTED = "Not permitted in this workspace"


@dataclass(frozen=True, slots=True)
class ProviderToken:
    """What the application brings: the provider's token, who issued it, and the nonce of the login if it kept one."""

    provider: str
    token: str
    nonce: str | None = None

    def __repr__(self) -> str:
        return f"ProviderToken(provider={self.provider!r})"


@dataclass(frozen=True, slots=True)
class Discovered:
    """A person and the workspaces that he can get authz tokens for."""

    user: User
    choices: list[WorkspaceChoice]


@dataclass(frozen=True, slots=True)
class Minted:
    """An authz token with what it speaks of."""

    subject: TokenSubject
    token: IssuedToken


class Resolver:
    """Judges provider tokens of one installation."""

    def __init__(
        self,
        database: Database,
        providers: Providers,
        issuer: Issuer,
        activity_buffer: ActivityBuffer,
        *,
        admin_emails: Collection[str],
        clock: Clock,
    ) -> None:
        self._database = database
        self._providers = providers
        self._issuer = issuer
        self._activity_buffer = activity_buffer
        self._admin_emails = frozenset(admin_emails)
        self._clock = clock

    async def discover(
        self, caller: AppCaller | None, brought: ProviderToken, context: ClientContext
    ) -> Discovered:
        """Who the token belongs to, and where he may go.

        ``caller`` is None only in development without any service app. Raises
        :class:`~sentinel.core.errors.Invalid` for a token that is not accepted,
        :class:`~sentinel.core.errors.Unavailable` while the provider cannot be asked, :class:`SignInRefused`,
        :class:`EmailConflict`.
        """
        identity = await self._identify(caller, brought)
        try:
            async with self._database.transaction() as session:
                user = await self._sign_in(session, identity)
                return Discovered(user, await gates.choices(session, user))
        except (SignInRefused, EmailConflict) as refusal:
            await self._note_refusal(refusal, brought, context)
            raise

    async def mint(
        self, caller: AppCaller, brought: ProviderToken, workspace_id: UUID, context: ClientContext
    ) -> Minted:
        """Exchange the provider's token for an authz token of one workspace, bound to the caller's scope.

        Raises what :meth:`discover` raises, and :class:`Forbidden` when the person gets no token there.
        """
        identity = await self._identify(caller, brought)
        try:
            async with self._database.transaction() as session:
                user = await self._sign_in(session, identity)
                candidate = await subjects.load(session, user.id, workspace_id, scope=caller.scope)
                if candidate.refusal is not None or candidate.subject is None:
                    # The person may well be new: what was learnt of him is kept.
                    raise Forbidden(NOT_ADMITTED, reason=candidate.refusal, commit=True)
        except (SignInRefused, EmailConflict, Forbidden) as refusal:
            await self._note_refusal(refusal, brought, context)
            raise
        token = self._issuer.authz(
            candidate.subject,
            idp_subject=identity.idp_sub,
            scope=caller.scope,
            actions=candidate.actions,
        )
        security_event(
            "authz.token.issued",
            outcome="success",
            actor=str(user.id),
            workspace_id=str(workspace_id),
            caller_service=caller.service_name,
        )
        self._activity_buffer.note(
            "authz_token_issued",
            per="day",
            actor_id=user.id,
            workspace_id=workspace_id,
            detail={"service_name": caller.service_name, "provider": brought.provider},
        )
        return Minted(candidate.subject, token)

    async def _identify(self, caller: AppCaller | None, brought: ProviderToken) -> Identity:
        audiences: Sequence[str] | None = caller.allowed_idp_audiences if caller else None
        try:
            provider = self._providers.get(brought.provider)
            return await provider.identify(brought.token, audiences=audiences or None, nonce=brought.nonce)
        except DomainError as error:
            security_event(
                "authz.idp.validation_failed",
                outcome="failure" if isinstance(error, ProviderUnavailable) else "denied",
                reason=error.reason,
                provider=brought.provider[:64],
                caller_service=caller.service_name if caller else None,
            )
            raise

    async def _sign_in(self, session: AsyncSession, identity: Identity) -> User:
        signed_in = await sign_in(session, identity, admin_emails=self._admin_emails, now=self._clock.now())
        return signed_in.user

    async def _note_refusal(
        self, refusal: DomainError, brought: ProviderToken, context: ClientContext
    ) -> None:
        """Log and audit a refusal, in a transaction of its own: that of the refused call has been undone."""
        if isinstance(refusal, EmailConflict):
            security_event("authz.idp.email_conflict", outcome="denied", provider=brought.provider[:64])
        else:
            security_event(
                "authz.token.denied", outcome="denied", reason=refusal.reason, provider=brought.provider[:64]
            )
        try:
            async with self._database.transaction() as session:
                await activity.record(
                    session,
                    "login_failed",
                    target_type="system",
                    target_id=activity.SYSTEM_TARGET,
                    detail={
                        "reason": refusal.reason,
                        "provider": brought.provider[:64],
                        "ip": context.ip,
                        "user_agent": context.user_agent,
                        "flow": "authz",
                    },
                    now=self._clock.now(),
                )
        except DomainError:
            security_event("audit.write_failed", outcome="error", level="error", reason="login_failed")
