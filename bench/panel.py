"""How long each list page of the panel takes on a large database: the application in this process, its real pages,
a signed-in administrator.

Only what belongs to a page is timed: reading the database, and making the answer. Browser and network are left out.

Shared machines change speed from second to second, so each page is asked for right after a bare one, which reads the
administrator and nothing else. What a page would take on a quiet machine is told from the two: the median of their
ratios times the fastest bare page of the run.
"""

import asyncio
import json
import secrets
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.app import create_app
from sentinel.apps.models import Realm
from sentinel.core.logging import configure_logging
from sentinel.identity.models import Organization, User
from sentinel.permissions.models import Resource, Share
from sentinel.roles.models import Role, UserRole
from sentinel.settings import Settings
from sentinel.tokens.keyring import generate_pair
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace

TARGET_MS = 50
COUNTED = 10_000
"""The panel counts resources and activities up to here: this is the last page that it names."""
BARE_PAGE = "/admin/realms/new"
REPORTS = ("dashboard", "insights", "usage", "usage of a workspace")
"""Pages that sum up, and are no lists."""
NO_HIT = "zzqxzzqx"
"""What no name and no address contains."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The largest thing of each kind: the worst page of its kind is about it."""

    admin: User
    person: User
    workspace: Workspace
    group: Group
    role_id: UUID
    role_workspace: UUID
    organization: Organization
    resource: Resource
    service: str
    realm: Realm


