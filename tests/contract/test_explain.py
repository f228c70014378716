"""Explanations (beyond the contract): why somebody may do something, and who else may."""

from typing import Any
from uuid import uuid4

import pytest

from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Workspace
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio


async def _explain(
    stage: Stage, service: Service, user: User, workspace: Workspace, resource_id: Any, action: str
) -> Any:
    answer = await stage.client.post(
        "/permissions/explain",
        headers=service.headers | bearer(await stage.access_token(user, workspace)),
        json={
            "service_name": "notes",
            "resource_type": "document",
            "resource_id": str(resource_id),
            "action": action,
        },
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _subjects(
    stage: Stage, service: Service, resource: Resource, action: str, **query: Any
) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await stage.client.get(
            f"/permissions/resource/notes/document/{resource.resource_id}/subjects",
            headers=service.headers,
            params={"action": action, **query, **cursor},
        )
        assert answer.status_code == 200, answer.text
        found += [(row["user_id"], row["step"]) for row in answer.json()["subjects"]]
        if answer.json()["next_cursor"] is None:
            return found
        cursor = {"cursor": answer.json()["next_cursor"]}


async def test_explain_names_the_step_and_the_share_behind_it(stage: Stage) -> None:
    service = await stage.service()
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    admin, editor = await stage.member(workspace, "admin"), await stage.member(workspace, "editor")
    direct, grouped, nobody = [await stage.member(workspace) for _ in range(3)]
    author = await stage.member(workspace)
    private = await stage.resource(workspace, author, visibility="private")
    public = await stage.resource(workspace, author)
    await stage.share(private, direct, "view")
    readers, writers = (
        await stage.group(workspace, grouped, name="A readers"),
        await stage.group(workspace, grouped),
    )
    await stage.share(private, readers, "view")
    await stage.share(private, writers, "edit")
    expected: list[tuple[User, Any, str, bool, int, Any]] = [
        (author, private.resource_id, "edit", True, 2, None),
        (admin, private.resource_id, "edit", True, 3, None),
        (editor, public.resource_id, "edit", True, 4, None),
        (nobody, public.resource_id, "view", True, 4, None),
        (nobody, public.resource_id, "edit", False, 7, None),
        (direct, private.resource_id, "view", True, 5, ("user", str(direct.id))),
        (direct, private.resource_id, "edit", False, 7, None),
        (grouped, private.resource_id, "edit", True, 6, ("group", str(writers.id))),
        (grouped, private.resource_id, "view", True, 6, ("group", str(writers.id))),
        (owner, uuid4(), "view", False, 1, None),
    ]
    for user, resource_id, action, allowed, step, via in expected:
        told = await _explain(stage, service, user, workspace, resource_id, action)
        assert (told["allowed"], told["step"]) == (allowed, step), told
        assert (via and (told["via"]["type"], told["via"]["id"])) == (told["via"] and via), told
        assert isinstance(told["reason"], str)


async def test_subjects_lists_exactly_those_whom_a_check_lets_through(stage: Stage) -> None:
    service = await stage.service()
    owner = await stage.user()
    workspace, other = await stage.workspace(owner), await stage.workspace(owner)
    people = [
        await stage.member(workspace, role) for role in ("admin", "editor", "viewer", "viewer", "viewer")
    ]
    gone = await stage.member(workspace, is_active=False)
    stranger = await stage.member(other)
    resources = [
        await stage.resource(workspace, people[2], visibility="private"),
        await stage.resource(workspace, None),
        await stage.resource(workspace, stranger, visibility="private"),
    ]
    for resource in resources:
        await stage.share(resource, people[3], "edit")
        await stage.share(resource, await stage.group(workspace, people[4], gone), "view")
        await stage.share(resource, stranger, "edit")
    for resource in resources:
        for action in ("view", "edit"):
            wanted = set()
            for person in (owner, *people):
                told = await _explain(stage, service, person, workspace, resource.resource_id, action)
                if told["allowed"]:
                    wanted.add((str(person.id), told["step"]))
            listed = await _subjects(stage, service, resource, action)
            assert set(listed) == wanted
            assert len(listed) == len(wanted)
            # The same, whatever the size of the pages.
            assert await _subjects(stage, service, resource, action, limit=1) == listed
            assert await _subjects(stage, service, resource, action, limit=2) == listed


async def test_subjects_refusals(stage: Stage) -> None:
    """Rules: L33."""
    service, wiki = await stage.service(), await stage.service("wiki")
    workspace = await stage.workspace(await stage.user())
    resource = await stage.resource(workspace, None)
    path = f"/permissions/resource/notes/document/{resource.resource_id}/subjects"
    cases: list[tuple[Service | None, str, dict[str, Any], int]] = [
        (None, path, {"action": "view"}, 401),
        (wiki, path, {"action": "view"}, 403),
        (service, path.replace(str(resource.resource_id), str(uuid4())), {"action": "view"}, 404),
        (service, path, {}, 422),
        (service, path, {"action": "own"}, 422),
        (service, path, {"action": "view", "limit": 0}, 422),
        (service, path, {"action": "view", "limit": 201}, 422),
        (service, path, {"action": "view", "cursor": "!"}, 422),
        (service, path, {"action": "view", "cursor": "AAAA"}, 422),
        (service, path, {"action": "view", "cursor": ""}, 422),
    ]
    for caller, url, query, status in cases:
        answer = await stage.client.get(url, headers=caller.headers if caller else {}, params=query)
        assert answer.status_code == status, (query, answer.text)
    explain = await stage.client.post("/permissions/explain", headers=service.headers, json={})
    assert explain.status_code in (401, 422)


async def test_explain_costs_at_most_two_statements(stage: Stage) -> None:
    service = await stage.service()
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    ada = await stage.member(workspace)
    resource = await stage.resource(workspace, owner, visibility="private")
    await stage.share(resource, await stage.group(workspace, ada), "view")
    token = await stage.access_token(ada, workspace)
    body = {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(resource.resource_id),
        "action": "view",
    }
    with stage.statements() as seen:
        await stage.client.post("/permissions/explain", headers=service.headers | bearer(token), json=body)
    assert len(seen) == 2


async def test_L18_explain_never_names_a_group_of_another_workspace(stage: Stage) -> None:
    """A share to a foreign group decides nothing, and must not be shown as the one that did."""
    service = await stage.service()
    owner = await stage.user()
    workspace, other = await stage.workspace(owner), await stage.workspace(owner)
    ada = await stage.member(workspace)
    await stage.join(other, ada)
    resource = await stage.resource(workspace, owner, visibility="private")
    foreign = await stage.group(other, ada, name="A secret project")
    own = await stage.group(workspace, ada, name="Z readers")
    await stage.share(resource, foreign, "edit")
    await stage.share(resource, own, "view")
    told = await _explain(stage, service, ada, workspace, resource.resource_id, "view")
    assert told["via"] == {"type": "group", "id": str(own.id), "name": "Z readers"}
