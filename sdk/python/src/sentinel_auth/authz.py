"""Signing in with an identity provider's token: discovery of workspaces, and authz tokens for one."""

from typing import Any

import httpx

from sentinel_auth import calls
from sentinel_auth.calls import Id
from sentinel_auth.client import Client
from sentinel_auth.connection import Connection, Retry

__all__ = ["AuthzClient"]


class AuthzClient(Client):
    """Exchanges identity-provider tokens. It needs the service key, so it has no place in a browser."""

    def __init__(
        self,
        base_url: str,
        service_key: str,
        *,
        timeout: float = 10.0,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        connection: Connection | None = None,
    ) -> None:
        super().__init__(
            base_url, service_key, timeout=timeout, retry=retry, transport=transport, connection=connection
        )

    async def resolve(
        self, idp_token: str, provider: str, workspace_id: Id | None = None, nonce: str | None = None
    ) -> dict[str, Any]:
        """Discover the person's workspaces, or with ``workspace_id`` mint an authz token for that one.

        Raises SentinelError for anything but 200: 400 for a token the provider would not stand by, 403 for a person
        who may not enter, 409 for an address that belongs to another provider's account.
        """
        return calls.record(
            await self._connection.send(calls.resolve(idp_token, provider, workspace_id, nonce))
        )
