"""Sentinel Auth for Python applications: who calls, and what he may do.

from sentinel_auth import Sentinel

sentinel = Sentinel(base_url=..., service_name=..., service_key=..., mode="proxy")
app = FastAPI(lifespan=sentinel.lifespan)
sentinel.protect(app)
"""

from typing import TYPE_CHECKING, Any

from sentinel_auth.auth import RequestAuth
from sentinel_auth.authz import AuthzClient
from sentinel_auth.authz_middleware import AuthzMiddleware
from sentinel_auth.connection import Retry
from sentinel_auth.errors import SentinelError
from sentinel_auth.middleware import JWTAuthMiddleware
from sentinel_auth.permissions import PermissionCheck, PermissionClient, PermissionResult
from sentinel_auth.roles import RoleClient
from sentinel_auth.sentinel import Sentinel
from sentinel_auth.types import AuthenticatedUser, SystemAuth, WorkspaceContext
from sentinel_auth.version import __version__

if TYPE_CHECKING:
    from sentinel_auth.dependencies import get_token
    from sentinel_auth.proxy import create_proxy_router

__all__ = [
    "AuthenticatedUser",
    "AuthzClient",
    "AuthzMiddleware",
    "JWTAuthMiddleware",
    "PermissionCheck",
    "PermissionClient",
    "PermissionResult",
    "RequestAuth",
    "Retry",
    "RoleClient",
    "Sentinel",
    "SentinelError",
    "SystemAuth",
    "WorkspaceContext",
    "__version__",
    "create_proxy_router",
    "get_token",
]


def __getattr__(name: str) -> Any:
    # These two need FastAPI, which applications of other frameworks do without.
    if name == "get_token":
        from sentinel_auth.dependencies import get_token

        return get_token
    if name == "create_proxy_router":
        from sentinel_auth.proxy import create_proxy_router

        return create_proxy_router
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
