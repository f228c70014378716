"""Registering resources and managing who may reach them (``http-api.md`` §8, P3 to P9)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from sentinel.apps.authentication import Member, ServiceCaller, memberships
from sentinel.core.database import after_commit, upsert
from sentinel.core.errors import Conflict, Forbidden, Invalid, NotFound
from sentinel.core.logging import audit_event
from sentinel.identity.models import User
from sentinel.permissions.decide import Level, Visibility, has_full_access
from sentinel.permissions.lookup import groups
from sentinel.permissions.models import Resource, Share


@dataclass(frozen=True, slots=True)
class ResourceName:
    """How a service names one of its resources."""

    service_name: str
    resource_type: str
    resource_id: UUID


@dataclass(frozen=True, slots=True)
class Acl:
    """A resource with its shares, oldest first."""

    resource: Resource
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Grantee:
    """Whom a share reaches: a user or a group, by id."""

    type: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Person:
    name: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class NamedShare:
    """A share with the names behind its ids; a group has no address."""

    share: Share
    grantee: Person
    granted_by_name: str | None


@dataclass(frozen=True, slots=True)
class EnrichedAcl:
    """A resource and its shares, oldest first, with the names behind their ids."""

    resource: Resource
    owner: Person
    shares: tuple[NamedShare, ...]


async def register(
    session: AsyncSession,
    caller: ServiceCaller,
    name: ResourceName,
    *,
    workspace_id: UUID,
    owner_id: UUID,
    visibility: Visibility,
    now: datetime,
) -> Acl:
    """Register a resource, or return the record that exists, unchanged (P3).

    Raises :class:`Forbidden` out of scope, :class:`Invalid` when the owner is no member of the workspace,
    :class:`Conflict` when the resource is registered in another workspace.
    """
    caller.require_scope(name.service_name)
    # The membership is read and held by the insert itself: a removal meanwhile waits, or is seen.
    values = sa.select(
        sa.literal(uuid4(), sa.Uuid()),
        sa.literal(name.service_name, sa.Text()),
        sa.literal(name.resource_type, sa.Text()),
        sa.literal(name.resource_id, sa.Uuid()),
        memberships.c.workspace_id,
        memberships.c.user_id,
        sa.literal(visibility.value, sa.Text()),
        sa.literal(now, Resource.created_at.type),
    ).where(memberships.c.workspace_id == workspace_id, memberships.c.user_id == owner_id)
    values = values.with_for_update(read=True, key_share=True)
    columns = [
        "id",
        "service_name",
        "resource_type",
        "resource_id",
        "workspace_id",
        "owner_id",
        "visibility",
        "created_at",
    ]
    created = (
        await session.execute(
            upsert(session, Resource)
            .from_select(columns, values)
            .on_conflict_do_nothing(index_elements=["service_name", "resource_type", "resource_id"])
            .returning(Resource)
        )
    ).scalar_one_or_none()
    if created is not None:
        _audit(session, "permission.resource.registered", created, owner=str(owner_id))
        return Acl(created, ())
    existing = (await session.execute(sa.select(Resource).where(*_named(name)))).scalar_one_or_none()
    if existing is None:
        if not await _is_member(session, workspace_id, owner_id):
            raise Invalid("Owner is not a member of the workspace", reason="owner_not_member")
        # Deregistered between the two statements above: now the name is free.
        return await register(
            session,
            caller,
            name,
            workspace_id=workspace_id,
            owner_id=owner_id,
            visibility=visibility,
            now=now,
        )
    if existing.workspace_id != workspace_id:
        raise Conflict("Resource is already registered in another workspace", reason="other_workspace")
    return Acl(existing, await _shares(session, existing.id))


async def find(session: AsyncSession, caller: ServiceCaller, name: ResourceName) -> Acl:
    """The record of a resource with its shares (P4). Raises :class:`Forbidden`, :class:`NotFound`."""
    caller.require_scope(name.service_name)
    rows = (
        await session.execute(
            sa.select(Resource, Share)
            .outerjoin(Share, Share.resource_permission_id == Resource.id)
            .where(*_named(name))
            .order_by(Share.granted_at, Share.id)
        )
    ).all()
    if not rows:
        raise _unknown()
    return Acl(rows[0][0], tuple(share for _, share in rows if share is not None))


async def find_enriched(session: AsyncSession, caller: ServiceCaller, name: ResourceName) -> EnrichedAcl:
    """The record with the names and addresses of the people and groups in it (P5)."""
    caller.require_scope(name.service_name)
    return await enriched(session, *_named(name))


async def enriched(session: AsyncSession, *which: sa.ColumnElement[bool]) -> EnrichedAcl:
    """The one record that fits, with names and addresses, in one statement. Raises :class:`NotFound`."""
    owner, grantor, grantee = aliased(User), aliased(User), aliased(User)
    rows = (
        await session.execute(
            sa.select(
                Resource,
                Share,
                owner.name.label("owner_name"),
                owner.email.label("owner_email"),
                sa.func.coalesce(grantee.name, groups.c.name).label("grantee_name"),
                grantee.email.label("grantee_email"),
                grantor.name.label("granted_by_name"),
            )
            .outerjoin(owner, owner.id == Resource.owner_id)
            .outerjoin(Share, Share.resource_permission_id == Resource.id)
            .outerjoin(grantee, sa.and_(Share.grantee_type == "user", grantee.id == Share.grantee_id))
            .outerjoin(groups, sa.and_(Share.grantee_type == "group", groups.c.id == Share.grantee_id))
            .outerjoin(grantor, grantor.id == Share.granted_by)
            .where(*which)
            .order_by(Share.granted_at, Share.id)
        )
    ).all()
    if not rows:
        raise _unknown()
    return EnrichedAcl(
        resource=rows[0].Resource,
        owner=Person(rows[0].owner_name, rows[0].owner_email),
        shares=tuple(
            NamedShare(row.Share, Person(row.grantee_name, row.grantee_email), row.granted_by_name)
            for row in rows
            if row.Share is not None
        ),
    )


async def deregister(session: AsyncSession, caller: ServiceCaller, name: ResourceName) -> None:
    """Forget a resource and all its shares (P6). Raises :class:`Forbidden`, :class:`NotFound`."""
    caller.require_scope(name.service_name)
    removed = (
        await session.execute(sa.delete(Resource).where(*_named(name)).returning(Resource))
    ).scalar_one_or_none()
    if removed is None:
        raise _unknown()
    _audit(session, "permission.resource.deregistered", removed)


async def share(
    session: AsyncSession,
    caller: ServiceCaller,
    sharer: Member,
    permission_id: UUID,
    grantee: Grantee,
    level: Level,
    *,
    now: datetime,
) -> None:
    """Share a resource, or change the level of a share that exists (P7).

    Raises :class:`NotFound`, :class:`Forbidden` for a caller who is neither owner nor workspace admin,
    :class:`Invalid` for a grantee outside the workspace.
    """
    resource = await _manageable(session, caller, sharer, permission_id)
    await give(session, resource, grantee, level, granted_by=sharer.user_id, now=now)


async def give(
    session: AsyncSession,
    resource: Resource,
    grantee: Grantee,
    level: Level,
    *,
    granted_by: UUID | None,
    now: datetime,
) -> None:
    """Write a share of a resource that the caller has locked, without asking who may. Raises :class:`Invalid` for a
    grantee outside the workspace.
    """
    upserted = upsert(session, Share).from_select(
        [
            "id",
            "resource_permission_id",
            "grantee_type",
            "grantee_id",
            "permission",
            "granted_by",
            "granted_at",
        ],
        sa.select(
            sa.literal(uuid4(), sa.Uuid()),
            sa.literal(resource.id, sa.Uuid()),
            sa.literal(grantee.type, sa.Text()),
            sa.literal(grantee.id, sa.Uuid()),
            sa.literal(level.value, sa.Text()),
            sa.literal(granted_by, sa.Uuid()),
            sa.literal(now, Share.granted_at.type),
        )
        .where(*_belongs(grantee, resource.workspace_id))
        .with_for_update(read=True, key_share=True),
    )
    stored = await session.execute(
        upserted.on_conflict_do_update(
            index_elements=["resource_permission_id", "grantee_type", "grantee_id"],
            set_={
                "permission": upserted.excluded.permission,
                "granted_by": upserted.excluded.granted_by,
                "granted_at": upserted.excluded.granted_at,
            },
        ).returning(Share.id)
    )
    if stored.scalar_one_or_none() is None:
        what = "Group does not belong to" if grantee.type == "group" else "User is not a member of"
        raise Invalid(f"{what} this workspace", reason="grantee_not_in_workspace")
    _audit(
        session,
        "permission.resource.shared",
        resource,
        actor=str(granted_by) if granted_by else None,
        grantee_type=grantee.type,
        grantee_id=str(grantee.id),
        permission=level.value,
    )


async def unshare(
    session: AsyncSession,
    caller: ServiceCaller,
    sharer: Member | None,
    permission_id: UUID,
    grantee: Grantee,
) -> None:
    """Take a share away (P8). ``sharer`` is None when the service acts on its own behalf.

    Raises :class:`NotFound` for an unknown record or share, :class:`Forbidden` as :func:`share`.
    """
    resource = await _manageable(session, caller, sharer, permission_id)
    await take(session, resource, grantee, actor_id=sharer.user_id if sharer else None)


async def take(session: AsyncSession, resource: Resource, grantee: Grantee, *, actor_id: UUID | None) -> None:
    """Remove a share of a resource that the caller has locked, without asking who may. Raises :class:`NotFound`
    without such a share.
    """
    removed = await session.execute(
        sa.delete(Share)
        .where(
            Share.resource_permission_id == resource.id,
            Share.grantee_type == grantee.type,
            Share.grantee_id == grantee.id,
        )
        .returning(Share.id)
    )
    if removed.scalar_one_or_none() is None:
        raise NotFound("Share not found", reason="share_not_found")
    _audit(
        session,
        "permission.resource.share_revoked",
        resource,
        actor=str(actor_id) if actor_id else None,
        grantee_type=grantee.type,
        grantee_id=str(grantee.id),
    )


async def set_visibility(
    session: AsyncSession,
    caller: ServiceCaller,
    sharer: Member | None,
    permission_id: UUID,
    visibility: Visibility,
) -> Acl:
    """Change who sees a resource without a share (P9). Raises :class:`NotFound`, :class:`Forbidden`."""
    resource = await _manageable(session, caller, sharer, permission_id)
    await show_to(session, resource, visibility, actor_id=sharer.user_id if sharer else None)
    return Acl(resource, await _shares(session, resource.id))


async def show_to(
    session: AsyncSession, resource: Resource, visibility: Visibility, *, actor_id: UUID | None
) -> None:
    """Set the visibility of a resource that the caller has locked, without asking who may."""
    resource.visibility = visibility.value
    await session.flush()
    _audit(
        session,
        "permission.resource.visibility_updated",
        resource,
        actor=str(actor_id) if actor_id else None,
        visibility=visibility.value,
    )


async def purge_grantee(
    session: AsyncSession, grantee_type: str, grantee_id: Any, *, workspace_id: UUID | None = None
) -> None:
    """Remove every share to a grantee, of one workspace or of all (``authorization.md`` §8)."""
    condition = [Share.grantee_type == grantee_type, Share.grantee_id == grantee_id]
    if workspace_id is not None:
        condition.append(
            Share.resource_permission_id.in_(
                sa.select(Resource.id).where(Resource.workspace_id == workspace_id)
            )
        )
    await session.execute(sa.delete(Share).where(*condition))


async def locked(session: AsyncSession, permission_id: UUID) -> Resource:
    """The record of that id for a change: others wait until the transaction ends. Raises :class:`NotFound`."""
    resource = (
        await session.execute(
            sa.select(Resource)
            .where(Resource.id == permission_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if resource is None:
        raise _unknown()
    return resource


async def _manageable(
    session: AsyncSession, caller: ServiceCaller, sharer: Member | None, permission_id: UUID
) -> Resource:
    resource = await locked(session, permission_id)
    caller.require_scope(resource.service_name)
    if sharer is None:
        return resource
    if resource.workspace_id != sharer.workspace_id:
        raise Forbidden("Resource belongs to another workspace", reason="other_workspace")
    if resource.owner_id != sharer.user_id and not has_full_access(sharer.role):
        raise Forbidden("Only the owner or a workspace admin may do this", reason="not_resource_owner")
    return resource


async def _is_member(session: AsyncSession, workspace_id: UUID, user_id: UUID) -> bool:
    found = sa.exists().where(memberships.c.workspace_id == workspace_id, memberships.c.user_id == user_id)
    return bool(await session.scalar(sa.select(found)))


def _belongs(grantee: Grantee, workspace_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    """Conditions on the row that makes a grantee one of the workspace's. The share's insert holds that row, so a
    removal and its purge come wholly before the share or wholly after it.
    """
    if grantee.type == "group":
        return groups.c.id == grantee.id, groups.c.workspace_id == workspace_id
    return memberships.c.user_id == grantee.id, memberships.c.workspace_id == workspace_id


def _named(name: ResourceName) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Resource.service_name == name.service_name,
        Resource.resource_type == name.resource_type,
        Resource.resource_id == name.resource_id,
    )


async def _shares(session: AsyncSession, permission_id: UUID) -> tuple[Share, ...]:
    found = await session.execute(
        sa.select(Share)
        .where(Share.resource_permission_id == permission_id)
        .order_by(Share.granted_at, Share.id)
    )
    return tuple(found.scalars())


def _unknown() -> NotFound:
    return NotFound("Resource not found", reason="resource_not_found")


def _audit(session: AsyncSession, event: str, resource: Resource, **fields: Any) -> None:
    line = {
        "permission_id": str(resource.id),
        "service_name": resource.service_name,
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
        "workspace_id": str(resource.workspace_id),
        **fields,
    }
    after_commit(session, lambda: audit_event(event, outcome="success", **line))
