"""authorization.md §8, event by event: what is gone, what is revoked, and that everything else stays."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps import login_apps, realms, service_apps
from sentinel.apps.models import LoginApp
from sentinel.audit.models import Activity, SignInMemory
from sentinel.core.database import Base
from sentinel.identity import organization_admin, users
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, User
from sentinel.permissions.models import Resource
from sentinel.roles import actions, roles
from sentinel.roles.models import ActionUsage, GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces import people
from sentinel.workspaces.models import Group, Invitation, Workspace
from sentinel.workspaces.roles import WorkspaceRole
from tests.stage import Furnished, Service, Stage, bearer

pytestmark = pytest.mark.anyio

COLUMNS = {
    "users": ("id", "is_active", "is_admin", "organization_id"),
    "social_accounts": ("user_id", "provider"),
    "sign_in_memory": ("user_id", "kind"),
    "organizations": ("id", "enabled", "created_by"),
    "organization_domains": ("organization_id", "domain"),
    "workspaces": ("id", "created_by"),
    "workspace_memberships": ("workspace_id", "user_id", "role"),
    "workspace_allowed_organizations": ("workspace_id", "organization_id"),
    "workspace_invitations": ("workspace_id", "created_by", "accepted_by"),
    "groups": ("id", "created_by"),
    "group_memberships": ("group_id", "user_id"),
    "roles": ("id", "created_by"),
    "role_actions": ("role_id", "service_action_id"),
    "user_roles": ("role_id", "user_id", "assigned_by"),
    "group_roles": ("role_id", "group_id", "assigned_by"),
    "service_actions": ("id",),
    "action_usage": ("workspace_id", "user_id"),
    "resource_permissions": ("id", "owner_id"),
    "resource_shares": ("resource_permission_id", "grantee_id", "permission", "granted_by"),
    "client_apps": ("id", "is_active", "created_by"),
    "service_apps": ("id", "is_active", "realm_id", "created_by"),
    "realms": ("id", "created_by"),
    "activity_logs": ("action", "workspace_id", "target_id", "actor_id"),
}
"""What a row says; a fact is the name of the table and these columns, with names for ids."""


@dataclass
class World:
    """A workspace in which everything is given to everybody, and a second one in which Bob has things too. All that
    has a maker was made by Bob. Zoe, in a third workspace, belongs to another organization.
    """

    stage: Stage
    names: dict[UUID, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)

    def name(self, label: str, thing: Any) -> Any:
        self.names[thing.id] = label
        self.things[label] = thing
        return thing

    async def owner(self) -> dict[str, str]:
        return await self.stage.as_user(self.things["ada"], self.things["a"])

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request of the owner, with labels in the path."""
        path = "/".join(
            str(self.things[part].id) if part in self.things else part for part in path.split("/")
        )
        return await self.stage.client.request(method, path, headers=await self.owner(), **options)

    async def facts(self) -> set[str]:
        """Every row that matters, in words."""
        found: set[str] = set()
        async with self.stage.state.database.reading() as session:
            for table, columns in COLUMNS.items():
                source = Base.metadata.tables[table]
                for row in await session.execute(sa.select(*(source.c[column] for column in columns))):
                    found.add(" ".join([table, *(str(self.names.get(value, value)) for value in row)]))
        return found

    async def dead(self) -> set[str]:
        """The tokens and keys that are refused. Asks every one, so every refresh token is used up."""
        refused: set[str] = set()
        for label, token in self.tokens.items():
            if "refresh" in label:
                answer = await self.stage.client.post("/auth/refresh", json={"refresh_token": token})
            else:
                shown = {"X-Authz-Token": token} if "authz" in label else bearer(token)
                answer = await self.stage.client.get("/users/me", headers=shown)
            assert answer.status_code in (200, 401), (label, answer.text)
            if answer.status_code == 401:
                refused.add(label)
        for label, service in self.services.items():
            answer = await self.stage.client.get("/realm/whoami", headers=service.headers)
            assert answer.status_code in (200, 401), answer.text
            if answer.status_code == 401:
                refused.add(f"key of {label}")
        return refused


