"""What a person may do in a service, by the roles an administrator gave him: the client of RBAC."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import httpx

from sentinel_auth import calls
from sentinel_auth.calls import Id
from sentinel_auth.connection import Connection, Retry

__all__ = ["RoleClient"]


class RoleClient:
    """Registers a service's actions and asks who may do them. Errors as of PermissionClient."""

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
        self.service_name = service_name
        self._connection = connection or Connection(
            base_url, service_key, timeout=timeout, retry=retry, transport=transport
        )

    @property
    def base_url(self) -> str:
        return self._connection.base_url

    def __repr__(self) -> str:
        return f"RoleClient({self.base_url!r}, {self.service_name!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._connection.close()

    async def register_actions(self, actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Make actions known: each is ``{"action": …, "description": …}``, the description is optional."""
        return calls.records(await self._connection.send(calls.register_actions(self.service_name, actions)))

    async def check_action(self, token: str, action: str, workspace_id: Id) -> bool:
        """Whether the person behind ``token`` may do ``action`` in the workspace."""
        call = calls.check_action(token, self.service_name, action, workspace_id)
        return calls.allowed(await self._connection.send(call))

    async def get_user_actions(self, token: str, workspace_id: Id) -> list[str]:
        """Every action of this service that the person may do in the workspace."""
        call = calls.user_actions(token, self.service_name, workspace_id)
        return calls.action_names(await self._connection.send(call))
