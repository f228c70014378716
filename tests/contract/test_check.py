"""P1, asking for decisions: http-api.md §8 and §0.7, authorization.md §4 to §6, tokens.md §13."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps.authentication import Credentials
from sentinel.apps.models import ServiceApp
from sentinel.audit.models import Activity
from sentinel.identity.models import User
from sentinel.permissions.facts import REGISTERED, SHOWN, UNKNOWN
from sentinel.permissions.lookup import FEW, MANY, Question, fetch_facts
from sentinel.permissions.models import Resource, Share
from sentinel.tokens.claims import TokenType
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio

LONGEST_NAME = "n" * 255
BAD_NAMES = [
    "",
    "Notes",
    "notes\n",
    " notes",
    "1notes",
    "-notes",
    "not es",
    "notes/x",
    "nоtes",  # a Cyrillic letter in the middle
    "notes\0",
    "notes\ud800",
    "n" * 256,
    None,
    7,
    ["notes"],
]


def item(resource: Resource, action: str = "view", **changes: Any) -> dict[str, Any]:
    """One question about a resource, as it stands in the request."""
    return {
        "service_name": resource.service_name,
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
        "action": action,
    } | changes


async def ask(stage: Stage, headers: Mapping[str, str], *checks: Any) -> httpx.Response:
    return await stage.client.post("/permissions/check", headers=headers, json={"checks": list(checks)})


async def allowed(stage: Stage, headers: Mapping[str, str], *checks: dict[str, Any]) -> list[bool]:
    """The answers, once it is sure that the rest of the body is as the contract says."""
    answer = await ask(stage, headers, *checks)
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert answer.json() == {"results": results}
    assert results == [
        check | {"allowed": result["allowed"]} for check, result in zip(checks, results, strict=True)
    ]
    assert all(isinstance(result["allowed"], bool) for result in results)
    return [result["allowed"] for result in results]


async def view_and_edit(stage: Stage, headers: Mapping[str, str], resource: Resource) -> str:
    """What a person may do to a resource, as two letters: ``ve``, ``v-`` or ``--``."""
    view, edit = await allowed(stage, headers, item(resource), item(resource, "edit"))
    return ("v" if view else "-") + ("e" if edit else "-")


async def as_user(stage: Stage, service: Service, user: User, workspace: Workspace) -> dict[str, str]:
    return service.headers | await stage.as_user(user, workspace)


async def as_authz(
    stage: Stage, service: Service, user: User, workspace: Workspace, scope: str
) -> dict[str, str]:
    return service.headers | bearer(await stage.authz_token(user, workspace, scope))


def named(events: list[Any], name: str) -> list[Any]:
    return [event for event in events if event["event"] == name]


async def test_P1_answers_every_question_in_order(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    seen = await stage.resource(workspace, boss)
    hidden = await stage.resource(workspace, boss, visibility="private")
    other_type = await stage.resource(workspace, viewer, resource_type="a_b.c-1")
    checks = [
        item(hidden),
        item(seen),
        item(seen, "edit"),
        item(seen),  # twice the same, and unknown ones in between
        item(seen, resource_id=str(uuid4())),
        item(other_type, "edit"),
        item(seen, resource_type="a_b.c-1"),
        item(seen, resource_type=LONGEST_NAME),
    ]
    headers = await as_user(stage, notes, viewer, workspace)
    assert await allowed(stage, headers, *checks) == [False, True, False, True, False, True, False, False]
    assert await allowed(stage, headers, *reversed(checks)) == [
        False, False, True, False, True, False, True, False,
    ]  # fmt: skip


async def test_P1_follows_the_seven_steps_with_both_kinds_of_token(stage: Stage) -> None:
    """authorization.md §4 and §5: an authz token reaches what is shared with its groups, too.

    Rules: authorization-4.2, authorization-4.3, authorization-4.4, authorization-4.7.
    Rules: authorization-4.steps, authorization-5.1.
    """
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    people = {
        name: await stage.member(workspace, role)
        for name, role in {
            "admin": "admin",
            "editor": "editor",
            "viewer": "viewer",
            "author": "viewer",
            "reader": "viewer",
            "writer": "viewer",
            "group reader": "viewer",
            "group writer": "editor",
            "both": "viewer",
        }.items()
    } | {"boss": boss}
    readers = await stage.group(workspace, people["group reader"], people["both"])
    writers = await stage.group(workspace, people["group writer"], people["both"])
    private = await stage.resource(workspace, people["author"], visibility="private")
    public = await stage.resource(workspace, people["author"])
    orphan = await stage.resource(workspace, None, visibility="private")
    resources = (private, public, orphan)
    for grantee, level in (
        (people["reader"], "view"),
        (people["writer"], "edit"),
        (readers, "view"),
        (writers, "edit"),
    ):
        await stage.share(private, grantee, level)
    expected = {
        "boss": "ve ve ve",
        "admin": "ve ve ve",
        "editor": "-- ve --",
        "viewer": "-- v- --",
        "author": "ve ve --",
        "reader": "v- v- --",
        "writer": "ve v- --",
        "group reader": "v- v- --",
        "group writer": "ve ve --",
        "both": "ve v- --",
    }
    for name, person in people.items():
        for headers in (
            await as_user(stage, notes, person, workspace),
            await as_authz(stage, notes, person, workspace, "notes"),
        ):
            answers = await allowed(
                stage, headers, *(item(one, action) for one in resources for action in ("view", "edit"))
            )
            letters = [letter if yes else "-" for letter, yes in zip("veveve", answers, strict=True)]
            assert (
                " ".join(a + b for a, b in zip(letters[::2], letters[1::2], strict=True)) == expected[name]
            ), name


async def test_P1_unknown_and_foreign_resources_are_denied_not_missing(stage: Stage) -> None:
    """authorization.md §4 step 1 and rule 1, for the owner of both workspaces and of the resource.

    Rules: authorization-4.1, authorization-4.steps.
    """
    notes, boss = await stage.service(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace(boss)
    here, there = await stage.resource(workspace, boss), await stage.resource(other, boss)
    group = await stage.group(other, boss)
    await stage.share(there, boss, "edit")
    await stage.share(there, group, "edit")
    headers = await as_user(stage, notes, boss, workspace)
    unknown = item(here, resource_id=str(uuid4()))
    assert await allowed(stage, headers, unknown, item(here, resource_type="image")) == [False, False]
    assert await view_and_edit(stage, headers, here) == "ve"
    assert await view_and_edit(stage, headers, there) == "--"
    assert await view_and_edit(stage, await as_user(stage, notes, boss, other), there) == "ve"
    # decide() would deny it as well; the record of another tenant is not even fetched.
    claims = stage.state.verifier.user(headers["Authorization"].split()[1], allow=[TokenType.ACCESS])
    asked = [
        Question(
            service_name="notes", resource_type="document", resource_id=str(one.resource_id), action="view"
        )
        for one in (here, there)
    ]
    shown = Credentials(notes.app.key_hash, claims)
    _, (known, foreign) = await fetch_facts(stage.state.database, shown, asked, stage.clock.now())
    assert known & REGISTERED
    assert foreign == UNKNOWN


@pytest.mark.parametrize("times", [1, MANY])
async def test_P1_each_question_is_about_its_own_names(stage: Stage, times: int) -> None:
    """§8 P1: one id may stand for a resource of each kind and each service. Whether the names of a batch are alike or
    not, each answer is about the names of its question.
    """
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    same = uuid4()
    names = [(service, kind) for service in ("notes", "wiki") for kind in ("document", "image")]
    for (service, kind), visibility in zip(names[:3], ("workspace", "private", "workspace"), strict=True):
        await stage.resource(
            workspace, None, service_name=service, resource_type=kind, resource_id=same, visibility=visibility
        )
    headers = await as_user(stage, notes, boss, workspace)
    claims = stage.state.verifier.user(headers["Authorization"].split()[1], allow=[TokenType.ACCESS])
    shown = Credentials(notes.app.key_hash, claims)
    expected = dict(zip(names, (REGISTERED | SHOWN, REGISTERED, REGISTERED | SHOWN, UNKNOWN), strict=True))

    async def agree(*asked: tuple[str, str]) -> None:
        questions = [
            Question(service_name=service, resource_type=kind, resource_id=str(same), action="view")
            for service, kind in asked
        ]
        _, facts = await fetch_facts(stage.state.database, shown, questions * times, stage.clock.now())
        assert facts == [expected[name] for name in asked] * times

    for name in names:
        await agree(name)
        await agree(name, name)
    await agree(*names)
    await agree(("notes", "document"), ("notes", "image"))
    await agree(("wiki", "image"), ("notes", "image"))
    assert await allowed(stage, headers) == []


async def test_P1_groups_of_another_workspace_and_stale_rows_open_nothing(stage: Stage) -> None:
    """authorization.md §4 rule 6 and §5: whatever rows say, a group counts in its own workspace only."""
    notes, boss = await stage.service(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    await stage.join(other, viewer, "owner")
    foreign = await stage.group(other, viewer)
    resource = await stage.resource(workspace, boss, visibility="private")
    await stage.share(resource, foreign, "edit")
    own = await stage.group(workspace, viewer)
    # A share to a user whose id is the group's is not a share to the group, nor the other way round.
    await stage.add(
        Share(id=uuid4(), resource_permission_id=resource.id, grantee_type="user", grantee_id=own.id,
              permission="edit", granted_at=stage.clock.now()),
        Share(id=uuid4(), resource_permission_id=resource.id, grantee_type="group", grantee_id=viewer.id,
              permission="edit", granted_at=stage.clock.now()),
    )  # fmt: skip
    assert await view_and_edit(stage, await as_user(stage, notes, viewer, workspace), resource) == "--"


async def test_P1_the_claims_of_a_token_decide_nothing(stage: Stage) -> None:
    """§0.7: the role in the database counts, above and below the one in the token."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer, admin = await stage.member(workspace, "viewer"), await stage.member(workspace, "admin")
    resource = await stage.resource(workspace, boss, visibility="private")
    flattering = notes.headers | bearer(await stage.access_token(viewer, workspace, role="owner"))
    modest = notes.headers | bearer(await stage.access_token(admin, workspace, role="viewer"))
    assert await view_and_edit(stage, flattering, resource) == "--"
    assert await view_and_edit(stage, modest, resource) == "ve"