async def furnish(stage: Stage) -> World:
    world = World(stage)
    here = world.name
    here("public", (await stage.all(Organization, Organization.id == PUBLIC_ORGANIZATION_ID))[0])
    company = here("company", await stage.organization("example.com"))
    ada, bob, eve = [
        here(name, await stage.user(name, organization_id=company.id)) for name in ("ada", "bob", "eve")
    ]
    panel = here("panel", await stage.user("panel", is_admin=True))
    branch = here("branch", await stage.organization("branch.example"))
    zoe = here("zoe", await stage.user("zoe", organization_id=branch.id))
    for person in (bob, zoe):
        await stage.link(person)
        await stage.add(
            SignInMemory(
                user_id=person.id,
                kind="device",
                value="x",
                first_seen=stage.clock.now(),
                last_seen=stage.clock.now(),
            )
        )
    web, cli = [here(name, await stage.login_app(name=name)) for name in ("web", "cli")]
    realm = here("suite", await stage.realm("suite"))
    for name, in_realm in (("notes", None), ("tasks", realm)):
        world.services[name] = await stage.service(name, realm=in_realm)
        here(name, world.services[name].app)
    acts = [
        here(f"{scope}:act", ServiceAction(id=uuid4(), service_name=scope, action="act"))
        for scope in ("notes", "tasks", "suite")
    ]
    await stage.add(*acts)
    for slug in ("a", "b"):
        workspace: Workspace = here(slug, await stage.workspace(ada, slug=f"workspace-{slug}"))
        await stage.join(workspace, bob, "editor" if slug == "a" else "viewer")
        if slug == "a":
            await stage.join(workspace, eve, "viewer")
        team: Group = here(f"{slug}-team", await stage.group(workspace, bob, *([eve] if slug == "a" else [])))
        rest: Group = here(f"{slug}-rest", await stage.group(workspace, ada))
        role = here(f"{slug}-role", Role(id=uuid4(), workspace_id=workspace.id, name="role"))
        await stage.restrict(workspace, company)
        await stage.add(
            role,
            *(RoleAction(role_id=role.id, service_action_id=action.id) for action in acts),
            *(UserRole(role_id=role.id, user_id=person.id) for person in (ada, bob)),
            *(GroupRole(role_id=role.id, group_id=group.id) for group in (team, rest)),
            ActionUsage(
                day=date(2026, 1, 1),
                workspace_id=workspace.id,
                user_id=bob.id,
                service_name="notes",
                action="act",
            ),
            Invitation(
                workspace_id=workspace.id,
                code_hash=slug * 64,
                role="viewer",
                expires_at=stage.clock.now() + timedelta(days=1),
            ),
            Activity(
                action="workspace_updated",
                target_type="workspace",
                target_id=workspace.id,
                workspace_id=workspace.id,
                created_at=stage.clock.now(),
            ),
        )
        for scope in ("notes", "tasks", "suite"):
            for owner in (ada, bob):
                resource: Resource = here(
                    f"{slug}-{scope}-{owner.name}",
                    await stage.resource(workspace, owner, service_name=scope, visibility="private"),
                )
                if owner is ada:
                    await stage.share(resource, bob, "edit")
                    await stage.share(resource, team, "view")
        await stage.share(world.things[f"{slug}-notes-ada"], rest)
    await stage.share(world.things["a-notes-ada"], eve)
    await stage.join(here("c", await stage.workspace(panel, slug="workspace-c")), zoe)
    await stage.execute(sa.delete(Activity).where(Activity.action != "workspace_updated"))
    for table in Base.metadata.sorted_tables:
        made = set(table.c.keys()) & {"created_by", "accepted_by", "assigned_by", "granted_by", "actor_id"}
        if made:
            await stage.execute(sa.update(table).values(dict.fromkeys(made, bob.id)))
    sessions = ((ada, web, "a"), (bob, web, "a"), (bob, cli, "b"), (eve, cli, "a"), (zoe, cli, "c"))
    for person, app, slug in sessions:
        pair = await stage.session(person, world.things[slug], app)
        world.tokens[f"{person.name} access {app.name}"] = pair.access.token
        world.tokens[f"{person.name} refresh {app.name}"] = pair.refresh.token
    for person in (ada, bob, eve):
        world.tokens[f"{person.name} authz"] = await stage.authz_token(person, world.things["a"], "notes")
    return world


@pytest.fixture
async def world(copied_stage: Furnished) -> AsyncIterator[World]:
    async with copied_stage(furnish) as (stage, model):
        yield replace(model, stage=stage)


@dataclass(frozen=True)
class Event:
    """One row of §8: what happens, which facts go and come, and whose tokens end."""

    act: Callable[[World], Awaitable[Any]]
    gone: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    dead: tuple[str, ...] = ()
    """Beginnings of the names of tokens and keys."""
    also: Callable[[str], bool] = lambda _: False
    """Facts that go besides, by what they say."""
    becomes: Callable[[str], str | None] = lambda _: None
    """What stands in the place of a fact that goes besides; None when nothing does."""


