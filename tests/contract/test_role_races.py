"""Binding roles against everything that takes them away, at the same moment (``authorization.md`` §3, §8).

The first tests let fifty tries run at once, on both databases. Those after them put two in a row on PostgreSQL, where
the first is held open until the second waits for it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from sentinel.apps.authentication import Member
from sentinel.core.errors import DomainError
from sentinel.identity.models import User
from sentinel.roles import actions, bindings, roles
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces import groups, members, workspaces
from sentinel.workspaces.models import Group, Membership, Workspace
from tests.contract.service_actions import registered
from tests.contract.test_role_admin import Panel
from tests.races import in_a_row
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

TRIES = 50


class World:
    """A workspace with an owner, a member, a group and some roles."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.roles: list[Role] = []

    async def furnish(self, roles_wanted: int) -> "World":
        stage = self.stage
        self.panel = Panel(stage, await stage.user("Root", is_admin=True))
        self.ada: User = await stage.user()
        self.workspace: Workspace = await stage.workspace(self.ada)
        self.bob: User = await stage.member(self.workspace)
        self.group: Group = await stage.group(self.workspace, self.bob)
        for number in range(roles_wanted):
            self.roles.append(await self.panel(roles.create, self.workspace.id, name=f"r{number}"))
        return self

    @property
    def owner(self) -> Member:
        return Member(self.ada.id, self.workspace.id, "owner")

    async def try_(self, use_case: Callable[..., Awaitable[Any]], *arguments: Any) -> str:
        """``done``, or the reason of the refusal; whatever else is raised fails the test."""
        try:
            await self.panel(use_case, *arguments)
        except DomainError as refusal:
            return refusal.reason
        return "done"

    async def act(self, use_case: Callable[..., Awaitable[Any]], *arguments: Any) -> str:
        """As :meth:`try_`, for a use case of the workspace's owner."""
        try:
            async with self.stage.state.database.transaction() as session:
                await use_case(session, self.owner, *arguments, now=self.stage.clock.now())
        except DomainError as refusal:
            return refusal.reason
        return "done"


@pytest.fixture
async def world(stage: Stage) -> World:
    return await World(stage).furnish(1)


@pytest.fixture
async def wide_world(stage: Stage) -> World:
    """With as many roles as there are tries, less the one that takes away."""
    return await World(stage).furnish(TRIES - 1)


async def at_once(tries: Sequence[Awaitable[str]]) -> list[str]:
    assert len(tries) == TRIES
    return list(await asyncio.gather(*tries))


def in_the_middle(many: Sequence[Awaitable[str]], one: Awaitable[str]) -> list[Awaitable[str]]:
    half = len(many) // 2
    return [*many[:half], one, *many[half:]]


async def test_admin_6_of_fifty_bindings_of_one_person_one_wins(world: World) -> None:
    [role] = world.roles
    outcomes = await at_once([world.try_(bindings.bind_member, role.id, world.bob.id) for _ in range(TRIES)])
    assert Counter(outcomes) == {"done": 1, "already_bound": TRIES - 1}
    assert await world.stage.count(UserRole) == 1
    assert len(await world.stage.activities("role_member_added")) == 1


async def test_admin_6_of_fifty_bindings_of_one_group_one_wins(world: World) -> None:
    [role] = world.roles
    outcomes = await at_once([world.try_(bindings.bind_group, role.id, world.group.id) for _ in range(TRIES)])
    assert Counter(outcomes) == {"done": 1, "already_bound": TRIES - 1}
    assert await world.stage.count(GroupRole) == 1
    assert len(await world.stage.activities("role_group_added")) == 1


async def test_admin_6_of_fifty_roles_of_one_name_one_is_made(world: World) -> None:
    async def create() -> str:
        try:
            await world.panel(roles.create, world.workspace.id, name="prize")
        except DomainError as refusal:
            return refusal.reason
        return "done"

    outcomes = await at_once([create() for _ in range(TRIES)])
    assert Counter(outcomes) == {"done": 1, "name_taken": TRIES - 1}
    assert await world.stage.count(Role, Role.name == "prize") == 1


