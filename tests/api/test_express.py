"""A plain head passes all layers in one step, and nobody can tell (``docs/decisions/hot-calls.md``)."""

import json
from typing import Any
from uuid import uuid4

import pytest

from sentinel.api.middleware.body_size import MAX_BODY
from sentinel.api.middleware.express import IN_ONE_GO, Express
from sentinel.core.logging import clear_request
from tests.stage import Stage

pytestmark = pytest.mark.anyio

PATH = "/permissions/check"
Head = list[tuple[bytes, bytes]]


class Answer:
    """What an application sends."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Head = []
        self.body = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")

    def told(self) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """All of it but the id, which is another one each time."""
        return (
            self.status,
            sorted(header for header in self.headers if header[0] != b"x-request-id"),
            self.body,
        )

    def ids(self) -> list[bytes]:
        return [value for name, value in self.headers if name == b"x-request-id"]


async def asked(app: Any, head: Head, body: bytes, **scope: Any) -> Answer:
    answer = Answer()
    parts = [body]

    async def receive() -> Any:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(), "more_body": False}

    clear_request()
    await app(
        {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "client": ("127.0.0.1", 4711),
            "server": ("127.0.0.1", 9003),
            "headers": list(head),
            **scope,
        },
        receive,
        answer,
    )
    return answer


async def furnish(stage: Stage) -> tuple[Express, Head, bytes]:
    owner = await stage.user()
    workspace, notes = await stage.workspace(owner), await stage.service()
    resource = await stage.resource(workspace, owner)
    body = json.dumps(
        {
            "checks": [
                {
                    "service_name": "notes",
                    "resource_type": "document",
                    "resource_id": str(resource.resource_id),
                    "action": "edit",
                }
            ]
        }
    ).encode()
    shown = notes.headers | await stage.as_user(owner, workspace)
    head = [(b"host", b"localhost:9003"), (b"user-agent", b"x/1"), (b"content-type", b"application/json")]
    head += [(name.lower().encode(), value.encode()) for name, value in shown.items()]
    head.append((b"content-length", str(len(body)).encode()))
    express: Any = stage.app._asgi
    assert isinstance(express, Express)
    return express, head, body


def without(head: Head, name: bytes) -> Head:
    return [header for header in head if header[0] != name]


def changed(head: Head, name: bytes, value: bytes) -> Head:
    return [*without(head, name), (name, value)]


async def test_every_head_is_answered_as_by_the_layers(stage: Stage) -> None:
    """http-api.md §0.1 to §0.8: whatever a layer refuses, takes away or adds."""
    express, head, body = await furnish(stage)
    layers, entered = express.app, list[str]()

    async def watching(scope: Any, receive: Any, send: Any) -> None:
        entered.append(scope["path"])
        await layers(scope, receive, send)

    other_key, foreign = changed(head, b"x-service-key", b"sk_nobody"), body.replace(b"notes", b"wiki")
    plain: list[tuple[Head, bytes]] = [
        (head, body),
        (changed(head, b"x-request-id", b"my-own-1"), body),
        (changed(head, b"x-request-id", b"<no>"), body),
        (changed(head, b"connection", b"keep-alive"), body),
        (changed(head, b"host", b"LOCALHOST"), body),
        (changed(head, b"x-forwarded-for", b"203.0.113.9"), body),
        (without(head, b"content-length"), body),
        (other_key, body),
        (without(head, b"authorization"), body),
        (head, foreign),
    ]
    involved: list[tuple[Head, bytes, dict[str, Any]]] = [
        ([*head, (b"origin", b"http://localhost:3000")], body, {}),
        ([*head, (b"origin", b"https://elsewhere.example")], body, {}),
        (changed(head, b"host", b"elsewhere.example"), body, {}),
        (changed(head, b"host", b"local host"), body, {}),
        (without(head, b"host"), body, {}),
        ([*head, (b"host", b"localhost")], body, {}),
        ([*head, (b"authorization", b"Bearer x")], body, {}),
        ([*head, (b"x_service_key", b"sk_x")], body, {}),
        ([*without(head, b"x-service-key"), (b"x_service_key", b"sk_x")], body, {}),
        (changed(head, b"connection", b"close, x-service-key"), body, {}),
        ([*head, (b"x-request-id", b"one"), (b"x-request-id", b"two")], body, {}),
        (changed(head, b"content-length", b"+5"), body, {}),
        (changed(head, b"content-length", str(MAX_BODY + 1).encode()), body, {}),
        (changed(head, b"content-type", b"text/plain"), body, {}),
        (head, b"{", {}),
        (head, body + b" " * MAX_BODY, {}),
        (head, body, {"raw_path": b"/permissions/%63heck"}),
        (head, body, {"raw_path": b"/permissions//check", "path": "/permissions//check"}),
        (head, body, {"method": "PUT"}),
    ]
    express.app = watching
    try:
        for given, content in plain:
            first = await asked(express, given, content)
            assert not entered, given
            second = await asked(layers, given, content)
            assert first.told() == second.told()
            assert len(first.ids()) == len(second.ids()) == 1
            if b"my-own-1" in dict(given).values():
                assert first.ids() == second.ids() == [b"my-own-1"]
        for given, content, scope in involved:
            first = await asked(express, given, content, **scope)
            assert entered, given
            entered.clear()
            assert first.told() == (await asked(layers, given, content, **scope)).told()
    finally:
        express.app = layers


async def test_both_ways_write_the_same_lines(stage: Stage) -> None:
    """The access line, what stands on every line of a request, and what a refusal says."""
    express, head, body = await furnish(stage)
    unknown = body.replace(json.loads(body)["checks"][0]["resource_id"].encode(), str(uuid4()).encode())
    for given, content in ((head, body), (head, unknown), (without(head, b"authorization"), body)):
        lines = []
        for way in (express, express.app):
            with stage.events() as events:
                await asked(way, given, content)
            lines.append([{k: v for k, v in event.items() if k != "duration_ms"} for event in events])
        assert lines[0] == lines[1]
        assert lines[0][-1]["event"] == "http.access" and lines[0][-1]["route"] == PATH


async def test_a_client_that_leaves_and_a_body_in_pieces_go_through_the_layers(stage: Stage) -> None:
    express, head, body = await furnish(stage)
    pieces = [body[:9], body[9:]]

    async def in_pieces() -> Any:
        part = pieces.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(pieces)}

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "query_string": b"",
        "client": None,
        "headers": head,
    }
    answer = Answer()
    await express(dict(scope), in_pieces, answer)
    assert answer.status == 200 and b'"allowed":true' in answer.body
    nobody = Answer()
    with stage.events() as events:
        await express(dict(scope), gone, nobody)
    assert nobody.status == 0
    assert [event["status"] for event in events if event["event"] == "http.access"] == [499]


async def test_an_exception_is_told_to_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """http-api.md §0.2 rule 1."""
    express, head, body = await furnish(stage)

    def broken() -> Any:
        raise RuntimeError("sesame")

    monkeypatch.setattr(stage.state.clock, "now", broken)
    with stage.events() as events:
        answer = await asked(express, head, body)
    assert answer.status == 500 and b"sesame" not in answer.body
    assert [event["event"] for event in events] == ["app.error.unhandled", "http.access"]


async def test_a_server_that_can_is_given_the_answer_whole(stage: Stage) -> None:
    express, head, body = await furnish(stage)
    usual = await asked(express, head, body)
    given: list[tuple[bytes, bytes]] = []
    for accepted in (True, False):

        def in_one_go(_scope: Any, lines: bytes, content: bytes, accepted: bool = accepted) -> bool:
            given.append((lines, content))
            return accepted

        answer = await asked(express, head, body, **{IN_ONE_GO: in_one_go})
        lines, content = given.pop()
        written = [tuple(line.split(b": ", 1)) for line in lines.split(b"\r\n")]
        assert written.pop() == (b"",)
        assert sorted(pair for pair in written if pair[0] != b"x-request-id") == usual.told()[1]
        assert content == usual.body
        # What was not accepted is sent in the usual way; what was, is not sent twice.
        assert answer.told() == ((0, [], b"") if accepted else usual.told())


async def test_every_line_of_a_call_carries_its_id_and_address(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """http-api.md §0.3."""
    express, head, body = await furnish(stage)
    unknown = body.replace(json.loads(body)["checks"][0]["resource_id"].encode(), str(uuid4()).encode())
    capsys.readouterr()
    answer = await asked(express, head, unknown)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == ["permission.check.denied", "http.access"]
    assert {line["request_id"].encode() for line in lines} == set(answer.ids())
    assert {line["source_ip"] for line in lines} == {"127.0.0.1"}
    # The next one begins with nothing of it.
    await asked(express, without(head, b"authorization"), body)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["actor"] is None
