"""What each listener serves (``TIER``, http-api.md §0.6), and what the internal one asks of its callers."""

import re
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from fastapi.routing import iter_route_contexts

from sentinel.app import Application, create_app
from sentinel.apps.models import ServiceApp
from tests.contract.test_budget import watched
from tests.contract.test_tiers import ORIGIN, OTHER_SERVICE, World, furnish
from tests.stage import Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

NOT_FOUND = {"detail": "Not Found"}
GROUP = "/workspaces/{workspace_id}/groups/{group_id}"
RECORD = "/permissions/resource/{service_name}/{resource_type}/{resource_id}"

EVERYWHERE = {
    "GET /health",
    "GET /health/ready",
    "GET /.well-known/jwks.json",
    "POST /authz/resolve",
}
DIRECTORY = {
    "GET /users/me",
    "GET /workspaces/{workspace_id}/members",
    "GET /workspaces/{workspace_id}/groups",
    f"GET {GROUP}/members",
}
PUBLIC = {
    "GET /auth/providers",
    "GET /auth/login/{provider}",
    "GET /auth/callback/{provider}",
    "POST /auth/workspaces",
    "POST /auth/token",
    "POST /auth/refresh",
    "POST /auth/logout",
    "GET /authz/idp/{provider}/login",
    "GET /authz/idp/{provider}/callback",
    "PATCH /users/me",
    "POST /workspaces",
    "GET /workspaces",
    "GET /workspaces/{workspace_id}",
    "PATCH /workspaces/{workspace_id}",
    "DELETE /workspaces/{workspace_id}",
    "POST /workspaces/{workspace_id}/members/invite",
    "PATCH /workspaces/{workspace_id}/members/{user_id}",
    "DELETE /workspaces/{workspace_id}/members/{user_id}",
    "POST /workspaces/{workspace_id}/groups",
    f"PATCH {GROUP}",
    f"DELETE {GROUP}",
    f"POST {GROUP}/members/{{member_user_id}}",
    f"DELETE {GROUP}/members/{{member_user_id}}",
    "GET /favicon.ico",
}
INTERNAL = {
    "POST /permissions/check",
    "POST /permissions/accessible",
    "POST /permissions/explain",
    "POST /permissions/register",
    f"GET {RECORD}",
    f"GET {RECORD}/enriched",
    f"GET {RECORD}/subjects",
    f"DELETE {RECORD}",
    "POST /permissions/{permission_id}/share",
    "DELETE /permissions/{permission_id}/share",
    "PATCH /permissions/{permission_id}/visibility",
    "POST /roles/actions/register",
    "POST /roles/check-action",
    "GET /roles/user-actions",
    "GET /realm/whoami",
    "POST /realm/m2m-token",
    "GET /organizations",
}
SERVED = {
    "all": EVERYWHERE | DIRECTORY | PUBLIC | INTERNAL,
    "public": EVERYWHERE | DIRECTORY | PUBLIC,
    "internal": EVERYWHERE | DIRECTORY | INTERNAL,
}
OF_THE_PANEL = ("/admin", "/auth/admin", "/onboard", "/internal")
"""Below these the panel and its kin have tables of their own; what counts here is that all of it is public."""


def routes(stage: Stage) -> set[str]:
    """Everything that the application serves, as ``METHOD /template``; a mount as ``MOUNT /path``."""
    return routes_of(stage.app)


def routes_of(app: Application) -> set[str]:
    found = set()
    for route in iter_route_contexts(app.api.routes):
        methods: Iterable[str] = getattr(route, "methods", None) or ("MOUNT",)
        found |= {f"{method} {route.path}" for method in methods if method != "HEAD"}
    return found


def of_the_panel(served: set[str]) -> set[str]:
    return {one for one in served if one.split()[1].startswith(OF_THE_PANEL)}


@pytest.mark.parametrize("tier", SERVED)
async def test_each_tier_serves_exactly_its_table(sqlite_url: str, stage_keys: Keys, tier: str) -> None:
    async with open_stage(sqlite_url, stage_keys) as stage:
        panel = of_the_panel(routes(stage))
        assert panel
    async with open_stage(sqlite_url, stage_keys, tier=tier) as stage:
        assert routes(stage) == SERVED[tier] | (panel if tier != "internal" else set())
        # As ``sentinel serve`` builds it: the panel comes with the first request for it, and is the same one then.
        app = create_app(stage.app.state.settings, clock=stage.clock, migrate=False, late=True)
        async with (
            app.api.router.lifespan_context(app.api),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app),
                base_url=stage.client.base_url,
                headers=stage.client.headers,
            ) as client,
        ):
            assert (await client.get("/health/ready")).status_code == 200
            assert routes_of(app) == SERVED[tier] | {one for one in panel if "/auth/admin" in one} & routes(
                stage
            )
            for path in (
                "/admin",
                "/admin/login",
                "/admin/nowhere",
                "/admin/api/nowhere",
                "/admin/api/users",
            ):
                ours, theirs = [
                    await one.get(path, headers={"Accept": "text/html"}) for one in (client, stage.client)
                ]
                assert (ours.status_code, ours.text) == (theirs.status_code, theirs.text), path
                assert told(ours.headers) == told(theirs.headers), path
            assert routes_of(app) == routes(stage)


