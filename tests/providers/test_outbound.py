"""Outbound HTTP: where it may go, what it accepts, how long it waits, and which address it really connects to."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import httpcore
import httpx
import pytest

from sentinel.core.outbound import (
    ADDRESS_TIMEOUT_SECONDS,
    MAX_ANSWER_BYTES,
    TIMEOUT_SECONDS,
    NotAllowed,
    Outbound,
    PinnedBackend,
    PinnedTransport,
    Unreachable,
    UnusableAnswer,
    check_url,
    is_loopback,
    resolve,
)

from .stage import SILENCE, MappedTransport, Reply, Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def local(stage: Stage) -> AsyncIterator[Outbound]:
    """Outbound HTTP exactly as in production, allowed to call the server on loopback."""
    outbound = Outbound()
    outbound.allow("test", [stage.url])
    yield outbound
    await outbound.aclose()


# ── where it may go ──


async def test_L20_only_registered_origins_are_called(local: Outbound, stage: Stage) -> None:
    stage.on(f"{stage.url}/x", {"a": 1})
    response = await local.request("GET", f"{stage.url}/x")
    assert (response.status_code, response.json()) == (200, {"a": 1})
    for url in (
        "https://127.0.0.1",
        f"http://localhost:{stage.port}/x",
        "http://127.0.0.1:1/x",
        "https://idp.example.com/",
    ):
        with pytest.raises(NotAllowed):
            await local.request("GET", url)
    assert len(stage.calls) == 1


async def test_L20_registering_again_replaces(local: Outbound, stage: Stage) -> None:
    local.allow("other", [stage.url])
    local.allow("test", [])
    await local.request("GET", stage.url)
    local.allow("other", [])
    with pytest.raises(NotAllowed):
        await local.request("GET", stage.url)


async def test_L20_default_port_is_the_same_origin(stage: Stage) -> None:
    outbound = Outbound(MappedTransport(stage.port))
    outbound.allow("test", ["https://idp.example.com:443/x"])
    await outbound.request("GET", "https://IDP.example.com/y")
    with pytest.raises(NotAllowed):
        await outbound.request("GET", "https://idp.example.com:8443/y")
    await outbound.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example.com/",
        "ftp://idp.example.com/",
        "https://",
        "https:///x",
        "idp.example.com",
        "",
        "https://user@idp.example.com/",
        "https://user:pw@idp.example.com/",
        "https://idp.example.com:0/",
        "https://idp.example.com:70000/",
        "https://idp.example.com:x/",
        "https://idp.exa mple.com/",
        "https://idp.example.com/\n",
        "http://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[fe80::1]/",
        "https://224.0.0.1/",
        "https://[ff02::1]/",
        "https://0.0.0.0/",
        "https://0.1.2.3/",
        "https://[::]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://localhost./",
        "http://127.1/",
        "http://2130706433/",
    ],
)
def test_L20_addresses_that_are_never_called(url: str) -> None:
    with pytest.raises(NotAllowed):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("https://idp.example.com/", False),
        ("https://10.1.2.3/", False),
        ("https://192.168.0.1:8443/", False),
        ("https://[fd00::1]/", False),
        ("https://[64:ff9b::808:808]/", False),
        ("http://localhost:9000/", True),
        ("http://LOCALHOST/", True),
        ("http://127.0.0.1/", True),
        ("https://127.8.9.10/", True),
        ("http://[::1]:9000/", True),
    ],
)
def test_L20_addresses_that_may_be_registered(url: str, loopback: bool) -> None:
    check_url(url)
    assert is_loopback(url) is loopback


# ── which address it connects to ──


class Wire(httpcore.AsyncNetworkBackend):
    """Notes the addresses that would be connected to; connects those that lead to the server."""

    def __init__(self, dead: Sequence[str] = ()) -> None:
        self.tried: list[str] = []
        self.limits: list[float | None] = []
        self._dead = dead
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.tried.append(host)
        self.limits.append(timeout)
        if host in self._dead or not host.startswith("127."):
            raise httpcore.ConnectError("dead")
        return await self._real.connect_tcp(host, port, timeout, local_address, socket_options)


def pinned(*answers: Sequence[str], wire: Wire) -> Outbound:
    """Outbound HTTP with a resolver that gives these answers, one after the other."""
    left = list(answers)

    async def resolver(host: str, port: int) -> Sequence[str]:
        return left.pop(0)

    outbound = Outbound(PinnedTransport(PinnedBackend(resolver, wire)))
    outbound.allow("test", ["https://idp.example.com", "http://localhost"])
    return outbound


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "224.0.0.251",
        "ff02::fb",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "::",
    ],
)
async def test_L20_name_that_resolves_to_an_address_off_limits(address: str) -> None:
    wire = Wire()
    outbound = pinned((address,), ("203.0.113.7", address), wire=wire)
    for _ in range(2):
        with pytest.raises(NotAllowed) as refusal:
            await outbound.request("GET", "https://idp.example.com/")
        assert refusal.value.reason == "outbound_address_refused"
    assert wire.tried == []


@pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.5", "192.168.1.1", "172.16.0.1", "fd00::5"])
async def test_L20_public_and_private_addresses_are_connected_to(address: str) -> None:
    wire = Wire()
    outbound = pinned((address,), wire=wire)
    with pytest.raises(Unreachable):
        await outbound.request("GET", "https://idp.example.com/")
    assert wire.tried == [address]


async def test_L20_the_judged_address_is_the_one_connected_to() -> None:
    """DNS rebinding: the second answer would lead to this machine, but nobody asks for it."""
    wire = Wire()
    outbound = pinned(("203.0.113.7",), ("127.0.0.1",), wire=wire)
    with pytest.raises(Unreachable):
        await outbound.request("GET", "https://idp.example.com/")
    assert wire.tried == ["203.0.113.7"]
    with pytest.raises(NotAllowed):  # a new connection is judged anew
        await outbound.request("GET", "https://idp.example.com/")
    assert wire.tried == ["203.0.113.7"]


async def test_L20_loopback_host_must_be_on_loopback() -> None:
    outbound = pinned(("203.0.113.7",), wire=Wire())
    with pytest.raises(NotAllowed):
        await outbound.request("GET", "http://localhost/")


async def test_L20_next_address_is_tried_when_one_is_dead(stage: Stage) -> None:
    wire = Wire(dead=["127.0.0.9"])
    outbound = pinned(("127.0.0.9", "127.0.0.1"), wire=wire)
    outbound.allow("test", [f"http://localhost:{stage.port}"])
    stage.on(f"http://localhost:{stage.port}/x", {})
    assert (await outbound.request("GET", f"http://localhost:{stage.port}/x")).status_code == 200
    assert wire.tried == ["127.0.0.9", "127.0.0.1"]
    assert wire.limits == [ADDRESS_TIMEOUT_SECONDS] * 2 < [TIMEOUT_SECONDS / 2] * 2
    await outbound.aclose()


@pytest.mark.parametrize("answer", [(), ("not-an-address",)])
async def test_L20_resolver_that_gives_nothing_usable(answer: tuple[str, ...]) -> None:
    wire = Wire()
    with pytest.raises(Unreachable):
        await pinned(answer, wire=wire).request("GET", "https://idp.example.com/")
    assert wire.tried == []


async def test_L20_name_that_does_not_resolve() -> None:
    async def resolver(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror("no such host")

    outbound = Outbound(PinnedTransport(PinnedBackend(resolver)))
    outbound.allow("test", ["https://idp.example.com"])
    with pytest.raises(Unreachable):
        await outbound.request("GET", "https://idp.example.com/")


async def test_L20_system_resolver_keeps_the_order_without_repetition() -> None:
    addresses = await resolve("localhost", 80)
    assert set(addresses) <= {"127.0.0.1", "::1"}
    assert len(addresses) == len(set(addresses)) > 0


async def test_L20_tls_is_verified_against_the_host_name(stage: Stage) -> None:
    """The server speaks no TLS at all, so that no certificate fits."""
    outbound = Outbound()
    outbound.allow("test", [f"https://127.0.0.1:{stage.port}"])
    with pytest.raises(Unreachable):
        await outbound.request("GET", f"https://127.0.0.1:{stage.port}/")
    assert not stage.calls
    await outbound.aclose()


# ── what it accepts ──


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300, 304])
async def test_L20_redirects_are_not_followed(local: Outbound, stage: Stage, status: int) -> None:
    stage.on(f"{stage.url}/x", Reply(status, b"", {"location": f"{stage.url}/y"}))
    with pytest.raises(UnusableAnswer) as refusal:
        await local.request("GET", f"{stage.url}/x")
    assert refusal.value.reason == "outbound_redirect"
    assert [seen.path for seen in stage.calls] == ["/x"]


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 404, 429, 500, 503])
async def test_L20_other_statuses_are_left_to_the_caller(local: Outbound, stage: Stage, status: int) -> None:
    stage.on(f"{stage.url}/x", Reply(status, b"" if status == 204 else b"body"))
    assert (await local.request("GET", f"{stage.url}/x")).status_code == status


async def test_L29_size_of_the_answer_is_limited(local: Outbound, stage: Stage) -> None:
    stage.on(f"{stage.url}/fits", Reply(body=b"x" * MAX_ANSWER_BYTES))
    stage.on(f"{stage.url}/large", Reply(body=b"x" * (MAX_ANSWER_BYTES + 1)))
    stage.on(f"{stage.url}/endless", Reply(then="more"))
    assert len((await local.request("GET", f"{stage.url}/fits")).content) == MAX_ANSWER_BYTES == 1024 * 1024
    for path in ("/large", "/endless"):
        with pytest.raises(UnusableAnswer) as refusal:
            await local.request("GET", stage.url + path)
        assert refusal.value.reason == "outbound_too_large"


@pytest.mark.parametrize("status", [200, 302])
async def test_L29_answer_is_closed_however_it_ends(status: int) -> None:
    class Large(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"x" * (MAX_ANSWER_BYTES + 1)

        async def aclose(self) -> None:
            self.closed = True

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(status, stream=stream)

    stream = Large()
    outbound = Outbound(Transport())
    outbound.allow("test", ["https://idp.example.com"])
    with pytest.raises(UnusableAnswer):
        await outbound.request("GET", "https://idp.example.com/")
    assert stream.closed


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP"])
async def test_L29_compressed_answers_are_refused_unread(
    local: Outbound, stage: Stage, encoding: str
) -> None:
    stage.on(f"{stage.url}/x", Reply(body=b"x", headers={"content-encoding": encoding}))
    with pytest.raises(UnusableAnswer) as refusal:
        await local.request("GET", f"{stage.url}/x")
    assert refusal.value.reason == "outbound_compressed"
    assert stage.calls[0].headers["accept-encoding"] == "identity"


async def test_L20_no_cookies_are_kept(local: Outbound, stage: Stage) -> None:
    stage.on(f"{stage.url}/x", Reply(body={}, headers={"set-cookie": "a=b; Path=/"}))
    for _ in range(2):
        await local.request("GET", f"{stage.url}/x")
    assert all("cookie" not in seen.headers for seen in stage.calls)


async def test_L20_environment_is_not_asked(
    local: Outbound, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await local.request("GET", f"{stage.url}/x")
    assert len(stage.calls) == 1


async def test_L20_what_is_sent(local: Outbound, stage: Stage) -> None:
    stage.on(f"{stage.url}/x", {}, method="POST")
    await local.request("POST", f"{stage.url}/x", headers={"authorization": "Basic x"}, content="a=b")
    await local.request("POST", f"{stage.url}/x", json={"a": "b"})
    first, second = stage.calls
    assert (first.body, second.body) == (b"a=b", b'{"a":"b"}')
    assert first.headers["authorization"] == "Basic x"
    assert "authorization" not in second.headers
    assert second.headers["content-type"] == "application/json"
    assert first.headers["user-agent"] == "sentinel-auth"


async def test_connections_are_shared(local: Outbound, stage: Stage) -> None:
    wire = Wire()
    outbound = pinned(("127.0.0.1",), wire=wire)  # a second connection would find no second answer
    outbound.allow("test", [f"http://localhost:{stage.port}"])
    for _ in range(3):
        await outbound.request("GET", f"http://localhost:{stage.port}/x")
    assert wire.tried == ["127.0.0.1"]
    await outbound.aclose()


# ── how long it waits ──


def test_EV_12_limit_is_ten_seconds() -> None:
    assert TIMEOUT_SECONDS == 10
    assert Outbound()._timeout == TIMEOUT_SECONDS


@pytest.mark.parametrize("answer", [SILENCE, Reply(body=b"{", then="hang")])
async def test_EV_12_answer_that_does_not_come_or_does_not_end(stage: Stage, answer: Reply) -> None:
    outbound = Outbound(timeout=0.1)
    outbound.allow("test", [stage.url])
    stage.on(f"{stage.url}/x", answer)
    with pytest.raises(Unreachable) as failure:
        await outbound.request("GET", f"{stage.url}/x")
    assert failure.value.reason == "outbound_timeout"
    assert (await outbound.request("GET", f"{stage.url}/y")).status_code == 404  # and goes on working
    await outbound.aclose()


async def test_EV_12_limit_is_for_the_whole_call_not_for_each_byte() -> None:
    class Dripping(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.01)
                yield b" "

    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, stream=Dripping())

    outbound = Outbound(Transport(), timeout=0.1)
    outbound.allow("test", ["https://idp.example.com"])
    with pytest.raises(Unreachable) as failure:
        await outbound.request("GET", "https://idp.example.com/")
    assert failure.value.reason == "outbound_timeout"


async def test_nobody_listens_there(local: Outbound) -> None:
    with socket.socket() as taken:  # bound, not listening
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        local.allow("test", [url])
        with pytest.raises(Unreachable) as failure:
            await local.request("GET", url)
    assert failure.value.reason == "outbound_unreachable"


async def test_answer_that_is_not_http() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    outbound = Outbound()
    outbound.allow("test", [url])
    with pytest.raises(Unreachable):
        await outbound.request("GET", url)
    await outbound.aclose()
    server.close()
