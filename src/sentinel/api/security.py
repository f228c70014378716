"""The authentication tiers of ``http-api.md`` §0.7 as dependencies.

Each reads its credentials offline first and then asks the database once. The session that a tier authenticates in
is the one that the endpoint works in, so both see the same moment.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.api.rate_limit import client_ip, limit_default
from sentinel.api.state import CurrentState, State
from sentinel.apps import authentication
from sentinel.apps.authentication import (
    AppCaller,
    Credentials,
    KeyRefused,
    Member,
    OriginRefused,
    ServiceCaller,
    UserCaller,
)
from sentinel.apps.keys import LONGEST, hash_key
from sentinel.core.errors import Forbidden, Unauthenticated
from sentinel.core.logging import bind_actor, security_event
from sentinel.tokens.claims import TokenType, UserClaims
from sentinel.tokens.families import ClientContext
from sentinel.tokens.verify import TokenRefused

ACCESS = frozenset({TokenType.ACCESS})
ACCESS_OR_AUTHZ = frozenset({TokenType.ACCESS, TokenType.AUTHZ})
AUTHZ = frozenset({TokenType.AUTHZ})
ROUTINE = frozenset({"missing_token", "expired", "missing_service_key"})
"""Refusals of every day, logged at info level (§13 rule 2)."""


# ── the session of a request ──────────────────────────────────────────────────────────────────────────────────────


async def open_session(request: Request, state: CurrentState) -> AsyncIterator[AsyncSession]:
    """The request's session: reads for GET, one transaction for everything else, committed before the answer."""
    opened = state.database.reading() if request.method == "GET" else state.database.transaction()
    async with opened as session:
        yield session


# "function" scope: the transaction ends before the answer leaves, so a client never reads its write too early.
Session = Annotated[AsyncSession, Depends(open_session, scope="function")]


# ── what a request shows ──────────────────────────────────────────────────────────────────────────────────────────


class MissingToken(Unauthenticated):
    def __init__(self) -> None:
        super().__init__("Missing bearer token", reason="missing_token")


def _values(request: Request, name: bytes) -> list[str]:
    """Every value of a header; names come in lower case (ASGI)."""
    return [value.decode("latin-1") for given, value in request.scope["headers"] if given == name]


def bearer(request: Request) -> str:
    """The token of ``Authorization: Bearer``. Raises :class:`MissingToken`; two such headers count as none."""
    return _bearer(_values(request, b"authorization"))


def _bearer(values: list[str]) -> str:
    if len(values) != 1 or not values[0].startswith("Bearer "):
        raise MissingToken
    return values[0][len("Bearer ") :].strip()


def shown_key_hash(request: Request) -> str | None:
    """The hash of ``X-Service-Key``, or None when the header is missing, repeated or absurdly long."""
    return _key_hash(_values(request, b"x-service-key"))


def _key_hash(values: list[str]) -> str | None:
    if len(values) != 1 or not values[0] or len(values[0]) > LONGEST:
        return None
    return hash_key(values[0])


async def client_context(request: Request) -> ClientContext:
    """Where the request comes from, for audit rows and refresh families."""
    return ClientContext.of(client_ip(request), request.headers.get("user-agent"))


ClientOf = Annotated[ClientContext, Depends(client_context)]


class Shown(NamedTuple):
    """Key and token of a request for a hot call, checked offline; the call itself reads the live half."""

    key_hash: str | None
    claims: UserClaims


# ── guarding ──────────────────────────────────────────────────────────────────────────────────────────────────────


class guard:  # noqa: N801 - reads as the verb it is in a with statement
    """Wrap the judging of credentials: refuse an address that guesses before anything is looked up, log every
    refusal, and count those that look forged (§0.8 failed-auth).
    """

    __slots__ = ("ip", "name", "request", "session", "state")

    def __init__(
        self, name: str, request: Request, state: State, session: AsyncSession | None = None
    ) -> None:
        self.name = name
        self.request = request
        self.state = state
        self.session = session
        self.ip = client_ip(request)

    async def __aenter__(self) -> None:
        self.state.limits.check_failed_auth(self.ip)

    async def __aexit__(
        self, _type: type[BaseException] | None, refusal: BaseException | None, _trace: object
    ) -> None:
        if not isinstance(refusal, Unauthenticated | Forbidden):
            return
        security_event(
            "auth.guard.rejected",
            outcome="denied",
            reason=refusal.reason,
            level="info" if refusal.reason in ROUTINE else "warning",
            guard=self.name,
        )
        if await _counts_as_guess(refusal, self.request, self.state, self.session):
            await self.state.limits.record_failed_auth(self.ip)


