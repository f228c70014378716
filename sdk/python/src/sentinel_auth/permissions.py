"""Who may do what to which resource: the client of the entity ACL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import httpx

from sentinel_auth import calls
from sentinel_auth.batch import CheckBatch
from sentinel_auth.cache import DecisionCache, digest
from sentinel_auth.calls import Call, Id, PermissionCheck, PermissionResult
from sentinel_auth.client import ServiceClient
from sentinel_auth.connection import Connection, Retry

__all__ = ["PermissionCheck", "PermissionClient", "PermissionResult"]


class PermissionClient(ServiceClient):
    """Asks and changes permissions in the name of one service.

    ``service_name`` is the effective scope of the key: the realm's slug for a member of a realm. ``cache_ttl``
    keeps decisions for that many seconds; 0 asks every time. Calls of ``can`` that are made in the same tick of the
    event loop travel together. Every method raises SentinelError for an answer that is no success, and
    ``httpx.TransportError`` when there is none.
    """

    def __init__(
        self,
        base_url: str,
        service_name: str,
        service_key: str | None = None,
        cache_ttl: float = 0,
        *,
        timeout: float = 5.0,
        retry: Retry | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        connection: Connection | None = None,
    ) -> None:
        super().__init__(
            base_url,
            service_name,
            service_key,
            timeout=timeout,
            retry=retry,
            transport=transport,
            connection=connection,
        )
        self.decisions = DecisionCache(cache_ttl)
        """What is kept of earlier answers."""
        self._batch = CheckBatch(self.check)

    async def close(self) -> None:
        """Let what is under way finish, then close the connections."""
        await self._batch.finish()
        await self._connection.close()

    # --- questions ---------------------------------------------------------------------------------------------

    async def check(self, token: str, checks: Sequence[PermissionCheck]) -> list[PermissionResult]:
        """Ask up to 100 questions in one request; the answers come in the order of the questions."""
        return calls.check_results(await self._connection.send(calls.check(token, checks)))

    async def can(self, token: str, resource_type: str, resource_id: Id, action: str) -> bool:
        """Whether the person behind ``token`` may do ``action`` (``view`` or ``edit``) to the resource."""
        service = self.service_name
        key = (digest(token), "can", service, resource_type, str(resource_id), action)
        kept: bool | None = self.decisions.get(key)
        if kept is not None:
            return kept
        generation = self.decisions.generation
        allowed = await self._batch.ask(token, PermissionCheck(service, resource_type, resource_id, action))
        self.decisions.put(key, allowed, generation)
        return allowed

    async def accessible(
        self, token: str, resource_type: str, action: str, workspace_id: Id, limit: int | None = None
    ) -> tuple[list[UUID], bool]:
        """The resources that the person may reach, and whether that is every one of the workspace.

        With full access and no ``limit`` the list is empty: do not filter then.
        """
        service = self.service_name
        key = (digest(token), "accessible", service, resource_type, action, str(workspace_id), limit)
        kept: tuple[tuple[UUID, ...], bool] | None = self.decisions.get(key)
        if kept is not None:
            return list(kept[0]), kept[1]
        generation = self.decisions.generation
        call = calls.accessible(token, service, resource_type, action, workspace_id, limit)
        ids, everything = calls.accessible_answer(await self._connection.send(call))
        self.decisions.put(key, (tuple(ids), everything), generation)
        return ids, everything

    async def get_resource_acl(self, resource_type: str, resource_id: Id) -> dict[str, Any]:
        """The record of a resource with its shares."""
        return await self._ask(calls.resource_acl(self.service_name, resource_type, resource_id))

    async def get_enriched_resource_acl(self, resource_type: str, resource_id: Id) -> dict[str, Any]:
        """As :meth:`get_resource_acl`, with the names and addresses of people and groups."""
        return await self._ask(
            calls.resource_acl(self.service_name, resource_type, resource_id, enriched=True)
        )

    async def search_workspace_members(
        self, token: str, workspace_id: Id, query: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Members whose name or address contains ``query``; all of them without one."""
        return calls.records(await self._connection.send(calls.members(token, workspace_id, query, limit)))

    async def list_groups(self, token: str, workspace_id: Id) -> list[dict[str, Any]]:
        """The groups of the workspace."""
        return calls.records(await self._connection.send(calls.groups(token, workspace_id)))

    async def get_group_members(self, token: str, workspace_id: Id, group_id: Id) -> list[dict[str, Any]]:
        """The members of a group."""
        call = calls.group_members(token, workspace_id, group_id)
        return calls.records(await self._connection.send(call))

    # --- changes -----------------------------------------------------------------------------------------------

    async def register_resource(
        self,
        resource_type: str,
        resource_id: Id,
        workspace_id: Id,
        owner_id: Id,
        visibility: str = "workspace",
    ) -> dict[str, Any]:
        """Make a resource known. A known one of the same workspace is returned as it is."""
        call = calls.register_resource(
            self.service_name, resource_type, resource_id, workspace_id, owner_id, visibility
        )
        return calls.record(await self._change(call))

    async def deregister_resource(self, resource_type: str, resource_id: Id) -> None:
        """Forget a resource and all its shares."""
        await self._change(calls.deregister_resource(self.service_name, resource_type, resource_id))

    async def share(
        self,
        token: str,
        resource_type: str,
        resource_id: Id,
        grantee_type: str,
        grantee_id: Id,
        permission: str = "view",
    ) -> dict[str, Any]:
        """Share a resource with a ``user`` or a ``group``; sharing again changes the level."""
        found = await self.get_resource_acl(resource_type, resource_id)
        return calls.record(
            await self._change(calls.share(token, found["id"], grantee_type, grantee_id, permission))
        )

    async def unshare(
        self,
        token: str,
        resource_type: str,
        resource_id: Id,
        grantee_type: str,
        grantee_id: Id,
        permission: str = "view",
    ) -> dict[str, Any]:
        """Take a share back. A grantee has at most one, whatever its ``permission``."""
        found = await self.get_resource_acl(resource_type, resource_id)
        return calls.record(
            await self._change(calls.unshare(token, found["id"], grantee_type, grantee_id, permission))
        )

    async def update_visibility(
        self, token: str, resource_type: str, resource_id: Id, visibility: str
    ) -> dict[str, Any]:
        """Make a resource ``private`` or visible to its ``workspace``."""
        found = await self.get_resource_acl(resource_type, resource_id)
        return calls.record(await self._change(calls.update_visibility(token, found["id"], visibility)))

    async def _ask(self, call: Call) -> dict[str, Any]:
        return calls.record(await self._connection.send(call))

    async def _change(self, call: Call) -> Any:
        # Before, so that nobody is told the old state while the change is under way; after, even when it failed,
        # because a change whose answer was lost may have happened.
        self.decisions.clear()
        try:
            return await self._connection.send(call)
        finally:
            self.decisions.clear()
