"""Why may this person do that, and who else may? The same seven steps as a check, with their reasons shown."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import ServiceCaller, memberships
from sentinel.core.errors import NotFound, Unprocessable
from sentinel.identity.models import User
from sentinel.permissions.check import Checked, check
from sentinel.permissions.decide import Action, Asker, Decision, Level, Record, Visibility, decide
from sentinel.permissions.lookup import Question, group_memberships, groups
from sentinel.permissions.models import Resource, Share
from sentinel.permissions.resources import ResourceName
from sentinel.tokens.claims import UserClaims

MAX_PAGE = 200


@dataclass(frozen=True, slots=True)
class Via:
    """The share that decided: to the person himself, or to a group that he is in."""

    type: str
    id: UUID
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with the share behind it, when a share decided."""

    checked: Checked
    decision: Decision
    via: Via | None


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody who may do the action, and why."""

    user_id: UUID
    name: str
    email: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """Subjects in the order of their user ids; ``next_cursor`` is None on the last page."""

    subjects: list[Subject]
    next_cursor: str | None


async def explain(
    session: AsyncSession,
    key_hash: str | None,
    claims: UserClaims,
    question: Question,
    *,
    debug: bool,
    now: datetime,
) -> Explanation:
    """The answer of a check and the step that gave it. Raises what :func:`~sentinel.permissions.check.check` does."""
    checked = await check(session, key_hash, claims, [question], debug=debug, now=now)
    decision = checked.decisions[0]
    via = None
    if decision.step == 5:
        via = Via("user", checked.asker.user_id)
    elif decision.step == 6:
        via = await _deciding_group(session, checked, question)
    return Explanation(checked, decision, via)


async def list_subjects(
    session: AsyncSession,
    caller: ServiceCaller,
    name: ResourceName,
    action: Action,
    *,
    cursor: str | None,
    limit: int,
) -> SubjectPage:
    """Who may do ``action`` to a resource, one page of at most ``limit``.

    A cursor stays right whatever changes meanwhile: it names the last person that was shown. Raises
    :class:`Forbidden` out of scope, :class:`NotFound`, :class:`Unprocessable` for a cursor that is not ours.
    """
    caller.require_scope(name.service_name)
    after = _read_cursor(cursor)
    resource = (
        await session.execute(
            sa.select(Resource).where(
                Resource.service_name == name.service_name,
                Resource.resource_type == name.resource_type,
                Resource.resource_id == name.resource_id,
            )
        )
    ).scalar_one_or_none()
    if resource is None:
        raise NotFound("Resource not found", reason="resource_not_found")
    rows = (
        await session.execute(
            _subjects_statement(action is Action.EDIT),
            {
                "permission_id": resource.id,
                "workspace_id": resource.workspace_id,
                "owner_id": resource.owner_id or UUID(int=0),
                "visible": resource.visibility == Visibility.WORKSPACE,
                "after": after,
                "page": limit + 1,
            },
        )
    ).all()
    subjects = [_subject(row, resource, action) for row in rows[:limit]]
    cut = len(rows) > limit
    return SubjectPage(subjects, _write_cursor(subjects[-1].user_id) if cut else None)


def _subject(row: Any, resource: Resource, action: Action) -> Subject:
    record = Record(
        workspace_id=resource.workspace_id,
        owner_id=resource.owner_id,
        visibility=Visibility(resource.visibility),
        direct_share=Level(row.direct_share) if row.direct_share else None,
        group_share=Level(row.group_share) if row.group_share else None,
    )
    decision = decide(Asker(row.user_id, resource.workspace_id, row.role), record, action)
    return Subject(row.user_id, row.name, row.email, decision)


async def _deciding_group(session: AsyncSession, checked: Checked, question: Question) -> Via | None:
    levels = ("edit",) if question.action is Action.EDIT else ("edit", "view")
    group_names = sa.table(
        "groups",
        sa.column("id", sa.Uuid()),
        sa.column("workspace_id", sa.Uuid()),
        sa.column("name", sa.Text()),
    )
    row = (
        await session.execute(
            sa.select(group_names.c.id, group_names.c.name)
            .join(Share, sa.and_(Share.grantee_type == "group", Share.grantee_id == group_names.c.id))
            .join(Resource, Resource.id == Share.resource_permission_id)
            .join(group_memberships, group_memberships.c.group_id == group_names.c.id)
            .where(
                Resource.service_name == question.service_name,
                Resource.resource_type == question.resource_type,
                Resource.resource_id == question.resource_id,
                Resource.workspace_id == checked.asker.workspace_id,
                # A stale share must not name a group of another tenant.
                group_names.c.workspace_id == checked.asker.workspace_id,
                group_memberships.c.user_id == checked.asker.user_id,
                Share.permission.in_(levels),
            )
            # The best share wins; "edit" sorts before "view".
            .order_by(Share.permission, group_names.c.name, group_names.c.id)
            .limit(1)
        )
    ).one_or_none()
    return Via("group", row.id, row.name) if row else None


@cache
def _subjects_statement(edit: bool) -> Any:
    """Members whom the seven steps let through, with the shares that reach them. The law itself stays in
    ``decide.py``, which every row is put to; this only leaves out those whom it would refuse.
    """
    permission_id = sa.bindparam("permission_id", type_=sa.Uuid())
    workspace_id = sa.bindparam("workspace_id", type_=sa.Uuid())
    visible = sa.bindparam("visible", type_=sa.Boolean)
    direct = (
        sa.select(Share.permission)
        .where(
            Share.resource_permission_id == permission_id,
            Share.grantee_type == "user",
            Share.grantee_id == memberships.c.user_id,
        )
        .correlate(memberships)
        .scalar_subquery()
    )
    through_group = (
        sa.select(sa.func.min(Share.permission))
        .join(group_memberships, group_memberships.c.group_id == Share.grantee_id)
        .join(groups, groups.c.id == Share.grantee_id)
        .where(
            Share.resource_permission_id == permission_id,
            Share.grantee_type == "group",
            groups.c.workspace_id == workspace_id,
            group_memberships.c.user_id == memberships.c.user_id,
        )
        .correlate(memberships)
        .scalar_subquery()
    )
    people = (
        sa.select(
            memberships.c.user_id,
            memberships.c.role,
            User.name,
            User.email,
            direct.label("direct_share"),
            through_group.label("group_share"),
        )
        .join(User, User.id == memberships.c.user_id)
        .where(
            memberships.c.workspace_id == workspace_id,
            User.is_active,
            memberships.c.user_id > sa.bindparam("after", type_=sa.Uuid()),
        )
        .subquery("people")
    )
    enough = ("edit",) if edit else ("edit", "view")
    seen = sa.and_(visible, people.c.role == "editor") if edit else visible
    return (
        sa.select(people)
        .where(
            sa.or_(
                people.c.user_id == sa.bindparam("owner_id", type_=sa.Uuid()),
                people.c.role.in_(("admin", "owner")),
                seen,
                people.c.direct_share.in_(enough),
                people.c.group_share.in_(enough),
            )
        )
        .order_by(people.c.user_id)
        .limit(sa.bindparam("page", type_=sa.Integer))
    )


def _write_cursor(user_id: UUID) -> str:
    return base64.urlsafe_b64encode(user_id.bytes).decode().rstrip("=")


def _read_cursor(cursor: str | None) -> UUID:
    if cursor is None:
        return UUID(int=0)
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return UUID(bytes=raw)
    except (binascii.Error, ValueError) as error:
        raise Unprocessable("The cursor is not one of ours; begin again without", field="cursor") from error