@pytest.mark.parametrize(
    ("tier", "absent", "prefixes"),
    [
        ("public", INTERNAL, ("/permissions", "/roles", "/realm", "/organizations")),
        (
            "internal",
            PUBLIC,
            ("/auth", "/authz/idp", "/admin", "/workspaces", "/users", "/internal", "/onboard"),
        ),
    ],
)
async def test_the_other_tiers_routes_do_not_exist(
    sqlite_url: str, stage_keys: Keys, tier: str, absent: set[str], prefixes: tuple[str, ...]
) -> None:
    """Whoever asks, the answer is that of a path that nobody has ever heard of, and nothing is looked up for it."""
    async with open_stage(sqlite_url, stage_keys) as stage:
        absent = absent | of_the_panel(routes(stage)) if tier == "internal" else absent
    async with open_stage(sqlite_url, stage_keys, tier=tier) as stage:
        world = await furnish(stage)
        credentials = await world.credentials()
        here = {one.split()[1]: one.split()[0] for one in routes(stage)}
        unknown = {prefix: await stage.client.get(f"{prefix}/no-such-thing/at/all") for prefix in prefixes}
        for operation in sorted(absent):
            method, template = operation.split()
            path = re.sub(r"\{[^}]+\}", lambda _: str(uuid4()), template)
            for shown in ("nothing", "access", "key", "key and access", "slot", "origin"):
                with stage.events() as events:
                    async with watched(stage) as spent:
                        answer = await stage.client.request(
                            "GET" if method == "MOUNT" else method,
                            path,
                            headers=credentials[shown],
                            json=world.body,
                        )
                case = (operation, shown, answer.text)
                assert not spent.statements, case
                assert [line["event"] for line in events] == ["http.access"], case
                if template in here:
                    # The path is known here, for reading only (§0.1 rule 5).
                    assert (answer.status_code, answer.headers["allow"]) == (405, here[template]), case
                    assert answer.json() == {"detail": "Method Not Allowed"}, case
                    continue
                assert (answer.status_code, answer.json()) == (404, NOT_FOUND), case
                assert events[0]["route"] == "(unmatched)", case
                like = next((unknown[one] for one in prefixes if template.startswith(one)), None)
                if like is not None:
                    assert told(answer.headers) == told(like.headers), case


def told(headers: Any) -> dict[str, str]:
    """The headers that could tell one unknown path from another; CORS says whose origin is registered, here as ever."""
    varying = ("x-request-id", "access-control-")
    return {name: value for name, value in headers.items() if not name.startswith(varying)}


# ── the directory of the internal listener ────────────────────────────────────────────────────────────────────────


async def knock(world: World, headers: dict[str, str], **path: object) -> dict[str, Any]:
    return {operation: await world.call(operation, headers, **path) for operation in sorted(DIRECTORY)}


async def test_U1_and_W6_and_G2_and_G5_inside_take_a_key_with_a_token_and_nothing_else(
    database_url: str, stage_keys: Keys
) -> None:
    """§0.6: no bearer token alone, and no ``X-Authz-Token`` as browsers bring it. Rules: VR-10, VR-12."""
    async with open_stage(database_url, stage_keys, tier="internal") as stage:
        world = await furnish(stage)
        group = await stage.group(world.workspace, world.user)
        path = {"workspace_id": world.workspace.id, "group_id": group.id}
        asleep = await stage.service("asleep")
        await stage.execute(
            sa.update(ServiceApp).where(ServiceApp.id == asleep.app.id).values(is_active=False)
        )
        credentials = await world.credentials()
        credentials["slot and bearer"] = credentials["slot"] | credentials["access"]
        credentials["key, slot and garbage"] = credentials["key and slot"] | bearer("x.y.z")
        credentials["sleeping key and access"] = asleep.headers | credentials["access"]
        credentials["origin and access"] = credentials["origin"] | credentials["access"]
        for shown, headers in credentials.items():
            with stage.events() as events:
                answers = await knock(world, headers, **path)
            for operation, answer in answers.items():
                case = (operation, shown, answer.text)
                if shown == "key and foreign authz":
                    assert (answer.status_code, answer.json()) == (403, OTHER_SERVICE), case
                elif shown in ("key and access", "key and authz"):
                    assert answer.status_code == 200, case
                else:
                    assert answer.status_code == 401 and set(answer.json()) == {"detail"}, case
                    assert answer.headers["www-authenticate"] == "Bearer", case
                assert not [name for name in answer.headers if name.startswith("access-control-")], case
                assert "set-cookie" not in answer.headers, case
            rejected = [line["guard"] for line in events if line["event"] == "auth.guard.rejected"]
            refused = [answer for answer in answers.values() if answer.status_code != 200]
            assert rejected == ["user_flex"] * len(refused), shown
        # Beside a key the other slot is not even read: the bearer token says who it is.
        bob = await stage.member(world.workspace, name="Bob Example")
        slot = {"X-Authz-Token": await stage.authz_token(bob, world.workspace, "notes")}
        answer = await world.call("GET /users/me", credentials["key and authz"] | slot)
        assert answer.json()["id"] == str(world.user.id)


