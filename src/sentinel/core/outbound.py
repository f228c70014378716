"""The one place that makes outbound HTTP, with the rules that keep it from being turned against us (L20).

- Only to origins that somebody registered with :meth:`Outbound.allow`: what an operator configured, and what the
  configured discovery document names.
- https, except to loopback hosts. No redirects, no proxies, no cookies, no settings from the environment.
- One total time limit per call (EV-12) and a limit on the size of the answer.
- A name is resolved once per connection, the addresses are judged, and a judged address is the one connected to, so
  that a second DNS answer cannot lead elsewhere. Loopback, link-local, multicast and unspecified addresses are
  refused for every host that is not itself written as a loopback host. Private ranges are allowed: self-hosted
  identity providers live there, and only hosts that an operator named can be reached at all.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import httpcore
import httpx

from sentinel.core import tracing
from sentinel.core.errors import Unavailable, UpstreamFailed

TIMEOUT_SECONDS = 10.0  # EV-12
MAX_ANSWER_BYTES = 1024 * 1024
ADDRESS_TIMEOUT_SECONDS = 3.0  # so that one dead address of several does not use up the whole time limit

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_HOST = re.compile(rb"[a-z0-9_.:-]+")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_THIS_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FAILURES = (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ConnectionNotAvailable)


class Unreachable(Unavailable):
    """No answer: the connection failed, or the answer was not complete within the time limit."""

    default_reason = "outbound_unreachable"


class UnusableAnswer(UpstreamFailed):
    """An answer that is never looked at: a redirect, one that is too large, or one that is compressed."""

    default_reason = "outbound_unusable_answer"


class NotAllowed(UpstreamFailed):
    """The target may not be called: not registered, not https, or an address that is off limits."""

    default_reason = "outbound_not_allowed"


class Outbound:
    """Outbound HTTP for everything that needs it; one per process, with one pool of connections.

    ``transport`` carries the requests (a pinned, pooled one by default); tests replace it and nothing else.
    ``timeout`` is the time limit of one call in seconds, from its first byte sent to its last byte read.
    """

    def __init__(
        self, transport: httpx.AsyncBaseTransport | None = None, *, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._transport = transport or PinnedTransport()
        self._timeout = timeout
        self._allowed: dict[str, frozenset[tuple[str, str, int]]] = {}

    def allow(self, owner: str, urls: Iterable[str]) -> None:
        """Let the origins (scheme, host, port) of ``urls`` be called, in place of those ``owner`` had before.

        Raises :class:`NotAllowed` for a URL that could never be called.
        """
        self._allowed[owner] = frozenset(_origin(check_url(url)) for url in urls)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | str | None = None,
        json: Any = None,
    ) -> httpx.Response:
        """Send one request and return the whole answer, whatever its status outside 300 to 399.

        Raises :class:`NotAllowed`, :class:`Unreachable` or :class:`UnusableAnswer`.
        """
        target = check_url(url)
        if not any(_origin(target) in origins for origins in self._allowed.values()):
            raise NotAllowed("This address is not one that the service may call")
        request = httpx.Request(
            method,
            target,
            # Compression is declined: a small compressed answer can unpack to any size.
            headers={"user-agent": "sentinel-auth", **(headers or {}), "accept-encoding": "identity"},
            content=content,
            json=json,
            extensions={"timeout": httpx.Timeout(self._timeout).as_dict()},
        )
        try:
            async with asyncio.timeout(self._timeout):
                with tracing.outbound(method, target.host) as answered:
                    response = await self._transport.handle_async_request(request)
                    answered(response.status_code)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx.TimeoutException, httpcore.TimeoutException) as error:
            raise Unreachable("The other side did not answer in time", reason="outbound_timeout") from error
        except _FAILURES as error:
            raise Unreachable("The other side cannot be reached") from error
        return httpx.Response(response.status_code, headers=response.headers, content=body, request=request)

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._transport.aclose()


def is_loopback(url: str) -> bool:
    """Whether ``url`` names a loopback host in so many words: localhost, 127.0.0.0/8 or ::1."""
    return _is_loopback_host(_parse(url).host)


def check_url(url: str) -> httpx.URL:
    """The parsed URL; raises :class:`NotAllowed` unless it is https, or http to a loopback host."""
    parsed = _parse(url)
    plain = _HOST.fullmatch(parsed.raw_host) and not parsed.userinfo
    if not plain or not (parsed.port is None or 0 < parsed.port < 65536):
        raise NotAllowed("An address to call needs a plain host name and a port that exists")
    loopback = _is_loopback_host(parsed.host)
    if parsed.scheme != "https" and not (parsed.scheme == "http" and loopback):
        raise NotAllowed("Only https addresses may be called", reason="outbound_not_https")
    address = _as_address(parsed.host)
    if address is not None:
        _judge(address, loopback=loopback)
    return parsed


def _parse(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise NotAllowed("An address to call is not a URL") from error


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _DEFAULT_PORTS[url.scheme]


def _as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        # An IPv4 address inside an IPv6 one leads to the same machine, so it is judged as the IPv4 address.
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_loopback_host(host: str) -> bool:
    address = _as_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _judge(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, loopback: bool) -> None:
    """Raise :class:`NotAllowed` if a host that is (not) a loopback host may not have ``address``."""
    refused = (
        address.is_loopback != loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.version == 4 and address in _THIS_NETWORK)
    )
    if refused:
        raise NotAllowed("The host has an address that is off limits", reason="outbound_address_refused")


async def _read(response: httpx.Response) -> bytes:
    """The body as it was sent; raises :class:`UnusableAnswer`."""
    if 300 <= response.status_code < 400:
        raise UnusableAnswer(
            "The other side answered with a redirect, which is not followed", reason="outbound_redirect"
        )
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnusableAnswer("The other side sent a compressed answer", reason="outbound_compressed")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise UnusableAnswer("The other side sent too large an answer", reason="outbound_too_large")
    return bytes(body)


# ── the pinned transport ──


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of ``host`` in the order in which the system would try them (RFC 6724); raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that it resolved and judged itself, so that nothing resolves the name a second time."""

    def __init__(self, resolve: Resolve = resolve, inner: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._resolve = resolve
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of ``host`` that answers; one bad address refuses the whole host."""
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError("the host name cannot be resolved") from error
        loopback = _is_loopback_host(host)
        for text in addresses:
            address = _as_address(text)
            if address is None:
                raise httpcore.ConnectError("the resolver gave something that is not an address")
            _judge(address, loopback=loopback)
        failure: Exception = httpcore.ConnectError("the host name has no address")
        limit = ADDRESS_TIMEOUT_SECONDS if timeout is None else min(timeout, ADDRESS_TIMEOUT_SECONDS)
        for text in addresses:
            try:
                return await self._inner.connect_tcp(text, port, limit, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class PinnedTransport(httpx.AsyncBaseTransport):
    """httpx's pool of connections over a :class:`PinnedBackend`.

    TLS names are verified against the host name, whatever address was connected to. Trusted are the bundled
    authorities and those of the system, where an operator adds a private one.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._backend = backend or PinnedBackend()
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._pool is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=_tls_context(),
                max_connections=100,
                max_keepalive_connections=20,
                keepalive_expiry=5.0,
                network_backend=self._backend,
            )
        url = request.url
        response = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.content,
                extensions=request.extensions,
            )
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Stream(response))

    async def aclose(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()


@cache
def _tls_context() -> ssl.SSLContext:
    # Reading the authorities takes tens of milliseconds: once, and only in a process that calls out.
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


class _Stream(httpx.AsyncByteStream):
    """The body of an answer of the pool, in the form in which httpx reads it."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()
