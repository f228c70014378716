"""Every request that the clients make, without sending it: the asynchronous and the synchronous clients share them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

from sentinel_auth.errors import SentinelError

Id = UUID | str
T = TypeVar("T")
MAX_CHECKS = 100
"""The most that one request to ``/permissions/check`` may ask (``http-api.md`` P1)."""


@dataclass(frozen=True)
class Call:
    """One request. ``idempotent`` calls may be sent again when the first try got no answer."""

    method: str
    path: str
    token: str | None = field(default=None, repr=False)
    json: Any = field(default=None, repr=False)
    params: Mapping[str, str] | None = None
    idempotent: bool = False
    only_200: bool = False


def reads(read: Callable[[Any], T]) -> Callable[[Any], T]:
    """Make a reader of answers raise SentinelError for an answer of another form."""

    @wraps(read)
    def guarded(answer: Any) -> T:
        try:
            return read(answer)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SentinelError("Sentinel's answer has an unexpected form") from None

    return guarded


@reads
def record(answer: Any) -> dict[str, Any]:
    return {**answer}


@reads
def records(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list):
        raise TypeError
    return [{**one} for one in answer]


# --- permissions -----------------------------------------------------------------------------------------------


@dataclass
class PermissionCheck:
    """A question: may the caller do ``action`` to this resource?"""

    service_name: str
    resource_type: str
    resource_id: Id
    action: str


@dataclass
class PermissionResult:
    """A question with its answer."""

    service_name: str
    resource_type: str
    resource_id: UUID
    action: str
    allowed: bool


def check(token: str, checks: Sequence[PermissionCheck]) -> Call:
    items = [
        {
            "service_name": one.service_name,
            "resource_type": one.resource_type,
            "resource_id": str(one.resource_id),
            "action": one.action,
        }
        for one in checks
    ]
    return Call("POST", "/permissions/check", token, {"checks": items}, idempotent=True)


@reads
def check_results(answer: Any) -> list[PermissionResult]:
    """Only the JSON value ``true`` allows."""
    return [
        PermissionResult(
            service_name=one["service_name"],
            resource_type=one["resource_type"],
            resource_id=UUID(one["resource_id"]),
            action=one["action"],
            allowed=one["allowed"] is True,
        )
        for one in answer["results"]
    ]


def accessible(
    token: str, service_name: str, resource_type: str, action: str, workspace_id: Id, limit: int | None
) -> Call:
    body: dict[str, Any] = {
        "service_name": service_name,
        "resource_type": resource_type,
        "action": action,
        "workspace_id": str(workspace_id),
    }
    if limit is not None:
        body["limit"] = limit
    return Call("POST", "/permissions/accessible", token, body, idempotent=True)


@reads
def accessible_answer(answer: Any) -> tuple[list[UUID], bool]:
    return [UUID(one) for one in answer["resource_ids"]], answer["has_full_access"] is True


def register_resource(
    service_name: str, resource_type: str, resource_id: Id, workspace_id: Id, owner_id: Id, visibility: str
) -> Call:
    body = {
        "service_name": service_name,
        "resource_type": resource_type,
        "resource_id": str(resource_id),
        "workspace_id": str(workspace_id),
        "owner_id": str(owner_id),
        "visibility": visibility,
    }
    return Call("POST", "/permissions/register", json=body, idempotent=True)


def resource_acl(service_name: str, resource_type: str, resource_id: Id, *, enriched: bool = False) -> Call:
    path = _resource(service_name, resource_type, resource_id)
    return Call("GET", f"{path}/enriched" if enriched else path, idempotent=True)


def deregister_resource(service_name: str, resource_type: str, resource_id: Id) -> Call:
    # Not sent again: when the first try did its work, the second would be told 404.
    return Call("DELETE", _resource(service_name, resource_type, resource_id))


def share(token: str, permission_id: Id, grantee_type: str, grantee_id: Id, permission: str) -> Call:
    body = {"grantee_type": grantee_type, "grantee_id": str(grantee_id), "permission": permission}
    return Call("POST", f"/permissions/{_segment(permission_id)}/share", token, body, idempotent=True)


def unshare(token: str, permission_id: Id, grantee_type: str, grantee_id: Id, permission: str) -> Call:
    body = {"grantee_type": grantee_type, "grantee_id": str(grantee_id), "permission": permission}
    return Call("DELETE", f"/permissions/{_segment(permission_id)}/share", token, body)


def update_visibility(token: str, permission_id: Id, visibility: str) -> Call:
    path = f"/permissions/{_segment(permission_id)}/visibility"
    return Call("PATCH", path, token, {"visibility": visibility}, idempotent=True)


# --- the directory of a workspace ------------------------------------------------------------------------------


def members(token: str, workspace_id: Id, query: str | None, limit: int | None) -> Call:
    params = {} if query is None else {"q": query}
    if limit is not None:
        params["limit"] = str(limit)
    return Call("GET", f"/workspaces/{_segment(workspace_id)}/members", token, params=params, idempotent=True)


def groups(token: str, workspace_id: Id) -> Call:
    return Call("GET", f"/workspaces/{_segment(workspace_id)}/groups", token, idempotent=True)


def group_members(token: str, workspace_id: Id, group_id: Id) -> Call:
    path = f"/workspaces/{_segment(workspace_id)}/groups/{_segment(group_id)}/members"
    return Call("GET", path, token, idempotent=True)


# --- roles -----------------------------------------------------------------------------------------------------


def register_actions(service_name: str, actions: Sequence[Mapping[str, Any]]) -> Call:
    body = {"service_name": service_name, "actions": [dict(one) for one in actions]}
    return Call("POST", "/roles/actions/register", json=body, idempotent=True)


def check_action(token: str, service_name: str, action: str, workspace_id: Id) -> Call:
    body = {"service_name": service_name, "action": action, "workspace_id": str(workspace_id)}
    return Call("POST", "/roles/check-action", token, body, idempotent=True)


@reads
def allowed(answer: Any) -> bool:
    """Only the JSON value ``true`` allows."""
    return answer["allowed"] is True


@reads
def action_names(answer: Any) -> list[str]:
    return list(answer["actions"])


def user_actions(token: str, service_name: str, workspace_id: Id) -> Call:
    params = {"service_name": service_name, "workspace_id": str(workspace_id)}
    return Call("GET", "/roles/user-actions", token, params=params, idempotent=True)


# --- sign-in, realm, keys --------------------------------------------------------------------------------------


def resolve(idp_token: str, provider: str, workspace_id: Id | None, nonce: str | None) -> Call:
    body = {"idp_token": idp_token, "provider": provider}
    if workspace_id is not None:
        body["workspace_id"] = str(workspace_id)
    if nonce is not None:
        body["nonce"] = nonce
    return Call("POST", "/authz/resolve", json=body, only_200=True)


def whoami() -> Call:
    return Call("GET", "/realm/whoami", idempotent=True, only_200=True)


def m2m_token() -> Call:
    return Call("POST", "/realm/m2m-token", json={}, only_200=True)


def jwks() -> Call:
    return Call("GET", "/.well-known/jwks.json", idempotent=True)


def _resource(service_name: str, resource_type: str, resource_id: Id) -> str:
    names = "/".join(_segment(one) for one in (service_name, resource_type, resource_id))
    return f"/permissions/resource/{names}"


def _segment(value: Id) -> str:
    # The names that the contract allows pass unchanged; anything else cannot leave its place in the path.
    segment = quote(str(value), safe="")
    if segment in ("", ".", ".."):
        raise ValueError(f"{value!r} is no part of a path")
    return segment
