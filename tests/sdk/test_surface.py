"""The public surface as ``python-sdk.md`` writes it: names, arguments, defaults, refusals."""

import inspect
import logging
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from typing import Any
from uuid import uuid4

import pytest

import sentinel_auth
from sentinel_auth import (
    AuthenticatedUser,
    AuthzClient,
    AuthzMiddleware,
    JWTAuthMiddleware,
    PermissionClient,
    RequestAuth,
    RoleClient,
    Sentinel,
    SentinelError,
    SystemAuth,
    WorkspaceContext,
    create_proxy_router,
    sync,
)
from sentinel_auth import dependencies as deps
from sentinel_auth.permissions import PermissionCheck, PermissionResult

NAMES = [
    "Sentinel", "RequestAuth", "SystemAuth", "AuthenticatedUser", "WorkspaceContext", "SentinelError",
    "PermissionClient", "RoleClient", "AuthzClient", "JWTAuthMiddleware", "AuthzMiddleware",
    "create_proxy_router", "get_token", "__version__",
]  # fmt: skip

PEM = "-----BEGIN PUBLIC KEY-----"
REQUIRED = inspect.Parameter.empty


def arguments(function: Any) -> dict[str, Any]:
    return {
        name: one.default
        for name, one in inspect.signature(function).parameters.items()
        if name not in ("self", "app")
    }


RESOURCE = {"resource_type": REQUIRED, "resource_id": REQUIRED}
SHARE = RESOURCE | {"grantee_type": REQUIRED, "grantee_id": REQUIRED, "permission": "view"}

SIGNATURES: list[tuple[Any, dict[str, Any]]] = [
    (
        Sentinel,
        {
            "base_url": REQUIRED, "service_name": REQUIRED, "service_key": REQUIRED, "mode": "authz",
            "idp_public_key": None, "idp_jwks_url": None, "idp_audience": None, "idp_issuer": None,
            "actions": None, "allowed_workspaces": None, "cache_ttl": 0,
        },
    ),
    (
        JWTAuthMiddleware,
        {
            "base_url": None, "public_key": None, "jwks_url": None, "algorithm": "RS256",
            "audience": "sentinel:access", "exclude_paths": None, "allowed_workspaces": None,
        },
    ),
    (
        AuthzMiddleware,
        {
            "service_name": REQUIRED, "idp_audience": REQUIRED, "idp_public_key": None, "idp_jwks_url": None,
            "idp_issuer": None, "sentinel_public_key": None, "sentinel_instance": None,
            "idp_algorithm": "RS256", "sentinel_algorithm": "RS256", "sentinel_audience": "sentinel:authz",
            "exclude_paths": None,
        },
    ),
    (
        PermissionClient,
        {"base_url": REQUIRED, "service_name": REQUIRED, "service_key": None, "cache_ttl": 0},
    ),
    (RoleClient, {"base_url": REQUIRED, "service_name": REQUIRED, "service_key": None}),
    (AuthzClient, {"base_url": REQUIRED, "service_key": REQUIRED}),
    (create_proxy_router, {"base_url": REQUIRED, "service_key": REQUIRED, "timeout": 10.0}),
    (SentinelError, {"message": REQUIRED, "status_code": None}),
    (Sentinel.protect, {"exclude_paths": None}),
    (Sentinel.proxy_router, {"timeout": 10.0}),
    (Sentinel.require_action, {"action": REQUIRED}),
    (Sentinel.verify_m2m_token, {"token": REQUIRED}),
    (Sentinel.mint_m2m_token, {}),
    (Sentinel.fetch_whoami, {}),
    (Sentinel.fetch_sentinel_public_key, {}),
    (Sentinel.close, {}),
    (deps.get_token, {"request": REQUIRED}),
    (deps.get_current_user, {"request": REQUIRED}),
    (deps.require_role, {"minimum": REQUIRED}),
    (deps.require_action, {"role_client": REQUIRED, "action": REQUIRED}),
    (deps.get_request_auth_factory, {"permissions": None, "roles": None}),
    (AuthzClient.resolve, {"idp_token": REQUIRED, "provider": REQUIRED, "workspace_id": None, "nonce": None}),
    (
        RequestAuth.register_resource,
        {"resource_type": REQUIRED, "resource_id": REQUIRED, "visibility": "workspace"},
    ),
    (RequestAuth.can, {"resource_type": REQUIRED, "resource_id": REQUIRED, "action": REQUIRED}),
    (RequestAuth.check_action, {"action": REQUIRED}),
    (RequestAuth.accessible, {"resource_type": REQUIRED, "action": REQUIRED, "limit": None}),
    (RequestAuth.share, SHARE),
    (RequestAuth.unshare, SHARE),
    (RequestAuth.update_visibility, RESOURCE | {"visibility": REQUIRED}),
    (RequestAuth.get_resource_acl, RESOURCE),
    (RequestAuth.get_enriched_resource_acl, RESOURCE),
    (RequestAuth.has_role, {"minimum": REQUIRED}),
    (RequestAuth.search_members, {"query": None, "limit": None}),
    (RequestAuth.list_members, {"limit": None}),
    (RequestAuth.list_groups, {}),
    (RequestAuth.get_group_members, {"group_id": REQUIRED}),
    (RoleClient.register_actions, {"actions": REQUIRED}),
    (RoleClient.check_action, {"token": REQUIRED, "action": REQUIRED, "workspace_id": REQUIRED}),
    (RoleClient.get_user_actions, {"token": REQUIRED, "workspace_id": REQUIRED}),
]  # fmt: skip