async def test_L21_and_P1_every_change_acts_on_the_next_check(stage: Stage) -> None:
    """No answer is remembered: each row that a decision reads is changed, and the same token asked again."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    person = await stage.member(workspace, "viewer")
    group = await stage.group(workspace, person)
    resource = await stage.resource(workspace, boss, visibility="private")
    headers = await as_user(stage, notes, person, workspace)
    mine = Membership.user_id == person.id

    async def changed(statement: Any, expected: str) -> None:
        await stage.execute(statement)
        assert await view_and_edit(stage, headers, resource) == expected, str(statement)

    assert await view_and_edit(stage, headers, resource) == "--"
    await stage.share(resource, person, "view")
    assert await view_and_edit(stage, headers, resource) == "v-"
    await changed(sa.update(Share).values(permission="edit"), "ve")
    await changed(sa.delete(Share), "--")
    await stage.share(resource, group, "edit")
    assert await view_and_edit(stage, headers, resource) == "ve"
    await changed(sa.delete(GroupMembership), "--")
    await changed(sa.update(Resource).values(visibility="workspace"), "v-")
    await changed(sa.update(Membership).where(mine).values(role="editor"), "ve")
    await changed(sa.update(Resource).values(visibility="private"), "--")
    await changed(sa.update(Membership).where(mine).values(role="admin"), "ve")
    await changed(sa.update(Membership).where(mine).values(role="viewer"), "--")
    await changed(sa.update(Resource).values(owner_id=person.id), "ve")
    await changed(sa.delete(Resource), "--")
    for statement, status in (
        (sa.delete(Membership).where(mine), 403),
        (sa.update(User).where(User.id == person.id).values(is_active=False), 401),
        (sa.update(ServiceApp).values(is_active=False), 401),
    ):
        await stage.execute(statement)
        assert (await ask(stage, headers, item(resource))).status_code == status


async def test_P1_denials_are_security_events_and_nothing_else(stage: Stage) -> None:
    """authorization.md §4 rule 8: one event for each denial, no activity row, nothing for what is allowed.

    Rules: authorization-4.8.
    """
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    seen = await stage.resource(workspace, boss)
    unknown = str(uuid4())
    headers = await as_user(stage, notes, viewer, workspace)
    before = await stage.count(Activity)
    with stage.events() as events:
        assert await allowed(
            stage,
            headers,
            item(seen),
            item(seen, "edit"),
            item(seen, resource_id=unknown),
            item(seen, "edit"),
        ) == [True, False, False, False]
    denied = named(events, "permission.check.denied")
    assert [(line["resource_id"], line["action"], line["reason"]) for line in denied] == [
        (str(seen.resource_id), "edit", "no_grant"),
        (unknown, "view", "unknown_resource"),
        (str(seen.resource_id), "edit", "no_grant"),
    ]
    for line in denied:
        assert (line["category"], line["outcome"]) == ("security", "denied")
        assert (line["actor"], line["workspace_id"]) == (str(viewer.id), str(workspace.id))
        assert (line["caller_service"], line["resource_type"]) == ("notes", "document")
    assert await stage.count(Activity) == before


async def test_P1_and_SB_4_one_item_out_of_scope_refuses_the_batch(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    await stage.service("wiki")
    workspace = await stage.workspace(boss)
    mine = await stage.resource(workspace, boss)
    foreign = await stage.resource(workspace, boss, service_name="wiki")
    unknown = item(mine, resource_id=str(uuid4()))
    headers = await as_user(stage, notes, boss, workspace)
    for position in range(3):
        checks = [item(mine), unknown]
        checks.insert(position, item(foreign))
        with stage.events() as events:
            answer = await ask(stage, headers, *checks)
        assert answer.status_code == 403
        assert answer.json() == {"detail": "Service key is not valid for this service"}
        assert not named(events, "permission.check.denied"), "nothing may have been evaluated"
    # Neither a prefix nor a longer name of the scope will do.
    for name in ("note", "notes2", "notes.x", "n"):
        assert (await ask(stage, headers, item(mine, service_name=name))).status_code == 403, name


async def test_SB_5_and_SB_6_the_scope_of_a_realm_member_is_the_slug(stage: Stage) -> None:
    """Rules: authorization-6.2."""
    realm = await stage.realm("suite")
    notes, wiki = await stage.service("notes", realm=realm), await stage.service("wiki", realm=realm)
    boss = await stage.user()
    workspace = await stage.workspace(boss)
    shared = await stage.resource(workspace, boss, service_name="suite")
    own = await stage.resource(workspace, boss, service_name="notes")
    for service in (notes, wiki):
        for headers in (
            await as_user(stage, service, boss, workspace),
            await as_authz(stage, service, boss, workspace, "suite"),
        ):
            assert await allowed(stage, headers, item(shared)) == [True]
            assert (await ask(stage, headers, item(own))).status_code == 403
            assert (await ask(stage, headers, item(shared), item(own))).status_code == 403
    old = await as_authz(stage, notes, boss, workspace, "notes")
    assert (await ask(stage, old, item(shared))).status_code == 403
    # Leaving acts on the next request, and what was its own before is its own again.
    await stage.execute(sa.update(ServiceApp).where(ServiceApp.service_name == "notes").values(realm_id=None))
    headers = await as_user(stage, notes, boss, workspace)
    assert await allowed(stage, headers, item(own)) == [True]
    assert (await ask(stage, headers, item(shared))).status_code == 403
    left = await as_authz(stage, notes, boss, workspace, "suite")
    assert (await ask(stage, left, item(own))).status_code == 403


async def test_P1_takes_up_to_a_hundred_questions(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    resource = await stage.resource(workspace, boss)
    headers = await as_user(stage, notes, boss, workspace)
    assert await allowed(stage, headers) == []
    assert await allowed(stage, headers, *[item(resource)] * 100) == [True] * 100
    answer = await ask(stage, headers, *[item(resource)] * 101)
    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["body", "checks"] and set(problem) == {"loc", "msg", "type"}
    # An empty list still has to come from somebody.
    assert (await ask(stage, notes.headers)).status_code == 401
    assert (await ask(stage, await stage.as_user(boss, workspace))).status_code == 401


async def test_P1_refuses_malformed_questions_without_evaluating_any(stage: Stage) -> None:
    """Rules: P1, L24."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    good = item(await stage.resource(workspace, boss), resource_id=str(uuid4()))
    headers = await as_user(stage, notes, boss, workspace)
    bad: list[Any] = [
        *(good | {"service_name": name} for name in BAD_NAMES),
        *(good | {"resource_type": name} for name in BAD_NAMES),
        *(good | {"resource_id": value} for value in ("", "7", "no-uuid", None, good["resource_id"][:-1])),
        *(good | {"action": value} for value in ("", "View", "delete", "view ", None, ["view"])),
        *({key: good[key] for key in good if key != missing} for missing in good),
        None,
        [],
        "view",
    ]
    with stage.events() as events:
        for broken in bad:
            answer = await stage.client.post(
                "/permissions/check",
                headers=headers | {"Content-Type": "application/json"},
                content=_json({"checks": [good, broken]}),
            )
            assert answer.status_code == 422, broken
            assert all(set(problem) == {"loc", "msg", "type"} for problem in answer.json()["detail"])
        for body in (b"", b"[]", b"null", b'{"checks": null}', b'{"checks": {}}', b"{}", b"{"):
            answer = await stage.client.post("/permissions/check", headers=headers, content=body)
            assert answer.status_code == 422, body
    assert not named(events, "permission.check.denied")


