"""One request's view of Sentinel: who calls, and what he may do, without handing tokens around."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sentinel_auth.calls import Id
from sentinel_auth.errors import SentinelError
from sentinel_auth.permissions import PermissionClient
from sentinel_auth.roles import RoleClient
from sentinel_auth.types import AuthenticatedUser

__all__ = ["RequestAuth"]

T = TypeVar("T")


@dataclass(eq=False)
class RequestAuth:
    """The caller with the clients that answer for him. Answers are kept for the request; own changes forget them.

    Methods raise SentinelError when the client they need is missing, and otherwise what the client raises.
    """

    user: AuthenticatedUser
    _token: str = field(repr=False)
    _permissions: PermissionClient | None = field(default=None, repr=False)
    _roles: RoleClient | None = field(default=None, repr=False)
    _answers: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    # --- who calls ---------------------------------------------------------------------------------------------

    @property
    def user_id(self) -> UUID:
        return self.user.user_id

    @property
    def workspace_id(self) -> UUID:
        return self.user.workspace_id

    @property
    def workspace_role(self) -> str:
        return self.user.workspace_role

    @property
    def email(self) -> str:
        return self.user.email

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def groups(self) -> list[UUID]:
        return self.user.groups

    @property
    def org_id(self) -> UUID | None:
        return self.user.org_id

    @property
    def org_slug(self) -> str | None:
        return self.user.org_slug

    @property
    def org_is_public(self) -> bool:
        return self.user.org_is_public

    @property
    def is_admin(self) -> bool:
        return self.user.is_admin

    @property
    def is_editor(self) -> bool:
        return self.user.is_editor

    def has_role(self, minimum: str) -> bool:
        """As of AuthenticatedUser."""
        return self.user.has_role(minimum)

    # --- what he may do ----------------------------------------------------------------------------------------

    async def can(self, resource_type: str, resource_id: Id, action: str) -> bool:
        """Whether the caller may do ``action`` to the resource."""
        client = self._permission_client()
        return await self._kept(
            ("can", resource_type, str(resource_id), action),
            lambda: client.can(self._token, resource_type, resource_id, action),
        )

    async def check_action(self, action: str) -> bool:
        """Whether the caller may do ``action`` in his workspace."""
        if self._roles is None:
            raise SentinelError("RoleClient not configured")
        client = self._roles
        return await self._kept(
            ("check_action", action), lambda: client.check_action(self._token, action, self.workspace_id)
        )

    async def accessible(
        self, resource_type: str, action: str, limit: int | None = None
    ) -> tuple[list[UUID], bool]:
        """The resources that the caller may reach, and whether that is every one of his workspace."""
        client = self._permission_client()
        ids, everything = await self._kept(
            ("accessible", resource_type, action, limit),
            lambda: client.accessible(self._token, resource_type, action, self.workspace_id, limit),
        )
        return list(ids), everything

    # --- resources ---------------------------------------------------------------------------------------------

    async def register_resource(
        self, resource_type: str, resource_id: Id, visibility: str = "workspace"
    ) -> dict[str, Any]:
        """Register a resource of the caller's, in his workspace."""
        client = self._permission_client()
        return await self._changed(
            client.register_resource(resource_type, resource_id, self.workspace_id, self.user_id, visibility)
        )

    async def share(
        self,
        resource_type: str,
        resource_id: Id,
        grantee_type: str,
        grantee_id: Id,
        permission: str = "view",
    ) -> dict[str, Any]:
        """Share a resource in the caller's name."""
        client = self._permission_client()
        return await self._changed(
            client.share(self._token, resource_type, resource_id, grantee_type, grantee_id, permission)
        )

    async def unshare(
        self,
        resource_type: str,
        resource_id: Id,
        grantee_type: str,
        grantee_id: Id,
        permission: str = "view",
    ) -> dict[str, Any]:
        """Take a share back in the caller's name."""
        client = self._permission_client()
        return await self._changed(
            client.unshare(self._token, resource_type, resource_id, grantee_type, grantee_id, permission)
        )

    async def update_visibility(self, resource_type: str, resource_id: Id, visibility: str) -> dict[str, Any]:
        """Change a resource's visibility in the caller's name."""
        client = self._permission_client()
        return await self._changed(
            client.update_visibility(self._token, resource_type, resource_id, visibility)
        )

    async def get_resource_acl(self, resource_type: str, resource_id: Id) -> dict[str, Any]:
        """The record of a resource with its shares. Whether the caller may see it is not checked."""
        return await self._permission_client().get_resource_acl(resource_type, resource_id)

    async def get_enriched_resource_acl(self, resource_type: str, resource_id: Id) -> dict[str, Any]:
        """As :meth:`get_resource_acl`, with names and addresses."""
        return await self._permission_client().get_enriched_resource_acl(resource_type, resource_id)

    # --- the workspace -----------------------------------------------------------------------------------------

    async def search_members(
        self, query: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Members of the caller's workspace whose name or address contains ``query``."""
        client = self._permission_client()
        return await client.search_workspace_members(self._token, self.workspace_id, query, limit)

    async def list_members(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Members of the caller's workspace."""
        return await self.search_members(limit=limit)

    async def list_groups(self) -> list[dict[str, Any]]:
        """Groups of the caller's workspace."""
        return await self._permission_client().list_groups(self._token, self.workspace_id)

    async def get_group_members(self, group_id: Id) -> list[dict[str, Any]]:
        """Members of a group of the caller's workspace."""
        return await self._permission_client().get_group_members(self._token, self.workspace_id, group_id)

    # --- inside ------------------------------------------------------------------------------------------------

    def _permission_client(self) -> PermissionClient:
        if self._permissions is None:
            raise SentinelError("PermissionClient not configured")
        return self._permissions

    async def _kept(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        answers = self._answers
        if key not in answers:
            answers[key] = await ask()
        answer: T = answers[key]
        return answer

    async def _changed(self, change: Awaitable[T]) -> T:
        # A new dictionary: an answer that is under way belongs to the old one.
        self._answers = {}
        try:
            return await change
        finally:
            self._answers = {}
