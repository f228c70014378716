"""P3 and P6 to P9 at the same moment: real parallel requests, one consistent outcome (authorization.md §4, §8)."""

from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from sentinel.identity.models import User
from sentinel.permissions.models import Resource, Share
from sentinel.workspaces.models import Group, Membership, Workspace
from tests.contract.test_resources import named, record, register, registration
from tests.contract.test_shares import AUDIT, OK, build, to
from tests.races import in_a_row
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio


async def test_P3_twenty_registrations_at_once_make_one_record(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    people = [boss, *[await stage.member(workspace) for _ in range(3)]]
    resource_id = str(uuid4())
    answers: list[httpx.Response] = []

    async def lane(number: int) -> None:
        body = registration(
            workspace,
            people[number % 4],
            resource_id=resource_id,
            visibility=("private", "workspace")[number % 2],
        )
        answers.append(await register(stage, notes, body))

    with stage.events() as events:
        async with anyio.create_task_group() as lanes:
            for number in range(20):
                lanes.start_soon(lane, number)
    assert [answer.status_code for answer in answers] == [201] * 20
    [stored] = await stage.all(Resource)
    assert all(answer.json() == record(stored) for answer in answers)
    assert len(named(events, "permission.resource.registered")) == 1


async def test_P3_twenty_workspaces_want_one_name(stage: Stage) -> None:
    """One wins, the others are told so; no tenant reads or changes the winner's record."""
    notes, boss = await stage.service(), await stage.user()
    workspaces = [await stage.workspace(boss) for _ in range(20)]
    resource_id = str(uuid4())
    answers: dict[UUID, httpx.Response] = {}

    async def lane(workspace: Workspace) -> None:
        body = registration(workspace, boss, resource_id=resource_id)
        answers[workspace.id] = await register(stage, notes, body)

    async with anyio.create_task_group() as lanes:
        for workspace in workspaces:
            lanes.start_soon(lane, workspace)
    [stored] = await stage.all(Resource)
    winner = answers.pop(stored.workspace_id)
    assert winner.status_code == 201 and winner.json() == record(stored)
    assert {answer.status_code for answer in answers.values()} == {409}


async def test_P3_a_record_that_goes_at_this_moment_is_registered_anew(
    postgresql_url: str, stage_keys: Keys
) -> None:
    """Between "it exists" and reading it another request deregisters it (on SQLite writers queue)."""
    async with open_stage(postgresql_url, stage_keys) as stage:
        notes, boss = await stage.service(), await stage.user()
        workspace = await stage.workspace(boss)
        old = await stage.resource(workspace, boss)
        body = registration(workspace, boss, resource_id=str(old.resource_id))
        engine = stage.state.database.engine.sync_engine

        inserts: list[str] = []

        def deregister(_c: Any, _cur: Any, text: str, _p: Any, _x: Any, _m: Any) -> None:
            if text.startswith("INSERT INTO resource_permissions"):
                inserts.append(text)
                if len(inserts) == 1:
                    await_only(stage.execute(sa.delete(Resource)))

        event.listen(engine, "after_cursor_execute", deregister)
        answer = await register(stage, notes, body)
        assert answer.status_code == 201
        [stored] = await stage.all(Resource)
        assert answer.json() == record(stored) and stored.id != old.id
        assert len(inserts) == 2


async def test_P7_twenty_shares_at_once_leave_one_row(stage: Stage) -> None:
    world = await build(stage)
    names = ("author", "admin", "boss")
    tokens = [await world.token(name) for name in names]
    for grantee in (world.people["reader"], world.group):
        answers: list[httpx.Response] = []

        async def lane(number: int, grantee: User | Group, answers: list[httpx.Response]) -> None:
            body = to(grantee, ("view", "edit")[number % 2])
            answers.append(await world.send("P7", tokens[number % 3], body))

        async with anyio.create_task_group() as lanes:
            for number in range(20):
                lanes.start_soon(lane, number, grantee, answers)
        assert [(answer.status_code, answer.json()) for answer in answers] == [(201, OK)] * 20
        [share] = await stage.all(Share, Share.grantee_id == grantee.id)
        assert share.permission in ("view", "edit")
        assert share.granted_by in {world.people[name].id for name in names}


async def test_P8_twenty_revocations_at_once_have_one_winner(stage: Stage) -> None:
    world = await build(stage)
    await stage.share(world.resource, world.group)
    statuses: list[int] = []

    async def lane() -> None:
        statuses.append((await world.send("P8", {}, to(world.group))).status_code)

    with stage.events() as events:
        async with anyio.create_task_group() as lanes:
            for _ in range(20):
                lanes.start_soon(lane)
    assert Counter(statuses) == {200: 1, 404: 19}
    assert len([line for line in events if line["event"] in AUDIT]) == 1


async def test_P6_and_P7_sharing_what_is_being_deregistered(stage: Stage) -> None:
    """The share comes before and goes with the record, or after and finds none; never a 500, never an orphan."""
    world = await build(stage)
    author = world.people["author"]
    headers = await world.token("author")
    resources = [await stage.resource(world.workspace, author) for _ in range(12)]
    shared: list[int] = []

    async def share(resource: Resource, grantee: User | Group) -> None:
        shared.append((await world.send("P7", headers, to(grantee), resource.id)).status_code)

    async def deregister(resource: Resource) -> None:
        url = f"/permissions/resource/notes/document/{resource.resource_id}"
        answer = await stage.client.delete(url, headers=world.notes.headers)
        assert answer.status_code == 204

    async with anyio.create_task_group() as lanes:
        for resource in resources:
            lanes.start_soon(share, resource, world.people["reader"])
            lanes.start_soon(deregister, resource)
            lanes.start_soon(share, resource, world.group)
    assert len(shared) == 24 and set(shared) <= {201, 404}
    assert [one.id for one in await stage.all(Resource)] == [world.resource.id]
    assert await stage.count(Share) == 0


async def test_P7_and_W9_and_G4_sharing_with_somebody_who_is_leaving(stage: Stage) -> None:
    """A share with a member or group that goes at this moment is purged with it or refused; none is left over."""
    world = await build(stage)
    headers, boss = await world.token("author"), await world.token("boss")
    leaving: list[User | Group] = [await stage.member(world.workspace) for _ in range(6)]
    leaving += [await stage.group(world.workspace) for _ in range(6)]
    shared: list[int] = []

    async def share(grantee: User | Group) -> None:
        shared.append((await world.send("P7", headers, to(grantee))).status_code)

    async def remove(grantee: User | Group) -> None:
        kind = "groups" if isinstance(grantee, Group) else "members"
        url = f"/workspaces/{world.workspace.id}/{kind}/{grantee.id}"
        assert (await stage.client.delete(url, headers=boss)).is_success

    async with anyio.create_task_group() as lanes:
        for grantee in leaving:
            lanes.start_soon(share, grantee)
            lanes.start_soon(remove, grantee)
            lanes.start_soon(share, grantee)
    assert len(shared) == 24 and set(shared) <= {201, 400}
    assert await stage.count(Share) == 0


async def test_P3_and_P7_wait_for_a_removal_that_is_under_way(postgresql_url: str, stage_keys: Keys) -> None:
    """Who is being removed counts as removed: no share and no ownership slips in before the commit (on SQLite
    writers queue anyway).
    """
    async with open_stage(postgresql_url, stage_keys) as stage:
        world = await build(stage)
        headers = await world.token("author")
        person, owner = await stage.member(world.workspace), await stage.member(world.workspace)
        registration = {
            "service_name": "notes",
            "resource_type": "document",
            "resource_id": str(uuid4()),
            "workspace_id": str(world.workspace.id),
            "owner_id": str(owner.id),
        }
        share = f"/permissions/{world.resource.id}/share"
        cases: list[tuple[Any, str, Any]] = [
            (sa.delete(Membership).where(Membership.user_id == person.id), share, to(person)),
            (sa.delete(Group).where(Group.id == world.group.id), share, to(world.group)),
            (
                sa.delete(Membership).where(Membership.user_id == owner.id),
                "/permissions/register",
                registration,
            ),
        ]
        before = await world.rows()
        for removal, url, body in cases:
            _, answer = await in_a_row(
                stage,
                partial(AsyncSession.execute, statement=removal),
                stage.client.post(url, headers=world.notes.headers | headers, json=body),
            )
            assert answer.status_code == 400, (url, answer.text)
        assert await world.rows() == before


async def test_L25_every_lane_reads_its_own_writes(stage: Stage) -> None:
    """Ten services' requests at once: what a call has written, the next call of the same lane sees."""
    world = await build(stage)
    author, reader = await world.token("author"), await world.token("reader")
    group = to(world.group, "edit")
    person = to(world.people["reader"], "edit")

    async def lane(number: int) -> None:
        name = {"service_name": "notes", "resource_type": "document", "resource_id": str(uuid4())}
        registration = name | {
            "workspace_id": str(world.workspace.id),
            "owner_id": str(world.people["author"].id),
            "visibility": "private",
        }
        question = {"checks": [name | {"action": "edit"}, name | {"action": "view"}]}

        async def seen() -> str:
            answer = await stage.client.post(
                "/permissions/check", headers=world.notes.headers | reader, json=question
            )
            return "".join("yes " if one["allowed"] else "no " for one in answer.json()["results"])

        key = world.notes.headers
        answer = await stage.client.post("/permissions/register", headers=key, json=registration)
        permission_id = UUID(answer.json()["id"])
        grantee = (group, person)[number % 2]
        assert await seen() == "no no "
        await world.send("P7", author, grantee, permission_id)
        assert await seen() == "yes yes "
        await world.send("P7", author, grantee | {"permission": "view"}, permission_id)
        assert await seen() == "no yes "
        await world.send("P8", author, grantee, permission_id)
        assert await seen() == "no no "
        await world.send("P9", author, {"visibility": "workspace"}, permission_id)
        assert await seen() == "no yes "
        await stage.client.delete(f"/permissions/resource/{'/'.join(name.values())}", headers=key)
        assert await seen() == "no no "

    async with anyio.create_task_group() as lanes:
        for number in range(8):
            lanes.start_soon(lane, number)