TOKEN = {"token": REQUIRED}
METHODS: dict[str, dict[str, Any]] = {
    "check": TOKEN | {"checks": REQUIRED},
    "can": TOKEN | RESOURCE | {"action": REQUIRED},
    "register_resource": RESOURCE
    | {"workspace_id": REQUIRED, "owner_id": REQUIRED, "visibility": "workspace"},
    "deregister_resource": RESOURCE,
    "share": TOKEN | SHARE,
    "unshare": TOKEN | SHARE,
    "update_visibility": TOKEN | RESOURCE | {"visibility": REQUIRED},
    "accessible": TOKEN
    | {"resource_type": REQUIRED, "action": REQUIRED, "workspace_id": REQUIRED, "limit": None},
    "get_resource_acl": RESOURCE,
    "get_enriched_resource_acl": RESOURCE,
    "search_workspace_members": TOKEN | {"workspace_id": REQUIRED, "query": None, "limit": None},
    "list_groups": TOKEN | {"workspace_id": REQUIRED},
    "get_group_members": TOKEN | {"workspace_id": REQUIRED, "group_id": REQUIRED},
    "close": {},
}


def test_every_public_name_is_there() -> None:
    for name in NAMES:
        assert getattr(sentinel_auth, name) is not None
        assert name in sentinel_auth.__all__
    with pytest.raises(AttributeError):
        sentinel_auth.nothing  # noqa: B018


@pytest.mark.parametrize(("function", "expected"), SIGNATURES, ids=lambda one: getattr(one, "__name__", ""))
def test_arguments_come_in_this_order_with_these_defaults(function: Any, expected: dict[str, Any]) -> None:
    found = arguments(function)
    assert list(found.items())[: len(expected)] == list(expected.items())
    # What is ours besides may be left out, and is not taken by position.
    parameters = inspect.signature(function).parameters
    for name in list(found)[len(expected) :]:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default is not REQUIRED


@pytest.mark.parametrize("client", [PermissionClient, sync.PermissionClient])
@pytest.mark.parametrize("method", METHODS)
def test_methods_of_the_permission_client(client: Any, method: str) -> None:
    function = getattr(client, method)
    assert arguments(function) == METHODS[method]
    assert inspect.iscoroutinefunction(function) is (client is PermissionClient)


@pytest.mark.parametrize("name", ["PermissionClient", "RoleClient", "AuthzClient"])
def test_synchronous_clients_have_every_method_of_the_asynchronous_ones(name: str) -> None:
    ours, theirs = getattr(sync, name), getattr(sentinel_auth, name)
    methods = [one for one in dir(theirs) if not one.startswith("_") and callable(getattr(theirs, one))]
    assert "close" in methods and len(methods) > 1
    for method in methods:
        assert inspect.iscoroutinefunction(getattr(theirs, method))
        assert arguments(getattr(ours, method)) == arguments(getattr(theirs, method))


@pytest.mark.anyio
async def test_clients_end_with_their_context() -> None:
    clients: list[Any] = [
        PermissionClient("http://localhost", "notes", "sk_x"),
        RoleClient("http://localhost", "notes", "sk_x"),
        AuthzClient("http://localhost", "sk_x"),
    ]
    for client in clients:
        async with client as same:
            assert same is client
            pool = client._connection.http
        assert pool.is_closed


