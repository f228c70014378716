"""The short way answers as the ordinary one, whatever the form of a question (``docs/decisions/hot-calls.md``)."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest

from sentinel.api.hot import HotCalls
from sentinel.tokens.verify import AT_ONCE, REMEMBERED
from tests.contract.service_actions import registered
from tests.stage import Stage

pytestmark = pytest.mark.anyio

JSON = "application/json"


def short_way(stage: Stage) -> HotCalls:
    layer: Any = stage.app._asgi
    while not isinstance(layer, HotCalls):
        layer = layer.app
    return layer


@contextmanager
def ordinary_way(stage: Stage) -> Iterator[None]:
    """The same application, without its short way."""
    hot = short_way(stage)
    calls, hot.calls = hot.calls, {}
    try:
        yield
    finally:
        hot.calls = calls


@contextmanager
def watched(stage: Stage) -> Iterator[list[str]]:
    """The paths of the requests that went on to the ordinary way."""
    hot, seen = short_way(stage), list[str]()
    api: Any = hot.api

    class Watch:
        exception_handlers = api.exception_handlers

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope["path"])
            await api(scope, receive, send)

    hot.api = Watch()  # type: ignore[assignment]
    try:
        yield seen
    finally:
        hot.api = api


def mark_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def said(answer: httpx.Response) -> tuple[int, Any, dict[str, str]]:
    """What a client sees, without what differs from one request to the next."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, answer.json(), headers


async def furnish(stage: Stage) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
    """Headers of a viewer, one question that makes sense, and one wish for a list."""
    owner = await stage.user()
    workspace, notes = await stage.workspace(owner), await stage.service()
    viewer = await stage.member(workspace)
    resource, _ = await stage.resource(workspace, owner), await stage.resource(workspace, owner)
    await registered(stage, "notes:export")
    kind = {"service_name": "notes", "resource_type": "document", "action": "view"}
    headers = notes.headers | await stage.as_user(viewer, workspace)
    return (
        headers,
        kind | {"resource_id": str(resource.resource_id)},
        kind | {"workspace_id": str(workspace.id)},
    )


async def test_plain_questions_take_the_short_way_and_get_the_same_answer(stage: Stage) -> None:
    headers, question, wish = await furnish(stage)
    action = {"service_name": "notes", "action": "export", "workspace_id": wish["workspace_id"]}
    query = urlencode({"service_name": "notes", "workspace_id": wish["workspace_id"]})
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/permissions/check", {"checks": [question]}),
        ("POST", "/permissions/check", {"checks": [question | {"more": "than asked for"}]}),
        ("POST", "/permissions/check", {"checks": [question, question | {"action": "edit"}]}),
        ("POST", "/permissions/check", {"checks": [question, question | {"action": "edit"}] * 20}),
        ("POST", "/permissions/check", {"checks": []}),
        ("POST", "/permissions/accessible", wish),
        ("POST", "/permissions/accessible", wish | {"limit": 1}),
        ("POST", "/permissions/accessible", wish | {"limit": 2}),
        ("POST", "/permissions/accessible", wish | {"resource_type": "none"}),
        ("POST", "/roles/check-action", action),
        ("GET", f"/roles/user-actions?{query}", None),
    ]
    with watched(stage) as ordinary:
        for method, path, body in calls:
            for shown in (
                headers,
                {"X-Service-Key": headers["X-Service-Key"]},
                {},
                headers | {"X-Service-Key": "sk_x"},
            ):
                short = await stage.client.request(method, path, headers=shown, json=body)
                with ordinary_way(stage):
                    assert said(await stage.client.request(method, path, headers=shown, json=body)) == said(
                        short
                    )
            foreign = {**(body or {}), "service_name": "wiki"}
            if path == "/permissions/check":
                foreign = {"checks": [question | {"service_name": "wiki"}]}
            if body is not None:
                short = await stage.client.post(path, headers=headers, json=foreign)
                assert short.status_code == 403
                with ordinary_way(stage):
                    assert said(await stage.client.post(path, headers=headers, json=foreign)) == said(short)
        # Every call was made with the short way as often as without it.
        assert len(ordinary) == 4 * len(calls) + sum(body is not None for _, _, body in calls)


