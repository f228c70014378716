"""P2 page by page: the list of what a person reaches, and the cursor that asks for the rest of it."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import anyio
import pytest
import sqlalchemy as sa

from sentinel.identity.models import User
from sentinel.permissions.models import Resource, Share
from sentinel.workspaces.models import Membership, Workspace
from tests.contract.test_accessible import NOT_A_MEMBER, SCOPE, Wish, ids, wish
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio


async def page(asked: Wish, **changes: Any) -> tuple[list[UUID], str | None]:
    """One page; the cursor is there or it is not, but never null."""
    answer = await asked.send(**changes)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.get("next_cursor", "") is not None
    return [UUID(one) for one in body["resource_ids"]], body.get("next_cursor")


async def pages(asked: Wish, limit: int, **changes: Any) -> list[list[UUID]]:
    """All pages of ``limit``."""
    found, cursor = await page(asked, limit=limit, **changes)
    read = [found]
    while cursor:
        found, cursor = await page(asked, limit=limit, cursor=cursor, **changes)
        assert not {one for part in read for one in part} & set(found), "nothing twice"
        read.append(found)
    return read


async def refused(asked: Wish, cursor: Any, **changes: Any) -> str:
    answer = await asked.send(cursor=cursor, limit=2, **changes)
    assert answer.status_code == 422, (cursor, answer.text)
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["body", "cursor"] and set(problem) == {"loc", "msg", "type"}
    return str(problem["msg"])


async def furnish(stage: Stage) -> tuple[Service, User, Workspace, User, list[Resource]]:
    """A viewer of five documents, by three ways, among others that he does not reach."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    group = await stage.group(workspace, viewer)
    reached = []
    for number in range(5):
        await stage.resource(workspace, boss, visibility="private")
        one = await stage.resource(workspace, boss, visibility="workspace" if number == 0 else "private")
        if number in (1, 2):
            await stage.share(one, viewer, "edit")
        if number in (2, 3, 4):
            await stage.share(one, group)
        reached.append(one)
    await stage.resource(workspace, boss, resource_type="image")
    return notes, boss, workspace, viewer, reached


async def test_P2_the_pages_joined_are_the_whole_answer(stage: Stage) -> None:
    """For who reaches some and for who reaches all, of every size, with both kinds of token."""
    notes, boss, workspace, viewer, _ = await furnish(stage)
    for person in (viewer, boss):
        authz = bearer(await stage.authz_token(person, workspace, "notes"))
        for asked in (
            await wish(stage, notes, person, workspace),
            Wish(stage, notes.headers | authz, workspace),
        ):
            for action in ("view", "edit"):
                whole, cursor = await page(asked, action=action, limit=10_000)
                assert cursor is None
                for limit in range(1, len(whole) + 2):
                    read = await pages(asked, limit, action=action)
                    assert [one for part in read for one in part] == whole
                    assert [len(part) for part in read[:-1]] == [limit] * (len(read) - 1)
                    # A page that ends with the last one says so: no empty page follows.
                    assert 0 < len(read[-1]) <= limit
    assert await page(await wish(stage, notes, viewer, workspace), resource_type="imag", limit=1) == (
        [],
        None,
    )


