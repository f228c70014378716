"""Who may do what in a workspace, and that nobody may in another one: authorization.md §2; http-api.md §5, §6."""

from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from sentinel.workspaces.models import Group, Workspace
from tests.stage import Stage, bearer

pytestmark = pytest.mark.anyio

NOT_A_MEMBER = {"detail": "Not a member of this workspace"}
ROLES = ("viewer", "editor", "admin", "owner")


class Ask(NamedTuple):
    """One request, the least role that it takes, and how it ends for the roles below."""

    method: str
    path: str
    least: str = "viewer"
    body: dict[str, Any] | None = None
    success: int = 200
    refusal: tuple[int, str] = (403, "Insufficient role")


MATRIX = [
    # read workspace, members, groups
    Ask("GET", ""),
    Ask("GET", "/members"),
    Ask("GET", "/groups"),
    Ask("GET", "/groups/{group}/members"),
    # edit workspace, manage members and groups
    Ask("PATCH", "", "admin", {"name": "New"}),
    Ask("POST", "/members/invite", "admin", {"email": "{email}", "role": "admin"}, 201),
    Ask("PATCH", "/members/{peer}", "admin", {"role": "admin"}),
    Ask("DELETE", "/members/{peer}", "admin", success=204),
    Ask("POST", "/groups", "admin", {"name": "New"}, 201),
    Ask("PATCH", "/groups/{group}", "admin", {"name": "Newer"}),
    Ask("POST", "/groups/{group}/members/{other}", "admin", success=201),
    Ask("DELETE", "/groups/{group}/members/{other}", "admin", success=204),
    Ask("DELETE", "/groups/{group}", "admin", success=204),
    # grant and remove owner, delete workspace
    Ask(
        "PATCH",
        "/members/{other}",
        "owner",
        {"role": "owner"},
        refusal=(403, "Only owners may grant the owner role"),
    ),
    Ask(
        "POST",
        "/members/invite",
        "owner",
        {"email": "{spare}", "role": "owner"},
        201,
        (400, "Only owners may grant the owner role"),
    ),
    Ask(
        "PATCH",
        "/members/{second}",
        "owner",
        {"role": "admin"},
        refusal=(403, "Only owners may change an owner"),
    ),
    Ask("DELETE", "/members/{first}", "owner", success=204, refusal=(403, "Only owners may remove an owner")),
    Ask("DELETE", "", "owner", success=204),
]


async def test_W3_and_W9_every_role_may_what_the_matrix_says(stage: Stage) -> None:
    """authorization.md §2. The role in the token is only a hint: here every one lies, and the database decides.

    Rules: W3, W4, W5, W6, W7, W8, W9, G1, G2, G3, G4, G5, G6, G7, L19
    Rules: authorization-2.5, authorization-2.capabilities
    """
    for role in ROLES:
        first, second, peer, other, spare, new = [await stage.user() for _ in range(6)]
        workspace = await stage.workspace(first)
        for person, rank in ((second, "owner"), (peer, "viewer"), (other, "viewer")):
            await stage.join(workspace, person, rank)
        group = await stage.group(workspace, peer)
        caller = await stage.member(workspace, role)
        token = await stage.access_token(caller, workspace, "viewer" if role == "owner" else "owner")
        names = {
            "group": group.id,
            "peer": peer.id,
            "other": other.id,
            "first": first.id,
            "second": second.id,
            "email": new.email,
            "spare": spare.email,
        }

        async def send(ask: Ask, names: dict[str, Any], workspace: Workspace, token: str) -> httpx.Response:
            return await stage.client.request(
                ask.method,
                f"/workspaces/{workspace.id}{ask.path}".format(**names),
                headers=bearer(token),
                json={key: value.format(**names) for key, value in ask.body.items()} if ask.body else None,
            )

        before = await stage.snapshot()
        for ask in MATRIX:
            if ROLES.index(role) < ROLES.index(ask.least):
                answer = await send(ask, names, workspace, token)
                status, detail = ask.refusal if role == "admin" else (403, "Insufficient role")
                assert (answer.status_code, answer.json()) == (status, {"detail": detail}), (role, ask)
        assert await stage.snapshot() == before
        for ask in MATRIX:
            if ROLES.index(role) >= ROLES.index(ask.least):
                answer = await send(ask, names, workspace, token)
                assert answer.status_code == ask.success, (role, ask, answer.text)


async def test_L18_a_token_of_one_workspace_opens_no_other(stage: Stage) -> None:
    """The strongest case: an owner of both, with the token of one. http-api.md §5 "match", authorization.md §2
    rule 6.

    Rules: W3, W4, W5, W6, W7, W8, W9, G1, G2, G3, G4, G5, G6, G7, authorization-2.6
    """
    ada, new = await stage.user(), await stage.user()
    home, foreign = await stage.workspace(ada), await stage.workspace(ada)
    second, peer, other = [await stage.member(foreign, role) for role in ("owner", "viewer", "viewer")]
    group: Group = await stage.group(foreign, peer)
    names = {
        "group": group.id,
        "peer": peer.id,
        "other": other.id,
        "first": ada.id,
        "second": second.id,
        "email": new.email,
        "spare": new.email,
    }
    headers = await stage.as_user(ada, home)
    service = await stage.service("notes")
    before = await stage.snapshot()
    for workspace_id in (foreign.id, uuid4()):
        for ask in MATRIX:
            body = {key: value.format(**names) for key, value in ask.body.items()} if ask.body else None
            for shown in (headers, headers | service.headers):
                answer = await stage.client.request(
                    ask.method,
                    f"/workspaces/{workspace_id}{ask.path}".format(**names),
                    headers=shown,
                    json=body,
                )
                assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER), (ask.method, ask.path)
    assert await stage.snapshot() == before


