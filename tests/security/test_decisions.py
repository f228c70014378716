"""Answers that differ where they must not (L21 to L25): by time, by way of asking, by spelling, by database.

In worlds of any shape: ``contract/test_random_worlds.py`` and ``contract/test_stateful_world.py``.
"""

import asyncio
import random
from typing import Any
from uuid import uuid4

import pytest

from sentinel.permissions.models import Resource
from sentinel.workspaces.models import Group
from tests.security.conftest import Town
from tests.stage import Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


async def ask(
    town: Town, headers: dict[str, str], questions: list[dict[str, str]], stage: Stage | None = None
) -> Any:
    client = (stage or town.stage).client
    answer = await client.post("/permissions/check", json={"checks": questions}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [result["allowed"] for result in answer.json()["results"]]


async def test_L21_a_decision_depends_on_all_that_was_asked_and_on_nothing_older(place: Town) -> None:
    """Every part of the question and of the caller is varied alone, right after another answer was given."""
    stage = place.stage
    editor = await stage.member(place.workspace, "editor")
    await stage.share(place.resource, place.viewer)
    tokens = {user.id: await place.token(user) for user in (place.owner, place.viewer, editor)}
    foreign = await stage.resource(place.elsewhere, place.stranger, visibility="private")
    twin = await stage.resource(place.workspace, place.owner, resource_type="folder", visibility="private")
    twin_of_service = await stage.resource(
        place.workspace, place.owner, service_name="wiki", visibility="private"
    )

    async def allowed(
        user: Any, resource: Resource, action: str = "view", service: Any = place.service
    ) -> bool:
        headers = service.headers | bearer(tokens[user.id])
        (answer,) = await ask(place, headers, [place.question(resource, action)])
        return bool(answer)

    for _ in range(2):
        assert await allowed(place.viewer, place.resource)
        assert not await allowed(place.viewer, place.resource, "edit")
        assert not await allowed(editor, place.resource)
        assert not await allowed(place.viewer, twin)
        assert not await allowed(place.owner, foreign)
        assert not await allowed(place.viewer, twin_of_service, service=place.other_service)
        assert await allowed(place.owner, place.resource)
    # Whatever changes is in the next answer: share, level, role, ownership of the workspace.
    share = f"/permissions/{place.resource.id}/share"
    owner = place.service.headers | bearer(tokens[place.owner.id])
    to = {"grantee_type": "user", "grantee_id": str(place.viewer.id), "permission": "edit"}
    await stage.client.post(share, json=to, headers=owner)
    assert await allowed(place.viewer, place.resource, "edit")
    await stage.client.request("DELETE", share, json=to, headers=owner)
    assert not await allowed(place.viewer, place.resource)
    members = f"/workspaces/{place.workspace.id}/members/{place.viewer.id}"
    for role, may in (("admin", True), ("viewer", False)):
        await stage.client.patch(members, json={"role": role}, headers=owner)
        # A change of the role ends the tokens that were given for the old one.
        tokens[place.viewer.id] = await place.token(place.viewer)
        assert await allowed(place.viewer, place.resource) is may
    assert not await allowed(place.viewer, place.resource)


async def _mixed_world(place: Town) -> tuple[list[Resource], dict[str, dict[str, str]]]:
    """Resources and people of every kind, by a lot that is the same in every run."""
    stage, draw = place.stage, random.Random(22)  # noqa: S311 - no secret
    people = [
        place.owner,
        place.viewer,
        *[await stage.member(place.workspace, role) for role in ("editor", "admin")],
    ]
    groups = [await stage.group(place.workspace, *draw.sample(people, 2)) for _ in range(2)]
    resources = []
    for _ in range(24):
        visibility = draw.choice(("private", "workspace"))
        owner = draw.choice([*people, None])
        resource = await stage.resource(place.workspace, owner, visibility=visibility)
        resources.append(resource)
        if draw.random() < 0.5:
            grantee: Any = draw.choice([*people, *groups])
            await stage.share(resource, grantee, draw.choice(("view", "edit")))
    resources.append(await stage.resource(place.elsewhere, place.stranger))
    headers = {str(user.id): place.service.headers | bearer(await place.token(user)) for user in (*people,)}
    return resources, headers


async def test_L22_a_batch_answers_as_single_questions_do(place: Town) -> None:
    resources, callers = await _mixed_world(place)
    questions = [place.question(resource, action) for resource in resources for action in ("view", "edit")]
    questions += [place.question() | {"resource_id": str(uuid4())}, questions[0], questions[0]]
    seen = set()
    for headers in callers.values():
        batch = await ask(place, headers, questions)
        singly = [(await ask(place, headers, [question]))[0] for question in questions]
        assert batch == singly
        order = list(range(len(questions)))
        random.Random(1).shuffle(order)  # noqa: S311
        assert await ask(place, headers, [questions[n] for n in order]) == [batch[n] for n in order]
        seen.add(tuple(batch))
    assert len(seen) >= 3, "a world in which everybody may the same proves nothing"


async def test_L23_a_list_holds_what_a_check_allows_and_nothing_else(place: Town) -> None:
    resources, callers = await _mixed_world(place)
    for headers in callers.values():
        for action in ("view", "edit"):
            wish = {
                "service_name": "notes",
                "resource_type": "document",
                "action": action,
                "workspace_id": str(place.workspace.id),
                "limit": 1000,
            }
            answer = await place.stage.client.post("/permissions/accessible", json=wish, headers=headers)
            assert answer.status_code == 200, answer.text
            listed = answer.json()["resource_ids"]
            allowed = await ask(
                place, headers, [place.question(one, action) for one in (place.resource, *resources)]
            )
            expected = [
                str(one.resource_id)
                for one, may in zip((place.resource, *resources), allowed, strict=True)
                if may
            ]
            assert sorted(listed) == sorted(expected) and len(listed) == len(set(listed))
            # In pages of any size the same, each once.
            paged: list[str] = []
            cursor = None
            while True:
                page = wish | {"limit": 5} | ({"cursor": cursor} if cursor else {})
                body = (
                    await place.stage.client.post("/permissions/accessible", json=page, headers=headers)
                ).json()
                paged += body["resource_ids"]
                cursor = body.get("next_cursor")
                if cursor is None:
                    break
            assert paged == listed


LOOK_ALIKES = [
    "Team",
    "team",
    "TEAM",
    "Te\u0430m",
    "Team\u200b",
    "Te\u0301am",
    "T\u00e9am",
    "straße",
    "STRASSE",
    "ﬁle",
]


async def test_L24_case_and_form_of_letters_make_the_same_difference_on_every_database(place: Town) -> None:
    """One set of expectations; the test runs on SQLite and on PostgreSQL."""
    stage, headers = place.stage, bearer(await place.token())
    groups = f"/workspaces/{place.workspace.id}/groups"
    statuses = {
        name: (await stage.client.post(groups, json={"name": name}, headers=headers)).status_code
        for name in LOOK_ALIKES
    }
    # All of them are names, and each is another one; the same name again is not.
    assert statuses == dict.fromkeys(LOOK_ALIKES, 201)
    assert {group.name for group in await stage.all(Group)} == set(LOOK_ALIKES)
    for name in LOOK_ALIKES:
        assert (await stage.client.post(groups, json={"name": name}, headers=headers)).status_code == 409, (
            name
        )
    # Names of services, types and actions are lower-case ASCII, so that no collation has a say.
    for name in ("Notes", "NOTES", "nótes", "n\u043etes", "notes ", "notes\u200b", "ｎotes"):
        question = place.question() | {"service_name": name}
        answer = await stage.client.post(
            "/permissions/check", json={"checks": [question]}, headers=await place.as_owner()
        )
        assert answer.status_code in (403, 422), name
    # Ids in any spelling are one id, and no other.
    for text in (str(place.resource.resource_id).upper(), str(place.resource.resource_id)):
        assert await ask(place, await place.as_owner(), [place.question() | {"resource_id": text}]) == [True]
    # Addresses of people: one person in any case, nobody else in any look-alike.
    ada = await stage.user(email="ada@example.com")
    members = f"/workspaces/{place.workspace.id}/members/invite"
    for email in (
        "\u0430da@example.com",
        "ada@ex\u0430mple.com",
        "ada@example.com\u200b",
        "ad\u00e1@example.com",
    ):
        body = {"email": email, "role": "viewer"}
        answer = await stage.client.post(members, json=body, headers=headers)
        assert answer.status_code in (400, 404, 422), email
    answer = await stage.client.post(
        members, json={"email": "ADA@Example.COM", "role": "viewer"}, headers=headers
    )
    assert answer.status_code < 300
    assert str(ada.id) in answer.text


async def test_L25_what_was_written_is_read_by_the_next_question_under_load(
    place: Town, database_url: str, stage_keys: Keys
) -> None:
    """Eight writers, each of which asks another instance than the one that took its write, with no pause between."""
    stage = place.stage
    people = [await stage.member(place.workspace) for _ in range(6)]
    owner = await place.as_owner()
    async with open_stage(database_url, stage_keys, clock=stage.clock) as other:
        doors = [stage, other]

        async def lane(number: int) -> int:
            person, rounds = people[number % 6], 0
            resource = await stage.resource(place.workspace, place.owner, visibility="private")
            headers = place.service.headers | bearer(await place.token(person))
            question = [place.question(resource)]
            share = f"/permissions/{resource.id}/share"
            to = {"grantee_type": "user", "grantee_id": str(person.id), "permission": "view"}
            for turn in range(3):
                writer, reader = doors[turn % 2], doors[(turn + 1) % 2]
                for method, expected in (("POST", True), ("DELETE", False)):
                    answer = await writer.client.request(method, share, json=to, headers=owner)
                    while answer.status_code == 503:
                        answer = await writer.client.request(method, share, json=to, headers=owner)
                    assert answer.status_code in (200, 201), answer.text
                    assert await ask(place, headers, question, reader) == [expected]
                    rounds += 1
            return rounds

        assert await asyncio.gather(*(lane(number) for number in range(8))) == [6] * 8