async def test_P2_pages_follow_creation_and_then_the_record(stage: Stage) -> None:
    """Records of one moment are cut between, too, whatever the sign bits of their ids."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    now = stage.clock.now()
    records = [
        Resource(
            id=UUID(int=number << 96),
            service_name="notes",
            resource_type="document",
            resource_id=uuid4(),
            workspace_id=workspace.id,
            visibility="workspace",
            created_at=now - timedelta(seconds=age),
        )
        for age, number in (
            (10.000001, 0xF0000000),
            (10, 1),
            (10, 0x7FFFFFFF),
            (10, 0x80000000),
            (9.999999, 2),
        )
    ]
    await stage.add(*reversed(records))
    for person in (boss, await stage.member(workspace)):
        read = await pages(await wish(stage, notes, person, workspace), 1)
        assert [one for part in read for one in part] == ids(*records)


async def test_P2_without_a_cursor_every_answer_is_as_ever(stage: Stage) -> None:
    """Byte for byte; a list that was cut gains one key at its end, and no other."""
    notes, boss, workspace, viewer, reached = await furnish(stage)

    def text(listed: list[Resource], full: bool) -> str:
        body = {"resource_ids": [str(one) for one in ids(*listed)], "has_full_access": full}
        return json.dumps(body, separators=(",", ":"))

    asked_viewer = await wish(stage, notes, viewer, workspace)
    asked_boss = await wish(stage, notes, boss, workspace)
    for changes, expected in (
        ({}, text(reached, False)),
        ({"limit": None}, text(reached, False)),
        ({"cursor": None}, text(reached, False)),
        ({"limit": 5}, text(reached, False)),
        ({"limit": 5, "cursor": None}, text(reached, False)),
        ({"limit": 10_000}, text(reached, False)),
    ):
        assert (await asked_viewer.send(**changes)).text == expected, changes
    for changes in ({}, {"limit": None}, {"cursor": None}):
        assert (await asked_boss.send(**changes)).text == text([], True)
    cut = await asked_viewer.send(limit=2)
    cursor = cut.json()["next_cursor"]
    assert cut.text == text(reached[:2], False)[:-1] + f',"next_cursor":"{cursor}"}}'


async def test_P2_the_short_form_of_administrators_stays(stage: Stage) -> None:
    """Rule 1: without a limit the list is empty and stands for everything, with a cursor as without."""
    notes, boss, workspace, _, _ = await furnish(stage)
    asked = await wish(stage, notes, boss, workspace)
    answer = (await asked.send(limit=3)).json()
    assert answer["has_full_access"] is True and len(answer["resource_ids"]) == 3
    rest = await asked.send(cursor=answer["next_cursor"])
    assert rest.json() == {"resource_ids": [], "has_full_access": True}
    assert (await asked.send(cursor=answer["next_cursor"], limit=100)).json()["has_full_access"] is True


async def test_P2_a_cursor_without_a_limit_asks_for_all_the_rest(stage: Stage) -> None:
    notes, _, workspace, viewer, reached = await furnish(stage)
    asked = await wish(stage, notes, viewer, workspace)
    _, cursor = await page(asked, limit=2)
    assert await page(asked, cursor=cursor) == (ids(*reached[2:]), None)
    # And the size of a page may change on the way.
    assert (await page(asked, cursor=cursor, limit=1))[0] == ids(reached[2])


async def test_P2_pages_bear_what_happens_between_them(stage: Stage) -> None:
    """Nothing twice, and nothing missing of what was there throughout, whatever comes and goes meanwhile."""
    notes, boss, workspace, viewer, reached = await furnish(stage)
    asked = await wish(stage, notes, viewer, workspace)
    first, cursor = await page(asked, limit=2)
    assert first == ids(*reached[:2])
    # Of others: older, newer, elsewhere; of his own: one before the place goes, one behind it too.
    late = await stage.resource(workspace, viewer)
    early = await stage.resource(workspace, viewer)
    await stage.execute(
        sa.update(Resource)
        .where(Resource.id == early.id)
        .values(created_at=stage.clock.now() - timedelta(days=1))
    )
    await stage.resource(await stage.workspace(boss), viewer)
    await stage.execute(sa.delete(Resource).where(Resource.id.in_([reached[0].id, reached[3].id])))
    second, cursor = await page(asked, limit=2, cursor=cursor)
    assert second == ids(reached[2], reached[4])
    # He no longer reaches what the page ended with; the place is still the place.
    await stage.execute(sa.delete(Share).where(Share.resource_permission_id == reached[4].id))
    assert await page(asked, limit=2, cursor=cursor) == (ids(late), None)
    mine = Membership.user_id == viewer.id
    await stage.execute(sa.update(Membership).where(mine).values(role="admin"))
    assert (await page(asked, limit=100, cursor=cursor))[0] == [
        one.resource_id
        for one in sorted(
            await stage.all(
                Resource, Resource.workspace_id == workspace.id, Resource.resource_type == "document"
            ),
            key=lambda one: (one.created_at, one.id),
        )
        if (one.created_at, one.id) > (reached[4].created_at, reached[4].id)
    ]
    await stage.execute(sa.delete(Membership).where(mine))
    answer = await asked.send(cursor=cursor, limit=2)
    assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER)


async def test_P2_pages_are_whole_while_others_register(stage: Stage) -> None:
    notes, boss, workspace, viewer, _ = await furnish(stage)
    asked = await wish(stage, notes, viewer, workspace)
    whole, _ = await page(asked)
    done = anyio.Event()
    registered: set[UUID] = set()

    async def register() -> None:
        while not done.is_set():
            body = {
                "service_name": "notes",
                "resource_type": "document",
                "resource_id": str(uuid4()),
                "workspace_id": str(workspace.id),
                "owner_id": str(boss.id),
                "visibility": "private" if len(registered) % 2 else "workspace",
            }
            answer = await stage.client.post("/permissions/register", headers=notes.headers, json=body)
            assert answer.status_code == 201
            registered.add(UUID(body["resource_id"]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(register)
        for limit in (1, 2, 3):
            # Those who write may be faster than who reads: what was there before is read, and then it is enough.
            read, cursor = await page(asked, limit=limit)
            while not set(whole) <= set(read):
                assert cursor is not None
                more, cursor = await page(asked, limit=limit, cursor=cursor)
                read += more
            assert len(read) == len(set(read))
            assert [one for one in read if one in whole] == whole
        done.set()
    assert registered


async def test_P2_refuses_cursors_that_are_none(stage: Stage) -> None:
    notes, _, workspace, viewer, reached = await furnish(stage)
    asked = await wish(stage, notes, viewer, workspace)
    _, cursor = await page(asked, limit=2)
    assert cursor is not None
    raw = base64.urlsafe_b64decode(cursor + "=")
    malformed: Any
    for malformed in (
        "", "!", "AAAA", " ", cursor + "=", cursor[:-1], cursor + "A", cursor.swapcase(), f" {cursor}", cursor[::-1],
        "é" * 43, "A" * 43, "A" * 64, cursor[:-1] + chr(ord(cursor[-1]) + 1), "A" * 65, "\0", 7, [], {}, True,
        str(reached[1].resource_id), base64.urlsafe_b64encode(reached[1].resource_id.bytes).decode().rstrip("="),
    ):  # fmt: skip
        assert await refused(asked, malformed)
    for byte in range(len(raw)):
        forged = bytes([*raw[:byte], raw[byte] ^ 1, *raw[byte + 1 :]])
        assert await refused(asked, base64.urlsafe_b64encode(forged).decode().rstrip("="))


async def test_P2_refuses_cursors_of_other_questions_and_people(stage: Stage) -> None:
    notes, boss, workspace, viewer, _ = await furnish(stage)
    realm = await stage.realm("suite")
    suite = await stage.service("pages", realm=realm)
    other = await stage.workspace(boss)
    await stage.join(other, viewer, "viewer")
    for _ in range(3):
        await stage.resource(other, viewer)
        await stage.resource(workspace, viewer, resource_type="image")
        await stage.resource(workspace, viewer, service_name="suite")
    asked = await wish(stage, notes, viewer, workspace)
    _, cursor = await page(asked, limit=2)
    said = {
        await refused(await wish(stage, notes, boss, workspace), cursor),
        await refused(await wish(stage, notes, viewer, other), cursor),
        await refused(asked, cursor, resource_type="image"),
        await refused(asked, cursor, action="edit"),
        await refused(await wish(stage, suite, viewer, workspace), cursor, service_name="suite"),
    }
    assert len(said) == 1, "and none of them learns why"
    assert "begin again" in said.pop()
    assert (await page(asked, limit=2, cursor=cursor))[0], "its own question still takes it"


async def test_P2_refuses_a_cursor_whose_resource_is_gone_or_was_registered_anew(stage: Stage) -> None:
    """It would not know where to go on, and going on somewhere could leave something out."""
    notes, _, workspace, viewer, reached = await furnish(stage)
    asked = await wish(stage, notes, viewer, workspace)
    _, cursor = await page(asked, limit=2)
    path = f"/permissions/resource/notes/document/{reached[1].resource_id}"
    assert (await stage.client.delete(path, headers=notes.headers)).status_code == 204
    gone = await refused(asked, cursor)
    body = {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(reached[1].resource_id),
        "workspace_id": str(workspace.id),
        "owner_id": str(viewer.id),
    }
    assert (
        await stage.client.post("/permissions/register", headers=notes.headers, json=body)
    ).status_code == 201
    assert await refused(asked, cursor) == gone


async def test_P2_a_cursor_tells_nothing(stage: Stage) -> None:
    """All that can be read in it is the id that stands in the answer beside it; and it finds out about no other."""
    notes, boss, workspace, viewer, reached = await furnish(stage)
    asked = await wish(stage, notes, viewer, workspace)
    found, cursor = await page(asked, limit=2)
    assert cursor is not None
    raw = base64.urlsafe_b64decode(cursor + "=")
    assert len(raw) == 32 and raw[:16] == found[-1].bytes
    for secret in (reached[1].id, workspace.id, viewer.id, boss.id):
        assert secret.bytes not in raw
    [hidden] = await stage.all(Resource, Resource.resource_type == "image")
    hidden_documents = [
        one
        for one in await stage.all(Resource, Resource.resource_type == "document")
        if one.resource_id not in ids(*reached)
    ]
    told = set()
    for probed in (hidden.resource_id, hidden_documents[0].resource_id, uuid4()):
        forged = base64.urlsafe_b64encode(probed.bytes + raw[16:]).decode().rstrip("=")
        told.add(await refused(asked, forged))
    assert len(told) == 1


async def test_P2_and_SB_4_credentials_are_judged_before_the_cursor(stage: Stage) -> None:
    notes, boss, workspace, viewer, _ = await furnish(stage)
    other = await stage.workspace(boss)
    asked = await wish(stage, notes, viewer, workspace)
    _, good = await page(asked, limit=2)
    for cursor in ("!", "A" * 43, "A" * 65, good):
        for headers, status in (
            ({}, 401),
            (notes.headers, 401),
            (await stage.as_user(viewer, workspace), 401),
            ({**asked.headers, "X-Service-Key": "sk_" + "x" * 43}, 401),
            (notes.headers | bearer(await stage.access_token(viewer, other)), 403),
        ):
            answer = await Wish(stage, headers, workspace).send(cursor=cursor, limit=2)
            assert answer.status_code == status, (cursor, headers, answer.text)
    for changes, detail in (
        ({"service_name": "wiki"}, SCOPE),
        ({"workspace_id": str(other.id)}, NOT_A_MEMBER),
    ):
        for cursor in ("!", good):
            answer = await asked.send(cursor=cursor, limit=2, **changes)
            assert (answer.status_code, answer.json()) == (403, detail)
