"""What every call may cost, route by route (design: round-trip budget). A route that is missing in the table fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.contract.test_budget import watched
from tests.contract.test_github_login import ORIGIN, REDIRECT, _play_github
from tests.contract.test_listener_tiers import of_the_panel, routes
from tests.contract.test_resolve import _id_token
from tests.stage import PROVIDER, Keys, Pkce, Service, Stage, bearer

pytestmark = pytest.mark.anyio

WORKSPACE = "/workspaces/{workspace_id}"
MEMBER = f"{WORKSPACE}/members/{{user_id}}"
GROUP = f"{WORKSPACE}/groups/{{group_id}}"
SEAT = f"{GROUP}/members/{{member_user_id}}"
RECORD = "/permissions/resource/{service_name}/{resource_type}/{resource_id}"

HOT = {
    "POST /permissions/check": 1,
    "POST /permissions/accessible": 1,
    "POST /roles/check-action": 1,
    "GET /roles/user-actions": 1,
}
READS = {
    "GET /users/me": 2,
    "GET /workspaces": 2,
    f"GET {WORKSPACE}": 2,
    f"GET {WORKSPACE}/members": 2,
    f"GET {WORKSPACE}/groups": 2,
    f"GET {GROUP}/members": 2,
    f"GET {RECORD}": 2,
    f"GET {RECORD}/enriched": 2,
    "POST /permissions/explain": 2,
    "GET /realm/whoami": 2,
    "GET /organizations": 2,
    f"GET {RECORD}/subjects": 2,
}
ACL_WRITES = {
    "POST /permissions/register": 4,
    f"DELETE {RECORD}": 4,
    "POST /permissions/{permission_id}/share": 4,
    "DELETE /permissions/{permission_id}/share": 4,
    "PATCH /permissions/{permission_id}/visibility": 4,
}
SIGN_IN = {
    "POST /authz/resolve": 3,
    "POST /auth/token": 6,
    "POST /auth/refresh": 6,
    "POST /realm/m2m-token": 3,
    "GET /auth/providers": 0,
    "GET /auth/login/{provider}": 1,
    "GET /auth/callback/{provider}": 7,
    "POST /auth/workspaces": 3,
    "POST /auth/logout": 8,
    "GET /authz/idp/{provider}/login": 1,
    "GET /authz/idp/{provider}/callback": 1,
}
WRITES = {
    "PATCH /users/me": 4,
    "POST /workspaces": 4,
    f"PATCH {WORKSPACE}": 4,
    f"DELETE {WORKSPACE}": 8,
    f"POST {WORKSPACE}/members/invite": 6,
    f"PATCH {MEMBER}": 11,
    f"DELETE {MEMBER}": 12,
    f"POST {WORKSPACE}/groups": 3,
    f"PATCH {GROUP}": 4,
    f"DELETE {GROUP}": 9,
    f"POST {SEAT}": 5,
    f"DELETE {SEAT}": 8,
    "POST /roles/actions/register": 2,
}
"""Design gives these no number. They have the one that they need, so that growth is noticed."""
STANDING = {
    "GET /health": 0,
    "GET /health/ready": 2,
    "GET /.well-known/jwks.json": 0,
    "GET /favicon.ico": 0,
}
BUDGET = HOT | READS | ACL_WRITES | SIGN_IN | WRITES | STANDING
"""``METHOD /template`` -> the most statements of one request, however large the workspace."""


@dataclass
class Till:
    """Makes requests and holds each to the budget of its route."""

    stage: Stage
    met: set[str] = field(default_factory=set)
    ids: dict[str, object] = field(default_factory=dict)

    async def spend(
        self,
        route: str,
        status: int,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        **query: Any,
    ) -> httpx.Response:
        """A request to ``route``, with :attr:`ids` in its path and ``query`` behind it."""
        method, template = route.split()
        path = template.format(**self.ids)
        async with watched(self.stage) as spent:
            answer = await self.stage.client.request(
                method, path, headers=headers, json=body, params=query or None
            )
        assert answer.status_code == status, (route, answer.text)
        assert len(spent.statements) <= BUDGET[route], (route, status, str(spent))
        if route in ACL_WRITES and answer.is_success:
            assert spent.ends == ["begin", "commit"], (route, "one transaction")
        self.met.add(route)
        return answer


@pytest.fixture
def stage_settings() -> Mapping[str, Any]:
    return {"github_client_id": "gh-client", "github_client_secret": "gh-secret"}


async def test_every_route_has_a_budget(stage: Stage) -> None:
    served = routes(stage)
    assert served - of_the_panel(served) == set(BUDGET)


@pytest.mark.parametrize("crowd", [1, 6])
async def test_no_call_costs_more_than_its_budget(stage: Stage, stage_keys: Keys, crowd: int) -> None:
    """The same numbers for a small workspace and for a larger one: no statement a member, a group or a share."""
    till = Till(stage)
    realm = await stage.realm("suite")
    notes = await stage.service("notes", allowed_origins=[ORIGIN])
    await stage.service("wiki", realm=realm)
    member_of_realm = await stage.service("pages", realm=realm)
    owner = await stage.user(email="ada@example.com")
    workspace = await stage.workspace(owner)
    people = [await stage.member(workspace) for _ in range(crowd)]
    for person in people:
        await stage.session(person, workspace)
    groups = [await stage.group(workspace, *people) for _ in range(crowd)]
    resources = [await stage.resource(workspace, owner, visibility="private") for _ in range(crowd + 2)]
    for resource in resources:
        for person in people:
            await stage.share(resource, person)
        for group in groups:
            await stage.share(resource, group)
    till.ids = {
        "provider": PROVIDER,
        "workspace_id": workspace.id,
        "group_id": groups[0].id,
        "user_id": people[0].id,
        "member_user_id": people[0].id,
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": resources[0].resource_id,
        "permission_id": resources[0].id,
    }
    user = await stage.as_user(owner, workspace)
    slot = {"X-Authz-Token": await stage.authz_token(owner, workspace, "notes")}
    key = notes.headers
    both, authz = key | user, key | bearer(await stage.authz_token(owner, workspace, "notes"))
    viewer = key | await stage.as_user(people[0], workspace)

    await hot_calls(till, both, authz, viewer)
    for headers in (user, slot, both, authz):
        for route in (
            "GET /users/me",
            f"GET {WORKSPACE}/members",
            f"GET {WORKSPACE}/groups",
            f"GET {GROUP}/members",
        ):
            await till.spend(route, 200, headers)
    await till.spend(f"GET {WORKSPACE}/members", 200, user, q="example", limit="2")
    await till.spend("GET /workspaces", 200, user)
    await till.spend(f"GET {WORKSPACE}", 200, user)
    for action in ("view", "edit"):
        await till.spend(f"GET {RECORD}/subjects", 200, key, action=action, limit="1")
    for route in (f"GET {RECORD}", f"GET {RECORD}/enriched", "GET /organizations", "GET /realm/whoami"):
        await till.spend(route, 200, key)
    await till.spend("GET /realm/whoami", 200, member_of_realm.headers)
    await till.spend("POST /realm/m2m-token", 200, member_of_realm.headers, {})
    await till.spend("POST /realm/m2m-token", 200, member_of_realm.headers, {"target": "wiki"})
    await till.spend("POST /realm/m2m-token", 403, key, {})
    await acl_writes(till, both)
    await role_writes(till, key)
    await standing(till)
    await signing_in(till, stage_keys, notes)
    await workspace_writes(till, user)
    assert till.met == set(BUDGET), "every route was called"


async def hot_calls(till: Till, both: Any, authz: Any, viewer: Any) -> None:
    item = {name: str(till.ids[name]) for name in ("service_name", "resource_type", "resource_id")} | {
        "action": "view"
    }
    listing = {"service_name": "notes", "workspace_id": str(till.ids["workspace_id"])}
    for headers in (both, authz, viewer):
        await till.spend("POST /permissions/check", 200, headers, {"checks": [item] * 100})
        await till.spend("POST /permissions/explain", 200, headers, item)
        whole = listing | {"resource_type": "document", "action": "view"}
        await till.spend("POST /permissions/accessible", 200, headers, whole)
        page = await till.spend("POST /permissions/accessible", 200, headers, whole | {"limit": 1})
        more = {"limit": 1, "cursor": page.json()["next_cursor"]}
        await till.spend("POST /permissions/accessible", 200, headers, whole | more)
        await till.spend("POST /roles/check-action", 200, headers, listing | {"action": "notes:read"})
        await till.spend("GET /roles/user-actions", 200, headers, **listing)
    # Nor does a refusal cost more, one of the body included.
    for status, headers in (
        (422, both),
        (401, {}),
        (401, viewer | {"X-Service-Key": "sk_" + "x" * 43}),
    ):
        for route in HOT:
            await till.spend(route, status, headers, {"action": 7})
        await till.spend("POST /permissions/explain", status, headers, {"action": 7})


async def acl_writes(till: Till, both: Any) -> None:
    workspace = str(till.ids["workspace_id"])
    owner = (await till.spend("GET /users/me", 200, both)).json()["id"]
    new = {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(uuid4()),
        "workspace_id": workspace,
        "owner_id": owner,
    }
    for body, status in (
        (new, 201),
        (new, 201),
        (new | {"resource_id": str(uuid4()), "owner_id": str(uuid4())}, 400),
    ):
        await till.spend("POST /permissions/register", status, both, body)
    person = {"grantee_type": "user", "grantee_id": str(till.ids["user_id"]), "permission": "edit"}
    group = {"grantee_type": "group", "grantee_id": str(till.ids["group_id"]), "permission": "edit"}
    for grantee in (person, group):
        await till.spend("POST /permissions/{permission_id}/share", 201, both, grantee)
        await till.spend("DELETE /permissions/{permission_id}/share", 200, both, grantee)
        await till.spend("DELETE /permissions/{permission_id}/share", 404, both, grantee)
        await till.spend("POST /permissions/{permission_id}/share", 201, both, grantee)
    for visibility in ("workspace", "workspace", "private"):
        await till.spend(
            "PATCH /permissions/{permission_id}/visibility", 200, both, {"visibility": visibility}
        )
    till.ids["resource_id"] = new["resource_id"]
    for status in (204, 404):
        await till.spend(f"DELETE {RECORD}", status, both)


async def role_writes(till: Till, key: Any) -> None:
    for actions in ([], ["notes:read"], [f"notes:{number}" for number in range(500)]):
        body = {"service_name": "notes", "actions": [{"action": action} for action in actions]}
        await till.spend("POST /roles/actions/register", 201, key, body)


async def standing(till: Till) -> None:
    await till.spend("GET /health", 200)
    await till.spend("GET /health/ready", 200)
    await till.spend("GET /.well-known/jwks.json", 200)
    await till.spend("GET /favicon.ico", 204)
    await till.spend("GET /auth/providers", 200)


async def signing_in(till: Till, keys: Keys, notes: Service) -> None:
    """A known person, all the way through both modes; his first sign-in, which links the account, has no budget."""
    stage, workspace = till.stage, str(till.ids["workspace_id"])
    ada, app, pkce = stage.person("ada@example.com"), await stage.login_app(), Pkce()
    assert (await stage.sign_in(ada, app, pkce)).status_code == 302
    started = await till.spend(
        "GET /auth/login/{provider}",
        302,
        client_id=str(app.id),
        redirect_uri=app.redirect_uris[0],
        code_challenge=pkce.challenge,
    )
    back = urlsplit(await stage.at_provider(started, ada))
    query = {name: values[0] for name, values in parse_qs(back.query).items()}
    finished = await till.spend("GET /auth/callback/{provider}", 302, None, None, **query)
    code = parse_qs(urlsplit(finished.headers["location"]).query)["code"][0]
    proof = {"code": code, "code_verifier": pkce.verifier}
    await till.spend("POST /auth/workspaces", 200, None, proof)
    pair = (await till.spend("POST /auth/token", 200, None, proof | {"workspace_id": workspace})).json()
    await till.spend("POST /auth/token", 400, None, proof | {"workspace_id": workspace})
    for _ in range(2):
        pair = (
            await till.spend("POST /auth/refresh", 200, None, {"refresh_token": pair["refresh_token"]})
        ).json()
    await till.spend("POST /auth/refresh", 401, None, {"refresh_token": "x.y.z"})

    brought = {"idp_token": _id_token(stage, keys), "provider": PROVIDER}
    for headers in (notes.headers, {"Origin": ORIGIN}):
        await till.spend("POST /authz/resolve", 200, headers, brought)
    await till.spend("POST /authz/resolve", 200, notes.headers, brought | {"workspace_id": workspace})
    _play_github(stage)
    till.ids["provider"] = "github"
    started = await till.spend("GET /authz/idp/{provider}/login", 302, redirect_uri=REDIRECT, nonce="n")
    state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
    await till.spend("GET /authz/idp/{provider}/callback", 302, state=state, code="c-1")


async def workspace_writes(till: Till, user: Any) -> None:
    stage = till.stage
    newcomer = await stage.user()
    new = {"name": "New", "slug": f"s-{uuid4().hex}"}
    await till.spend("PATCH /users/me", 200, user, {"name": "Ada Lovelace"})
    await till.spend("POST /workspaces", 201, user, new)
    await till.spend("POST /workspaces", 409, user, new)
    await till.spend(f"PATCH {WORKSPACE}", 200, user, {"name": "Renamed"})
    await till.spend(f"POST {WORKSPACE}/groups", 201, user, {"name": "Writers"})
    await till.spend(f"POST {WORKSPACE}/groups", 409, user, {"name": "Writers"})
    await till.spend(f"PATCH {GROUP}", 200, user, {"name": "Readers"})
    await till.spend(f"DELETE {SEAT}", 204, user)
    await till.spend(f"POST {SEAT}", 201, user)
    await till.spend(f"DELETE {GROUP}", 204, user)
    await till.spend(f"POST {WORKSPACE}/members/invite", 201, user, {"email": newcomer.email})
    for role in ("editor", "owner", "viewer"):
        await till.spend(f"PATCH {MEMBER}", 200, user, {"role": role})
    await till.spend(f"DELETE {MEMBER}", 204, user)
    await till.spend(f"DELETE {WORKSPACE}", 204, user)
    # A workspace that is deleted ends the tokens of everybody who was in it.
    [owner] = [one for one in await stage.all(type(newcomer)) if one.email == "ada@example.com"]
    other = await stage.workspace(owner)
    await stage.session(owner, other)
    await till.spend("POST /auth/logout", 200, await stage.as_user(owner, other))