def lines(text: str) -> frozenset[str]:
    return frozenset(line.strip() for line in text.strip().splitlines())


def request(method: str, path: str, **options: Any) -> Callable[[World], Awaitable[Any]]:
    """A request of the owner that has to succeed."""

    async def act(world: World) -> None:
        answer = await world.call(method, path, **options)
        assert answer.is_success, answer.text

    return act


def use_case(function: Any, label: str, *values: Any, **options: Any) -> Callable[[World], Awaitable[Any]]:
    """A use case of the administrator, in one transaction."""

    async def act(world: World) -> None:
        async with world.stage.state.database.transaction() as session:
            await function(
                session,
                world.things[label].id,
                *values,
                actor_id=world.things["panel"].id,
                now=world.stage.clock.now(),
                **options,
            )

    return act


async def leave(world: World) -> None:
    workspace, bob = world.things["a"], world.things["bob"]
    answer = await world.stage.client.delete(
        f"/workspaces/{workspace.id}/members/{bob.id}", headers=await world.stage.as_user(bob, workspace)
    )
    assert answer.status_code == 204, answer.text


BOB_OUT_OF_A = lines(
    """
    workspace_memberships a bob editor
    group_memberships a-team bob
    user_roles a-role bob bob
    resource_shares a-notes-ada bob edit bob
    resource_shares a-tasks-ada bob edit bob
    resource_shares a-suite-ada bob edit bob
    """
)


def without_bob(fact: str) -> str | None:
    """What a fact is without Bob: what was given to him goes, what he made or owned stays without his name."""
    table, *values = fact.split()
    if table in ("users", "social_accounts", "sign_in_memory", "action_usage") or table.endswith(
        "memberships"
    ):
        return None
    if table in ("user_roles", "resource_shares") and values[1] == "bob":
        return None
    return " ".join([table, *("None" if value == "bob" else value for value in values)])


async def leave_realm(world: World) -> None:
    async with world.stage.state.database.transaction() as session:
        await realms.remove_member(
            session,
            world.things["suite"].id,
            world.things["tasks"].id,
            actor_id=world.things["panel"].id,
            now=world.stage.clock.now(),
        )


WEB_SESSIONS = ("ada access web", "ada refresh web", "bob access web", "bob refresh web")