async def test_W6_and_G2_and_G5_inside_are_for_members_of_the_workspace(
    database_url: str, stage_keys: Keys
) -> None:
    async with open_stage(database_url, stage_keys, tier="internal") as stage:
        world = await furnish(stage)
        other = await stage.workspace(world.user)
        group = await stage.group(other, world.user)
        headers = (await world.credentials())["key and access"]
        answers = await knock(world, headers, workspace_id=other.id, group_id=group.id)
        assert {one.status_code for one in answers.values()} == {200, 403}
        assert answers["GET /users/me"].status_code == 200
        await world.leave()
        answers = await knock(world, headers, workspace_id=world.workspace.id, group_id=group.id)
        assert [one.status_code for one in answers.values()].count(403) == 3


async def test_the_directory_inside_follows_the_exception_of_development(
    sqlite_url: str, stage_keys: Keys
) -> None:
    """§0.7: without any active app development asks for no key, here neither; with the first one it does."""
    async with open_stage(sqlite_url, stage_keys, tier="internal", debug=True) as stage:
        user = await stage.user()
        workspace = await stage.workspace(user)
        access = await stage.as_user(user, workspace)
        authz = bearer(await stage.authz_token(user, workspace, "anything"))
        for headers, status in ((access, 200), (authz, 200), ({}, 401)):
            assert (await stage.client.get("/users/me", headers=headers)).status_code == status
        notes = await stage.service()
        assert (await stage.client.get("/users/me", headers=access)).status_code == 401
        assert (await stage.client.get("/users/me", headers=access | notes.headers)).status_code == 200
    async with open_stage(sqlite_url, stage_keys, tier="internal") as stage:
        await stage.execute(sa.update(ServiceApp).values(is_active=False))
        access = await stage.as_user(user, workspace)
        assert (await stage.client.get("/users/me", headers=access)).status_code == 401


async def test_the_directory_inside_is_counted_for_the_service(sqlite_url: str, stage_keys: Keys) -> None:
    limits: dict[str, Any] = {
        "rate_limit_enabled": True,
        "rate_limit_default": "1/minute",
        "rate_limit_service": "3/minute",
        "rate_limit_read": "2/minute",
    }
    async with open_stage(sqlite_url, stage_keys, tier="internal", **limits) as stage:
        world = await furnish(stage)
        headers = (await world.credentials())["key and access"]
        for status in (200, 200, 200, 429):
            assert (await world.call("GET /users/me", headers)).status_code == status
        for status in (200, 200, 429):
            answer = await world.call(
                "GET /workspaces/{workspace_id}/members", headers, workspace_id=world.workspace.id
            )
            assert answer.status_code == status


# ── the public listener ───────────────────────────────────────────────────────────────────────────────────────────


async def test_Z1_outside_reads_no_key_and_mints_nothing(database_url: str, stage_keys: Keys) -> None:
    async with open_stage(database_url, stage_keys, tier="public") as stage:
        world = await furnish(stage)
        key, origin = world.notes.headers, {"Origin": ORIGIN}
        discovery = {"idp_token": "x.y.z", "provider": "corp"}
        mint = discovery | {"workspace_id": str(world.workspace.id)}
        for headers, body, status in (
            (key, discovery, 401),
            (key, mint, 401),
            ({}, discovery, 401),
            (origin, discovery, 400),  # through the door: it is the provider's token that is bad
            (origin | key, discovery, 400),
            (origin | {"X-Service-Key": "sk_wrong"}, discovery, 400),
            (origin, mint, 403),
            (origin | key, mint, 403),
        ):
            answer = await stage.client.post("/authz/resolve", headers=headers, json=body)
            assert answer.status_code == status, (headers, body, answer.text)


async def test_U1_and_W6_and_G2_and_G5_outside_take_every_form(database_url: str, stage_keys: Keys) -> None:
    async with open_stage(database_url, stage_keys, tier="public") as stage:
        world = await furnish(stage)
        group = await stage.group(world.workspace, world.user)
        credentials = await world.credentials()
        for shown in ("access", "slot", "key and access", "key and authz"):
            answers = await knock(
                world, credentials[shown], workspace_id=world.workspace.id, group_id=group.id
            )
            assert {answer.status_code for answer in answers.values()} == {200}, shown
        for shown in ("nothing", "key", "authz"):
            answers = await knock(world, credentials[shown])
            assert {answer.status_code for answer in answers.values()} == {401}, shown
