"""Proxy-mode login (``http-api.md`` §2, A1 to A7)."""

from collections import Counter
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response

from sentinel.api.cookies import login_cookie, set_login_cookie
from sentinel.api.errors import TITLES, status_of
from sentinel.api.pages import browser_error
from sentinel.api.rate_limit import RateLimited, client_ip, limit, limit_default
from sentinel.api.schemas.auth import (
    CodeExchange,
    CodeProof,
    Done,
    ProviderNames,
    RefreshRequest,
    TokenAnswer,
    WorkspaceChoiceOut,
)
from sentinel.api.schemas.text import Text
from sentinel.api.security import ClientOf, Session, User
from sentinel.api.state import CurrentState, State
from sentinel.core.errors import Unavailable
from sentinel.login import proxy, sessions
from sentinel.login.codes import CodeRefused
from sentinel.login.proxy import LoginRequest
from sentinel.login.round_trip import LoginRejected
from sentinel.login.sign_in import EmailConflict, SignInRefused
from sentinel.providers import IdentityRefused, ProviderUnavailable
from sentinel.tokens.families import TokenPair
from sentinel.tokens.verify import TokenRefused

router = APIRouter(prefix="/auth", tags=["auth"])
Limited = Depends(limit("auth"))
LOGIN_PARAMETERS = frozenset(
    {"client_id", "redirect_uri", "code_challenge", "code_challenge_method", "state"}
)


@router.get("/providers", dependencies=[Depends(limit_default)])
async def list_providers(state: CurrentState) -> ProviderNames:
    """A1: the names of the configured providers, in the order of the sign-in buttons."""
    return ProviderNames(providers=state.providers.names())


async def unambiguous_query(request: Request) -> None:
    """Refuse a query that could be read in two ways: a repeated parameter (RFC 6749 §3.1, L13), or text that is
    not UTF-8 and would not come back as it was sent (RO-4).
    """
    try:
        query = request.scope["query_string"].decode("ascii")
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise _malformed_query("query", "The query must be percent-encoded UTF-8") from None
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1 and name in LOGIN_PARAMETERS:
            raise _malformed_query(name, "Send this parameter once")


def _malformed_query(name: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("query", name), "msg": message, "type": "value_error"}])


@router.get("/login/{provider}", dependencies=[Limited, Depends(unambiguous_query)], response_class=Response)
async def start_login(
    request: Request,
    state: CurrentState,
    context: ClientOf,
    provider: str,
    client_id: UUID,
    redirect_uri: Text,
    code_challenge: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{43,128}$")],
    code_challenge_method: str = "S256",
    app_state: Annotated[Text | None, Query(alias="state", max_length=512)] = None,
) -> Response:
    """A2: send the browser to the provider."""
    wish = LoginRequest(client_id, redirect_uri, code_challenge, code_challenge_method, app_state)
    try:
        started = await state.proxy_login.start(provider, wish, context)
    except Exception as error:
        return _page_for(error)
    answer = RedirectResponse(started.authorization_url, 302)
    cookie = login_cookie(request)
    set_login_cookie(answer, state, state.login_cookie.with_flow(cookie, started.flow))
    return answer


@router.get("/callback/{provider}", dependencies=[Limited], response_class=Response)
async def finish_login(
    request: Request,
    state: CurrentState,
    context: ClientOf,
    provider: str,
) -> Response:
    """A3: the provider sends the browser back; end at the application with a code."""
    given = request.query_params
    flow_state = _single(given.getlist("state"))
    cookie = login_cookie(request)
    flow = state.login_cookie.find(cookie, kind=proxy.KIND, provider=provider, state=flow_state)
    try:
        url = await state.proxy_login.finish(
            provider,
            flow,
            code=_single(given.getlist("code")),
            provider_error=given.get("error"),
            context=context,
        )
        answer: Response = RedirectResponse(url, 302)
    except Exception as error:
        answer = _page_for(error)
    if flow is not None:
        # Only this flow ends: another tab's stays (A3).
        set_login_cookie(answer, state, state.login_cookie.without_flow(cookie, flow.state))
    return answer