async def test_admin_6_binding_and_unbinding_at_once_is_written_down_as_it_happened(world: World) -> None:
    [role] = world.roles
    outcomes = await at_once(
        [
            world.try_((bindings.bind_member, bindings.unbind_member)[n % 2], role.id, world.bob.id)
            for n in range(TRIES)
        ]
    )
    assert set(outcomes) <= {"done", "already_bound", "role_member_not_found"}
    added = len(await world.stage.activities("role_member_added"))
    removed = len(await world.stage.activities("role_member_removed"))
    assert outcomes.count("done") == added + removed
    assert await world.stage.count(UserRole) == added - removed


async def test_authorization_8_nobody_keeps_or_gains_a_role_while_he_is_removed(wide_world: World) -> None:
    world = wide_world
    binding = [world.try_(bindings.bind_member, role.id, world.bob.id) for role in world.roles]
    outcomes = await at_once(in_the_middle(binding, world.act(members.remove, world.bob.id)))
    assert outcomes.pop(len(world.roles) // 2) == "done"
    assert set(outcomes) <= {"done", "not_a_member"}
    assert await world.stage.count(Membership, Membership.user_id == world.bob.id) == 0
    assert await world.stage.count(UserRole) == 0
    # Coming back does not bring anything back.
    await world.stage.join(world.workspace, world.bob)
    assert await world.stage.count(UserRole) == 0


async def test_authorization_8_a_deleted_person_gets_no_role(wide_world: World) -> None:
    world = wide_world

    async def delete() -> str:
        await world.stage.execute(sa.delete(User).where(User.id == world.bob.id))
        return "done"

    binding = [world.try_(bindings.bind_member, role.id, world.bob.id) for role in world.roles]
    outcomes = await at_once(in_the_middle(binding, delete()))
    assert set(outcomes) <= {"done", "not_a_member"}
    assert await world.stage.count(UserRole) == 0


async def test_authorization_8_a_deleted_group_gets_no_role(wide_world: World) -> None:
    world = wide_world
    binding = [world.try_(bindings.bind_group, role.id, world.group.id) for role in world.roles]
    outcomes = await at_once(in_the_middle(binding, world.act(groups.delete, world.group.id)))
    assert outcomes.pop(len(world.roles) // 2) == "done"
    assert set(outcomes) <= {"done", "group_not_found"}
    assert await world.stage.count(Group) == 0
    assert await world.stage.count(GroupRole) == 0


async def test_authorization_3_9_a_deleted_action_is_in_no_role(wide_world: World) -> None:
    world = wide_world
    doomed, kept = await registered(world.stage, "notes:doomed", "notes:kept")
    adding = [world.try_(roles.add_actions, role.id, [kept.id, doomed.id]) for role in world.roles]
    outcomes = await at_once(in_the_middle(adding, world.try_(actions.delete, doomed.id)))
    assert outcomes.pop(len(world.roles) // 2) == "done"
    assert set(outcomes) <= {"done", "service_action_not_found"}
    links = await world.stage.all(RoleAction)
    assert {link.service_action_id for link in links} <= {kept.id}
    # All or none: who was refused has not got the other action either.
    assert len(links) == outcomes.count("done")


async def test_authorization_3_9_a_deleted_role_binds_nobody(world: World) -> None:
    [role] = world.roles
    [action] = await registered(world.stage, "notes:read")
    people = [await world.stage.member(world.workspace) for _ in range(17)]
    giving = [
        *(world.try_(bindings.bind_member, role.id, user.id) for user in people),
        *(world.try_(bindings.bind_group, role.id, world.group.id) for _ in range(16)),
        *(world.try_(roles.add_actions, role.id, [action.id]) for _ in range(16)),
    ]
    outcomes = await at_once(in_the_middle(giving, world.try_(roles.delete, role.id)))
    assert outcomes.pop(len(giving) // 2) == "done"
    assert set(outcomes) <= {"done", "role_not_found", "already_bound"}
    for table in (UserRole, GroupRole, RoleAction, Role):
        assert await world.stage.count(table) == 0


async def test_authorization_8_a_deleted_workspace_binds_nobody(wide_world: World) -> None:
    """Locks are taken in one order, so nobody has to be told to try again."""
    world = wide_world

    async def delete() -> str:
        async with world.stage.state.database.transaction() as session:
            await workspaces.delete(session, world.owner, now=world.stage.clock.now())
        return "done"

    binding = [world.try_(bindings.bind_member, role.id, world.bob.id) for role in world.roles]
    outcomes = await at_once(in_the_middle(binding, delete()))
    assert set(outcomes) <= {"done", "role_not_found"}
    assert await world.stage.count(Role) == await world.stage.count(UserRole) == 0


# ── two in a row ──


@pytest.fixture
async def postgresql_world(anyio_backend: Any, postgresql_url: str, stage_keys: Keys) -> AsyncIterator[World]:
    async with open_stage(postgresql_url, stage_keys) as stage:
        yield await World(stage).furnish(2)


async def test_authorization_8_what_is_just_being_taken_away_is_not_bound(postgresql_world: World) -> None:
    """Whoever binds waits, and is told that there is nobody to bind."""
    world, now = postgresql_world, postgresql_world.stage.clock.now()
    role, other = world.roles
    [action] = await registered(world.stage, "notes:read")
    options: dict[str, Any] = {"actor_id": None, "now": now}
    for first, second, outcome in (
        (
            lambda session: members.remove(session, world.owner, world.bob.id, now=now),
            world.try_(bindings.bind_member, role.id, world.bob.id),
            "not_a_member",
        ),
        (
            lambda session: groups.delete(session, world.owner, world.group.id, now=now),
            world.try_(bindings.bind_group, role.id, world.group.id),
            "group_not_found",
        ),
        (
            lambda session: actions.delete(session, action.id, **options),
            world.try_(roles.add_actions, role.id, [action.id]),
            "service_action_not_found",
        ),
        (
            lambda session: roles.delete(session, role.id, **options),
            world.try_(bindings.bind_member, role.id, world.ada.id),
            "role_not_found",
        ),
        (
            lambda session: roles.delete(session, other.id, **options),
            world.try_(roles.change, other.id),
            "role_not_found",
        ),
    ):
        _, seen = await in_a_row(world.stage, first, second)
        assert seen == outcome
    for table in (UserRole, GroupRole, RoleAction):
        assert await world.stage.count(table) == 0


async def test_authorization_8_a_removal_waits_for_what_is_just_being_bound_and_takes_it_away(
    postgresql_world: World,
) -> None:
    world, now = postgresql_world, postgresql_world.stage.clock.now()
    role, other = world.roles
    [action] = await registered(world.stage, "notes:read")
    options: dict[str, Any] = {"actor_id": None, "now": now}
    for first, second, table in (
        (
            lambda session: bindings.bind_member(session, role.id, world.bob.id, **options),
            world.act(members.remove, world.bob.id),
            UserRole,
        ),
        (
            lambda session: bindings.bind_group(session, role.id, world.group.id, **options),
            world.act(groups.delete, world.group.id),
            GroupRole,
        ),
        (
            lambda session: roles.add_actions(session, role.id, [action.id], **options),
            world.try_(actions.delete, action.id),
            RoleAction,
        ),
        (
            lambda session: bindings.bind_member(session, other.id, world.ada.id, **options),
            world.try_(roles.delete, other.id),
            UserRole,
        ),
    ):
        _, seen = await in_a_row(world.stage, first, second)
        assert seen == "done"
        assert await world.stage.count(table) == 0
    assert await world.stage.count(ServiceAction) == 0
    assert len(await world.stage.activities("role_member_added")) == 2
