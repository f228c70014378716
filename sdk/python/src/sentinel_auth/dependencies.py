"""What routes of FastAPI ask for. A middleware of this library must have seen the request."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
from fastapi import Depends, HTTPException, Request

from sentinel_auth.asgi import bearer_token
from sentinel_auth.auth import RequestAuth
from sentinel_auth.errors import SentinelError
from sentinel_auth.permissions import PermissionClient
from sentinel_auth.roles import RoleClient
from sentinel_auth.types import AuthenticatedUser, SystemAuth, WorkspaceContext

__all__ = [
    "get_current_user",
    "get_request_auth_factory",
    "get_system_factory",
    "get_token",
    "get_workspace_context",
    "get_workspace_id",
    "require_action",
    "require_role",
]


def get_token(request: Request) -> str:
    """The token to forward to Sentinel: the one the middleware verified, else the Bearer header; 401 without."""
    token: str | None = getattr(request.state, "token", None) or bearer_token(request.scope)
    if not token:
        raise HTTPException(401, "Not authenticated")
    return token


def get_current_user(request: Request) -> AuthenticatedUser:
    """The person behind the request; 401 when the middleware has seen nobody."""
    user = getattr(request.state, "user", None)
    if not isinstance(user, AuthenticatedUser):
        raise HTTPException(401, "Not authenticated")
    return user


def get_workspace_id(user: AuthenticatedUser = Depends(get_current_user)) -> UUID:
    """The workspace of the request."""
    return user.workspace_id


def get_workspace_context(user: AuthenticatedUser = Depends(get_current_user)) -> WorkspaceContext:
    """The workspace of the request, and the caller's place in it."""
    return WorkspaceContext(user.workspace_id, user.workspace_slug, user.user_id, user.workspace_role)


def require_role(minimum: str) -> Callable[..., AuthenticatedUser]:
    """Dependency: the caller, whose role is ``minimum`` or above; 403 otherwise."""

    def require(user: AuthenticatedUser = Depends(get_current_user)) -> AuthenticatedUser:
        if not user.has_role(minimum):
            raise HTTPException(403, f"Role {minimum!r} or above is needed")
        return user

    return require


def require_action(role_client: RoleClient, action: str) -> Callable[..., Awaitable[AuthenticatedUser]]:
    """Dependency: the caller, who may do ``action``; 403 otherwise, 503 while Sentinel cannot be reached."""

    async def require(
        user: AuthenticatedUser = Depends(get_current_user), token: str = Depends(get_token)
    ) -> AuthenticatedUser:
        try:
            allowed = await role_client.check_action(token, action, user.workspace_id)
        except SentinelError as error:
            raise _answer(error) from None
        except httpx.HTTPError:
            raise HTTPException(503, "Sentinel is unreachable") from None
        if not allowed:
            raise HTTPException(403, f"Action {action!r} is not permitted")
        return user

    return require


def get_request_auth_factory(
    permissions: PermissionClient | None = None, roles: RoleClient | None = None
) -> Callable[[Request], RequestAuth]:
    """Dependency: the caller with the clients that answer for him."""

    def get_request_auth(request: Request) -> RequestAuth:
        return RequestAuth(get_current_user(request), get_token(request), permissions, roles)

    return get_request_auth


def get_system_factory(
    verify: Callable[[str], Awaitable[SystemAuth]],
) -> Callable[[Request], Awaitable[SystemAuth]]:
    """Dependency: the service behind ``Authorization: Bearer <m2m token>``; 401 without."""

    async def require_system(request: Request) -> SystemAuth:
        token = bearer_token(request.scope)
        if token is None:
            raise HTTPException(401, "Missing or invalid Authorization header")
        try:
            return await verify(token)
        except SentinelError as error:
            raise _answer(error) from None

    return require_system


def _answer(error: SentinelError) -> HTTPException:
    headers = (
        {"Retry-After": str(max(1, round(error.retry_after)))} if error.retry_after is not None else None
    )
    return HTTPException(error.status_code or 502, str(error), headers=headers)
