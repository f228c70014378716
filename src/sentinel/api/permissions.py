"""Entity permissions (``http-api.md`` §8, P1 to P9)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Path, Request

from sentinel.api.hot_route import HotRoute
from sentinel.api.schemas.permissions import (
    AccessibleIn,
    AccessibleOut,
    CheckIn,
    CheckOut,
    EnrichedResourceOut,
    EnrichedShareOut,
    GranteeIn,
    PlainCheckIn,
    RegisterIn,
    ResourceOut,
    ShareOut,
    VisibilityIn,
    question_of,
)
from sentinel.api.schemas.text import SCOPE_PATTERN
from sentinel.api.schemas.workspaces import StatusOk
from sentinel.api.security import (
    BothRequired,
    Service,
    ServiceMaybeUser,
    Session,
    UncountedService,
    admit_both,
    admit_service,
    guard,
    read_shown,
)
from sentinel.api.state import CurrentState, State
from sentinel.core import metrics
from sentinel.permissions import check as checks
from sentinel.permissions import resources
from sentinel.permissions.resources import Acl, EnrichedAcl, Grantee, ResourceName

router = APIRouter(prefix="/permissions", tags=["permissions"])
hot_router = APIRouter(prefix="/permissions", tags=["permissions"], route_class=HotRoute)
NamePart = Annotated[str, Path(max_length=255, pattern=SCOPE_PATTERN)]
RESOURCE = "/resource/{service_name}/{resource_type}/{resource_id}"


@hot_router.post("/check", response_model=CheckOut)
async def check(request: Request, state: CurrentState, body: CheckIn) -> dict[str, Any]:
    """P1: may this person do these things? Answers in the order of the questions."""
    plain: Any = {"checks": [question_of(item) for item in body.checks]}
    return await check_plain(request, state, plain)


async def check_plain(request: Request, state: State, body: PlainCheckIn) -> dict[str, Any]:
    """The same for questions in plain form; the answers are these very objects, with one key more."""
    questions: Any = body["checks"]
    async with guard("service_and_user", request, state):
        shown = await read_shown(request, state)
        checked = await checks.check(
            state.database,
            shown.key_hash,
            shown.claims,
            questions,
            debug=state.settings.debug,
            now=state.now(),
        )
    await admit_both(request, state, checked.service, checked.asker)
    metrics.decided("check", (decision.allowed for decision in checked.decisions))
    for question, decision in zip(questions, checked.decisions, strict=True):
        question["allowed"] = decision.allowed
    return {"results": questions}


@hot_router.post("/accessible", response_model=AccessibleOut, response_model_exclude_none=True)
async def accessible(request: Request, state: CurrentState, body: AccessibleIn) -> dict[str, Any]:
    """P2: everything of one kind that this person may view or edit, whole or page by page."""
    found = await _find_accessible(request, state, body)
    answer = {"resource_ids": list(found.resource_ids), "has_full_access": found.has_full_access}
    # An answer that is whole has no key for a cursor, as clients that know of none have always seen it.
    return answer if found.next_cursor is None else {**answer, "next_cursor": found.next_cursor}


async def accessible_plain(request: Request, state: State, body: AccessibleIn) -> bytes:
    """The same as JSON. The ids and the cursor hold nothing that would have to be escaped."""
    found = await _find_accessible(request, state, body)
    ids = f'"{found.resource_ids.text}"' if found.resource_ids.text else ""
    cursor = "" if found.next_cursor is None else f',"next_cursor":"{found.next_cursor}"'
    full = "true" if found.has_full_access else "false"
    return f'{{"resource_ids":[{ids}],"has_full_access":{full}{cursor}}}'.encode()


async def _find_accessible(request: Request, state: State, body: AccessibleIn) -> checks.Accessible:
    async with guard("service_and_user", request, state):
        shown = await read_shown(request, state)
        found = await checks.accessible(
            state.database,
            shown.key_hash,
            shown.claims,
            service_name=body.service_name,
            resource_type=body.resource_type,
            action=body.action,
            workspace_id=body.workspace_id,
            limit=body.limit,
            cursor=body.cursor,
            debug=state.settings.debug,
            now=state.now(),
        )
    await admit_both(request, state, found.service, found.asker)
    return found


@router.post("/register", status_code=201)
async def register(state: CurrentState, session: Session, service: Service, body: RegisterIn) -> ResourceOut:
    """P3: register a resource, or read the record that exists."""
    acl = await resources.register(
        session,
        service,
        ResourceName(body.service_name, body.resource_type, body.resource_id),
        workspace_id=body.workspace_id,
        owner_id=body.owner_id,
        visibility=body.visibility,
        now=state.now(),
    )
    return _resource(acl)


@router.get(RESOURCE)
async def read_resource(
    session: Session,
    service: Service,
    service_name: NamePart,
    resource_type: NamePart,
    resource_id: UUID,
) -> ResourceOut:
    """P4: the record of a resource with its shares."""
    name = ResourceName(service_name, resource_type, resource_id)
    return _resource(await resources.find(session, service, name))


@router.get(RESOURCE + "/enriched")
async def read_enriched(
    request: Request,
    state: CurrentState,
    session: Session,
    service: UncountedService,
    service_name: NamePart,
    resource_type: NamePart,
    resource_id: UUID,
) -> EnrichedResourceOut:
    """P5: the record with the names behind its ids."""
    await admit_service(request, state, service, limit="read")
    name = ResourceName(service_name, resource_type, resource_id)
    return _enriched(await resources.find_enriched(session, service, name))


@router.delete(RESOURCE, status_code=204)
async def deregister(
    session: Session,
    service: Service,
    service_name: NamePart,
    resource_type: NamePart,
    resource_id: UUID,
) -> None:
    """P6: forget a resource and its shares."""
    await resources.deregister(session, service, ResourceName(service_name, resource_type, resource_id))


@router.post("/{permission_id}/share", status_code=201)
async def share(
    state: CurrentState, session: Session, caller: BothRequired, permission_id: UUID, body: GranteeIn
) -> StatusOk:
    """P7: share a resource, or change the level of a share."""
    assert caller.member is not None
    await resources.share(
        session,
        caller.service,
        caller.member,
        permission_id,
        Grantee(body.grantee_type, body.grantee_id),
        body.permission,
        now=state.now(),
    )
    return StatusOk()


@router.delete("/{permission_id}/share")
async def unshare(
    session: Session,
    caller: ServiceMaybeUser,
    permission_id: UUID,
    body: Annotated[GranteeIn, Body()],
) -> StatusOk:
    """P8: take a share away. The JSON body is mandatory."""
    grantee = Grantee(body.grantee_type, body.grantee_id)
    await resources.unshare(session, caller.service, caller.member, permission_id, grantee)
    return StatusOk()


@router.patch("/{permission_id}/visibility")
async def change_visibility(
    session: Session, caller: ServiceMaybeUser, permission_id: UUID, body: VisibilityIn
) -> ResourceOut:
    """P9: change who sees a resource without a share."""
    acl = await resources.set_visibility(
        session, caller.service, caller.member, permission_id, body.visibility
    )
    return _resource(acl)


def _resource(acl: Acl) -> ResourceOut:
    answer = ResourceOut.model_validate(acl.resource)
    answer.shares = [ShareOut.model_validate(share) for share in acl.shares]
    return answer


def _enriched(found: EnrichedAcl) -> EnrichedResourceOut:
    answer = EnrichedResourceOut.model_validate(found.resource)
    answer.owner_name, answer.owner_email = found.owner.name, found.owner.email
    answer.shares = []
    for named in found.shares:
        line = EnrichedShareOut.model_validate(named.share)
        line.grantee_name, line.grantee_email = named.grantee.name, named.grantee.email
        line.granted_by_name = named.granted_by_name
        answer.shares.append(line)
    return answer
