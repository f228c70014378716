"""Workspaces (``http-api.md`` §5, W1 to W5).

What takes a :class:`Member` asks whether he may; :func:`make`, :func:`edit` and :func:`destroy` do the same deed for
whoever wishes it, and are what the panel calls for its administrators.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import Member
from sentinel.audit import activity
from sentinel.core.errors import Conflict, Forbidden, LimitReached, NotFound
from sentinel.identity.models import User
from sentinel.identity.text import label, plain_text
from sentinel.tokens.revocation import revoke_users
from sentinel.workspaces.models import Membership, Workspace


@dataclass(frozen=True, slots=True)
class WorkspaceChange:
    """New values; None leaves a field as it is."""

    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class SelfServe:
    """Quotas of an installation where people make their own workspaces (``http-api.md`` §15)."""

    per_user: int
    per_hour: int


async def create(
    session: AsyncSession,
    creator_id: UUID,
    *,
    name: str,
    slug: str,
    description: str | None,
    allowed: bool,
    self_serve: SelfServe | None = None,
    now: datetime,
) -> Workspace:
    """Make a workspace; its creator becomes the owner (W1).

    ``allowed`` is the installation's ``ALLOW_WORKSPACE_CREATE``; ``self_serve`` its quotas when that module is on.
    Raises :class:`Forbidden` without permission or at the person's quota, :class:`LimitReached` at the hourly one,
    :class:`Conflict` when the slug is taken, :class:`Unprocessable` for a name made of markup alone.
    """
    if not allowed:
        raise Forbidden("Workspaces are created by administrators here", reason="workspace_create_disabled")
    if self_serve is not None:
        await _require_quota(session, creator_id, self_serve, now)
    return await make(session, creator_id, name=name, slug=slug, description=description, now=now)


async def make(
    session: AsyncSession, creator_id: UUID, *, name: str, slug: str, description: str | None, now: datetime
) -> Workspace:
    """Make a workspace whose owner is ``creator_id``, whatever the installation allows to everybody.

    Raises :class:`Conflict` when the slug is taken, :class:`Unprocessable` for a name made of markup alone.
    """
    workspace = Workspace(
        id=uuid4(),
        slug=slug,
        name=label(name),
        description=plain_text(description) if description is not None else None,
        created_by=creator_id,
        created_at=now,
    )
    session.add(workspace)
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError as error:
        raise Conflict("Workspace slug is already taken", reason="slug_taken") from error
    await session.execute(
        sa.insert(Membership).values(
            id=uuid4(), workspace_id=workspace.id, user_id=creator_id, role="owner", joined_at=now
        )
    )
    await activity.record(
        session,
        "workspace_created",
        target_type="workspace",
        target_id=workspace.id,
        actor_id=creator_id,
        workspace_id=workspace.id,
        detail={"name": workspace.name, "slug": slug},
        now=now,
    )
    return workspace


async def _require_quota(session: AsyncSession, creator_id: UUID, quota: SelfServe, now: datetime) -> None:
    # The person's row is held, so that two creations at once cannot both be the last one allowed.
    await session.execute(sa.select(User.id).where(User.id == creator_id).with_for_update(key_share=True))
    made = sa.select(sa.func.count()).select_from(Workspace)
    if (await session.scalar(made.where(Workspace.created_by == creator_id)) or 0) >= quota.per_user:
        raise Forbidden("You cannot create another workspace", reason="self_serve_cap")
    hour = timedelta(hours=1)
    if (await session.scalar(made.where(Workspace.created_at > now - hour)) or 0) >= quota.per_hour:
        raise LimitReached(
            "Too many workspaces have been created in the last hour",
            retry_after=3600,
            reason="self_serve_breaker",
        )


async def list_of_user(session: AsyncSession, user_id: UUID) -> Sequence[Workspace]:
    """Every workspace that a person is a member of, by creation (W2)."""
    found = await session.execute(
        sa.select(Workspace)
        .join(Membership, Membership.workspace_id == Workspace.id)
        .where(Membership.user_id == user_id)
        .order_by(Workspace.created_at, Workspace.id)
    )
    return found.scalars().all()


async def get(session: AsyncSession, workspace_id: UUID) -> Workspace:
    """The workspace of that id. Raises :class:`NotFound`."""
    return _existing(await session.get(Workspace, workspace_id))


async def change(session: AsyncSession, actor: Member, wish: WorkspaceChange, *, now: datetime) -> Workspace:
    """Change name or description of the actor's workspace (W4).

    Raises :class:`Forbidden` below admin, :class:`NotFound`, :class:`Unprocessable`.
    """
    actor.require("admin")
    return await edit(session, actor.workspace_id, wish, actor_id=actor.user_id, now=now)


async def edit(
    session: AsyncSession, workspace_id: UUID, wish: WorkspaceChange, *, actor_id: UUID | None, now: datetime
) -> Workspace:
    """Change name or description of a workspace, whoever wishes it.

    Raises :class:`NotFound`, :class:`Unprocessable`.
    """
    workspace = await _locked(session, workspace_id)
    changed: list[str] = []
    if wish.name is not None and (name := label(wish.name)) != workspace.name:
        workspace.name = name
        changed.append("name")
    if wish.description is not None and (text := plain_text(wish.description)) != workspace.description:
        workspace.description = text
        changed.append("description")
    if not changed:
        return workspace
    await session.flush()
    await activity.record(
        session,
        "workspace_updated",
        target_type="workspace",
        target_id=workspace.id,
        actor_id=actor_id,
        workspace_id=workspace.id,
        detail={"fields": changed},
        now=now,
    )
    return workspace


async def delete(session: AsyncSession, actor: Member, *, now: datetime) -> None:
    """Delete the actor's workspace with everything in it; every former member is revoked (W5, DL-10).

    Raises :class:`Forbidden` below owner, :class:`NotFound`.
    """
    actor.require("owner")
    await destroy(session, actor.workspace_id, actor_id=actor.user_id, now=now)


async def destroy(
    session: AsyncSession, workspace_id: UUID, *, actor_id: UUID | None, now: datetime
) -> Workspace:
    """Delete a workspace with everything in it, whoever wishes it; every former member is revoked.

    Returns what it was. Raises :class:`NotFound`.
    """
    workspace = await _locked(session, workspace_id)
    # Revoked before the cascade takes the rows that say who the members are and which families they have.
    await revoke_users(
        session,
        sa.select(Membership.user_id).where(Membership.workspace_id == workspace.id),
        reason="workspace_deleted",
        now=now,
    )
    await session.execute(sa.delete(Workspace).where(Workspace.id == workspace.id))
    await activity.record(
        session,
        "workspace_deleted",
        target_type="workspace",
        target_id=workspace.id,
        actor_id=actor_id,
        detail={"name": workspace.name, "slug": workspace.slug},
        now=now,
    )
    return workspace


async def _locked(session: AsyncSession, workspace_id: UUID) -> Workspace:
    # Changes of one workspace, its deletion and changes of its roles queue here; whoever comes too late finds
    # nothing. New rows that refer to the workspace do not wait for this lock.
    return _existing(await session.get(Workspace, workspace_id, with_for_update={"key_share": True}))


def _existing(workspace: Workspace | None) -> Workspace:
    if workspace is None:
        raise NotFound("Workspace not found", reason="workspace_not_found")
    return workspace