EVENTS = {
    "member removed": Event(
        request("DELETE", "/workspaces/a/members/bob"),
        gone=BOB_OUT_OF_A,
        new=lines("activity_logs member_removed a bob ada"),
        dead=("bob",),
    ),
    "member leaves": Event(
        leave, gone=BOB_OUT_OF_A, new=lines("activity_logs member_removed a bob bob"), dead=("bob",)
    ),
    "role changed": Event(
        request("PATCH", "/workspaces/a/members/bob", json={"role": "viewer"}),
        gone=lines("workspace_memberships a bob editor"),
        new=lines("workspace_memberships a bob viewer\nactivity_logs member_role_changed a bob ada"),
        dead=("bob",),
    ),
    "group deleted": Event(
        request("DELETE", "/workspaces/a/groups/a-team"),
        gone=lines(
            """
            groups a-team bob
            group_memberships a-team bob
            group_memberships a-team eve
            group_roles a-role a-team bob
            resource_shares a-notes-ada a-team view bob
            resource_shares a-tasks-ada a-team view bob
            resource_shares a-suite-ada a-team view bob
            """
        ),
        new=lines("activity_logs group_deleted a a-team ada"),
        dead=("bob", "eve"),
    ),
    "removed from group": Event(
        request("DELETE", "/workspaces/a/groups/a-team/members/bob"),
        gone=lines("group_memberships a-team bob"),
        new=lines("activity_logs group_member_removed a bob ada"),
        dead=("bob",),
    ),
    "added to group": Event(
        request("POST", "/workspaces/a/groups/a-rest/members/bob"),
        new=lines("group_memberships a-rest bob\nactivity_logs group_member_added a bob ada"),
    ),
    "workspace deleted": Event(
        request("DELETE", "/workspaces/a"),
        # Everything that is of the workspace, whatever it is; what was written about it stays, without it.
        also=lambda fact: any(word == "a" or word.startswith("a-") for word in fact.split()),
        new=lines(
            """
            activity_logs workspace_updated None a bob
            activity_logs workspace_deleted None a ada
            """
        ),
        dead=("ada", "bob", "eve"),
    ),
    "user deactivated": Event(
        use_case(users.set_active, "bob", False),
        gone=lines("users bob True False company"),
        new=lines("users bob False False company\nactivity_logs user_deactivated None bob panel"),
        dead=("bob",),
    ),
    "tokens revoked": Event(
        use_case(users.revoke, "bob"),
        new=lines("activity_logs tokens_revoked None bob panel"),
        dead=("bob",),
    ),
    "user deleted": Event(
        use_case(people.delete, "bob"),
        also=lambda fact: "bob" in fact.split(),
        becomes=without_bob,
        new=lines("activity_logs user_deleted None bob panel"),
        dead=("bob",),
    ),
    "organization disabled": Event(
        use_case(organization_admin.change, "company", enabled=False),
        gone=lines("organizations company True bob"),
        new=lines("organizations company False bob\nactivity_logs org_update None company panel"),
        dead=("ada", "bob", "eve"),
    ),
    "organization deleted": Event(
        use_case(organization_admin.delete, "branch"),
        gone=lines(
            """
            organizations branch True bob
            organization_domains branch branch.example
            users zoe True False branch
            """
        ),
        new=lines("users zoe True False None\nactivity_logs org_delete None branch panel"),
    ),
    "public sign-in switched off": Event(
        use_case(organization_admin.change, "public", enabled=False),
        gone=lines("organizations public True bob"),
        new=lines("organizations public False bob\nactivity_logs org_public_toggle None public panel"),
    ),
    "role deleted": Event(
        use_case(roles.delete, "a-role"),
        also=lambda fact: "a-role" in fact.split(),
        new=lines("activity_logs role_deleted a a-role panel"),
    ),
    "action deleted": Event(
        use_case(actions.delete, "notes:act"),
        also=lambda fact: "notes:act" in fact.split(),
        new=lines("activity_logs service_action_deleted None notes:act panel"),
    ),
    "realm deleted": Event(
        use_case(realms.delete, "suite"),
        gone=lines("realms suite bob\nservice_apps tasks True suite bob"),
        new=lines("service_apps tasks True None bob\nactivity_logs realm_deleted None suite panel"),
    ),
    "service app leaves its realm": Event(
        leave_realm,
        gone=lines("service_apps tasks True suite bob"),
        new=lines("service_apps tasks True None bob\nactivity_logs realm_member_removed None suite panel"),
    ),
    "service app deleted": Event(
        use_case(service_apps.delete, "notes"),
        gone=lines("service_apps notes True None bob"),
        also=lambda fact: "-notes-" in fact or "notes:act" in fact,
        new=lines("activity_logs service_app_deleted None notes panel"),
        dead=("key of notes",),
    ),
    "service app in a realm deleted": Event(
        use_case(service_apps.delete, "tasks"),
        gone=lines("service_apps tasks True suite bob"),
        new=lines("activity_logs service_app_deleted None tasks panel"),
        dead=("key of tasks",),
    ),
    "service app switched off": Event(
        use_case(service_apps.set_active, "notes", False),
        gone=lines("service_apps notes True None bob"),
        new=lines("service_apps notes False None bob\nactivity_logs service_app_updated None notes panel"),
        dead=("key of notes",),
    ),
    "login app deleted": Event(
        use_case(login_apps.delete, "web"),
        gone=lines("client_apps web True bob"),
        new=lines("activity_logs client_app_deleted None web panel"),
        dead=WEB_SESSIONS,
    ),
    "login app switched off, sessions too": Event(
        use_case(login_apps.change, "web", is_active=False, revoke_sessions=True, allow_plain_http=False),
        gone=lines("client_apps web True bob"),
        new=lines("client_apps web False bob\nactivity_logs client_app_updated None web panel"),
        dead=WEB_SESSIONS,
    ),
    "login app switched off": Event(
        use_case(login_apps.change, "web", is_active=False, allow_plain_http=False),
        gone=lines("client_apps web True bob"),
        new=lines("client_apps web False bob\nactivity_logs client_app_updated None web panel"),
    ),
}


@pytest.mark.parametrize("name", EVENTS)
async def test_DL_8_and_DL_10_what_an_event_purges_and_revokes(world: World, name: str) -> None:
    """authorization.md §8.

    Rules: DL-4, DL-5, DL-8, DL-9, DL-10, DL-11, SK-4, W5, W8, W9, G4, G6, G7, authorization-8.
    """
    event = EVENTS[name]
    before = await world.facts()
    assert event.gone <= before
    await event.act(world)
    after = await world.facts()
    also = {fact for fact in before if event.also(fact)}
    assert before - after == event.gone | also
    assert after - before == event.new | {event.becomes(fact) for fact in also} - {None}
    dead = await world.dead()
    keys = {f"key of {label}" for label in world.services}
    assert dead == {label for label in world.tokens.keys() | keys if label.startswith(event.dead or "-")}


