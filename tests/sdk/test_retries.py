"""Second tries, time-outs and closing (``sentinel_auth.connection``)."""

import logging
from uuid import uuid4

import httpx
import pytest

from sentinel_auth import Retry, SentinelError
from sentinel_auth.calls import Call, jwks, m2m_token
from sentinel_auth.connection import Connection
from tests.sdk.furniture import World

pytestmark = pytest.mark.anyio


class Pauses(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def line(world: World, pauses: Pauses, **options: int) -> Connection:
    return Connection(
        world.url, world.service.key, transport=world.line, retry=Retry(**options), sleep=pauses
    )


BROKEN = [
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    httpx.ConnectTimeout("silent"),
    httpx.RemoteProtocolError("server disconnected"),
]


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
async def test_a_broken_connection_is_tried_again(world: World, error: Exception) -> None:
    pauses = Pauses()
    world.line.answers = [error, error]
    assert (await line(world, pauses).send(jwks()))["keys"]
    assert len(world.line.requests) == 3
    assert 0.05 <= pauses[0] <= 0.1 <= pauses[1] <= 0.2


async def test_the_last_error_is_raised_as_it_is(world: World) -> None:
    world.line.cut = True
    pauses = Pauses()
    with pytest.raises(httpx.ConnectError):
        await line(world, pauses).send(jwks())
    assert (len(world.line.requests), len(pauses)) == (3, 2)


async def test_503_is_waited_for_when_it_says_how_long(world: World) -> None:
    pauses = Pauses()
    async with world.stage.without_database():
        with pytest.raises(SentinelError) as error:
            await line(world, pauses).send(Call("GET", "/realm/whoami", idempotent=True))
    assert (error.value.status_code, error.value.retry_after) == (503, 5.0)
    assert pauses == [5.0, 5.0]
    assert (await line(world, pauses).send(Call("GET", "/realm/whoami")))["service_name"] == "notes"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(503, headers={"Retry-After": "60"}),
        httpx.Response(503, headers={"Retry-After": "soon"}),
        httpx.Response(500, headers={"Retry-After": "1"}),
        httpx.Response(502),
        httpx.Response(429, headers={"Retry-After": "1"}),
        httpx.ReadTimeout("slow"),
    ],
)
async def test_nothing_else_is_tried_again(world: World, answer: httpx.Response | Exception) -> None:
    pauses = Pauses()
    world.line.answers = [answer]
    with pytest.raises((SentinelError, httpx.TimeoutException)):
        await line(world, pauses).send(jwks())
    assert (len(world.line.requests), pauses) == (1, [])


async def test_what_must_not_happen_twice_is_tried_once(world: World) -> None:
    pauses = Pauses()
    for call in (m2m_token(), Call("DELETE", "/permissions/resource/notes/document/x")):
        for answer in (httpx.ConnectError("x"), httpx.Response(503, headers={"Retry-After": "1"})):
            world.line.answers = [answer]
            with pytest.raises((SentinelError, httpx.ConnectError)):
                await line(world, pauses).send(call)
    assert (len(world.line.requests), pauses) == (4, [])


async def test_second_tries_can_be_turned_off(world: World) -> None:
    world.line.cut = True
    async with world.permissions(retry=Retry(attempts=1)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.can(world.token(world.viewer), "document", uuid4(), "view")
    assert len(world.line.requests) == 1


async def test_time_outs_and_use_after_close(world: World) -> None:
    client = world.permissions()
    assert client._connection.http.timeout == httpx.Timeout(5.0)
    assert world.sentinel().authz._connection.http.timeout == httpx.Timeout(10.0)
    await client.close()
    await client.close()
    assert not await client.can(world.token(world.viewer), "document", uuid4(), "view")
    await client.close()


async def test_the_request_id_is_logged_and_no_secret(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "sentinel_auth")
    async with world.permissions() as client:
        await client.can(world.token(world.viewer), "document", uuid4(), "view")
    lines = [one.getMessage() for one in caplog.records if one.name == "sentinel_auth"]
    assert len(lines) == 1 and "answered 200, request " in lines[0]
    assert world.service.key not in caplog.text
    assert world.token(world.viewer) not in caplog.text


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("7", 7.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("x", None),
    ],
)
async def test_retry_after_is_a_number_or_a_date(world: World, written: str, seconds: float | None) -> None:
    world.line.answers = [httpx.Response(429, headers={"Retry-After": written})]
    with pytest.raises(SentinelError) as error:
        await line(world, Pauses()).send(jwks())
    assert error.value.retry_after == seconds


async def test_a_pool_keeps_no_cookies(world: World) -> None:
    cookie = {"Set-Cookie": "session=hers; Path=/"}
    connection = line(world, Pauses())
    for _ in range(2):
        world.line.answers = [httpx.Response(200, json={}, headers=cookie)]
        await connection.send(jwks())
    await connection.close()
    assert ["cookie" in request.headers for request in world.line.requests] == [False, False]


@pytest.mark.parametrize("token", ["", " ", "a b", "a\r\nX-Service-Key: sk_x", "é"])
async def test_what_can_be_no_token_is_refused_as_one_and_not_sent(world: World, token: str) -> None:
    sent = len(world.line.requests)
    with pytest.raises(SentinelError) as error:
        await line(world, Pauses()).send(Call("POST", "/permissions/check", token=token, json={}))
    assert (error.value.status_code, error.value.detail) == (401, "Invalid or expired token")
    assert len(world.line.requests) == sent
