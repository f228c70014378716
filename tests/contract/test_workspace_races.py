"""Giving against taking away: whatever meets whatever, nobody keeps what he should have lost.

The first tests let many requests run at once, on both databases. Those after them put two in a row on PostgreSQL,
where the first is held open until the second waits for it: the order that no luck is needed for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import Member, ServiceCaller
from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.identity.users import ProfileChange
from sentinel.permissions import resources
from sentinel.permissions.decide import Level
from sentinel.permissions.models import Resource, Share
from sentinel.permissions.resources import Grantee
from sentinel.workspaces import groups, members, people
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace
from sentinel.workspaces.roles import WorkspaceRole
from tests.races import in_a_row
from tests.stage import Keys, Service, Stage, open_stage

pytestmark = pytest.mark.anyio


async def test_G6_and_P7_and_W9_nothing_is_given_to_somebody_who_is_being_removed(stage: Stage) -> None:
    """Adding to a group and sharing against removal, at once: a person without a membership has neither."""
    ada, bob = await stage.user(), await stage.user()
    workspace = await stage.workspace(ada)
    service = await stage.service("notes")
    group, resource = await stage.group(workspace), await stage.resource(workspace, ada, visibility="private")
    headers = await stage.as_user(ada, workspace)
    path = f"/workspaces/{workspace.id}/groups/{group.id}"
    share = {"grantee_type": "user", "grantee_id": str(bob.id), "permission": "view"}
    for turn in range(20):
        await stage.execute(
            sa.insert(Membership).values(workspace_id=workspace.id, user_id=bob.id, role="viewer")
        )
        tries = [
            stage.client.delete(f"/workspaces/{workspace.id}/members/{bob.id}", headers=headers),
            stage.client.post(f"{path}/members/{bob.id}", headers=headers),
            stage.client.post(
                f"/permissions/{resource.id}/share", headers=headers | service.headers, json=share
            ),
        ]
        answers = await asyncio.gather(*(tries[(turn + n) % 3] for n in range(3)))
        removed, added, shared = [answers[(n - turn) % 3] for n in range(3)]
        assert removed.status_code == 204, removed.text
        assert added.status_code in (201, 400), added.text
        assert shared.status_code in (201, 400), shared.text
        assert await stage.count(Membership, Membership.user_id == bob.id) == 0
        assert await stage.count(GroupMembership, GroupMembership.user_id == bob.id) == 0, turn
        assert await stage.count(Share, Share.grantee_id == bob.id) == 0, turn


async def test_G4_and_G6_and_P7_nothing_is_given_to_a_group_that_is_being_deleted(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    bob, eve = await stage.member(workspace), await stage.member(workspace)
    service = await stage.service("notes")
    resource = await stage.resource(workspace, ada, visibility="private")
    headers = await stage.as_user(ada, workspace)
    for turn in range(10):
        group = await stage.group(workspace, bob)
        path = f"/workspaces/{workspace.id}/groups/{group.id}"
        share = {"grantee_type": "group", "grantee_id": str(group.id), "permission": "view"}
        tries = [
            stage.client.delete(path, headers=headers),
            stage.client.post(f"{path}/members/{eve.id}", headers=headers),
            stage.client.delete(f"{path}/members/{bob.id}", headers=headers),
            stage.client.post(
                f"/permissions/{resource.id}/share", headers=headers | service.headers, json=share
            ),
        ]
        answers = await asyncio.gather(*(tries[(turn + n) % 4] for n in range(4)))
        deleted, added, taken, shared = [answers[(n - turn) % 4] for n in range(4)]
        assert deleted.status_code == 204, deleted.text
        assert added.status_code in (201, 404), added.text
        assert taken.status_code in (204, 404), taken.text
        assert shared.status_code in (201, 400), shared.text
        assert await stage.count(GroupMembership, GroupMembership.group_id == group.id) == 0
        assert await stage.count(Share, Share.grantee_id == group.id) == 0, turn


# ── two in a row ──


@dataclass(frozen=True)
class World:
    """On PostgreSQL: an owner, a member of a group, and a resource of the owner."""

    stage: Stage
    ada: User
    bob: User
    workspace: Workspace
    group: Group
    resource: Resource
    service: Service
    headers: dict[str, str]

    @property
    def owner(self) -> Member:
        return Member(self.ada.id, self.workspace.id, "owner")

    async def share(self, session: AsyncSession, grantee: User | Group) -> None:
        await resources.share(
            session,
            ServiceCaller(self.service.app.id, "notes", "notes"),
            self.owner,
            self.resource.id,
            Grantee("group" if isinstance(grantee, Group) else "user", grantee.id),
            Level.VIEW,
            now=self.stage.clock.now(),
        )

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.stage.client.request(
            method, path, headers=self.headers | self.service.headers, json=body
        )

    async def share_over_http(self, grantee: User | Group) -> httpx.Response:
        kind = "group" if isinstance(grantee, Group) else "user"
        body = {"grantee_type": kind, "grantee_id": str(grantee.id), "permission": "view"}
        return await self.ask("POST", f"/permissions/{self.resource.id}/share", body)

    async def in_a_row(
        self, first: Callable[[AsyncSession], Awaitable[Any]], second: Awaitable[httpx.Response]
    ) -> httpx.Response:
        """The answer to ``second``, which begins while ``first`` has done all but commit."""
        answer: httpx.Response
        _, answer = await in_a_row(self.stage, first, second)
        return answer

    async def left(self, grantee: User | Group) -> tuple[int, int]:
        """How many shares and group memberships there are for a person or a group."""
        column = GroupMembership.group_id if isinstance(grantee, Group) else GroupMembership.user_id
        return (
            await self.stage.count(Share, Share.grantee_id == grantee.id),
            await self.stage.count(GroupMembership, column == grantee.id),
        )


@pytest.fixture
async def world(anyio_backend: Any, postgresql_url: str, stage_keys: Keys) -> AsyncIterator[World]:
    async with open_stage(postgresql_url, stage_keys) as stage:
        ada, bob = await stage.user(), await stage.user()
        workspace = await stage.workspace(ada)
        await stage.join(workspace, bob, "viewer")
        group = await stage.group(workspace)
        service = await stage.service("notes")
        resource = await stage.resource(workspace, ada, visibility="private")
        headers = await stage.as_user(ada, workspace)
        yield World(stage, ada, bob, workspace, group, resource, service, headers)


async def test_W9_a_removal_waits_for_what_is_just_being_given_and_takes_it_away(world: World) -> None:
    """Rules: W9, G6, P7."""
    removal = f"/workspaces/{world.workspace.id}/members/{world.bob.id}"
    now = world.stage.clock.now()
    for give in (
        lambda session: world.share(session, world.bob),
        lambda session: groups.add_member(session, world.owner, world.group.id, world.bob.id, now=now),
    ):
        answer = await world.in_a_row(give, world.ask("DELETE", removal))
        assert answer.status_code == 204, answer.text
        assert await world.left(world.bob) == (0, 0)
        await world.stage.join(world.workspace, world.bob)


async def test_G4_a_deletion_waits_for_what_is_just_being_given_and_takes_it_away(world: World) -> None:
    """Rules: G4, G6, P7."""
    now = world.stage.clock.now()
    for give in (
        lambda session: world.share(session, world.group),
        lambda session: groups.add_member(session, world.owner, world.group.id, world.bob.id, now=now),
    ):
        path = f"/workspaces/{world.workspace.id}/groups/{world.group.id}"
        answer = await world.in_a_row(give, world.ask("DELETE", path))
        assert answer.status_code == 204, answer.text
        assert await world.left(world.group) == (0, 0)
        await world.stage.add(
            Group(id=world.group.id, workspace_id=world.workspace.id, name="g", created_at=now)
        )


async def test_G6_and_P7_what_is_just_being_taken_away_is_not_given(world: World) -> None:
    """Whoever gives waits, and is told that there is nobody to give to."""
    now = world.stage.clock.now()
    path = f"/workspaces/{world.workspace.id}/groups/{world.group.id}/members/{world.bob.id}"
    for second in (world.share_over_http(world.bob), world.ask("POST", path)):
        answer = await world.in_a_row(
            lambda session: members.remove(session, world.owner, world.bob.id, now=now), second
        )
        assert (answer.status_code, answer.json()) == (
            400,
            {"detail": "User is not a member of this workspace"},
        )
        assert await world.left(world.bob) == (0, 0)
        await world.stage.join(world.workspace, world.bob)
    for second, status in ((world.share_over_http(world.group), 400), (world.ask("POST", path), 404)):
        answer = await world.in_a_row(
            lambda session: groups.delete(session, world.owner, world.group.id, now=now), second
        )
        assert answer.status_code == status, answer.text
        assert await world.left(world.group) == (0, 0)
        await world.stage.add(
            Group(id=world.group.id, workspace_id=world.workspace.id, name="g", created_at=now)
        )


async def test_W8_and_W9_who_has_just_become_the_last_owner_stays(world: World) -> None:
    """authorization.md §2 rule 4, with the other owner demoted or gone a moment ago.

    Rules: authorization-2.4.
    """
    stage, now = world.stage, world.stage.clock.now()
    path = f"/workspaces/{world.workspace.id}/members/{world.ada.id}"
    for first in (
        lambda session, one: members.change_role(session, world.owner, one.id, WorkspaceRole.VIEWER, now=now),
        lambda session, one: members.remove(session, world.owner, one.id, now=now),
    ):
        for method, body in (("PATCH", {"role": "viewer"}), ("DELETE", None)):
            other = await stage.member(world.workspace, "owner")
            for asker in (world.ada, other):
                await stage.execute(
                    sa.update(Membership).where(Membership.user_id == other.id).values(role="owner")
                )
                if not await stage.count(Membership, Membership.user_id == other.id):
                    await stage.join(world.workspace, other, "owner")
                # The first has revoked what the other had, so his token is made for every turn.
                headers = await stage.as_user(asker, world.workspace)
                answer = await world.in_a_row(
                    lambda session, first=first, other=other: first(session, other),  # type: ignore[misc]
                    stage.client.request(method, path, headers=headers, json=body),
                )
                # The second was let in before the first had happened; now it is judged by what is.
                assert answer.status_code in (401, 403), answer.text
                owners = await stage.all(Membership, Membership.role == "owner")
                assert [one.user_id for one in owners] == [world.ada.id]


async def test_W8_and_W9_somebody_whose_account_is_just_being_deleted_is_no_member(world: World) -> None:
    """Whoever changes or removes him waits, and is told so; nothing is written down that has not happened."""
    stage, now = world.stage, world.stage.clock.now()
    for method, body in (("PATCH", {"role": "editor"}), ("DELETE", None)):
        eve = await stage.member(world.workspace)
        answer = await world.in_a_row(
            lambda session, eve=eve: people.delete(session, eve.id, actor_id=None, now=now),  # type: ignore[misc]
            world.ask(method, f"/workspaces/{world.workspace.id}/members/{eve.id}", body),
        )
        assert (answer.status_code, answer.json()) == (404, {"detail": "Member not found"}), method
    assert len(await stage.activities("user_deleted")) == 2
    assert await stage.activities("member_role_changed") == await stage.activities("member_removed") == []


async def test_U2_and_G3_a_change_sees_the_one_before_it(world: World) -> None:
    """The same change twice in a row is one, and is written down once."""
    now = world.stage.clock.now()
    answer = await world.in_a_row(
        lambda session: users.change_profile(session, world.ada.id, ProfileChange("New"), now=now),
        world.ask("PATCH", "/users/me", {"name": "New"}),
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "New")
    answer = await world.in_a_row(
        lambda session: groups.change(
            session, world.owner, world.group.id, name="New", description=None, now=now
        ),
        world.ask("PATCH", f"/workspaces/{world.workspace.id}/groups/{world.group.id}", {"name": "New"}),
    )
    assert (answer.status_code, answer.json()["name"]) == (200, "New")
    assert sorted(entry.action for entry in await world.stage.activities()) == [
        "group_updated",
        "service_app_created",
        "user_updated",
    ]
