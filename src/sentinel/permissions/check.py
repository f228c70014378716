"""Asking for decisions (``http-api.md`` §8, P1 and P2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sentinel.apps import authentication
from sentinel.apps.authentication import Credentials, Member, ServiceCaller
from sentinel.core.database import Database
from sentinel.core.errors import Forbidden
from sentinel.core.logging import security_event
from sentinel.permissions.cursors import Listing, Place
from sentinel.permissions.decide import Action, Asker, Decision, decide, has_full_access
from sentinel.permissions.lookup import Question, fetch_accessible, fetch_records
from sentinel.tokens.claims import UserClaims


@dataclass(frozen=True, slots=True)
class Checked:
    """Answers in the order of the questions, and who asked."""

    service: ServiceCaller
    asker: Member
    decisions: list[Decision]


@dataclass(frozen=True, slots=True)
class Accessible:
    """What the asker reaches. With ``has_full_access`` and no limit the list is empty and stands for everything.
    ``next_cursor`` is there when a limit has cut the list, and asks for the rest.
    """

    service: ServiceCaller
    asker: Member
    resource_ids: list[UUID]
    has_full_access: bool
    next_cursor: str | None


async def check(
    database: Database,
    key_hash: str | None,
    claims: UserClaims,
    questions: Sequence[Question],
    *,
    debug: bool,
    now: datetime,
) -> Checked:
    """Decide every question for the person of ``claims``, in one statement.

    Raises the errors of the SVC+USER tier, and :class:`Forbidden` when any question is out of the key's scope;
    nothing is evaluated then.
    """
    shown = Credentials(key_hash, claims)
    row, records = await fetch_records(database, shown, questions, now)
    service, asker = _admit(row, shown, claims, debug=debug)
    for question in questions:
        service.require_scope(question.service_name)
    who = Asker(asker.user_id, asker.workspace_id, asker.role)
    decisions = [
        decide(who, record, question.action) for question, record in zip(questions, records, strict=True)
    ]
    caller: dict[str, Any] = {
        "actor": str(asker.user_id),
        "workspace_id": str(asker.workspace_id),
        "caller_service": service.service_name,
    }
    for question, decision in zip(questions, decisions, strict=True):
        if not decision.allowed:
            security_event(
                "permission.check.denied",
                outcome="denied",
                reason=decision.reason,
                **caller,
                resource_type=question.resource_type,
                resource_id=str(question.resource_id),
                action=question.action.value,
            )
    return Checked(service, asker, decisions)


async def accessible(
    database: Database,
    key_hash: str | None,
    claims: UserClaims,
    *,
    service_name: str,
    resource_type: str,
    action: Action,
    workspace_id: UUID,
    limit: int | None,
    cursor: str | None,
    debug: bool,
    now: datetime,
) -> Accessible:
    """Everything of one kind that the person of ``claims`` may do ``action`` to, in one statement; with ``limit`` so
    many of them, and with the ``cursor`` of such an answer those that follow it.

    A cursor stays right while other resources come and go. Raises the errors of the SVC+USER tier,
    :class:`Forbidden` out of scope or for another workspace, and then :class:`Unprocessable` for a cursor that is not
    of this question and person, or whose own resource was deregistered.
    """
    shown = Credentials(key_hash, claims)
    place = None if cursor is None else Place.read(cursor)
    row, reached = await fetch_accessible(
        database,
        shown,
        service_name=service_name,
        resource_type=resource_type,
        action=action,
        limit=limit,
        after=place.resource_id if place else None,
        now=now,
    )
    service, asker = _admit(row, shown, claims, debug=debug)
    service.require_scope(service_name)
    if workspace_id != asker.workspace_id:
        raise Forbidden(authentication.NOT_A_MEMBER, reason="other_workspace")
    listing = Listing(asker.user_id, asker.workspace_id, service_name, resource_type, action)
    if place is not None:
        place.require(listing, reached.after_record)
    next_cursor = None
    if reached.last_record is not None:
        next_cursor = Place.write(listing, reached.resource_ids[-1], reached.last_record)
    return Accessible(service, asker, reached.resource_ids, has_full_access(asker.role), next_cursor)


def _admit(row: Any, shown: Credentials, claims: UserClaims, *, debug: bool) -> tuple[ServiceCaller, Member]:
    service = authentication.require_service(row, shown, debug=debug)
    caller = authentication.require_user(row, claims)
    authentication.require_binding(service, claims)
    return service, authentication.member(caller)
