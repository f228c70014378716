"""The line to Sentinel: a pool of connections, time-outs, and second tries where they can do no harm."""

import asyncio
import logging
import random
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from sentinel_auth.calls import Call
from sentinel_auth.errors import SentinelError, error_of, request_id_of, retry_after_of

logger = logging.getLogger("sentinel_auth")

TOKEN = re.compile(r"[!-~]+")
"""What a header can carry as a token; real ones have fewer characters still."""
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
NO_ANSWER = (httpx.NetworkError, httpx.ConnectTimeout, httpx.RemoteProtocolError)
"""Errors of the connection. A read that takes too long is none: the server may still be at work."""


@dataclass(frozen=True)
class Retry:
    """Second tries of idempotent calls, after connection errors and answers of 503 that name a ``Retry-After``.

    ``attempts`` counts the first try; 1 turns second tries off. The wait doubles from ``first_delay`` seconds, with
    jitter. An answer that asks for more than ``longest_wait`` seconds is not waited for: it is raised.
    """

    attempts: int = 3
    first_delay: float = 0.1
    longest_wait: float = 5.0

    def pause(self, tried: int, retry_after: float | None = None) -> float | None:
        """Seconds to wait after ``tried`` tries; None when there is no further one."""
        if tried >= self.attempts:
            return None
        if retry_after is not None:
            return retry_after if retry_after <= self.longest_wait else None
        delay = self.first_delay * 2.0 ** (tried - 1)
        return min(delay * random.uniform(0.5, 1.0), self.longest_wait)  # noqa: S311 - spreads load, guards nothing


class Kept(httpx.AsyncBaseTransport):
    """A transport that was handed in: whoever made it closes it."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._transport.handle_async_request(request)


class Line:
    """What both lines share: where they lead, what they send along, what they make of an answer."""

    def __init__(
        self, base_url: str, service_key: str | None, *, timeout: float, retry: Retry | None, warn: bool
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.retry = retry or Retry()
        self._service_key = service_key
        if warn:
            warn_of_plain_http(self.base_url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def request_of(self, call: Call) -> dict[str, Any]:
        """The arguments of httpx for a call. The key always goes along, a token where the call has one."""
        headers = {"X-Service-Key": self._service_key} if self._service_key else {}
        if call.token is not None:
            if not TOKEN.fullmatch(call.token):
                # It could not even be sent; and what it would be told is known.
                raise SentinelError("the token is no token", 401, detail="Invalid or expired token")
            headers["Authorization"] = f"Bearer {call.token}"
        url = self.base_url + call.path
        return {
            "method": call.method,
            "url": url,
            "headers": headers,
            "json": call.json,
            "params": call.params,
        }

    def pause_after(self, call: Call, tried: int, outcome: httpx.Response | Exception) -> float | None:
        """Seconds until the next try; None when the outcome stands."""
        if not call.idempotent:
            return None
        if isinstance(outcome, Exception):
            return self.retry.pause(tried)
        wanted = retry_after_of(outcome)
        if outcome.status_code != 503 or wanted is None:
            return None
        return self.retry.pause(tried, wanted)

    @staticmethod
    def accept(call: Call, response: httpx.Response) -> Any:
        """The JSON of a successful answer, None of one without content. Raises SentinelError."""
        logger.debug("%s answered %s, request %s", call.method, response.status_code, request_id_of(response))
        if not response.is_success or (call.only_200 and response.status_code != 200):
            raise error_of(response)
        if response.status_code == 204:
            return None
        try:
            return response.json()
        except ValueError:
            raise SentinelError("Sentinel's answer is no JSON", request_id=request_id_of(response)) from None


class Connection(Line):
    """The asynchronous line. It opens at the first call, and opens again when it is used after ``close``."""

    def __init__(
        self,
        base_url: str,
        service_key: str | None = None,
        *,
        timeout: float = 5.0,
        transport: httpx.AsyncBaseTransport | None = None,
        retry: Retry | None = None,
        warn: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(base_url, service_key, timeout=timeout, retry=retry, warn=warn)
        self._transport = Kept(transport) if transport else None
        self._http: httpx.AsyncClient | None = None
        self._sleep = sleep

    @property
    def http(self) -> httpx.AsyncClient:
        """The pool."""
        if self._http is None or self._http.is_closed:
            self._http = httpx.AsyncClient(
                transport=self._transport, timeout=self.timeout, cookies=no_cookies()
            )
        return self._http

    async def send(self, call: Call) -> Any:
        """Send a call and return the JSON of its answer. Raises SentinelError and httpx.TransportError."""
        tried = 0
        while True:
            tried += 1
            try:
                response = await self.http.request(**self.request_of(call))
            except NO_ANSWER as error:
                pause = self.pause_after(call, tried, error)
                if pause is None:
                    raise
            else:
                pause = self.pause_after(call, tried, response)
                if pause is None:
                    return self.accept(call, response)
            await self._sleep(pause)

    def divert(self, transport: httpx.AsyncBaseTransport | None) -> None:
        """Send what follows through another transport; None is the network."""
        self._transport = Kept(transport) if transport else None
        self._http = None

    async def close(self) -> None:
        """Close the pool."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None


class SyncConnection(Line):
    """The synchronous line, for threads without an event loop."""

    def __init__(
        self,
        base_url: str,
        service_key: str | None = None,
        *,
        timeout: float = 5.0,
        transport: httpx.BaseTransport | None = None,
        retry: Retry | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(base_url, service_key, timeout=timeout, retry=retry, warn=True)
        self._http = httpx.Client(transport=transport, timeout=timeout, cookies=no_cookies())
        self._sleep = sleep

    def send(self, call: Call) -> Any:
        """As :meth:`Connection.send`."""
        tried = 0
        while True:
            tried += 1
            try:
                response = self._http.request(**self.request_of(call))
            except NO_ANSWER as error:
                pause = self.pause_after(call, tried, error)
                if pause is None:
                    raise
            else:
                pause = self.pause_after(call, tried, response)
                if pause is None:
                    return self.accept(call, response)
            self._sleep(pause)

    def close(self) -> None:
        """Close the pool for good."""
        self._http.close()


def no_cookies() -> CookieJar:
    """A jar that takes nothing: a pool carries requests of many people, and a cookie of one is none of the others'."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def warn_of_plain_http(url: str) -> None:
    """Log a warning when keys and tokens would cross a network unencrypted."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        logger.warning("plain http to %s: keys and tokens cross the network unencrypted", parts.hostname)
