"""The HTTP API of a fake Sentinel, as far as the clients use it (``http-api.md`` §14)."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from uuid import UUID

import httpx
from joserfc import jws

from sentinel_auth.calls import MAX_CHECKS
from sentinel_auth.testing.law import may
from sentinel_auth.testing.people import Group, Person, Resource, Share, Workspace

if TYPE_CHECKING:
    from sentinel_auth.testing.fake import FakeSentinel

Thing = TypeVar("Thing", Person, Workspace, Group, Resource)

NAME = re.compile(r"[a-z][a-z0-9_.-]{0,254}")
ACTION = re.compile(r"[a-z][a-z0-9_.:-]{0,254}")


@dataclass(frozen=True)
class Caller:
    """A token's person and workspace; ``scope`` is what an authz token is bound to, None for an access token."""

    person: Person
    workspace: Workspace
    scope: str | None


class _Refusal(Exception):
    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(status)
        self.response = httpx.Response(status, json={"detail": detail})


def _refuse(status: int, detail: str) -> NoReturn:
    raise _Refusal(status, [{"loc": [], "msg": detail, "type": "value_error"}] if status == 422 else detail)


class Endpoints:
    """Answers requests out of the world of one fake."""

    def __init__(self, fake: "FakeSentinel") -> None:
        self._fake = fake
        resource = r"/permissions/resource/(?P<service>[^/]+)/(?P<type>[^/]+)/(?P<id>[^/]+)"
        workspace = r"/workspaces/(?P<workspace>[^/]+)"
        routes: list[tuple[str, str, Callable[..., httpx.Response]]] = [
            ("GET", r"/\.well-known/jwks\.json", self._jwks),
            ("GET", "/realm/whoami", self._whoami),
            ("POST", "/realm/m2m-token", self._m2m),
            ("POST", "/authz/resolve", self._resolve),
            ("POST", "/permissions/check", self._check),
            ("POST", "/permissions/accessible", self._accessible),
            ("POST", "/permissions/register", self._register),
            ("GET", resource, self._acl),
            ("GET", resource + "/enriched", self._enriched),
            ("DELETE", resource, self._deregister),
            ("POST", "/permissions/(?P<record>[^/]+)/share", self._share),
            ("DELETE", "/permissions/(?P<record>[^/]+)/share", self._unshare),
            ("PATCH", "/permissions/(?P<record>[^/]+)/visibility", self._visibility),
            ("POST", "/roles/actions/register", self._register_actions),
            ("POST", "/roles/check-action", self._check_action),
            ("GET", "/roles/user-actions", self._user_actions),
            ("GET", workspace + "/members", self._members),
            ("GET", workspace + "/groups", self._groups),
            ("GET", workspace + "/groups/(?P<group>[^/]+)/members", self._group_members),
        ]
        self._routes = [(method, re.compile(path), answer) for method, path, answer in routes]

    def answer(self, request: httpx.Request) -> httpx.Response:
        for method, path, endpoint in self._routes:
            found = path.fullmatch(request.url.path)
            if found is not None and method == request.method:
                try:
                    return endpoint(request, **found.groupdict())
                except _Refusal as refusal:
                    return refusal.response
        return httpx.Response(404, json={"detail": "Not Found"})

    # --- keys, realm, sign-in ----------------------------------------------------------------------------------

    def _jwks(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=self._fake.jwks())

    def _whoami(self, request: httpx.Request) -> httpx.Response:
        self._service(request)
        slug = self._fake.realm
        realm = {"slug": slug, "name": slug.title()} if slug else None
        return httpx.Response(
            200,
            json={
                "service_name": self._fake.service_name,
                "effective_scope": self._fake.scope,
                "realm": realm,
            },
        )

    def _m2m(self, request: httpx.Request) -> httpx.Response:
        self._service(request)
        if self._fake.realm is None:
            _refuse(403, "Service is not a member of a realm")
        return httpx.Response(
            200, json={"token": self._fake.m2m_token(self._fake.service_name), "expires_in": 300}
        )

    def _resolve(self, request: httpx.Request) -> httpx.Response:
        self._service(request)
        body = _body(request)
        try:
            claims = json.loads(jws.extract_compact(body["idp_token"].encode()).payload)
        except Exception:
            _refuse(400, "Invalid IdP token")
        person = next((one for one in self._fake.people if one.subject == claims.get("sub")), None)
        if person is None or not person.is_active:
            _refuse(403, "Not permitted")
        answer: dict[str, Any] = {"user": {"id": str(person.id), "email": person.email, "name": person.name}}
        mine = [one for one in self._fake.workspaces if person in one.roles]
        if body.get("workspace_id") is None:
            answer["workspaces"] = [_workspace(one, person) | {"name": one.name} for one in mine]
            return httpx.Response(200, json=answer)
        workspace = next((one for one in mine if str(one.id) == body["workspace_id"]), None)
        if workspace is None:
            _refuse(403, "Not permitted")
        answer |= {
            "workspace": _workspace(workspace, person),
            "authz_token": self._fake.authz_token(person, workspace),
            "expires_in": 300,
        }
        return httpx.Response(200, json=answer)

    # --- permissions -------------------------------------------------------------------------------------------

    def _check(self, request: httpx.Request) -> httpx.Response:
        caller = self._user(request)
        checks = _body(request)["checks"]
        if len(checks) > MAX_CHECKS:
            _refuse(422, "at most 100 checks")
        for one in checks:
            _names(one["service_name"], one["resource_type"])
            _one_of(one["action"], "view", "edit")
            _uuid(one["resource_id"])
        for one in checks:
            self._in_scope(one["service_name"])
        results = []
        for one in checks:
            found = self._find(one["service_name"], one["resource_type"], one["resource_id"])
            if found is not None and found.workspace is not caller.workspace:
                found = None
            results.append({**one, "allowed": may(caller.person, found, one["action"])})
        return httpx.Response(200, json={"results": results})

    def _accessible(self, request: httpx.Request) -> httpx.Response:
        caller, body = self._user(request), _body(request)
        _names(body["service_name"], body["resource_type"])
        _one_of(body["action"], "view", "edit")
        limit = body.get("limit")
        if limit is not None and not 1 <= limit <= 10000:
            _refuse(422, "limit")
        self._in_scope(body["service_name"])
        self._same_workspace(caller, body["workspace_id"])
        everything = caller.workspace.roles[caller.person] in ("admin", "owner")
        ids = [
            str(one.resource_id)
            for one in self._fake.resources
            if (one.service_name, one.resource_type, one.workspace)
            == (body["service_name"], body["resource_type"], caller.workspace)
            and may(caller.person, one, body["action"])
        ]
        if limit is not None:
            ids = ids[:limit]
        elif everything:
            ids = []
        return httpx.Response(200, json={"resource_ids": ids, "has_full_access": everything})

    def _register(self, request: httpx.Request) -> httpx.Response:
        self._service(request)
        body = _body(request)
        _names(body["service_name"], body["resource_type"])
        visibility = body.get("visibility", "workspace")
        _one_of(visibility, "private", "workspace")
        self._in_scope(body["service_name"])
        place, owner_id = _uuid(body["workspace_id"]), body["owner_id"]
        found = self._find(body["service_name"], body["resource_type"], body["resource_id"])
        if found is None:
            workspace = _by_id(self._fake.workspaces, body["workspace_id"])
            owner = _by_id(workspace.roles, owner_id) if workspace else None
            if workspace is None or owner is None:
                _refuse(400, "Owner is not a member of the workspace")
            resource_id = _uuid(body["resource_id"])
            found = Resource(
                body["service_name"], body["resource_type"], resource_id, workspace, owner, visibility
            )
            self._fake.resources.append(found)
        elif found.workspace.id != place:
            _refuse(409, "Resource is already registered in another workspace")
        return httpx.Response(201, json=found.as_json())

    def _acl(self, request: httpx.Request, service: str, type: str, id: str) -> httpx.Response:
        return httpx.Response(200, json=self._known(request, service, type, id).as_json())

    def _enriched(self, request: httpx.Request, service: str, type: str, id: str) -> httpx.Response:
        return httpx.Response(200, json=self._known(request, service, type, id).as_json(enriched=True))

    def _deregister(self, request: httpx.Request, service: str, type: str, id: str) -> httpx.Response:
        self._fake.resources.remove(self._known(request, service, type, id))
        return httpx.Response(204)

    def _share(self, request: httpx.Request, record: str) -> httpx.Response:
        caller, body = self._user(request), _body(request)
        resource = self._record(record)
        self._may_administer(caller, resource)
        _one_of(body["permission"], "view", "edit")
        grantee = self._grantee(resource, body)
        if grantee is None:
            _refuse(400, "Grantee is not part of the workspace")
        self._fake.share(resource, grantee, body["permission"])
        resource.shares[-1] = Share(grantee, body["permission"], caller.person)
        return httpx.Response(201, json={"status": "ok"})

    def _unshare(self, request: httpx.Request, record: str) -> httpx.Response:
        caller = self._optional_user(request)
        resource, body = self._record(record), _body(request)
        if caller is not None:
            self._may_administer(caller, resource)
        kept = [one for one in resource.shares if str(one.grantee.id) != body["grantee_id"]]
        if len(kept) == len(resource.shares):
            _refuse(404, "Share not found")
        resource.shares = kept
        return httpx.Response(200, json={"status": "ok"})

    def _visibility(self, request: httpx.Request, record: str) -> httpx.Response:
        caller = self._optional_user(request)
        resource, body = self._record(record), _body(request)
        if caller is not None:
            self._may_administer(caller, resource)
        _one_of(body["visibility"], "private", "workspace")
        resource.visibility = body["visibility"]
        return httpx.Response(200, json=resource.as_json())

    # --- roles -------------------------------------------------------------------------------------------------

    def _register_actions(self, request: httpx.Request) -> httpx.Response:
        self._service(request)
        body = _body(request)
        self._in_scope(body["service_name"])
        for one in body["actions"]:
            if not ACTION.fullmatch(one["action"]):
                _refuse(422, "action")
        for one in body["actions"]:
            known = self._fake.actions.get(one["action"])
            self._fake.actions[one["action"]] = one.get("description") or known
        named = sorted({one["action"] for one in body["actions"]})
        return httpx.Response(
            201, json=[{"action": name, "description": self._fake.actions[name]} for name in named]
        )

    def _check_action(self, request: httpx.Request) -> httpx.Response:
        caller, body = self._user(request), _body(request)
        self._in_scope(body["service_name"])
        self._same_workspace(caller, body["workspace_id"])
        allowed = (caller.person, body["action"]) in caller.workspace.actions
        return httpx.Response(200, json={"allowed": allowed, "roles": ["fake"] if allowed else []})

    def _user_actions(self, request: httpx.Request) -> httpx.Response:
        caller = self._user(request)
        self._in_scope(request.url.params["service_name"])
        self._same_workspace(caller, request.url.params["workspace_id"])
        actions = sorted(action for person, action in caller.workspace.actions if person is caller.person)
        return httpx.Response(200, json={"actions": actions})

    # --- the directory -----------------------------------------------------------------------------------------

    def _members(self, request: httpx.Request, workspace: str) -> httpx.Response:
        caller = self._user(request)
        self._same_workspace(caller, workspace)
        query = request.url.params.get("q", "").casefold()
        found = [
            {"user_id": str(one.id), "email": one.email, "name": one.name, "avatar_url": None, "role": role}
            for one, role in caller.workspace.roles.items()
            if query in one.name.casefold() or query in one.email.casefold()
        ]
        limit = request.url.params.get("limit")
        return httpx.Response(200, json=found if limit is None else found[: min(max(int(limit), 1), 50)])

    def _groups(self, request: httpx.Request, workspace: str) -> httpx.Response:
        caller = self._user(request)
        self._same_workspace(caller, workspace)
        return httpx.Response(200, json=[one.as_json() for one in caller.workspace.groups])

    def _group_members(self, request: httpx.Request, workspace: str, group: str) -> httpx.Response:
        caller = self._user(request)
        self._same_workspace(caller, workspace)
        found = _by_id(caller.workspace.groups, group)
        if found is None:
            _refuse(404, "Group not found")
        return httpx.Response(
            200,
            json=[{"user_id": str(one.id), "email": one.email, "name": one.name} for one in found.members],
        )

    # --- who asks, about what ----------------------------------------------------------------------------------

    def _service(self, request: httpx.Request) -> None:
        # Any key will do: a test has no secret to keep.
        if not request.headers.get("x-service-key"):
            _refuse(401, "Missing service key")

    def _user(self, request: httpx.Request) -> Caller:
        self._service(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        caller = self._fake.caller(token)
        if caller is None or not caller.person.is_active:
            _refuse(401, "Invalid or expired token")
        if caller.scope not in (None, self._fake.scope):
            _refuse(403, "Token is bound to another service")
        if caller.person not in caller.workspace.roles:
            _refuse(403, "Not a member of this workspace")
        return caller

    def _optional_user(self, request: httpx.Request) -> Caller | None:
        self._service(request)
        return self._user(request) if "authorization" in request.headers else None

    def _in_scope(self, service_name: str) -> None:
        if service_name != self._fake.scope:
            _refuse(403, "Service key is not valid for this service")

    def _same_workspace(self, caller: Caller, workspace_id: str) -> None:
        if _uuid(workspace_id) != caller.workspace.id:
            _refuse(403, "Not a member of this workspace")

    def _may_administer(self, caller: Caller, resource: Resource) -> None:
        here = resource.workspace is caller.workspace
        role = caller.workspace.roles.get(caller.person)
        if not here or not (resource.owner is caller.person or role in ("admin", "owner")):
            _refuse(403, "Only the owner of the resource or an admin may change it")

    def _known(self, request: httpx.Request, service: str, type: str, id: str) -> Resource:
        self._service(request)
        _names(service, type)
        _uuid(id)
        self._in_scope(service)
        found = self._find(service, type, id)
        if found is None:
            _refuse(404, "Resource not found")
        return found

    def _find(self, service: str, type: str, id: str) -> Resource | None:
        wanted = (service, type, _uuid(id))
        for one in self._fake.resources:
            if (one.service_name, one.resource_type, one.resource_id) == wanted:
                return one
        return None

    def _record(self, record: str) -> Resource:
        found = _by_id(self._fake.resources, record)
        if found is None:
            _refuse(404, "Resource not found")
        return found

    @staticmethod
    def _grantee(resource: Resource, body: dict[str, Any]) -> Person | Group | None:
        _one_of(body["grantee_type"], "user", "group")
        if body["grantee_type"] == "group":
            return _by_id(resource.workspace.groups, body["grantee_id"])
        return _by_id(resource.workspace.roles, body["grantee_id"])


def _body(request: httpx.Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content)
    return body


def _names(*names: str) -> None:
    for name in names:
        if not NAME.fullmatch(name):
            _refuse(422, "name")


def _one_of(value: str, *allowed: str) -> None:
    if value not in allowed:
        _refuse(422, f"must be one of {allowed}")


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        _refuse(422, "must be a UUID")


def _by_id(things: Iterable[Thing], id: str) -> Thing | None:
    wanted = _uuid(id)
    return next((one for one in things if one.id == wanted), None)


def _workspace(workspace: Workspace, person: Person) -> dict[str, Any]:
    return {"id": str(workspace.id), "slug": workspace.slug, "role": workspace.roles[person]}
