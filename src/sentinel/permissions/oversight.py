"""What an administrator of the installation changes in the entity ACL (``admin.md`` §6), whoever owns the record.

The writes themselves are those of :mod:`sentinel.permissions.resources`; here each has its activity.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps import scopes
from sentinel.apps.authentication import memberships
from sentinel.apps.scopes import Rows
from sentinel.audit import activity
from sentinel.core.errors import Invalid
from sentinel.permissions import resources
from sentinel.permissions.decide import Level, Visibility
from sentinel.permissions.models import Resource
from sentinel.permissions.resources import Grantee


async def set_visibility(
    session: AsyncSession,
    permission_id: UUID,
    visibility: Visibility,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> Resource:
    """Change who sees a resource without a share. Raises :class:`NotFound`."""
    resource = await resources.locked(session, permission_id)
    old = resource.visibility
    if old != visibility.value:
        await resources.show_to(session, resource, visibility, actor_id=actor_id)
        await _record(
            session,
            "permission_visibility_changed",
            resource,
            actor_id,
            now,
            old_visibility=old,
            new_visibility=visibility.value,
        )
    return resource


async def share(
    session: AsyncSession,
    permission_id: UUID,
    grantee: Grantee,
    level: Level,
    *,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    """Share a resource, or change the level of a share that exists (``authorization.md`` §4 rules 5 and 6).

    Raises :class:`NotFound`, :class:`Invalid` for a grantee outside the workspace.
    """
    resource = await resources.locked(session, permission_id)
    await resources.give(session, resource, grantee, level, granted_by=actor_id, now=now)
    await _record(
        session,
        "permission_shared",
        resource,
        actor_id,
        now,
        grantee_type=grantee.type,
        grantee_id=str(grantee.id),
        permission=level.value,
    )


async def unshare(
    session: AsyncSession, permission_id: UUID, grantee: Grantee, *, actor_id: UUID | None, now: datetime
) -> None:
    """Take a share away. Raises :class:`NotFound` for an unknown record or share."""
    resource = await resources.locked(session, permission_id)
    await resources.take(session, resource, grantee, actor_id=actor_id)
    await _record(
        session,
        "permission_revoked",
        resource,
        actor_id,
        now,
        grantee_type=grantee.type,
        grantee_id=str(grantee.id),
    )


async def set_owner(
    session: AsyncSession, permission_id: UUID, owner_id: UUID, *, actor_id: UUID | None, now: datetime
) -> Resource:
    """Give a resource to a member of its workspace (``authorization.md`` §4 rule 7).

    The former owner keeps what his role and shares give him. Raises :class:`NotFound`, :class:`Invalid` for an owner
    who is not a member now.
    """
    resource = await resources.locked(session, permission_id)
    membership = await session.execute(
        sa.select(memberships.c.user_id)
        .where(memberships.c.workspace_id == resource.workspace_id, memberships.c.user_id == owner_id)
        .with_for_update(read=True, key_share=True)
    )
    if membership.scalar_one_or_none() is None:
        raise Invalid("Owner is not a member of the workspace", reason="owner_not_member")
    old = resource.owner_id
    if old != owner_id:
        resource.owner_id = owner_id
        await session.flush()
        await _record(
            session,
            "permission_owner_changed",
            resource,
            actor_id,
            now,
            old_owner_id=str(old) if old else None,
            new_owner_id=str(owner_id),
        )
    return resource


async def purge(session: AsyncSession, service_name: str, *, actor_id: UUID | None, now: datetime) -> Rows:
    """Forget every resource under the name of a service or realm, with all shares; returns what went.

    A service or realm that has the name keeps its actions. When none has it any more they go, too, and the name is
    free again (SB-3).
    """
    await scopes.hold(session, service_name)
    if await scopes.owner_of(session, service_name) is None:
        gone = await scopes.purge(session, service_name)
    else:
        removed = await session.execute(
            sa.delete(Resource)
            .where(Resource.service_name == service_name)
            .execution_options(synchronize_session=False)
        )
        gone = Rows(removed.rowcount, 0)  # type: ignore[attr-defined]
    detail: dict[str, object] = {"service_name": service_name, "deleted_count": gone.resources}
    if gone.actions:
        detail["deleted_actions"] = gone.actions
    await activity.record(
        session,
        "permissions_purged",
        target_type="service",
        target_id=activity.SYSTEM_TARGET,
        actor_id=actor_id,
        detail=detail,
        now=now,
    )
    return gone


async def _record(
    session: AsyncSession,
    action: str,
    resource: Resource,
    actor_id: UUID | None,
    now: datetime,
    **detail: object,
) -> None:
    await activity.record(
        session,
        action,
        target_type="resource_permission",
        target_id=resource.id,
        actor_id=actor_id,
        workspace_id=resource.workspace_id,
        detail={
            "service_name": resource.service_name,
            "resource_type": resource.resource_type,
            "resource_id": str(resource.resource_id),
            **detail,
        },
        now=now,
    )
