"""Why, and who else: explanations of decisions beside the checks themselves."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from sentinel.api.hot_route import HotRoute
from sentinel.api.schemas.explain import ExplanationOut, SubjectOut, SubjectsOut, ViaOut
from sentinel.api.schemas.permissions import CheckItem, question_of
from sentinel.api.schemas.text import SCOPE_PATTERN, Text
from sentinel.api.security import Service, Session, admit_both, guard, read_shown
from sentinel.api.state import CurrentState
from sentinel.permissions import explain as explanations
from sentinel.permissions.decide import Action
from sentinel.permissions.explain import MAX_PAGE
from sentinel.permissions.resources import ResourceName

router = APIRouter(prefix="/permissions", tags=["permissions"])
hot_router = APIRouter(prefix="/permissions", tags=["permissions"], route_class=HotRoute)
NamePart = Annotated[str, Path(max_length=255, pattern=SCOPE_PATTERN)]


@hot_router.post("/explain")
async def explain(request: Request, state: CurrentState, body: CheckItem) -> ExplanationOut:
    """May this person do this, which of the seven steps decided, and through which share?"""
    question = question_of(body)
    async with guard("service_and_user", request, state):
        shown = await read_shown(request, state)
        found = await explanations.explain(
            state.database,
            shown.key_hash,
            shown.claims,
            question,
            debug=state.settings.debug,
            now=state.now(),
        )
    await admit_both(request, state, found.checked.service, found.checked.asker)
    via = ViaOut(type=found.via.type, id=found.via.id, name=found.via.name) if found.via else None
    return ExplanationOut(
        allowed=found.decision.allowed, step=found.decision.step, reason=found.decision.reason, via=via
    )


@router.get("/resource/{service_name}/{resource_type}/{resource_id}/subjects")
async def list_subjects(
    session: Session,
    service: Service,
    service_name: NamePart,
    resource_type: NamePart,
    resource_id: UUID,
    action: Action,
    cursor: Annotated[Text | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> SubjectsOut:
    """Who may do this to the resource, and why; page by page."""
    name = ResourceName(service_name, resource_type, resource_id)
    page = await explanations.list_subjects(session, service, name, action, cursor=cursor, limit=limit)
    return SubjectsOut(
        subjects=[
            SubjectOut(
                user_id=subject.user_id,
                name=subject.name,
                email=subject.email,
                step=subject.decision.step,
                reason=subject.decision.reason,
            )
            for subject in page.subjects
        ],
        next_cursor=page.next_cursor,
    )
