"""The number of shares beside each resource (``admin.md`` §6) is right, whoever adds or takes shares away."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps import realms, scopes
from sentinel.permissions.models import Resource, Share, ShareCount
from sentinel.workspaces import groups, members, people, workspaces
from tests.races import use
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

Counts = dict[UUID, tuple[UUID, str, int]]


async def counted(stage: Stage) -> Counts:
    """Place, scope and number as they are kept, which are those of the shares and resources themselves."""
    numbers = Counter(one.resource_permission_id for one in await stage.all(Share))
    resources = {one.id: one for one in await stage.all(Resource)}
    kept = {
        one.resource_permission_id: (one.workspace_id, one.service_name, one.shares)
        for one in await stage.all(ShareCount)
    }
    assert kept == {
        one: (resources[one].workspace_id, resources[one].service_name, number)
        for one, number in numbers.items()
    }
    return kept


async def test_admin_6_the_number_of_shares_follows_whatever_takes_them_away(stage: Stage) -> None:
    ada, notes, suite = await stage.user("Ada"), await stage.service("notes"), await stage.realm("suite")
    acme, other = await stage.workspace(ada), await stage.workspace(ada)
    bob, eve, kim = [await stage.member(acme) for _ in range(3)]
    team = await stage.group(acme, bob)
    first, second, third = [await stage.resource(acme, ada) for _ in range(3)]
    foreign = await stage.resource(other, ada)
    await counted(stage)
    given: list[tuple[Resource, Any]] = [
        (first, bob),
        (first, eve),
        (first, kim),
        (first, team),
        (second, bob),
        (third, team),
        (foreign, ada),
    ]
    await stage.execute(
        sa.insert(Share).values(
            [
                {
                    "id": uuid4(),
                    "resource_permission_id": resource.id,
                    "grantee_type": "group" if grantee is team else "user",
                    "grantee_id": grantee.id,
                    "permission": "view",
                    "granted_at": stage.clock.now(),
                }
                for resource, grantee in given
            ]
        )
    )

    async def numbers() -> list[int]:
        kept = await counted(stage)
        return [kept[one.id][2] if one.id in kept else 0 for one in (first, second, third, foreign)]

    assert await numbers() == [4, 1, 1, 1]
    async with stage.panel() as http:
        to_eve = {"grantee_type": "user", "grantee_id": str(eve.id)}
        path = f"/admin/api/permissions/{first.id}/share"
        # Another level is the same share.
        assert (await http.post(path, json={**to_eve, "permission": "edit"})).status_code == 201
        assert await numbers() == [4, 1, 1, 1]
        assert (await http.delete(path, params=to_eve)).status_code == 200
        assert (await http.delete(path, params=to_eve)).status_code == 404
    assert await numbers() == [3, 1, 1, 1]
    await use(stage, members.expel, acme.id, bob.id, as_owner=True)
    assert await numbers() == [2, 0, 1, 1]
    await use(stage, groups.destroy, acme.id, team.id)
    assert await numbers() == [1, 0, 0, 1]
    await use(stage, people.delete, kim.id)
    assert await numbers() == [0, 0, 0, 1]
    # A resource that gets another scope, one that goes with it, and one that goes with its workspace.
    await use(stage, realms.add_member, suite.id, notes.app.id)
    await use(stage, realms.rekey, suite.id, notes.app.id)
    assert (await counted(stage))[foreign.id] == (other.id, "suite", 1)
    await stage.share(second, ada)
    await use(stage, workspaces.destroy, other.id)
    assert await numbers() == [0, 1, 0, 0]
    async with stage.state.database.transaction() as session:
        await scopes.purge(session, "suite")
    assert await counted(stage) == {}


async def test_admin_6_and_P7_sharing_and_leaving_at_once_lose_no_count_and_wait_for_nobody_forever(
    postgresql_url: str, stage_keys: Keys
) -> None:
    """Everybody's shares are on every resource, in another order for each, while some of them leave. On SQLite writers
    queue.
    """
    async with open_stage(postgresql_url, stage_keys) as stage:
        notes, boss = await stage.service(), await stage.user()
        workspace = await stage.workspace(boss)
        headers = {**notes.headers, **await stage.as_user(boss, workspace)}
        stay, leave = [[await stage.member(workspace) for _ in range(4)] for _ in range(2)]
        resources = [await stage.resource(workspace, boss) for _ in range(6)]
        for number, user in enumerate(leave):
            for resource in resources[number:] + resources[:number]:
                await stage.share(resource, user)
        answers: Counter[int] = Counter()

        async def give(resource: Resource, user: Any) -> None:
            body = {"grantee_type": "user", "grantee_id": str(user.id), "permission": "edit"}
            url = f"/permissions/{resource.id}/share"
            answer: httpx.Response = await stage.client.post(url, headers=headers, json=body)
            answers[answer.status_code] += 1

        async with anyio.create_task_group() as lanes:
            for user in leave:
                lanes.start_soon(
                    lambda one: use(stage, members.expel, workspace.id, one.id, as_owner=True), user
                )
            for resource in resources:
                for user in (*stay, *leave):
                    lanes.start_soon(give, resource, user)
        # Who has left is no grantee any more; nobody was told to try again.
        assert set(answers) <= {201, 400} and answers[201] >= 24
        kept = await counted(stage)
        assert [kept[one.id][2] for one in resources] == [4] * 6