async def test_L18_ids_of_another_workspace_do_not_exist_here(stage: Stage) -> None:
    """A group or a person of another workspace, named under one's own.

    Rules: W8, W9, G3, G4, G5, G6, G7
    """
    ada = await stage.user()
    home, foreign = await stage.workspace(ada), await stage.workspace(ada)
    peer = await stage.member(home)
    stranger = await stage.member(foreign)
    own, group = await stage.group(home), await stage.group(foreign, ada, stranger)
    headers = await stage.as_user(ada, home)
    before = await stage.snapshot()
    no_group = (404, "Group not found")
    no_member = (404, "Member not found")
    for somebody in (group.id, uuid4()):
        for method, path, body, expected in (
            ("PATCH", f"/groups/{somebody}", {"name": "Mine"}, no_group),
            ("DELETE", f"/groups/{somebody}", None, no_group),
            ("GET", f"/groups/{somebody}/members", None, no_group),
            ("POST", f"/groups/{somebody}/members/{ada.id}", None, no_group),
            ("POST", f"/groups/{somebody}/members/{peer.id}", None, no_group),
            ("DELETE", f"/groups/{somebody}/members/{ada.id}", None, no_group),
            ("DELETE", f"/groups/{somebody}/members/{stranger.id}", None, no_group),
        ):
            answer = await stage.client.request(
                method, f"/workspaces/{home.id}{path}", headers=headers, json=body
            )
            assert (answer.status_code, answer.json()["detail"]) == expected, (method, path)
    for person in (stranger.id, uuid4()):
        for method, path, body, expected in (
            ("PATCH", f"/members/{person}", {"role": "admin"}, no_member),
            ("DELETE", f"/members/{person}", None, no_member),
            (
                "POST",
                f"/groups/{own.id}/members/{person}",
                None,
                (400, "User is not a member of this workspace"),
            ),
            ("DELETE", f"/groups/{own.id}/members/{person}", None, (404, "User is not in this group")),
        ):
            answer = await stage.client.request(
                method, f"/workspaces/{home.id}{path}", headers=headers, json=body
            )
            assert (answer.status_code, answer.json()["detail"]) == expected, (method, path)
    assert await stage.snapshot() == before


async def test_W3_and_W9_a_former_member_may_nothing(stage: Stage) -> None:
    """§0.7, live membership: the token still claims the role, but the row is gone.

    Rules: W3, W4, W5, W6, W7, W8, W9, G1, G2, G3, G4, G5, G6, G7
    """
    ada, former, new = [await stage.user() for _ in range(3)]
    workspace = await stage.workspace(ada)
    group = await stage.group(workspace, ada)
    token = await stage.access_token(former, workspace, "owner")
    names = {"group": group.id, "email": new.email, "spare": new.email} | dict.fromkeys(
        ("peer", "other", "first", "second"), ada.id
    )
    before = await stage.snapshot()
    for ask in MATRIX:
        answer = await stage.client.request(
            ask.method,
            f"/workspaces/{workspace.id}{ask.path}".format(**names),
            headers=bearer(token),
            json={key: value.format(**names) for key, value in ask.body.items()} if ask.body else None,
        )
        assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER), ask
    # Not even leave, which takes no role.
    answer = await stage.client.delete(
        f"/workspaces/{workspace.id}/members/{former.id}", headers=bearer(token)
    )
    assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER)
    assert await stage.snapshot() == before


async def test_W1_and_W9_and_G1_and_G7_take_nothing_but_an_access_token(stage: Stage) -> None:
    """USER, http-api.md §0.7: no other token and no other place. Rules: VR-11, W2, W3, W4, W5, W7, W8, G3, G4, G6."""
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    peer = await stage.member(workspace)
    group = await stage.group(workspace, peer)
    service = await stage.service("notes")
    access = await stage.access_token(ada, workspace)
    authz = await stage.authz_token(ada, workspace, "notes")
    names = {"group": group.id, "email": "x@example.com", "spare": "x@example.com"} | dict.fromkeys(
        ("peer", "other", "first", "second"), peer.id
    )
    flexible = {("GET", "/members"), ("GET", "/groups"), ("GET", "/groups/{group}/members")}
    asks = [ask for ask in MATRIX if (ask.method, ask.path) not in flexible]
    routes = [(ask.method, f"/workspaces/{workspace.id}{ask.path}".format(**names), ask.body) for ask in asks]
    routes += [("POST", "/workspaces", {"name": "New", "slug": "new"}), ("GET", "/workspaces", None)]
    assert len(routes) == len(MATRIX) - len(flexible) + 2
    before = await stage.snapshot()
    for method, path, body in routes:
        for headers in (
            {},
            {"Authorization": access},
            service.headers,
            bearer(authz),
            bearer(authz) | service.headers,
            {"X-Authz-Token": authz},
            {"X-Authz-Token": access},
            bearer("not-a-token") | {"X-Authz-Token": authz},
        ):
            answer = await stage.client.request(method, path, headers=headers, json=body)
            assert answer.status_code == 401, (method, path, list(headers))
    assert await stage.snapshot() == before