async def _counts_as_guess(
    refusal: Unauthenticated | Forbidden, request: Request, state: State, session: AsyncSession | None
) -> bool:
    if isinstance(refusal, KeyRefused):
        return refusal.unknown
    if not isinstance(refusal, TokenRefused) or not refusal.forged:
        return False
    # A backend with a valid key passes on whatever its users bring; that is not its guessing.
    key_hash = shown_key_hash(request)
    if key_hash is None:
        return True
    if session is None:
        async with state.database.reading() as own:
            row = await authentication.read(own, Credentials(key_hash), state.now())
    else:
        row = await authentication.read(session, Credentials(key_hash), state.now())
    return authentication.service_of(row) is None


async def admit_service(
    request: Request, state: State, service: ServiceCaller, *, limit: str = "service"
) -> None:
    """Count a request of a service in ``limit``, note the use of its key, and name it in the log."""
    state.key_use.note(service)
    request.scope.setdefault("state", {})["caller_service"] = service.service_name
    bind_actor(caller_service=service.service_name)
    await state.limits.hit(limit, f"service:{service.service_name or client_ip(request)}")


def _name_user(request: Request, caller: UserCaller | Member) -> None:
    known = request.scope.setdefault("state", {})
    known["actor"], known["workspace_id"] = caller.user_id, caller.workspace_id
    bind_actor(actor=caller.user_id, workspace_id=caller.workspace_id)


async def admit_both(request: Request, state: State, service: ServiceCaller, caller: Member) -> None:
    """:func:`admit_service` for a hot call, which has authenticated a person as well."""
    state.key_use.note(service)
    actor, workspace_id = caller.user_id, caller.workspace_id
    known = request.scope.setdefault("state", {})
    known["actor"], known["workspace_id"], known["caller_service"] = actor, workspace_id, service.service_name
    bind_actor(actor=actor, workspace_id=workspace_id, caller_service=service.service_name)
    await state.limits.hit("service", f"service:{service.service_name or client_ip(request)}")


# ── the tiers ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def user_caller(request: Request, state: CurrentState, session: Session) -> UserCaller:
    """USER: a bearer access token, and nothing else."""
    async with guard("user", request, state, session):
        claims = state.verifier.user(bearer(request), allow=ACCESS)
        row = await authentication.read(session, Credentials(None, claims), state.now())
        caller = authentication.require_user(row, claims)
    _name_user(request, caller)
    return caller


@dataclass(frozen=True, slots=True)
class FlexCaller:
    """USER-FLEX: a person, and the service that spoke for him with a valid key, if one did."""

    user: UserCaller
    service: ServiceCaller | None


async def flex_caller(request: Request, state: CurrentState, session: Session) -> FlexCaller:
    """USER-FLEX: an access token alone; an access or authz token with a valid service key; or an authz token in
    ``X-Authz-Token``, when no valid key is shown (VR-10 to VR-12). The internal listener takes the form with the
    key only (§0.6): services speak there, and no browser.
    """
    if state.settings.tier == "internal":
        return await _keyed_caller(request, state, session)
    async with guard("user_flex", request, state, session):
        key_hash = shown_key_hash(request)
        slots = request.headers.getlist("x-authz-token")
        row, claims = await _read_flex(request, state, session, key_hash, slots)
        service = authentication.service_of(row)
        if service is None and claims.type is TokenType.AUTHZ and not slots:
            raise Unauthenticated("Invalid or expired token", reason="authz_without_key")
        user = authentication.require_user(row, claims)
        if service is not None:
            authentication.require_binding(service, claims)
    _name_user(request, user)
    return FlexCaller(user, service)


