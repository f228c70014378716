"""Why may this person do that, and who else may? The same seven steps as a check, with their reasons shown."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import Member, ServiceCaller, memberships
from sentinel.core.database import Database
from sentinel.core.errors import NotFound
from sentinel.identity.models import User
from sentinel.permissions.check import Checked, check
from sentinel.permissions.cursors import NOWHERE, read_cursor, write_cursor
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
    database: Database,
    key_hash: str | None,
    claims: UserClaims,
    question: Question,
    *,
    debug: bool,
    now: datetime,
) -> Explanation:
    """The answer of a check and the step that gave it. Raises what :func:`~sentinel.permissions.check.check` does."""
    checked = await check(database, key_hash, claims, [question], debug=debug, now=now)
    decision = checked.decisions[0]
    via = None
    if decision.step == 5:
        via = Via("user", checked.asker.user_id)
    elif decision.step == 6:
        name = ResourceName(
            question["service_name"], question["resource_type"], UUID(question["resource_id"])
        )
        async with database.reading() as session:
            via = await deciding_group(session, name, checked.asker, Action(question["action"]))
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
    return await subjects_of(session, name, action, cursor=cursor, limit=limit)


async def subjects_of(
    session: AsyncSession, name: ResourceName, action: Action, *, cursor: str | None, limit: int
) -> SubjectPage:
    """The same whoever asks; it is for the caller to know that he may. Raises :class:`NotFound`,
    :class:`Unprocessable`.
    """
    after = NOWHERE if cursor is None else UUID(bytes=read_cursor(cursor, size=16))
    rows = (
        await session.execute(
            _subjects_statement(action is Action.EDIT),
            {
                "service_name": name.service_name,
                "resource_type": name.resource_type,
                "resource_id": name.resource_id,
                "after": after,
                "page": limit + 1,
            },
        )
    ).all()
    if not rows:
        raise NotFound("Resource not found", reason="resource_not_found")
    # A resource that nobody reaches, or nobody more, is one row without a person.
    subjects = [_subject(row, action) for row in rows[:limit] if row.user_id is not None]
    cut = len(rows) > limit
    return SubjectPage(subjects, write_cursor(subjects[-1].user_id.bytes) if cut else None)


def _subject(row: Any, action: Action) -> Subject:
    record = Record(
        workspace_id=row.workspace_id,
        owner_id=row.owner_id,
        visibility=Visibility(row.visibility),
        direct_share=Level(row.direct_share) if row.direct_share else None,
        group_share=Level(row.group_share) if row.group_share else None,
    )
    decision = decide(Asker(row.user_id, row.workspace_id, row.role), record, action)
    return Subject(row.user_id, row.name, row.email, decision)


async def deciding_group(
    session: AsyncSession, name: ResourceName, asker: Member | Asker, action: Action
) -> Via | None:
    """The group whose share lets ``asker`` do ``action``: the best share wins, then the first name."""
    levels = ("edit",) if action is Action.EDIT else ("edit", "view")
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
                Resource.service_name == name.service_name,
                Resource.resource_type == name.resource_type,
                Resource.resource_id == name.resource_id,
                Resource.workspace_id == asker.workspace_id,
                # A stale share must not name a group of another tenant.
                group_names.c.workspace_id == asker.workspace_id,
                group_memberships.c.user_id == asker.user_id,
                Share.permission.in_(levels),
            )
            # The best share wins; "edit" sorts before "view".
            .order_by(Share.permission, group_names.c.name, group_names.c.id)
            .limit(1)
        )
    ).one_or_none()
    return Via("group", row.id, row.name) if row else None


def best_shares(record: Any, user_id: Any, *outer: Any) -> tuple[Any, Any]:
    """The best level that reaches a person directly and through groups, as subqueries of a statement on ``outer``.

    ``record`` has the columns of a resource; ``user_id`` is a column of ``outer``.
    """
    direct = (
        sa.select(Share.permission)
        .where(
            Share.resource_permission_id == record.c.id,
            Share.grantee_type == "user",
            Share.grantee_id == user_id,
        )
        .correlate(*outer)
        .scalar_subquery()
    )
    # "edit" sorts before "view", so the smallest level is the best one.
    through_group = (
        sa.select(sa.func.min(Share.permission))
        .join(group_memberships, group_memberships.c.group_id == Share.grantee_id)
        .join(groups, groups.c.id == Share.grantee_id)
        .where(
            Share.resource_permission_id == record.c.id,
            Share.grantee_type == "group",
            groups.c.workspace_id == record.c.workspace_id,
            group_memberships.c.user_id == user_id,
        )
        .correlate(*outer)
        .scalar_subquery()
    )
    return direct, through_group


@cache
def _subjects_statement(edit: bool) -> Any:
    """The record, and the members whom the seven steps let through with the shares that reach them; nothing when
    there is no record. The law itself stays in ``decide.py``, which every row is put to; this only leaves out those
    whom it would refuse.

    Members are gone through in the order of their ids until the page is full: an index of the workspace has them so.
    Who has a share is looked up once for all of them.
    """
    record = (
        sa.select(Resource.id, Resource.workspace_id, Resource.owner_id, Resource.visibility)
        .where(
            Resource.service_name == sa.bindparam("service_name", type_=sa.Text),
            Resource.resource_type == sa.bindparam("resource_type", type_=sa.Text),
            Resource.resource_id == sa.bindparam("resource_id", type_=sa.Uuid()),
        )
        .cte("record")
    )

    def of_record(column: Any) -> Any:
        return sa.select(column).scalar_subquery()

    enough = sa.and_(
        Share.resource_permission_id == of_record(record.c.id),
        Share.permission.in_(("edit",) if edit else ("edit", "view")),
    )
    directly = sa.select(Share.grantee_id).where(enough, Share.grantee_type == "user")
    through_groups = (
        sa.select(group_memberships.c.user_id)
        .join(Share, Share.grantee_id == group_memberships.c.group_id)
        .join(groups, groups.c.id == Share.grantee_id)
        .where(
            enough, Share.grantee_type == "group", groups.c.workspace_id == of_record(record.c.workspace_id)
        )
    )
    seen = of_record(record.c.visibility) == Visibility.WORKSPACE.value
    page = (
        sa.select(memberships.c.user_id, memberships.c.role, User.name, User.email)
        .join(User, User.id == memberships.c.user_id)
        .where(
            memberships.c.workspace_id == of_record(record.c.workspace_id),
            memberships.c.user_id > sa.bindparam("after", type_=sa.Uuid()),
            User.is_active,
            sa.or_(
                memberships.c.user_id == of_record(record.c.owner_id),
                memberships.c.role.in_(("admin", "owner")),
                sa.and_(seen, memberships.c.role == "editor") if edit else seen,
                memberships.c.user_id.in_(directly),
                memberships.c.user_id.in_(through_groups),
            ),
        )
        .order_by(memberships.c.user_id)
        .limit(sa.bindparam("page", type_=sa.Integer))
        .subquery("page")
    )
    direct, through_group = best_shares(record, page.c.user_id, page, record)
    return (
        sa.select(
            record.c.workspace_id,
            record.c.owner_id,
            record.c.visibility,
            page,
            direct.label("direct_share"),
            through_group.label("group_share"),
        )
        .select_from(record.outerjoin(page, sa.true()))
        .order_by(page.c.user_id)
    )
