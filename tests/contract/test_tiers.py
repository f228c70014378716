"""Who may come in where: the tiers of ``http-api.md`` §0.7, cell by cell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps import service_apps
from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.workspaces.models import GroupMembership, Membership, Workspace
from tests.stage import Keys, Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

NOT_A_MEMBER = {"detail": "Not a member of this workspace"}
OTHER_SERVICE = {"detail": "Token was issued for another service"}
UNKNOWN_KEY = {"X-Service-Key": "sk_" + "x" * 43}
ORIGIN = "https://notes.example.com"

TIERS = {
    "NONE": [
        "GET /health",
        "GET /health/ready",
        "GET /.well-known/jwks.json",
        "GET /auth/providers",
        "GET /auth/login/{provider}",
        "GET /auth/callback/{provider}",
        "POST /auth/workspaces",
        "POST /auth/token",
        "POST /auth/refresh",
    ],
    "USER": [
        "POST /auth/logout",
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
        "PATCH /workspaces/{workspace_id}/groups/{group_id}",
        "DELETE /workspaces/{workspace_id}/groups/{group_id}",
        "POST /workspaces/{workspace_id}/groups/{group_id}/members/{member_user_id}",
        "DELETE /workspaces/{workspace_id}/groups/{group_id}/members/{member_user_id}",
    ],
    "USER-FLEX": [
        "GET /users/me",
        "GET /workspaces/{workspace_id}/members",
        "GET /workspaces/{workspace_id}/groups",
        "GET /workspaces/{workspace_id}/groups/{group_id}/members",
    ],
    "SVC": [
        "POST /permissions/register",
        "GET /permissions/resource/{service_name}/{resource_type}/{resource_id}",
        "GET /permissions/resource/{service_name}/{resource_type}/{resource_id}/enriched",
        "GET /permissions/resource/{service_name}/{resource_type}/{resource_id}/subjects",
        "DELETE /permissions/resource/{service_name}/{resource_type}/{resource_id}",
        "POST /roles/actions/register",
    ],
    "SVC+USER": [
        "POST /permissions/check",
        "POST /permissions/accessible",
        "POST /permissions/explain",
        "POST /permissions/{permission_id}/share",
        "POST /roles/check-action",
        "GET /roles/user-actions",
    ],
    # SVC, with a bearer token that is optional but must be good when it is there (P8, P9).
    "SVC+MAYBE": [
        "DELETE /permissions/{permission_id}/share",
        "PATCH /permissions/{permission_id}/visibility",
    ],
}

ELSEWHERE = ("/authz", "/realm", "/organizations", "/admin", "/auth/admin", "/internal", "/onboard")
"""What has tiers and tables of its own."""

# What of the credentials of one request opens a tier; everything else is 401.
OPENS = {
    "USER": {"access", "key and access", "unknown key and access"},
    "USER-FLEX": {
        "access",
        "slot",
        "key and access",
        "key and authz",
        "unknown key and access",
        "unknown key and slot",
    },
    "SVC": {
        "key",
        "key and access",
        "key and authz",
        "key and foreign authz",
        "key and slot",
        "key and origin",
    },
    "SVC+USER": {"key and access", "key and authz"},
    "SVC+MAYBE": {"key", "key and access", "key and authz", "key and slot", "key and origin"},
}
FOREIGN_IS_403 = {"USER-FLEX", "SVC+USER", "SVC+MAYBE"}


@dataclass(frozen=True)
class World:
    """A member of a workspace with a group, and a service with a key and an origin."""

    stage: Stage
    user: User
    workspace: Workspace
    notes: Service

    @property
    def body(self) -> dict[str, Any]:
        """One body that every operation takes."""
        item = {
            "service_name": "notes",
            "resource_type": "document",
            "resource_id": str(uuid4()),
            "action": "view",
            "workspace_id": str(self.workspace.id),
        }
        return item | {
            "checks": [item],
            "actions": [{"action": "view"}],
            "owner_id": str(self.user.id),
            "name": "Name",
            "slug": f"s-{uuid4().hex}",
            "email": "nobody@example.com",
            "role": "viewer",
            "grantee_type": "user",
            "grantee_id": str(self.user.id),
            "permission": "view",
            "visibility": "private",
        }

    async def call(self, operation: str, headers: Mapping[str, str], **path: object) -> httpx.Response:
        """Do ``operation`` with ids that nothing has, unless ``path`` gives others."""
        method, template = operation.split()
        ids = {name: str(uuid4()) for name in PATH_IDS} | {
            "provider": "corp",
            "service_name": "notes",
            "resource_type": "document",
        }
        where = template.format(**(ids | {name: str(value) for name, value in path.items()}))
        known = {"service_name": "notes", "workspace_id": str(self.workspace.id), "action": "view"}
        query = known if method == "GET" else None
        return await self.stage.client.request(method, where, headers=headers, params=query, json=self.body)

    async def credentials(self) -> dict[str, dict[str, str]]:
        """Every combination of what a caller can show."""
        key, access = self.notes.headers, bearer(await self.stage.access_token(self.user, self.workspace))
        authz = await self.stage.authz_token(self.user, self.workspace, "notes")
        foreign = bearer(await self.stage.authz_token(self.user, self.workspace, "tasks"))
        slot, origin = {"X-Authz-Token": authz}, {"Origin": ORIGIN}
        return {
            "nothing": {},
            "access": access,
            "authz": bearer(authz),
            "slot": slot,
            "key": key,
            "unknown key": UNKNOWN_KEY,
            "empty key": {"X-Service-Key": ""},
            "key as bearer": bearer(self.notes.key),
            "origin": origin,
            "key and access": key | access,
            "key and authz": key | bearer(authz),
            "key and foreign authz": key | foreign,
            "key and slot": key | slot,
            "key and origin": key | origin,
            "unknown key and access": UNKNOWN_KEY | access,
            "unknown key and authz": UNKNOWN_KEY | bearer(authz),
            "unknown key and slot": UNKNOWN_KEY | slot,
            "unknown key and origin": UNKNOWN_KEY | origin,
        }

    async def leave(self) -> None:
        """Only the membership goes: no token is revoked."""
        await self.stage.execute(sa.delete(Membership).where(Membership.user_id == self.user.id))


PATH_IDS = ("workspace_id", "user_id", "group_id", "member_user_id", "permission_id", "resource_id")


async def furnish(stage: Stage) -> World:
    user = await stage.user()
    workspace = await stage.workspace(user)
    return World(stage, user, workspace, await stage.service("notes", allowed_origins=[ORIGIN]))


@pytest.fixture
async def world(stage: Stage) -> World:
    return await furnish(stage)


# --- the table -------------------------------------------------------------------------------------------------


async def test_every_operation_is_in_the_table_or_closed_to_strangers(
    sqlite_url: str, stage_keys: Keys
) -> None:
    """A route that was forgotten here may be new; that it is open must have been decided."""
    async with open_stage(sqlite_url, stage_keys) as stage:
        world = await furnish(stage)
        paths = stage.app.api.openapi()["paths"]
        served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
        known = {operation for operations in TIERS.values() for operation in operations}
        assert known <= served, known - served
        elsewhere = {operation for operation in served if operation.split()[1].startswith(ELSEWHERE)}
        assert served - known == elsewhere, "a new operation needs a tier"
        for operation in known - set(TIERS["NONE"]):
            answer = await world.call(operation, {})
            assert answer.status_code == 401, (operation, answer.text)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert set(answer.json()) == {"detail"}
        for operation in TIERS["NONE"]:
            assert (await world.call(operation, {})).status_code not in (401, 403), operation


@pytest.mark.parametrize("tier", [tier for tier in TIERS if tier != "NONE"])
async def test_credentials_open_their_own_tiers_only(sqlite_url: str, stage_keys: Keys, tier: str) -> None:
    """Rules: VR-10, VR-11, VR-12, VR-13, SK-9."""
    async with open_stage(sqlite_url, stage_keys) as stage:
        world = await furnish(stage)
        for operation in TIERS[tier]:
            # Made anew for each operation, as some of them end every token.
            for shown, headers in (await world.credentials()).items():
                answer = await world.call(operation, headers)
                case = (operation, shown, answer.status_code, answer.text)
                if shown == "key and foreign authz" and tier in FOREIGN_IS_403:
                    assert answer.status_code == 403 and answer.json() == OTHER_SERVICE, case
                elif shown in OPENS[tier]:
                    assert answer.status_code != 401 and answer.text != str(OTHER_SERVICE), case
                else:
                    assert answer.status_code == 401, case
                if operation == "POST /auth/logout" and answer.status_code == 200:
                    break


async def test_an_optional_bearer_token_must_be_good_when_it_is_there(world: World) -> None:
    """Rules: P8, P9."""
    key = world.notes.headers
    for operation in TIERS["SVC+MAYBE"]:
        assert (await world.call(operation, key)).status_code == 404
        for value in ("", "Bearer ", "Bearer x.y.z", "Basic eDp5"):
            answer = await world.call(operation, key | {"Authorization": value})
            assert answer.status_code == 401, (operation, value)
    stranger = await world.stage.user()
    headers = key | bearer(await world.stage.access_token(stranger, world.workspace))
    for operation in TIERS["SVC+MAYBE"]:
        answer = await world.call(operation, headers)
        assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER)


# --- live membership -------------------------------------------------------------------------------------------


EXEMPT = {"GET /users/me", "PATCH /users/me", "GET /workspaces", "POST /workspaces", "POST /auth/logout"}


async def test_a_token_of_a_former_member_opens_nothing_of_the_workspace(world: World) -> None:
    """Rules: W3, G2, P1, P2."""
    group = await world.stage.group(world.workspace, world.user)
    bound = [
        operation
        for tier in ("USER", "USER-FLEX", "SVC+USER", "SVC+MAYBE")
        for operation in TIERS[tier]
        if operation not in EXEMPT
    ]
    credentials = await world.credentials()
    path = {"workspace_id": world.workspace.id, "group_id": group.id, "member_user_id": world.user.id}
    await world.leave()
    before = await world.stage.snapshot()
    for operation in bound:
        for shown in ("access", "key and access", "key and authz", "slot"):
            answer = await world.call(operation, credentials[shown], **path)
            if answer.status_code != 401:
                assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER), (operation, shown)
        answer = await world.call(operation, credentials["key and access"], **path)
        assert answer.status_code == 403, operation
    assert await world.stage.snapshot() == before
    for operation in EXEMPT - {"POST /auth/logout"}:
        answer = await world.call(operation, credentials["access"])
        assert answer.status_code in (200, 201), operation
    for shown in ("slot", "key and authz"):
        assert (await world.call("GET /users/me", credentials[shown])).status_code == 200
    assert (await world.call("POST /auth/logout", credentials["access"])).status_code == 200


async def test_a_token_opens_no_other_workspace_than_its_own(world: World) -> None:
    """Rules: W3, W4, W5, G5."""
    other = await world.stage.workspace(world.user)
    group = await world.stage.group(other, world.user)
    credentials = await world.credentials()
    before = await world.stage.snapshot()
    path = {
        "workspace_id": other.id,
        "group_id": group.id,
        "user_id": world.user.id,
        "member_user_id": world.user.id,
    }
    for operation in (*TIERS["USER"], *TIERS["USER-FLEX"]):
        if operation not in EXEMPT:
            answer = await world.call(operation, credentials["access"], **path)
            assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER), operation
    for operation in TIERS["USER-FLEX"]:
        if operation not in EXEMPT:
            for shown in ("slot", "key and authz"):
                answer = await world.call(operation, credentials[shown], **path)
                assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER), (operation, shown)
    assert await world.stage.snapshot() == before


async def test_the_role_and_the_groups_of_the_database_decide(world: World) -> None:
    """Rules: W4, P1, P2."""
    stage = world.stage
    rename = f"/workspaces/{world.workspace.id}"
    accessible, check = "/permissions/accessible", "/permissions/check"
    boss = await stage.access_token(world.user, world.workspace)
    viewer = await stage.member(world.workspace, "viewer")
    pretender = await stage.access_token(viewer, world.workspace, role="owner")
    modest = await stage.access_token(world.user, world.workspace, role="viewer")
    for token, status, full in ((boss, 200, True), (pretender, 403, False), (modest, 200, True)):
        answer = await stage.client.patch(rename, headers=bearer(token), json={"name": "Renamed"})
        assert answer.status_code == status
        answer = await stage.client.post(
            accessible, headers=bearer(token) | world.notes.headers, json=world.body
        )
        assert answer.json()["has_full_access"] is full
    resource: Resource = await stage.resource(world.workspace, world.user, visibility="private")
    group = await stage.group(world.workspace)
    await stage.share(resource, group)
    question = {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(resource.resource_id),
    }
    shown = bearer(pretender) | world.notes.headers

    async def allowed() -> bool:
        answer = await stage.client.post(
            check, headers=shown, json={"checks": [question | {"action": "view"}]}
        )
        return bool(answer.json()["results"][0]["allowed"])

    assert not await allowed()
    await stage.add(
        GroupMembership(id=uuid4(), group_id=group.id, user_id=viewer.id, added_at=stage.clock.now())
    )
    assert await allowed()
    await stage.execute(
        sa.update(Membership).where(Membership.user_id == world.user.id).values(role="viewer")
    )
    answer = await stage.client.patch(rename, headers=bearer(boss), json={"name": "Once more"})
    assert (answer.status_code, answer.json()) == (403, {"detail": "Insufficient role"})


async def test_round_trips_of_authenticated_reads(world: World) -> None:
    """The budget of the design: authentication and the read itself, one statement each; hot calls one in all."""
    group = await world.stage.group(world.workspace, world.user)
    credentials = await world.credentials()
    path = {"workspace_id": world.workspace.id, "group_id": group.id}
    budgets = [
        *((operation, shown, 2) for operation in TIERS["USER-FLEX"] for shown in OPENS["USER-FLEX"]),
        ("GET /workspaces", "access", 2),
        ("GET /workspaces/{workspace_id}", "access", 2),
        *(
            (operation, "key and authz", 1)
            for operation in TIERS["SVC+USER"]
            if not operation.endswith("/share")
        ),
    ]
    for operation, shown, reads in budgets:
        with world.stage.statements() as seen:
            answer = await world.call(operation, credentials[shown], **path)
        assert answer.status_code == 200, (operation, shown, answer.text)
        # A key that nobody has costs the question about it.
        budget = reads + (shown == "unknown key and slot")
        assert len(seen) <= budget, (operation, shown, seen.texts)


# --- development -----------------------------------------------------------------------------------------------


async def test_T2b_without_an_app_development_asks_for_no_key(database_url: str, stage_keys: Keys) -> None:
    async with open_stage(database_url, stage_keys, debug=True) as stage:
        user = await stage.user()
        workspace = await stage.workspace(user)
        world = World(stage, user, workspace, Service(None, ""))  # type: ignore[arg-type]
        access = bearer(await stage.access_token(user, workspace))
        authz = bearer(await stage.authz_token(user, workspace, "anything"))

        async def register(headers: Mapping[str, str] = {}) -> int:
            return (await world.call("POST /permissions/register", headers)).status_code

        async def accessible(headers: Mapping[str, str]) -> int:
            return (await world.call("POST /permissions/accessible", headers)).status_code

        assert await register() == 201
        # No scope is compared either, but the person is asked for, and an authz token is none without a key.
        assert [await accessible(headers) for headers in (access, authz, {})] == [200, 200, 401]
        share = "POST /permissions/{permission_id}/share"
        assert [(await world.call(share, headers)).status_code for headers in (access, {})] == [404, 401]
        assert (await world.call("GET /users/me", authz)).status_code == 401
        assert (await world.call("GET /users/me", access)).status_code == 200
        # It ends in the moment in which the first app is there, and comes back with the last one gone.
        mail, chat = await stage.service("mail"), await stage.service("chat")
        assert [await register(), await accessible(access)] == [401, 401]
        for app, active, open_ in ((mail, False, False), (chat, False, True), (mail, True, False)):
            async with stage.state.database.transaction() as session:
                await service_apps.set_active(
                    session, app.app.id, active, actor_id=None, now=stage.clock.now()
                )
            assert await register() == (201 if open_ else 401)
            assert await accessible(access) == (200 if open_ else 401)
        assert await register(mail.headers) == 403, "and every scope but its own is closed again"


async def test_T2c_without_an_app_production_refuses_every_service(stage: Stage) -> None:
    user = await stage.user()
    workspace = await stage.workspace(user)
    world = World(stage, user, workspace, Service(None, ""))  # type: ignore[arg-type]
    access = bearer(await stage.access_token(user, workspace))
    for tier in ("SVC", "SVC+USER", "SVC+MAYBE"):
        for operation in TIERS[tier]:
            for headers in ({}, access, UNKNOWN_KEY | access):
                assert (await world.call(operation, headers)).status_code == 401, operation


# --- the slots of USER-FLEX ------------------------------------------------------------------------------------


DIRECTORY = TIERS["USER-FLEX"]


async def directory(world: World) -> dict[str, object]:
    """The ids of a group of the workspace and of the workspace itself."""
    group = await world.stage.group(world.workspace, world.user)
    return {"workspace_id": world.workspace.id, "group_id": group.id}


async def test_VR_10_an_authz_token_needs_the_key_of_its_scope(world: World) -> None:
    """Rules: SB-1."""
    stage, path = world.stage, await directory(world)
    tasks = await stage.service("tasks")
    token = bearer(await stage.authz_token(world.user, world.workspace, "notes"))
    for operation in (*DIRECTORY, "POST /permissions/accessible"):
        for headers, status in (
            ({}, 401),
            (UNKNOWN_KEY, 401),
            (tasks.headers, 403),
            (world.notes.headers, 200),
        ):
            answer = await world.call(operation, token | headers, **path)
            assert answer.status_code == status, (operation, answer.text)
    # The members of a realm share one scope; the name of a member is no scope.
    realm = await stage.realm("suite")
    mail, chat = await stage.service("mail", realm=realm), await stage.service("chat", realm=realm)
    shared = bearer(await stage.authz_token(world.user, world.workspace, "suite"))
    narrow = bearer(await stage.authz_token(world.user, world.workspace, "mail"))
    for service in (mail, chat):
        assert (await world.call("GET /users/me", shared | service.headers)).status_code == 200
        assert (await world.call("GET /users/me", narrow | service.headers)).status_code == 403
    assert (await world.call("GET /users/me", shared | world.notes.headers)).status_code == 403


async def test_VR_11_the_slot_opens_the_directory_whatever_stands_beside_it(world: World) -> None:
    stage, path = world.stage, await directory(world)
    # The scope of the token is not compared, and the Authorization header belongs to the identity provider.
    slot = {"X-Authz-Token": await stage.authz_token(world.user, world.workspace, "anything")}
    access = await stage.access_token(world.user, world.workspace)
    for operation in DIRECTORY:
        for extra in ({}, {"Authorization": "Bearer idp.token.here"}, UNKNOWN_KEY):
            assert (await world.call(operation, slot | extra, **path)).status_code == 200, (operation, extra)
        for refused in (
            {"X-Authz-Token": access},
            # A good access token in the other header does not make up for a bad one in the slot.
            {"X-Authz-Token": "x.y.z", **bearer(access)},
            {"X-Authz-Token": access, **bearer(access)},
            {"X-Authz-Token": "x" * 8193},
        ):
            assert (await world.call(operation, refused, **path)).status_code == 401, (operation, refused)
    twice = [("X-Authz-Token", slot["X-Authz-Token"])] * 2
    assert (await stage.client.get("/users/me", headers=twice)).status_code == 401


async def test_VR_12_with_a_valid_key_the_slot_is_ignored(world: World) -> None:
    stage, key = world.stage, world.notes.headers
    other = await stage.user("Bob Example")
    await stage.join(world.workspace, other)
    slot = {"X-Authz-Token": await stage.authz_token(other, world.workspace, "notes")}
    own = bearer(await stage.access_token(world.user, world.workspace))
    authz = bearer(await stage.authz_token(world.user, world.workspace, "notes"))

    async def seen_as(headers: Mapping[str, str]) -> str | int:
        answer = await world.call("GET /users/me", headers)
        return str(answer.json()["name"]) if answer.status_code == 200 else answer.status_code

    assert await seen_as(slot | key | own) == "Ada Example"
    assert await seen_as(slot | key | authz) == "Ada Example"
    assert await seen_as(slot | key) == 401
    assert await seen_as(slot | key | bearer("x.y.z")) == 401
    # Without a valid key it is the bearer slot that is ignored.
    assert await seen_as(slot | own) == "Bob Example"
    assert await seen_as(slot | own | UNKNOWN_KEY) == "Bob Example"
    # Garbage in the ignored slot harms nobody.
    assert await seen_as(key | own | {"X-Authz-Token": "x.y.z"}) == "Ada Example"