async def test_a_question_in_another_form_goes_the_ordinary_way_whole(stage: Stage) -> None:
    headers, question, wish = await furnish(stage)
    body = json.dumps({"checks": [question]}).encode()
    workspace = {"service_name": "notes", "workspace_id": wish["workspace_id"]}

    async def chunks() -> Any:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    odd: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/permissions/check", {"content": body}),
        ("POST", "/permissions/check", {"content": body, "headers": {"Content-Type": "text/plain"}}),
        (
            "POST",
            "/permissions/check",
            {"content": body, "headers": {"Content-Type": "application/json;charset=latin-1"}},
        ),
        ("POST", "/permissions/check", {"content": b"", "headers": {"Content-Type": JSON}}),
        ("POST", "/permissions/check", {"content": b"{", "headers": {"Content-Type": JSON}}),
        ("POST", "/permissions/check", {"content": b"[]", "headers": {"Content-Type": JSON}}),
        ("POST", "/permissions/check", {"content": b"\xff", "headers": {"Content-Type": JSON}}),
        (
            "POST",
            "/permissions/check",
            {"content": b'{"checks": "\\ud800"}', "headers": {"Content-Type": JSON}},
        ),
        ("POST", "/permissions/check", {"content": b"[" * 5000, "headers": {"Content-Type": JSON}}),
        ("POST", "/permissions/check", {"json": {"checks": [question] * 101}}),
        ("POST", "/permissions/check", {"json": {"checks": [question | {"action": "own"}]}}),
        ("POST", "/permissions/check", {"json": {"checks": [question | {"resource_id": 7}]}}),
        ("POST", "/permissions/accessible", {"json": wish | {"limit": 0}}),
        ("POST", "/permissions/accessible", {"json": wish | {"cursor": "\x00"}}),
        ("GET", "/permissions/check", {}),
        ("GET", "/roles/user-actions", {}),
        ("GET", "/roles/user-actions", {"params": workspace | {"workspace_id": "x"}}),
        ("GET", "/roles/user-actions", {"params": [*workspace.items(), *workspace.items()]}),
        ("GET", "/roles/user-actions?service_name=%ff", {}),
    ]
    for method, path, options in odd:
        for credentials in (headers, {}):
            shown = credentials | options.get("headers", {})
            sent = options | {"headers": shown}
            with watched(stage) as ordinary:
                first = await stage.client.request(method, path, **sent)
            assert ordinary == [path.partition("?")[0]], (path, options)
            with ordinary_way(stage):
                assert said(await stage.client.request(method, path, **sent)) == said(first), (path, options)
            if not credentials and method == "POST":
                assert first.status_code == 401, "a stranger is told nothing but that he is one"
    # An id in another spelling is the same id, and comes back in its canonical one.
    resource_id = question["resource_id"]
    for spelling in (
        resource_id.upper(),
        resource_id.replace("-", ""),
        f"urn:uuid:{resource_id}",
        "{" + resource_id + "}",
    ):
        with watched(stage) as ordinary:
            answer = await stage.client.post(
                "/permissions/check",
                headers=headers,
                json={"checks": [question | {"resource_id": spelling}, question]},
            )
        assert answer.json()["results"] == [question | {"allowed": True}] * 2
        assert ordinary == ["/permissions/check"]
    # A body in pieces is a body; further names in a query or an object are nobody's business.
    with watched(stage) as ordinary:
        pieces = await stage.client.post(
            "/permissions/check", headers=headers | {"Content-Type": JSON}, content=chunks()
        )
        more = await stage.client.get("/roles/user-actions", headers=headers, params=workspace | {"x": "y"})
        assert pieces.json()["results"] == [question | {"allowed": True}]
        assert more.json() == {"actions": []}
        assert ordinary == []