def test_the_members_of_a_sentinel_object_and_of_a_request() -> None:
    sentinel = Sentinel("http://localhost", "notes", "sk_x", "proxy")
    known = sentinel.effective_scope, sentinel.realm, sentinel.sentinel_public_key
    assert known == ("notes", None, None)
    assert (sentinel.permissions.service_name, sentinel.roles.service_name) == ("notes", "notes")
    for lazy in ("permissions", "roles", "authz", "get_auth", "require_system"):
        assert getattr(sentinel, lazy) is getattr(sentinel, lazy)
    assert all(callable(one) for one in (sentinel.require_user, sentinel.get_auth, sentinel.require_system))
    user = AuthenticatedUser(
        uuid4(), "a@example.com", "A", uuid4(), "acme", "admin", [uuid4()], uuid4(), "o", True
    )
    auth = RequestAuth(user, "token")
    for name in (
        "user_id", "workspace_id", "workspace_role", "email", "name", "groups", "org_id", "org_slug",
        "org_is_public", "is_admin", "is_editor",
    ):  # fmt: skip
        assert getattr(auth, name) == getattr(user, name)
    assert auth.user is user and auth.has_role("admin") and not auth.has_role("owner")


def test_types() -> None:
    user = AuthenticatedUser(uuid4(), "a@example.com", "A", uuid4(), "acme", "editor")
    assert [one.name for one in fields(AuthenticatedUser)] == [
        "user_id", "email", "name", "workspace_id", "workspace_slug", "workspace_role",
        "groups", "org_id", "org_slug", "org_is_public",
    ]  # fmt: skip
    assert (user.groups, user.org_id, user.org_slug, user.org_is_public) == ([], None, None, False)
    assert [one.name for one in fields(WorkspaceContext)] == [
        "workspace_id", "workspace_slug", "user_id", "role",
    ]  # fmt: skip
    assert [one.name for one in fields(SystemAuth)] == ["caller", "actions", "svc"]
    assert [one.name for one in fields(PermissionCheck)] == [
        "service_name", "resource_type", "resource_id", "action",
    ]  # fmt: skip
    assert [one.name for one in fields(PermissionResult)][-1] == "allowed"
    for frozen in (user, WorkspaceContext(uuid4(), "acme", uuid4(), "viewer"), SystemAuth("a", [], "b")):
        with pytest.raises(FrozenInstanceError):
            frozen.svc = "x"  # type: ignore[misc, union-attr]
    error = SentinelError("message", 404)
    assert (str(error), error.status_code, error.detail, error.retry_after, error.request_id) == (
        "message", 404, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("role", "admin", "editor", "at_least"),
    [
        ("viewer", False, False, ["viewer"]),
        ("editor", False, True, ["viewer", "editor"]),
        ("admin", True, True, ["viewer", "editor", "admin"]),
        ("owner", True, True, ["viewer", "editor", "admin", "owner"]),
        ("emperor", False, False, []),
        ("", False, False, []),
    ],
)
def test_roles_are_ordered_and_unknown_ones_are_nothing(
    role: str, admin: bool, editor: bool, at_least: list[str]
) -> None:
    user = AuthenticatedUser(uuid4(), "a@example.com", "A", uuid4(), "acme", role)
    assert (user.is_admin, user.is_editor) == (admin, editor)
    asked = ["viewer", "editor", "admin", "owner", "emperor", ""]
    assert [one for one in asked if user.has_role(one)] == at_least


def test_system_actions() -> None:
    assert SystemAuth("a", ["*"], "s").can("anything")
    assert SystemAuth("a", ["read"], "s").can("read")
    assert not SystemAuth("a", ["read"], "s").can("write")
    assert not SystemAuth("a", [], "s").can("*")


AUTHZ = {"idp_jwks_url": "http://localhost/jwks", "idp_audience": "app"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"service_key": ""}, "service_key"),
        ({"mode": "open"}, "mode"),
        ({}, "idp_public_key or idp_jwks_url"),
        ({"idp_jwks_url": "http://localhost/jwks"}, "idp_audience"),
        ({"idp_audience": "app"}, "idp_public_key or idp_jwks_url"),
        (AUTHZ | {"auto_resolve": True}, "idp_provider"),
        ({"mode": "proxy", "auto_resolve": True, "idp_provider": "google"}, "authz mode"),
    ],
)
def test_what_would_leave_the_application_open_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Sentinel(**{"base_url": "http://localhost", "service_name": "notes", "service_key": "sk_x"} | options)


async def _nothing(*_: Any) -> None: ...