def _json(value: Any) -> bytes:
    # Escaped, so that half a surrogate pair can be sent, too.
    return json.dumps(value).encode()


async def test_L24_and_P1_one_id_in_several_spellings(stage: Stage) -> None:
    """A UUID means the same in upper case and without hyphens; the answer says it in the one right way."""
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    resource = await stage.resource(workspace, boss)
    headers = await as_user(stage, notes, boss, workspace)
    canonical = str(resource.resource_id)
    for spelling in (canonical.upper(), canonical.replace("-", "")):
        answer = await ask(stage, headers, item(resource, resource_id=spelling))
        assert answer.json()["results"] == [item(resource) | {"allowed": True}]


async def test_P1_and_L15_unknown_fields_change_nothing(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    stranger = await stage.member(workspace, "viewer")
    resource = await stage.resource(workspace, boss, visibility="private")
    answer = await stage.client.post(
        "/permissions/check",
        headers=await as_user(stage, notes, stranger, workspace),
        json={
            "checks": [item(resource) | {"allowed": True, "user_id": str(boss.id), "role": "owner"}],
            "user_id": str(boss.id),
        },
    )
    assert answer.json() == {"results": [item(resource) | {"allowed": False}]}


@pytest.mark.parametrize("crowded", ["", "person", "group", "person and group", "together"])
async def test_P1_answers_do_not_depend_on_how_shares_are_looked_up(stage: Stage, crowded: str) -> None:
    """A question alone, a few, and many at once; of somebody who has few shares, and of one who has very many, himself
    or through a group: each of these is looked up in another way, and all say the same.
    """
    notes, boss = await stage.service(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    await stage.join(other, viewer, "viewer")
    own, second, foreign = (
        await stage.group(workspace, viewer),
        await stage.group(workspace, viewer),
        await stage.group(other, viewer),
    )
    stranger = await stage.member(workspace, "viewer")

    async def crowd(grantee: User | Group, number: int = FEW + 1) -> None:
        kind = "group" if isinstance(grantee, Group) else "user"
        many = [
            Resource(
                id=uuid4(), service_name="notes", resource_type="crowd", resource_id=uuid4(),
                workspace_id=workspace.id, owner_id=boss.id, visibility="private", created_at=stage.clock.now(),
            )
            for _ in range(number)
        ]  # fmt: skip
        await stage.add(*many)
        await stage.add(
            *[
                Share(
                    id=uuid4(), resource_permission_id=one.id, grantee_type=kind, grantee_id=grantee.id,
                    permission="edit", granted_at=stage.clock.now(),
                )
                for one in many
            ]
        )  # fmt: skip

    # Before all others, so that these are the first that are found.
    if "person" in crowded:
        await crowd(viewer)
    if "group" in crowded:
        await crowd(own)
    if crowded == "together":
        await crowd(viewer, FEW // 2)
        await crowd(own, FEW // 2)
    grants: list[tuple[str, list[tuple[User | Group, str]]]] = [
        ("--", []),
        ("v-", [(viewer, "view")]),
        ("ve", [(viewer, "edit")]),
        ("v-", [(own, "view")]),
        ("ve", [(own, "edit")]),
        ("ve", [(own, "view"), (second, "edit")]),
        ("ve", [(viewer, "view"), (own, "edit")]),
        ("ve", [(viewer, "edit"), (own, "view")]),
        ("--", [(foreign, "edit")]),
        ("v-", [(foreign, "edit"), (second, "view")]),
        ("--", [(stranger, "edit")]),
    ]
    wanted: list[bool] = []
    asked: list[dict[str, Any]] = []
    for letters, shares in grants:
        resource = await stage.resource(workspace, boss, visibility="private")
        for grantee, permission in shares:
            await stage.share(resource, grantee, permission)
        asked += [item(resource), item(resource, "edit")]
        wanted += [letters[0] == "v", letters[1] == "e"]
    # A share to a person whose id is the group's is not one to the group, nor the other way round.
    mistaken = await stage.resource(workspace, boss, visibility="private")
    for kind, grantee_id in (("user", own.id), ("group", viewer.id)):
        await stage.add(
            Share(
                id=uuid4(),
                resource_permission_id=mistaken.id,
                grantee_type=kind,
                grantee_id=grantee_id,
                permission="edit",
                granted_at=stage.clock.now(),
            )
        )
    asked += [item(mistaken), item(mistaken, "edit")]
    wanted += [False, False]
    elsewhere = await stage.resource(other, boss, visibility="private")
    await stage.share(elsewhere, viewer, "edit")
    asked += [item(elsewhere), item(elsewhere, "edit"), item(elsewhere, resource_id=str(uuid4()))]
    wanted += [False, False, False]
    assert len(asked) > MANY
    headers = await as_user(stage, notes, viewer, workspace)

    async def agree() -> None:
        assert await allowed(stage, headers, *asked) == wanted
        assert await allowed(stage, headers, *asked * 3) == wanted * 3
        half = MANY // 2
        for start in range(0, len(asked), half):
            assert await allowed(stage, headers, *asked[start : start + half]) == wanted[start : start + half]
        assert [(await allowed(stage, headers, one))[0] for one in asked] == wanted

    await agree()