async def test_a_token_is_remembered_for_its_signature_alone(stage: Stage) -> None:
    """Rules: VR-2, VR-3, VR-6, VR-13."""
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    verifier, keyring = stage.state.verifier, stage.state.keyring
    token = await stage.access_token(owner, workspace)
    headers = {"Authorization": f"Bearer {token}"}
    me = "/users/me"
    assert (await stage.client.get(me, headers=headers)).status_code == 200
    assert mark_of(token) not in verifier._remembered, "most tokens that come once never come again"
    assert (await stage.client.get(me, headers=headers)).status_code == 200
    assert mark_of(token) in verifier._remembered
    # As another kind of token, or with one letter of it changed, it is what it always was.
    assert (await stage.client.get(me, headers={"X-Authz-Token": token})).status_code == 401
    changed = token[:-20] + ("A" if token[-20] != "A" else "B") + token[-19:]
    for _ in range(3):
        assert (await stage.client.get(me, headers={"Authorization": f"Bearer {changed}"})).status_code == 401
    assert mark_of(changed) not in verifier._remembered
    # A key that has left the set takes its signatures along, and a new one of the same name has none yet.
    material = keyring._material
    try:
        object.__setattr__(material, "public", {})
        assert (await stage.client.get(me, headers=headers)).status_code == 401
    finally:
        keyring.reload()
    assert (await stage.client.get(me, headers=headers)).status_code == 200
    stage.clock.advance(stage.state.issuer.lifetimes.access.total_seconds())
    assert (await stage.client.get(me, headers=headers)).status_code == 401


async def test_a_token_that_is_known_does_not_wait_for_those_that_are_new(stage: Stage) -> None:
    headers, question, _ = await furnish(stage)
    member = await stage.user()
    workspace = await stage.workspace(member)
    done: list[str] = []

    async def ask(name: str, token: str) -> None:
        shown = headers | {"Authorization": f"Bearer {token}"}
        answer = await stage.client.post("/permissions/check", headers=shown, json={"checks": [question]})
        assert answer.json()["results"] == [question | {"allowed": False}]
        done.append(name)

    known = await stage.access_token(member, workspace)
    new = [await stage.access_token(member, workspace) for _ in range(AT_ONCE * 5)]
    for _ in range(2):
        await ask("known", known)
    await asyncio.gather(*(ask("new", token) for token in new), ask("known at last", known))
    assert Counter(done) == {"known": 2, "new": len(new), "known at last": 1}
    assert done.index("known at last") < 2 + AT_ONCE * 3


async def test_remembered_tokens_are_bounded(stage: Stage) -> None:
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    verifier = stage.state.verifier
    token = await stage.access_token(owner, workspace)
    headers = {"Authorization": f"Bearer {token}"}
    for _ in range(2):
        await stage.client.get("/users/me", headers=headers)
    verified = verifier._remembered[mark_of(token)]
    for number in range(REMEMBERED + 5):
        verifier._remembered[UUID(int=number).bytes] = verified
    await stage.client.get("/users/me", headers=headers)
    other = await stage.access_token(owner, workspace)
    for _ in range(2):
        await stage.client.get("/users/me", headers={"Authorization": f"Bearer {other}"})
    assert mark_of(other) in verifier._remembered
    assert mark_of(token) in verifier._remembered, "the one in use is the last to go"
    assert len(verifier._remembered) == REMEMBERED
    # So are the marks of those that have come once.
    verifier._seen_once = {UUID(int=number).bytes for number in range(REMEMBERED)}
    third = await stage.access_token(owner, workspace)
    await stage.client.get("/users/me", headers={"Authorization": f"Bearer {third}"})
    assert len(verifier._seen_once) <= REMEMBERED