@pytest.mark.parametrize(
    ("middleware", "options"),
    [
        (JWTAuthMiddleware, {}),
        (JWTAuthMiddleware, {"jwks_url": "http://localhost", "algorithm": "HS256"}),
        (JWTAuthMiddleware, {"jwks_url": "http://localhost", "algorithm": "none"}),
        (JWTAuthMiddleware, {"jwks_url": "http://localhost", "audience": ""}),
        (JWTAuthMiddleware, {"public_key": "no key"}),
        (AuthzMiddleware, {"service_name": "", "idp_audience": "a", "idp_jwks_url": "http://localhost"}),
        (AuthzMiddleware, {"service_name": "n", "idp_audience": "", "idp_jwks_url": "http://localhost"}),
        (AuthzMiddleware, {"service_name": "n", "idp_audience": "a", "idp_jwks_url": "http://localhost"}),
        (AuthzMiddleware, {"service_name": "n", "idp_audience": "a", "sentinel_instance": object()}),
        (
            AuthzMiddleware,
            {
                "service_name": "n", "idp_audience": "a", "idp_jwks_url": "http://localhost",
                "sentinel_instance": object(), "idp_algorithm": "HS256",
            },
        ),
    ],
)  # fmt: skip
def test_middlewares_refuse_to_be_half_configured(middleware: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says what is missing in its own words
        middleware(_nothing, **options)


@pytest.mark.parametrize(
    "base_url", ["http://localhost:9003/", "http://127.0.0.1", "http://[::1]:9003", "https://s"]
)
def test_slashes_go_and_local_or_encrypted_lines_are_no_cause_for_warning(
    base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    clients: list[Any] = [
        PermissionClient(base_url, "notes", "sk_x"),
        RoleClient(base_url, "notes"),
        AuthzClient(base_url, "sk_x"),
        Sentinel(base_url, "notes", "sk_x", "proxy"),
    ]
    for client in clients:
        assert client.base_url == base_url.rstrip("/")
    assert caplog.records == []


def test_plain_http_to_another_machine_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    makers: list[Any] = [
        lambda: PermissionClient("http://sentinel.internal", "notes", "sk_secret"),
        lambda: RoleClient("http://sentinel.internal", "notes", "sk_secret"),
        lambda: AuthzClient("http://sentinel.internal", "sk_secret"),
        lambda: create_proxy_router("http://sentinel.internal", "sk_secret"),
        lambda: JWTAuthMiddleware(_nothing, "http://sentinel.internal"),
    ]
    for make in makers:
        caplog.clear()
        make()
        assert [(one.name, one.levelno) for one in caplog.records] == [("sentinel_auth", logging.WARNING)]
    caplog.clear()
    sentinel = Sentinel("http://sentinel.internal", "notes", "sk_secret", "proxy")
    _ = sentinel.permissions, sentinel.roles, sentinel.authz, sentinel.proxy_router()
    sentinel.wrap(_nothing)
    assert len(caplog.records) == 1
    assert "sk_secret" not in caplog.text


def test_no_representation_shows_a_secret() -> None:
    user = AuthenticatedUser(uuid4(), "a@example.com", "A", uuid4(), "acme", "viewer")
    sentinel = Sentinel("http://localhost", "notes", "sk_secret", "proxy")
    objects: list[Any] = [
        sentinel, sentinel.permissions, sentinel.roles, sentinel.authz, sentinel.proxy_router(),
        RequestAuth(user, "token-secret", sentinel.permissions, sentinel.roles),
        sync.PermissionClient("http://localhost", "notes", "sk_secret"),
        sentinel.permissions._connection, sentinel._minted, sentinel.wrap(_nothing),
    ]  # fmt: skip
    for one in objects:
        assert "secret" not in repr(one)


@pytest.mark.parametrize(
    "method",
    [
        ("can", "document", uuid4(), "view"), ("accessible", "document", "view"), ("check_action", "a:b"),
        ("register_resource", "document", uuid4()), ("share", "document", uuid4(), "user", uuid4()),
        ("unshare", "document", uuid4(), "user", uuid4()), ("list_groups",), ("list_members",),
        ("update_visibility", "document", uuid4(), "private"), ("get_resource_acl", "document", uuid4()),
        ("get_enriched_resource_acl", "document", uuid4()), ("search_members",), ("get_group_members", uuid4()),
    ],
)  # fmt: skip
@pytest.mark.anyio
async def test_a_missing_client_is_said(method: tuple[Any, ...]) -> None:
    user = AuthenticatedUser(uuid4(), "a@example.com", "A", uuid4(), "acme", "viewer")
    with pytest.raises(SentinelError, match="not configured"):
        await getattr(RequestAuth(user, "token"), method[0])(*method[1:])


def test_the_library_needs_neither_the_server_nor_a_framework() -> None:
    program = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('fastapi', 'starlette', 'sqlalchemy', 'pytest', 'sentinel'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "import sentinel_auth, sentinel_auth.sync, sentinel_auth.testing\n"
        "sentinel_auth.Sentinel('http://localhost', 'notes', 'sk_x', 'proxy').wrap(None)\n"
    )
    path = str(next(iter(sentinel_auth.__path__)).removesuffix("/sentinel_auth"))
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
