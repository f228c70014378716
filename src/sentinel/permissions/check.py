"""Asking for decisions (``http-api.md`` §8, P1 and P2)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sentinel.apps import authentication
from sentinel.apps.authentication import Credentials, Member, ServiceCaller
from sentinel.core.database import Database
from sentinel.core.errors import Forbidden
from sentinel.core.logging import security_events
from sentinel.permissions.cursors import Listing, Place
from sentinel.permissions.decide import Action, Decision, has_full_access
from sentinel.permissions.facts import decisions
from sentinel.permissions.lookup import Question, fetch_facts
from sentinel.permissions.reach import Ids, fetch_accessible
from sentinel.tokens.claims import UserClaims


class Checked(NamedTuple):
    """Answers in the order of the questions, and who asked."""

    service: ServiceCaller
    asker: Member
    decisions: list[Decision]


class Accessible(NamedTuple):
    """What the asker reaches. With ``has_full_access`` and no limit the list is empty and stands for everything.
    ``next_cursor`` is there when a limit has cut the list, and asks for the rest.
    """

    service: ServiceCaller
    asker: Member
    resource_ids: Ids
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
    row, facts = await fetch_facts(database, shown, questions, now)
    service, asker = _admit(row, shown, claims, debug=debug)
    for scope in {question["service_name"] for question in questions}:
        service.require_scope(scope)
    table = decisions(asker.role)
    made = [table[question["action"]][known] for question, known in zip(questions, facts, strict=True)]
    denied = [pair for pair in zip(questions, made, strict=True) if not pair[1].allowed]
    if denied:
        _tell(service, asker, denied)
    return Checked(service, asker, made)


def _tell(service: ServiceCaller, asker: Member, denied: list[tuple[Question, Decision]]) -> None:
    def lines() -> Iterator[dict[str, Any]]:
        actor, workspace_id = str(asker.user_id), str(asker.workspace_id)
        for question, decision in denied:
            yield {
                "reason": decision.reason,
                "actor": actor,
                "workspace_id": workspace_id,
                "caller_service": service.service_name,
                "resource_type": question["resource_type"],
                "resource_id": question["resource_id"],
                "action": question["action"],
            }

    security_events("permission.check.denied", len(denied), lines, outcome="denied")


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
        next_cursor = Place.write(listing, reached.resource_ids.last, reached.last_record)
    return Accessible(service, asker, reached.resource_ids, has_full_access(asker.role), next_cursor)


def _admit(row: Any, shown: Credentials, claims: UserClaims, *, debug: bool) -> tuple[ServiceCaller, Member]:
    service = authentication.require_service(row, shown, debug=debug)
    caller = authentication.require_user(row, claims)
    authentication.require_binding(service, claims)
    return service, authentication.member(caller)
