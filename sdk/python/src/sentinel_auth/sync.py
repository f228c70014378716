"""The clients for code without an event loop: scripts, and the workers of Django and Flask.

Names, arguments and errors are those of the asynchronous clients. They can be shared by threads.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self
from uuid import UUID

import httpx

from sentinel_auth import calls
from sentinel_auth.calls import Id, PermissionCheck, PermissionResult
from sentinel_auth.connection import Retry, SyncConnection

__all__ = ["AuthzClient", "PermissionClient", "RoleClient"]


class _Client:
    def __init__(
        self,
        base_url: str,
        service_key: str | None,
        *,
        timeout: float,
        retry: Retry | None,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self._connection = SyncConnection(
            base_url, service_key, timeout=timeout, retry=retry, transport=transport
        )

    @property
    def base_url(self) -> str:
        return self._connection.base_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()


class _ServiceClient(_Client):
    def __init__(
        self,
        base_url: str,
        service_name: str,
        service_key: str | None = None,
        *,
        timeout: float = 5.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, service_key, timeout=timeout, retry=retry, transport=transport)
        self.service_name = service_name


class PermissionClient(_ServiceClient):
    """As :class:`sentinel_auth.PermissionClient`, without a cache and without batches."""

    def check(self, token: str, checks: Sequence[PermissionCheck]) -> list[PermissionResult]:
        return calls.check_results(self._connection.send(calls.check(token, checks)))

    def can(self, token: str, resource_type: str, resource_id: Id, action: str) -> bool:
        results = self.check(token, [PermissionCheck(self.service_name, resource_type, resource_id, action)])
        return bool(results) and results[0].allowed

    def accessible(
        self, token: str, resource_type: str, action: str, workspace_id: Id, limit: int | None = None
    ) -> tuple[list[UUID], bool]:
        call = calls.accessible(token, self.service_name, resource_type, action, workspace_id, limit)
        return calls.accessible_answer(self._connection.send(call))

    def get_resource_acl(self, resource_type: str, resource_id: Id) -> dict[str, Any]:
        return self._object(calls.resource_acl(self.service_name, resource_type, resource_id))

    def get_enriched_resource_acl(self, resource_type: str, resource_id: Id) -> dict[str, Any]:
        return self._object(calls.resource_acl(self.service_name, resource_type, resource_id, enriched=True))

    def search_workspace_members(
        self, token: str, workspace_id: Id, query: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        return self._list(calls.members(token, workspace_id, query, limit))

    def list_groups(self, token: str, workspace_id: Id) -> list[dict[str, Any]]:
        return self._list(calls.groups(token, workspace_id))

    def get_group_members(self, token: str, workspace_id: Id, group_id: Id) -> list[dict[str, Any]]:
        return self._list(calls.group_members(token, workspace_id, group_id))

    def register_resource(
        self,
        resource_type: str,
        resource_id: Id,
        workspace_id: Id,
        owner_id: Id,
        visibility: str = "workspace",
    ) -> dict[str, Any]:
        call = calls.register_resource(
            self.service_name, resource_type, resource_id, workspace_id, owner_id, visibility
        )
        return self._object(call)

    def deregister_resource(self, resource_type: str, resource_id: Id) -> None:
        self._connection.send(calls.deregister_resource(self.service_name, resource_type, resource_id))

    def share(
        self,
        token: str,
        resource_type: str,
        resource_id: Id,
        grantee_type: str,
        grantee_id: Id,
        permission: str = "view",
    ) -> dict[str, Any]:
        found = self.get_resource_acl(resource_type, resource_id)
        return self._object(calls.share(token, found["id"], grantee_type, grantee_id, permission))

    def unshare(
        self,
        token: str,
        resource_type: str,
        resource_id: Id,
        grantee_type: str,
        grantee_id: Id,
        permission: str = "view",
    ) -> dict[str, Any]:
        found = self.get_resource_acl(resource_type, resource_id)
        return self._object(calls.unshare(token, found["id"], grantee_type, grantee_id, permission))

    def update_visibility(
        self, token: str, resource_type: str, resource_id: Id, visibility: str
    ) -> dict[str, Any]:
        found = self.get_resource_acl(resource_type, resource_id)
        return self._object(calls.update_visibility(token, found["id"], visibility))

    def _object(self, call: calls.Call) -> dict[str, Any]:
        return calls.record(self._connection.send(call))

    def _list(self, call: calls.Call) -> list[dict[str, Any]]:
        return calls.records(self._connection.send(call))


class RoleClient(_ServiceClient):
    """As :class:`sentinel_auth.RoleClient`."""

    def register_actions(self, actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return calls.records(self._connection.send(calls.register_actions(self.service_name, actions)))

    def check_action(self, token: str, action: str, workspace_id: Id) -> bool:
        call = calls.check_action(token, self.service_name, action, workspace_id)
        return calls.allowed(self._connection.send(call))

    def get_user_actions(self, token: str, workspace_id: Id) -> list[str]:
        call = calls.user_actions(token, self.service_name, workspace_id)
        return calls.action_names(self._connection.send(call))


class AuthzClient(_Client):
    """As :class:`sentinel_auth.AuthzClient`."""

    def __init__(
        self,
        base_url: str,
        service_key: str,
        *,
        timeout: float = 10.0,
        retry: Retry | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(base_url, service_key, timeout=timeout, retry=retry, transport=transport)

    def resolve(
        self, idp_token: str, provider: str, workspace_id: Id | None = None, nonce: str | None = None
    ) -> dict[str, Any]:
        return calls.record(self._connection.send(calls.resolve(idp_token, provider, workspace_id, nonce)))
