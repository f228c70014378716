"""What the asynchronous clients share: the line that they own or were given, and how they end."""

from typing import Self

import httpx

from sentinel_auth.connection import Connection, Retry


class Client:
    """Holds a line to Sentinel; ``connection`` is one that others use as well, in place of one of its own."""

    def __init__(
        self,
        base_url: str,
        service_key: str | None,
        *,
        timeout: float,
        retry: Retry | None,
        transport: httpx.AsyncBaseTransport | None,
        connection: Connection | None,
    ) -> None:
        self._connection = connection or Connection(
            base_url, service_key, timeout=timeout, retry=retry, transport=transport
        )

    @property
    def base_url(self) -> str:
        return self._connection.base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()


class ServiceClient(Client):
    """A client that speaks for one service. ``service_name`` is the effective scope of its key."""

    def __init__(
        self,
        base_url: str,
        service_name: str,
        service_key: str | None = None,
        *,
        timeout: float = 5.0,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        connection: Connection | None = None,
    ) -> None:
        super().__init__(
            base_url, service_key, timeout=timeout, retry=retry, transport=transport, connection=connection
        )
        self.service_name = service_name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r}, {self.service_name!r})"