async def _keyed_caller(request: Request, state: State, session: AsyncSession) -> FlexCaller:
    async with guard("user_flex", request, state, session):
        claims = state.verifier.user(bearer(request), allow=ACCESS_OR_AUTHZ)
        shown = Credentials(shown_key_hash(request), claims)
        row = await authentication.read(session, shown, state.now())
        service = authentication.require_service(row, shown, debug=state.settings.debug)
        user = authentication.require_user(row, claims)
        authentication.require_binding(service, claims)
    _name_user(request, user)
    # In development without any app nobody has a key; the limits then count the address, as without this listener.
    return FlexCaller(user, service if service.app_id else None)


async def _read_flex(
    request: Request, state: State, session: AsyncSession, key_hash: str | None, slots: list[str]
) -> tuple[Any, UserClaims]:
    """The live facts and the token that counts: the bearer one, unless ``X-Authz-Token`` comes without a valid key.

    Only the database knows whether a key is valid, so with both the bearer token is tried as if it were.
    """
    if key_hash or not slots:
        claims: UserClaims | None = None
        refusal: Unauthenticated = MissingToken()
        try:
            claims = state.verifier.user(bearer(request), allow=ACCESS_OR_AUTHZ if key_hash else ACCESS)
        except (MissingToken, TokenRefused) as error:
            refusal = error
        if claims is None and not slots:
            raise refusal
        row = await authentication.read(session, Credentials(key_hash, claims), state.now())
        known = authentication.service_of(row) is not None
        if key_hash and not known:
            await state.limits.record_failed_auth(client_ip(request))
        if claims is not None and (known or not slots):
            return row, claims
        if known:
            raise refusal
    if len(slots) != 1:
        raise TokenRefused("malformed")
    slot = state.verifier.user(slots[0], allow=AUTHZ)
    return await authentication.read(session, Credentials(None, slot), state.now()), slot


async def service_caller(request: Request, state: CurrentState, session: Session) -> ServiceCaller:
    """SVC: a valid service key; counted in the service's own limit."""
    service = await identify_service(request, state, session)
    await admit_service(request, state, service)
    return service


async def identify_service(request: Request, state: CurrentState, session: Session) -> ServiceCaller:
    """SVC without counting: for routes that have a limit of their own."""
    async with guard("service", request, state, session):
        shown = Credentials(shown_key_hash(request))
        row = await authentication.read(session, shown, state.now())
        return authentication.require_service(row, shown, debug=state.settings.debug)


@dataclass(frozen=True, slots=True)
class ServiceAndUser:
    """SVC+USER, or SVC with an optional bearer token: then ``member`` may be None."""

    service: ServiceCaller
    member: Member | None


async def service_and_user(request: Request, state: CurrentState, session: Session) -> ServiceAndUser:
    """SVC+USER: a valid service key and a bearer access or authz token of a current member."""
    return await _service_and_user(request, state, session, bearer_required=True)


async def service_and_maybe_user(request: Request, state: CurrentState, session: Session) -> ServiceAndUser:
    """SVC with an optional bearer token, which must be valid when it is there (P8, P9)."""
    return await _service_and_user(request, state, session, bearer_required=False)


async def _service_and_user(
    request: Request, state: State, session: AsyncSession, *, bearer_required: bool
) -> ServiceAndUser:
    async with guard("service_and_user", request, state, session):
        key_hash = shown_key_hash(request)
        claims = None
        if bearer_required or request.headers.getlist("authorization"):
            claims = state.verifier.user(bearer(request), allow=ACCESS_OR_AUTHZ)
        shown = Credentials(key_hash, claims)
        row = await authentication.read(session, shown, state.now())
        service = authentication.require_service(row, shown, debug=state.settings.debug)
        member = None
        if claims is not None:
            caller = authentication.require_user(row, claims)
            authentication.require_binding(service, claims)
            member = authentication.member(caller)
    if member is not None:
        _name_user(request, member)
    await admit_service(request, state, service)
    return ServiceAndUser(service, member)


