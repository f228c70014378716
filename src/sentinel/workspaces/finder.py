"""Finding one thing of an installation by a few letters: for the panel's search box (``admin.md`` §2)."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.core.database import contains_folded
from sentinel.identity.models import Organization, User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Workspace

SHORTEST = 2
LONGEST = 200
EACH = 5
"""Hits of each kind."""

Kind = Literal["user", "workspace", "organization", "login_app", "service_app", "realm", "resource"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found: what to show of it, and a word about it."""

    kind: Kind
    id: UUID
    label: str
    about: str


async def find(session: AsyncSession, text: str) -> list[Hit]:
    """Up to five things of each kind whose name, address or slug contains ``text``, in one statement.

    A whole UUID finds what has it as its id, and the resources that an application calls so. Fewer than two letters
    find nothing.
    """
    wanted = text.strip()[:LONGEST]
    if len(wanted) < SHORTEST:
        return []
    parts = [
        _named("user", User.id, User.name, User.email, wanted),
        _named("workspace", Workspace.id, Workspace.name, Workspace.slug, wanted),
        _named("organization", Organization.id, Organization.name, Organization.slug, wanted),
        _named("login_app", LoginApp.id, LoginApp.name, sa.literal(""), wanted),
        _named("service_app", ServiceApp.id, ServiceApp.name, ServiceApp.service_name, wanted),
        _named("realm", Realm.id, Realm.name, Realm.slug, wanted),
    ]
    if (exact := _uuid(wanted)) is not None:
        about = Resource.service_name + sa.literal(" · ") + Resource.resource_type
        parts.append(
            _few(
                sa.select(
                    sa.literal("resource").label("kind"),
                    Resource.id.label("id"),
                    sa.literal(str(exact)).label("label"),
                    about.label("about"),
                )
                .where(sa.or_(Resource.resource_id == exact, Resource.id == exact))
                .order_by(Resource.id)
            )
        )
    rows = await session.execute(sa.union_all(*parts))
    return [Hit(row.kind, row.id, row.label, row.about) for row in rows]


def _named(
    kind: Kind,
    identity: sa.ColumnElement[UUID] | sa.orm.InstrumentedAttribute[UUID],
    name: sa.ColumnElement[str] | sa.orm.InstrumentedAttribute[str],
    handle: sa.ColumnElement[str] | sa.orm.InstrumentedAttribute[str],
    wanted: str,
) -> sa.Select[*tuple[Any, ...]]:
    fits = [contains_folded(name, wanted), contains_folded(handle, wanted)]
    if (exact := _uuid(wanted)) is not None:
        fits.append(identity == exact)
    return _few(
        sa.select(
            sa.literal(str(kind)).label("kind"),
            identity.label("id"),
            name.label("label"),
            handle.label("about"),
        )
        .where(sa.or_(*fits))
        .order_by(name, identity)
    )


def _few(statement: Any) -> sa.Select[*tuple[Any, ...]]:
    # SQLite takes no limit inside a union, but one inside a subquery.
    return sa.select(statement.limit(EACH).subquery())


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