async def test_DL_6_activation_brings_no_token_back(world: World) -> None:
    """Nor do the rows have to be brought back: they stayed."""
    before = await world.facts()
    await use_case(users.set_active, "bob", False)(world)
    assert {label for label in world.tokens if label.startswith("bob")} == await world.dead()
    await use_case(users.set_active, "bob", True)(world)
    assert {label for label in world.tokens if label.startswith("bob")} <= await world.dead()
    assert {fact for fact in await world.facts() if not fact.startswith("activity_logs")} == {
        fact for fact in before if not fact.startswith("activity_logs")
    }
    fresh = await world.stage.as_user(world.things["bob"], world.things["a"])
    assert (await world.stage.client.get("/users/me", headers=fresh)).status_code == 200
    # Twice the same is once.
    count = len(await world.stage.activities())
    await use_case(users.set_active, "bob", True)(world)
    assert len(await world.stage.activities()) == count


@pytest.mark.parametrize("by", ["owner", "panel"])
async def test_W7_and_W9_being_added_again_restores_nothing(world: World, by: str) -> None:
    """§8, last line: what was given before is given no more; what he owns is his again.

    Rules: authorization-8.
    """
    stage, things = world.stage, world.things
    bob, a = things["bob"], things["a"]
    notes = world.services["notes"]

    async def powers() -> dict[str, Any]:
        """What Bob can do in the first workspace, as the service is told."""
        headers = notes.headers | await stage.as_user(bob, a)
        resources = {label: things[label] for label in ("a-notes-ada", "a-notes-bob")}
        checks = [
            {
                "service_name": "notes",
                "resource_type": resource.resource_type,
                "resource_id": str(resource.resource_id),
                "action": action,
            }
            for resource in resources.values()
            for action in ("view", "edit")
        ]
        answer = await stage.client.post("/permissions/check", headers=headers, json={"checks": checks})
        acted = await stage.client.post(
            "/roles/check-action",
            headers=headers,
            json={"service_name": "notes", "action": "act", "workspace_id": str(a.id)},
        )
        if answer.status_code == 403:
            assert acted.status_code == 403
            return {}
        verdicts = [result["allowed"] for result in answer.json()["results"]]
        return {"shared": verdicts[:2], "owned": verdicts[2:], "acts": acted.json()["allowed"]}

    assert await powers() == {"shared": [True, True], "owned": [True, True], "acts": True}
    before = {fact for fact in await world.facts() if not fact.startswith("activity_logs")}
    await request("DELETE", "/workspaces/a/members/bob")(world)
    # A former member reaches nothing, not even what is his.
    assert await powers() == {}
    if by == "owner":
        body = {"email": bob.email, "role": "editor"}
        await request("POST", "/workspaces/a/members/invite", json=body)(world)
    else:
        await use_case(people.add_to_workspace, "bob", a.id, WorkspaceRole.EDITOR)(world)
    assert await powers() == {"shared": [False, False], "owned": [True, True], "acts": False}
    after = {fact for fact in await world.facts() if not fact.startswith("activity_logs")}
    assert before - after == BOB_OUT_OF_A - {"workspace_memberships a bob editor"}
    assert after - before == set()
    # The tokens of before stay dead as well.
    assert {label for label in world.tokens if label.startswith("bob")} == await world.dead()


async def test_DL_11_a_purge_that_fails_leaves_everything_as_it_was(world: World) -> None:
    """Cause, purge and revocation are one transaction: without its activity row nothing of it happens."""
    before = await world.facts()
    await world.stage.forbid_inserts("activity_logs")
    for method, path, options in (
        ("DELETE", "/workspaces/a/members/bob", {}),
        ("PATCH", "/workspaces/a/members/bob", {"json": {"role": "viewer"}}),
        ("DELETE", "/workspaces/a/groups/a-team", {}),
        ("DELETE", "/workspaces/a/groups/a-team/members/bob", {}),
        ("DELETE", "/workspaces/a", {}),
    ):
        answer = await world.call(method, path, **options)
        assert answer.status_code in (409, 500), (path, answer.text)
        assert "forbids" not in answer.text
    assert await world.facts() == before
    (bob,) = await world.stage.all(User, User.id == world.things["bob"].id)
    assert bob.token_epoch == 0
    assert await world.stage.count(LoginApp) == 2
    assert {label for label in await world.dead() if "refresh" not in label} == set()
