"""What a person may do in a service, by the roles an administrator gave him: the client of RBAC."""

from collections.abc import Mapping, Sequence
from typing import Any

from sentinel_auth import calls
from sentinel_auth.calls import Id
from sentinel_auth.client import ServiceClient

__all__ = ["RoleClient"]


class RoleClient(ServiceClient):
    """Registers a service's actions and asks who may do them. Errors as of PermissionClient."""

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
