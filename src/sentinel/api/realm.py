"""Realms (``http-api.md`` §9, M1 and M2)."""

from fastapi import APIRouter, Request

from sentinel.api.schemas.realm import M2mIn, M2mOut, RealmOut, WhoAmIOut
from sentinel.api.security import Session, UncountedService, admit_service
from sentinel.api.state import CurrentState
from sentinel.apps import realms

router = APIRouter(prefix="/realm", tags=["realm"])


@router.get("/whoami")
async def whoami(
    request: Request, state: CurrentState, session: Session, service: UncountedService
) -> WhoAmIOut:
    """M1: which scope the calling service acts under."""
    await admit_service(request, state, service, limit="resolve")
    found = await realms.whoami(session, service)
    realm = None
    if found.realm_slug is not None and found.realm_name is not None:
        realm = RealmOut(slug=found.realm_slug, name=found.realm_name)
    return WhoAmIOut(service_name=found.service_name, effective_scope=found.effective_scope, realm=realm)


@router.post("/m2m-token")
async def mint_m2m_token(
    request: Request, state: CurrentState, session: Session, service: UncountedService, body: M2mIn
) -> M2mOut:
    """M2: a short token that names the calling service inside its realm."""
    await admit_service(request, state, service, limit="resolve")
    token, expires_in = await realms.mint_m2m(session, service, state.issuer, target=body.target)
    return M2mOut(token=token.token, expires_in=expires_in)