async def read_shown(request: Request, state: State) -> Shown:
    """The offline half of SVC+USER for the hot calls, whose one statement reads the rest. Call inside a guard."""
    tokens, keys = [], []
    for name, value in request.scope["headers"]:
        if name == b"authorization":
            tokens.append(value.decode("latin-1"))
        elif name == b"x-service-key":
            keys.append(value.decode("latin-1"))
    claims = await state.verifier.user_in_turn(_bearer(tokens), allow=ACCESS_OR_AUTHZ)
    return Shown(_key_hash(keys), claims)


User = Annotated[UserCaller, Depends(user_caller, scope="function")]
Flex = Annotated[FlexCaller, Depends(flex_caller, scope="function")]
Service = Annotated[ServiceCaller, Depends(service_caller, scope="function")]
UncountedService = Annotated[ServiceCaller, Depends(identify_service, scope="function")]
BothRequired = Annotated[ServiceAndUser, Depends(service_and_user, scope="function")]
ServiceMaybeUser = Annotated[ServiceAndUser, Depends(service_and_maybe_user, scope="function")]


async def calling_app(request: Request, state: State) -> AppCaller | None:
    """SVC|ORIGIN: the app of a valid key or, when no key is shown, of a registered origin. None only in development
    while no active service app exists.
    """
    key_hash = shown_key_hash(request)
    # A header that is there and unusable is a wrong key, not an absent one.
    wrong_key = key_hash is None and bool(request.headers.getlist("x-service-key"))
    if state.settings.tier == "public":
        # Out there only browsers ask, and a key would have no business in one (§0.6).
        key_hash, wrong_key = None, False
    origins = request.headers.getlist("origin")
    origin = origins[0] if len(origins) == 1 and not wrong_key else None
    async with state.database.reading() as session, guard("service_or_origin", request, state, session):
        caller, any_app = await authentication.find_app(session, key_hash, origin, state.now())
        if caller is None:
            if state.settings.debug and not any_app:
                return None
            raise KeyRefused(unknown=True) if key_hash or wrong_key else OriginRefused()
    if caller.by_key:
        state.key_use.note(
            ServiceCaller(caller.app_id, caller.service_name, caller.scope, caller.last_used_at)
        )
    bind_actor(caller_service=caller.service_name)
    request.scope.setdefault("state", {})["caller_service"] = caller.service_name
    return caller


# ── members of the workspace in the path ──────────────────────────────────────────────────────────────────────────


async def workspace_member(workspace_id: UUID, caller: User) -> Member:
    """USER and match: a current member of the workspace that the path names, which is the token's."""
    return authentication.member(caller, workspace_id)


async def flex_member(workspace_id: UUID, caller: Flex) -> Member:
    """USER-FLEX and match."""
    return authentication.member(caller.user, workspace_id)


PathMember = Annotated[Member, Depends(workspace_member)]
FlexPathMember = Annotated[Member, Depends(flex_member)]


async def limit_without_key(request: Request) -> None:
    """The default limits, before anything is looked up, for a request that shows no service key."""
    if shown_key_hash(request) is None:
        await limit_default(request)


async def limit_flex_default(request: Request, state: CurrentState, caller: Flex) -> None:
    """Behind :func:`limit_without_key`: the service's own limit for a valid key, the default ones for another."""
    await _limit_flex(request, state, caller, None)


async def limit_flex_read(request: Request, state: CurrentState, caller: Flex) -> None:
    """The read limit per person; a service with a key is counted as itself too, for its users one by one."""
    await _limit_flex(request, state, caller, "read")


async def _limit_flex(request: Request, state: State, caller: FlexCaller, named: str | None) -> None:
    if caller.service is not None:
        state.key_use.note(caller.service)
        bind_actor(caller_service=caller.service.service_name)
        request.scope.setdefault("state", {})["caller_service"] = caller.service.service_name
    if named:
        await state.limits.hit(named, f"user:{caller.user.user_id}")
    elif caller.service is not None:
        await state.limits.hit("service", f"service:{caller.service.service_name}")
    elif shown_key_hash(request) is not None:
        await limit_default(request)