@router.post("/workspaces", dependencies=[Limited])
async def list_workspaces(request: Request, state: CurrentState, body: CodeProof) -> list[WorkspaceChoiceOut]:
    """A4: the workspaces behind a code, which stays usable."""
    state.limits.check_failed_auth(client_ip(request))
    try:
        async with state.database.reading() as session:
            choices = await sessions.list_choices(session, body.code, body.code_verifier, clock=state.clock)
    except CodeRefused as refusal:
        await _count_guess(request, state, refusal)
        raise
    return [WorkspaceChoiceOut.model_validate(choice) for choice in choices]


@router.post("/token", dependencies=[Limited])
async def exchange_code(
    request: Request, state: CurrentState, context: ClientOf, body: CodeExchange
) -> TokenAnswer:
    """A5: a code for a token pair of one workspace. The code is used up whatever the answer."""
    state.limits.check_failed_auth(client_ip(request))
    try:
        async with state.database.transaction() as session:
            pair = await sessions.exchange(
                session,
                state.issuer,
                body.code,
                body.code_verifier,
                body.workspace_id,
                configured=state.providers.names(),
                context=context,
                clock=state.clock,
            )
    except CodeRefused as refusal:
        await _count_guess(request, state, refusal)
        raise
    return _token_answer(state, pair)


@router.post("/refresh")
async def refresh_tokens(
    request: Request, state: CurrentState, context: ClientOf, body: RefreshRequest
) -> TokenAnswer:
    """A6: rotate a refresh token. Every failure looks the same."""
    await _limit_refresh(request, state, body.refresh_token)
    pair = await sessions.refresh(
        state.database,
        state.issuer,
        state.verifier,
        body.refresh_token,
        policy=state.refresh_policy,
        context=context,
        signals=state.signals,
        clock=state.clock,
    )
    return _token_answer(state, pair)


@router.post("/logout", dependencies=[Depends(limit_default)])
async def log_out(state: CurrentState, session: Session, caller: User, response: Response) -> Done:
    """A7: end all sessions of the person and this access token."""
    await sessions.logout(session, caller, clock=state.clock)
    response.headers["Clear-Site-Data"] = '"cookies", "storage"'
    return Done()


async def _limit_refresh(request: Request, state: State, token: str) -> None:
    """Per family when the signature is ours, so that one address can refresh for many; else per address."""
    ip = client_ip(request)
    try:
        bucket = f"family:{state.verifier.refresh(token).family_id}"
    except TokenRefused as refusal:
        state.limits.check_failed_auth(ip)
        if refusal.forged:
            await state.limits.record_failed_auth(ip)
        bucket = ip
    await state.limits.hit("auth", bucket, "/auth/refresh")


async def _count_guess(request: Request, state: State, refusal: CodeRefused) -> None:
    if refusal.guessed:
        await state.limits.record_failed_auth(client_ip(request))


def _token_answer(state: State, pair: TokenPair) -> TokenAnswer:
    return TokenAnswer(
        access_token=pair.access.token,
        refresh_token=pair.refresh.token,
        expires_in=state.settings.access_token_expire_minutes * 60,
    )


def _page_for(error: Exception) -> Response:
    """The error page of A2 and A3; what is not in their tables is 500 with a general text."""
    if isinstance(error, RateLimited):
        raise error
    if isinstance(error, LoginRejected | EmailConflict | SignInRefused):
        status, text = status_of(error), error.detail
    elif isinstance(error, IdentityRefused):
        status, text = 403, error.detail
    elif isinstance(error, Unavailable) and not isinstance(error, ProviderUnavailable):
        return browser_error(
            503, TITLES[503], "Please try again in a moment.", {"Retry-After": str(error.retry_after)}
        )
    else:
        status, text = 500, "The sign-in could not be completed."
    return browser_error(status, TITLES[status], text)


def _single(values: list[str]) -> str | None:
    """The value of a parameter that may appear once; repeated parameters are as good as none (RFC 6749 §3.1)."""
    return values[0] if len(values) == 1 else None
