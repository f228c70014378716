"""What an administrator of the installation asks about a record: why may this person, and who else may?

The answers come from the same seven steps as those that services get (``authorization.md`` §4).
"""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import memberships
from sentinel.core.errors import NotFound
from sentinel.identity.models import User
from sentinel.permissions.decide import Action, Asker, Decision, Level, Record, Visibility, decide
from sentinel.permissions.explain import SubjectPage, Via, best_shares, deciding_group, subjects_of
from sentinel.permissions.models import Resource
from sentinel.permissions.resources import ResourceName


@dataclass(frozen=True, slots=True)
class Answer:
    """May this person, which step says so, and through which share. ``role`` is None for who is not a member."""

    user_id: UUID
    name: str
    email: str
    is_active: bool
    role: str | None
    decision: Decision
    via: Via | None


async def why(session: AsyncSession, permission_id: UUID, user_id: UUID, action: Action) -> Answer:
    """Why a person may, or may not, do ``action`` to a resource, in one statement, or two when a group decides.

    Raises :class:`NotFound` for an unknown record or person.
    """
    resources = Resource.__table__
    direct, through_group = best_shares(resources, User.id, Resource, User)
    row = (
        await session.execute(
            sa.select(
                Resource,
                User.name,
                User.email,
                User.is_active,
                memberships.c.role,
                direct.label("direct_share"),
                through_group.label("group_share"),
            )
            .select_from(Resource)
            .join(User, User.id == user_id)
            .outerjoin(
                memberships,
                sa.and_(
                    memberships.c.user_id == User.id, memberships.c.workspace_id == Resource.workspace_id
                ),
            )
            .where(Resource.id == permission_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Resource or person not found", reason="resource_not_found")
    resource: Resource = row.Resource
    asker = Asker(user_id, resource.workspace_id, row.role, row.is_active)
    record = Record(
        workspace_id=resource.workspace_id,
        owner_id=resource.owner_id,
        visibility=Visibility(resource.visibility),
        direct_share=Level(row.direct_share) if row.direct_share else None,
        group_share=Level(row.group_share) if row.group_share else None,
    )
    decision = decide(asker, record, action)
    via = None
    if decision.step == 5:
        via = Via("user", user_id, row.name)
    elif decision.step == 6:
        via = await deciding_group(session, _name(resource), asker, action)
    return Answer(user_id, row.name, row.email, row.is_active, row.role, decision, via)


async def who(
    session: AsyncSession, resource: Resource, action: Action, *, cursor: str | None, limit: int
) -> SubjectPage:
    """Everybody who may do ``action`` to a resource, one page of at most ``limit``. Raises :class:`NotFound`,
    :class:`Unprocessable` for a cursor that is not ours.
    """
    return await subjects_of(session, _name(resource), action, cursor=cursor, limit=limit)


def _name(resource: Resource) -> ResourceName:
    return ResourceName(resource.service_name, resource.resource_type, resource.resource_id)
