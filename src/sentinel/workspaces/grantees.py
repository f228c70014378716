"""What the panel's permission pages choose from: members and groups to share with, workspaces and services to filter
by. Each answer is one statement.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.models import Realm, ServiceApp
from sentinel.core.database import contains_folded
from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.permissions.models import Resource, Share
from sentinel.workspaces.models import Group, Membership, Workspace

SHOWN = 20
"""How many people, and how many groups, are shown; a longer text finds the others."""
SUGGESTED = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member or group of a workspace. ``about`` is an address or description; ``level`` what a share gives it now,
    None without one; ``role`` is None for groups.
    """

    type: str
    id: UUID
    name: str
    about: str | None
    role: str | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """``workspace_id`` is that of the workspace that was named, None when none has that slug or id."""

    workspace_id: UUID | None
    workspaces: tuple[tuple[str, str], ...]
    services: tuple[str, ...]


async def find(
    session: AsyncSession, resource: Resource, text: str | None = None, *, with_groups: bool = True
) -> list[Candidate]:
    """Members and groups of the resource's workspace whose name or address contains ``text``; groups come last."""
    people = (
        sa.select(User.id, User.name, User.email.label("about"), Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == resource.workspace_id)
        .order_by(User.name, User.id)
        .limit(SHOWN)
    )
    if text:
        people = people.where(users.matching(text))
    parts = [_with_level(resource, "user", people.subquery("people"))]
    if with_groups:
        groups = (
            sa.select(
                Group.id,
                Group.name,
                Group.description.label("about"),
                sa.cast(sa.null(), sa.Text).label("role"),
            )
            .where(Group.workspace_id == resource.workspace_id)
            .order_by(Group.name, Group.id)
            .limit(SHOWN)
        )
        if text:
            groups = groups.where(contains_folded(Group.name, text))
        parts.append(_with_level(resource, "group", groups.subquery("found_groups")))
    found = [Candidate(*row) for row in await session.execute(sa.union_all(*parts))]
    return sorted(found, key=lambda one: (one.type == "group", one.name.casefold(), str(one.id)))


async def choices(session: AsyncSession, workspace: str | None = None) -> Choices:
    """Workspaces and scopes to filter by, and the id behind ``workspace``, a slug or an id."""
    parts: list[Any] = [
        sa.select(
            sa.select(
                sa.literal("suggested").label("kind"),
                Workspace.id,
                Workspace.slug.label("handle"),
                Workspace.name,
            )
            .order_by(Workspace.slug)
            .limit(SUGGESTED)
            .subquery("suggested")
        ),
        sa.select(sa.literal("service"), ServiceApp.id, ServiceApp.service_name, ServiceApp.name),
        sa.select(sa.literal("service"), Realm.id, Realm.slug, Realm.name),
    ]
    if workspace:
        try:
            which = sa.or_(Workspace.slug == workspace, Workspace.id == UUID(workspace))
        except ValueError:
            # No slug has one, and PostgreSQL takes none even to compare with.
            which = sa.false() if "\x00" in workspace else Workspace.slug == workspace
        parts.append(
            sa.select(sa.literal("named"), Workspace.id, Workspace.slug, Workspace.name).where(which)
        )
    rows = (await session.execute(sa.union_all(*parts))).all()
    suggested = sorted(
        ((row.handle, row.name) for row in rows if row.kind == "suggested"), key=lambda one: one[1]
    )
    named = next((row.id for row in rows if row.kind == "named"), None)
    return Choices(
        named, tuple(suggested), tuple(sorted({row.handle for row in rows if row.kind == "service"}))
    )


def _with_level(resource: Resource, kind: str, shown: sa.Subquery) -> sa.Select[Any]:
    """Those that are shown, each with the level that a share gives it: looked up for them alone."""
    level = sa.select(Share.permission).where(
        Share.resource_permission_id == resource.id,
        Share.grantee_type == kind,
        Share.grantee_id == shown.c.id,
    )
    return sa.select(
        sa.literal(kind).label("type"), *shown.c, level.correlate(shown).scalar_subquery().label("level")
    )
