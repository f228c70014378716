"""Authz mode (``http-api.md`` §3, Z1 to Z3)."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response

from sentinel.api.cookies import login_cookie, set_login_cookie
from sentinel.api.rate_limit import client_ip, limit
from sentinel.api.schemas.auth import WorkspaceChoiceOut
from sentinel.api.schemas.authz import PersonOut, ResolvedWorkspace, ResolveIn, ResolveOut
from sentinel.api.schemas.text import Text
from sentinel.api.security import ClientOf, calling_app
from sentinel.api.state import CurrentState
from sentinel.core.errors import Forbidden
from sentinel.login import github_authz
from sentinel.login.resolve import ProviderToken

router = APIRouter(prefix="/authz", tags=["authz"])
browser_router = APIRouter(prefix="/authz/idp", tags=["authz"])
Limited = Depends(limit("auth"))


@router.post("/resolve")
async def resolve(request: Request, state: CurrentState, context: ClientOf, body: ResolveIn) -> ResolveOut:
    """Z1: whose token is this, and where may he go; or, with a workspace and a service key, an authz token."""
    caller = await calling_app(request, state)
    who = f"service:{caller.service_name}" if caller and caller.by_key else client_ip(request)
    digest = hashlib.sha256(body.idp_token.encode()).hexdigest()
    await state.limits.hit_all(("resolve", who, digest), ("resolve-ceiling", who))
    brought = ProviderToken(body.provider, body.idp_token, body.nonce)
    if body.workspace_id is None:
        found = await state.resolver.discover(caller, brought, context)
        return ResolveOut(
            user=PersonOut.model_validate(found.user),
            workspaces=[WorkspaceChoiceOut.model_validate(choice) for choice in found.choices],
        )
    if caller is None or not caller.by_key:
        raise Forbidden(
            "Authz tokens are issued to service keys only; register a service app", reason="mint_without_key"
        )
    minted = await state.resolver.mint(caller, brought, body.workspace_id, context)
    subject = minted.subject
    return ResolveOut(
        user=PersonOut(id=subject.user_id, email=subject.email, name=subject.name),
        workspace=ResolvedWorkspace(
            id=subject.workspace_id, slug=subject.workspace_slug, role=subject.workspace_role
        ),
        authz_token=minted.token.token,
        expires_in=state.settings.authz_token_expire_minutes * 60,
    )


@browser_router.get("/{provider}/login", dependencies=[Limited], response_class=Response)
async def start_github(
    request: Request,
    state: CurrentState,
    provider: str,
    redirect_uri: Annotated[Text, Query(max_length=2048)],
    nonce: Annotated[Text, Query(min_length=1, max_length=512)],
) -> Response:
    """Z2: send the browser to GitHub."""
    url, flow = await state.github_login.start(provider, redirect_uri, nonce)
    answer = RedirectResponse(url, 302)
    set_login_cookie(answer, state, state.login_cookie.with_flow(login_cookie(request), flow))
    return answer


@browser_router.get("/{provider}/callback", dependencies=[Limited], response_class=Response)
async def finish_github(
    request: Request,
    state: CurrentState,
    provider: str,
    code: Annotated[Text | None, Query(max_length=2048)] = None,
    given_state: Annotated[Text | None, Query(alias="state", max_length=512)] = None,
    error: Annotated[Text | None, Query(max_length=255)] = None,
) -> Response:
    """Z3: GitHub sends the browser back; end at the application with the token in the fragment."""
    if code is None and error is None:
        missing = {"loc": ("query", "code"), "msg": "Field required", "type": "missing"}
        raise RequestValidationError([missing])
    cookie = login_cookie(request)
    flow = state.login_cookie.find(
        cookie, kind=github_authz.KIND, provider=github_authz.PROVIDER, state=given_state
    )
    url = await state.github_login.finish(provider, flow, code=code, provider_error=error)
    answer = RedirectResponse(url, 302)
    set_login_cookie(answer, state, state.login_cookie.without_flow(cookie, given_state))
    return answer