@dataclass(frozen=True, slots=True)
class Row:
    """One page: milliseconds of a request as measured, how many bare pages that is, what follows for a quiet machine,
    statements, and kilobytes of the answer.
    """

    page: str
    median_ms: float
    p95_ms: float
    bare_pages: float
    quiet_ms: float
    statements: int
    kilobytes: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A signed-in browser, and the statements that the application sends for it."""

    http: httpx.AsyncClient
    statements: list[str]


async def measure(database_url: str, *, rounds: int, only: str = "") -> list[Row]:
    """Ask for every page whose name contains ``only`` in turn, ``rounds`` times; the first answers are not counted.

    No line of log is written for them: it would stand among the figures.
    """
    configure_logging(level="WARNING")
    async with _application(database_url) as (app, engine):
        async with app.state.database.reading() as session:
            marks = await landmarks(session)
            totals = await _totals(session, marks)
        async with _browser(app, engine, marks.admin) as panel:
            pages = {name: path for name, path in scenarios(marks, totals).items() if only in name}
            pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
            facts: dict[str, tuple[int, int]] = {}
            for turn in range(rounds + 1):
                for name, path in pages.items():
                    _, bare = await _timed(panel, BARE_PAGE)
                    panel.statements.clear()
                    answer, took = await _timed(panel, path)
                    if turn:
                        pairs[name].append((took, bare))
                    facts[name] = len(panel.statements), len(answer.content) // 1024
    fastest = min(bare for found in pairs.values() for _, bare in found)
    return [_row(name, found, fastest, *facts[name]) for name, found in pairs.items()]


async def _timed(panel: "Panel", path: str) -> tuple[httpx.Response, float]:
    began = time.perf_counter()
    answer = await panel.http.get(path)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}")
    return answer, took


def _row(
    page: str, pairs: Sequence[tuple[float, float]], fastest: float, statements: int, kilobytes: int
) -> Row:
    times = sorted(took for took, _ in pairs)
    ratio = statistics.median(took / bare for took, bare in pairs)
    late = times[-(-len(times) * 95 // 100) - 1]
    return Row(page, statistics.median(times), late, ratio, ratio * fastest, statements, kilobytes)


def scenarios(marks: Landmarks, totals: dict[str, int]) -> dict[str, str]:
    """Every list page by a name: first, middle and last page, each filter, each order, searches with and without a
    hit.
    """
    found: dict[str, str] = {"dashboard": "/admin/", "insights": "/admin/insights", "usage": "/admin/usage"}

    def add(name: str, path: str, **query: Any) -> None:
        found[name] = f"/admin{path}" + (f"?{urlencode(query)}" if query else "")

    def paged(name: str, path: str, total: int, size: int, most: int = 10**9, **query: Any) -> None:
        add(name, path, **query)
        total = min(total, most)
        if (last := -(-total // size)) > 2:
            add(f"{name}: middle", path, **query, page=last // 2)
            add(f"{name}: last", path, **query, page=last)

    def searched(name: str, path: str, *texts: str, field: str = "search", **query: Any) -> None:
        for text in (*texts, NO_HIT):
            add(f"{name}: search {text!r}", path, **query, **{field: text})

    paged("users", "/users", totals["users"], 25)
    for status in ("active", "inactive", "administrators"):
        add(f"users: {status}", "/users", status=status)
    searched("users", "/users", marks.person.email, marks.person.name[:3], "a", "é", "q7")
    paged("organizations", "/organizations", totals["organizations"], 20)
    searched("organizations", "/organizations", marks.organization.name)
    paged(
        "people of an organization", f"/organizations/{marks.organization.id}", totals["in_organization"], 50
    )
    at = f"/organizations/{marks.organization.id}/domains"
    add("domains of an organization", at)
    searched("domains of an organization", at, "example")
    paged("workspaces", "/workspaces", totals["workspaces"], 20)
    searched("workspaces", "/workspaces", marks.workspace.name, "a")
    here = f"/workspaces/{marks.workspace.id}"
    paged("members", f"{here}/members", totals["members"], 20)
    searched("members", f"{here}/members", marks.person.name[:3], "a")
    searched("members: add", f"{here}/members/add", marks.person.name[:3])
    add("members: add", f"{here}/members/add")
    add("groups", f"{here}/groups")
    searched("groups", f"{here}/groups", marks.group.name[:4])
    at = f"/workspaces/{marks.group.workspace_id}/groups/{marks.group.id}"
    paged("members of a group", at, totals["in_group"], 20)
    searched("members of a group", at, marks.person.name[:3])
    add("roles", f"{here}/roles")
    searched("roles", f"{here}/roles", "e")
    at = f"/workspaces/{marks.role_workspace}/roles/{marks.role_id}"
    add("actions of a role", f"{at}/actions")
    paged("members of a role", f"{at}/members", totals["in_role"], 20)
    searched("members of a role", f"{at}/members", marks.person.name[:3])
    add("groups of a role", f"{at}/groups")
    add("access", f"{here}/access")
    add("usage of a workspace", f"{here}/usage")
    paged("permissions", "/permissions", totals["resources"], 25, COUNTED)
    add("permissions: oldest", "/permissions", order="asc")
    paged("permissions: by shares", "/permissions", totals["resources"], 25, COUNTED, sort="shares")
    add("permissions: by shares, fewest", "/permissions", sort="shares", order="asc")
    slug, service = marks.workspace.slug, marks.service
    paged("permissions: workspace", "/permissions", totals["in_workspace"], 25, COUNTED, workspace=slug)
    add("permissions: workspace, by shares", "/permissions", workspace=slug, sort="shares")
    paged("permissions: service", "/permissions", totals["in_service"], 25, COUNTED, service=service)
    add("permissions: service, by shares", "/permissions", service=service, sort="shares")
    add("permissions: workspace and service", "/permissions", workspace=slug, service=service)
    add("permissions: id", "/permissions", resource=str(marks.resource.resource_id)[:6])
    add("permissions: id, one digit", "/permissions", resource=str(marks.resource.resource_id)[:1])
    for text in (marks.person.email, marks.person.email[:2], NO_HIT):
        add(f"permissions: owner {text!r}", "/permissions", owner=text)
    add("permissions: owner, by shares", "/permissions", owner=marks.person.email[:2], sort="shares")
    paged("shares of a resource", f"/permissions/{marks.resource.id}", totals["on_resource"], 50)
    searched("share with", f"/permissions/{marks.resource.id}/share", marks.person.name[:3])
    add("who can see it", f"/permissions/{marks.resource.id}/who")
    add("actions", "/actions")
    searched("actions", "/actions", "a")
    for name in ("client-apps", "service-apps", "realms"):
        add(name, f"/{name}")
    paged("activity", "/activity", totals["activity"], 25, COUNTED)
    add("activity: action", "/activity", action="user_login")
    add("activity: target", "/activity", target_type="user")
    add("activity: workspace", "/activity", workspace_id=marks.workspace.id)
    add("activity: actor", "/activity", actor_id=marks.person.id)
    searched("search box", "/search", marks.person.email, marks.person.name[:3], "a7", field="q")
    add("search box: an id", "/search", q=marks.resource.resource_id)
    add("a person", f"/users/{marks.person.id}")
    searched("a person", f"/users/{marks.person.id}", marks.workspace.name[:3])
    add("a realm", f"/realms/{marks.realm.id}")
    searched("a realm", f"/realms/{marks.realm.id}", "a")
    paged("API: users", "/api/users", totals["users"], 20)
    searched("API: users", "/api/users", "a")
    paged("API: permissions", "/api/permissions", totals["resources"], 20)
    add("API: permissions by shares", "/api/permissions", sort_by="shares")
    paged("API: activity", "/api/activity", totals["activity"], 20)
    add("API: stats", "/api/stats")
    add("API: workspaces", "/api/workspaces")
    return found


async def landmarks(session: AsyncSession) -> Landmarks:
    """Look for them. Raises :class:`SystemExit` in a database without people, workspaces, roles or shares."""

    async def largest(column: Any, *which: Any) -> Any:
        return await session.scalar(
            sa.select(column).where(*which).group_by(column).order_by(sa.func.count().desc(), column).limit(1)
        )

    async def one(model: Any, *which: Any) -> Any:
        return (await session.execute(sa.select(model).where(*which).limit(1))).scalars().first()

    workspace_id = await largest(Membership.workspace_id)
    role_id = await largest(UserRole.role_id)
    person_id = await largest(Resource.owner_id, Resource.owner_id.is_not(None))
    found = Landmarks(
        admin=await one(User, User.is_admin, User.is_active),
        person=await one(User, User.id == person_id),
        workspace=await one(Workspace, Workspace.id == workspace_id),
        group=await one(Group, Group.id == await largest(GroupMembership.group_id)),
        role_id=role_id,
        role_workspace=(
            await session.execute(sa.select(Role.workspace_id).where(Role.id == role_id))
        ).scalar_one(),
        organization=await one(
            Organization,
            Organization.id == await largest(User.organization_id, User.organization_id.is_not(None)),
        ),
        resource=await one(Resource, Resource.id == await largest(Share.resource_permission_id)),
        service=await largest(Resource.service_name),
        realm=await one(Realm),
    )
    if missing := [field.name for field in fields(found) if getattr(found, field.name) is None]:
        raise SystemExit(
            f"The database has no {', '.join(missing)}; fill it with `python -m bench load` first."
        )
    return found


def table(rows: Sequence[Row]) -> str:
    """The figures for people, slowest first."""
    width = max(len(row.page) for row in rows)
    lines = [f"{'page':{width}}  median ms   p95 ms  bare pages  quiet ms  statements   kB"]
    for row in sorted(rows, key=lambda row: -row.quiet_ms):
        mark = "  over" if row.quiet_ms > TARGET_MS else ""
        lines.append(
            f"{row.page:{width}}  {row.median_ms:9.1f}  {row.p95_ms:7.1f}  {row.bare_pages:10.1f}  "
            f"{row.quiet_ms:8.1f}  {row.statements:10}  {row.kilobytes:3}{mark}"
        )
    slow = sum(row.quiet_ms > TARGET_MS for row in rows)
    lines.append(f"{len(rows) - slow} of {len(rows)} pages take {TARGET_MS} ms or less on a quiet machine.")
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> str:
    """The same as JSON lines."""
    return "\n".join(json.dumps(asdict(row)) for row in rows)


# ── inside ──


async def _totals(session: AsyncSession, marks: Landmarks) -> dict[str, int]:
    async def count(model: Any, *which: Any) -> int:
        return await session.scalar(sa.select(sa.func.count()).select_from(model).where(*which)) or 0

    return {
        "users": await count(User),
        "organizations": await count(Organization),
        "in_organization": await count(User, User.organization_id == marks.organization.id),
        "workspaces": await count(Workspace),
        "members": await count(Membership, Membership.workspace_id == marks.workspace.id),
        "in_group": await count(GroupMembership, GroupMembership.group_id == marks.group.id),
        "in_role": await count(UserRole, UserRole.role_id == marks.role_id),
        "resources": await count(Resource),
        "in_workspace": await count(Resource, Resource.workspace_id == marks.workspace.id),
        "in_service": await count(Resource, Resource.service_name == marks.service),
        "on_resource": await count(Share, Share.resource_permission_id == marks.resource.id),
        "activity": await count(sa.table("activity_logs")),
    }


@asynccontextmanager
async def _application(database_url: str) -> AsyncIterator[tuple[Any, sa.Engine]]:
    with tempfile.TemporaryDirectory() as directory:
        private, public = Path(directory) / "private.pem", Path(directory) / "public.pem"
        generate_pair(private, public, bits=2048)
        settings = Settings(
            base_url="http://localhost:9003",
            database_url=database_url,
            jwt_private_key_path=private,
            jwt_public_key_path=public,
            session_secret_key=secrets.token_urlsafe(48),
            rate_limit_enabled=False,
        )
        app = create_app(settings, migrate=False)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(app.api.router.lifespan_context(app.api))
            yield app, app.state.database.engine.sync_engine


@asynccontextmanager
async def _browser(app: Any, engine: sa.Engine, admin: User) -> AsyncIterator[Panel]:
    token = app.state.issuer.admin(
        user_id=admin.id, email=admin.email, name=admin.name, epoch=admin.token_epoch
    ).token
    statements: list[str] = []

    asking = asyncio.current_task()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # The application has tasks of its own, which come when they like.
        if asyncio.current_task() is asking:
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost:9003", timeout=300
    ) as http:
        http.cookies.set("admin_token", token)
        http.headers["X-Requested-With"] = "XMLHttpRequest"
        yield Panel(http, statements)
    event.remove(engine, "before_cursor_execute", note)
