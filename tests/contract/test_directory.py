"""USER-FLEX, the ways into the read-only directory (U1, W6, G2, G5): http-api.md §0.7; VR-10 to VR-13."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps.models import Realm, ServiceApp
from sentinel.identity.models import User
from sentinel.tokens.models import RevokedToken
from sentinel.workspaces.models import Group, Membership, Workspace
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio

INVALID = (401, "Invalid or expired token")
MISSING = (401, "Missing bearer token")
OTHER_SCOPE = (403, "Token was issued for another service")
NOT_A_MEMBER = (403, "Not a member of this workspace")
UNKNOWN_KEY = {"X-Service-Key": "sk_" + "A" * 43}


@dataclass(frozen=True)
class World:
    """Two people of one workspace, whose names tell which token was read, and two services."""

    stage: Stage
    workspace: Workspace
    group: Group
    ada: User
    bob: User
    notes: Service
    other: Service

    @property
    def paths(self) -> list[str]:
        """The read-only directory; the first endpoint alone needs no membership."""
        prefix = f"/workspaces/{self.workspace.id}"
        return [
            "/users/me",
            f"{prefix}/members",
            f"{prefix}/groups",
            f"{prefix}/groups/{self.group.id}/members",
        ]

    async def access(self, user: User) -> str:
        return await self.stage.access_token(user, self.workspace)

    async def authz(self, user: User, scope: str = "notes") -> str:
        return await self.stage.authz_token(user, self.workspace, scope)

    async def knock(self, headers: Any) -> list[httpx.Response]:
        """One request to each endpoint of the directory."""
        return [await self.stage.client.get(path, headers=headers) for path in self.paths]

    async def opens(self, headers: Any, person: User) -> None:
        """Every endpoint answers, with two statements at most, and to this person."""
        for path in self.paths:
            with self.stage.statements() as statements:
                answer = await self.stage.client.get(path, headers=headers)
            assert answer.status_code == 200, (path, answer.text)
            assert len(statements) <= 2, path
            if path == "/users/me":
                assert answer.json()["id"] == str(person.id)
            elif path.endswith(f"{self.group.id}/members"):
                assert [one["user_id"] for one in answer.json()] == [str(self.ada.id)]
            elif path.endswith("/members"):
                assert [one["user_id"] for one in answer.json()] == [str(self.ada.id), str(self.bob.id)]
            else:
                assert [one["id"] for one in answer.json()] == [str(self.group.id)]

    async def refuses(self, headers: Any, expected: tuple[int, str], reason: str | None = None) -> None:
        """Every endpoint refuses in the same way, and says why in the log."""
        with self.stage.events() as lines:
            answers = await self.knock(headers)
        for answer in answers:
            assert (answer.status_code, answer.json()["detail"]) == expected, headers
        if reason:
            rejected = [line for line in lines if line["event"] == "auth.guard.rejected"]
            assert [(line["guard"], line["reason"]) for line in rejected] == [("user_flex", reason)] * 4


@pytest.fixture
async def world(stage: Stage) -> World:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    workspace = await stage.workspace(ada)
    await stage.join(workspace, bob, "viewer")
    group = await stage.group(workspace, ada)
    notes, other = await stage.service("notes"), await stage.service("other")
    return World(stage, workspace, group, ada, bob, notes, other)


async def test_U1_and_W6_and_G2_and_G5_take_an_access_token_alone(world: World) -> None:
    """USER-FLEX (a)."""
    token = await world.access(world.bob)
    await world.opens(bearer(token), world.bob)
    # A key that is nobody's counts as none; so does one that is shown twice, or is empty.
    await world.opens(bearer(token) | UNKNOWN_KEY, world.bob)
    await world.opens(bearer(token) | {"X-Service-Key": ""}, world.bob)
    twice = [("Authorization", f"Bearer {token}"), *[("X-Service-Key", world.notes.key)] * 2]
    await world.opens(twice, world.bob)
    await world.refuses({}, MISSING, "missing_token")
    await world.refuses({"Authorization": token}, MISSING)
    await world.refuses({"Authorization": f"Token {token}"}, MISSING)
    await world.refuses([("Authorization", f"Bearer {token}")] * 2, MISSING)
    await world.refuses(world.notes.headers, MISSING)


async def test_VR_10_an_authz_bearer_needs_the_key_of_its_own_scope(world: World) -> None:
    """USER-FLEX (b). Rules: VR-10, SB-1, U1, W6, G2, G5."""
    token = bearer(await world.authz(world.bob))
    await world.opens(token | world.notes.headers, world.bob)
    await world.refuses(token, INVALID, "wrong_audience")
    await world.refuses(token | UNKNOWN_KEY, INVALID, "authz_without_key")
    await world.refuses(token | world.other.headers, OTHER_SCOPE, "scope_mismatch")
    # An access token is bound to no scope: any valid key will do.
    for service in (world.notes, world.other):
        await world.opens(bearer(await world.access(world.bob)) | service.headers, world.bob)
    # The key of an app that was switched off is no key.
    await world.stage.execute(
        sa.update(ServiceApp).where(ServiceApp.id == world.notes.app.id).values(is_active=False)
    )
    await world.refuses(token | world.notes.headers, INVALID, "authz_without_key")


async def test_VR_10_the_scope_of_a_member_of_a_realm_is_the_realm(world: World) -> None:
    """Rules: VR-10, SB-5, SB-6."""
    realm: Realm = await world.stage.realm("suite")
    own, shared = bearer(await world.authz(world.bob)), bearer(await world.authz(world.bob, "suite"))
    await world.refuses(shared | world.notes.headers, OTHER_SCOPE)
    await world.stage.execute(
        sa.update(ServiceApp)
        .where(ServiceApp.id.in_([world.notes.app.id, world.other.app.id]))
        .values(realm_id=realm.id)
    )
    for service in (world.notes, world.other):
        await world.opens(shared | service.headers, world.bob)
        await world.refuses(own | service.headers, OTHER_SCOPE)


async def test_VR_11_an_authz_token_of_its_own_header_opens_the_directory_without_key(world: World) -> None:
    """USER-FLEX (c): what a browser of an application in authz mode sends. Rules: VR-11, U1, W6, G2, G5."""
    slot = {"X-Authz-Token": await world.authz(world.bob)}
    await world.opens(slot, world.bob)
    # No key tells a scope, so any will do.
    await world.opens({"X-Authz-Token": await world.authz(world.bob, "elsewhere")}, world.bob)
    # Authorization carries the provider's token, which is not for us and not looked at, whatever it is.
    for ignored in (
        {"Authorization": "Bearer ya29.provider-token"},
        {"Authorization": "Bearer " + "x" * 9000},
        {"Authorization": "Basic dTpw"},
        bearer(await world.access(world.ada)),
        bearer(await world.authz(world.ada)),
    ):
        await world.opens(slot | ignored, world.bob)
        # A key that is nobody's counts as none.
        assert (await world.stage.client.get("/users/me", headers=slot | ignored | UNKNOWN_KEY)).json()[
            "id"
        ] == str(world.bob.id)
    for answer in await world.knock(slot | UNKNOWN_KEY):
        assert answer.status_code == 200


async def test_VR_11_nothing_else_is_taken_from_that_header(world: World) -> None:
    issuer = world.stage.state.issuer
    authz = await world.authz(world.bob)
    session = await world.stage.session(world.bob, world.workspace)
    for token in (
        await world.access(world.bob),
        session.refresh.token,
        issuer.admin(user_id=world.bob.id, email="b@example.com", name="Bob", epoch=0).token,
        f"Bearer {authz}",
        "",
        "x",
        "x" * 8193,
        authz[:-2],
    ):
        await world.refuses({"X-Authz-Token": token}, INVALID)
        # A good token elsewhere does not help: the header decides what is read.
        await world.refuses(bearer(await world.access(world.ada)) | {"X-Authz-Token": token}, INVALID)
    await world.refuses([("X-Authz-Token", authz)] * 2, INVALID, "malformed")


async def test_VR_12_beside_a_valid_key_that_header_is_ignored(world: World) -> None:
    """Rules: VR-12, U1, W6, G2, G5."""
    ada_slot = {"X-Authz-Token": await world.authz(world.ada)}
    for bob in (await world.access(world.bob), await world.authz(world.bob)):
        for slot in (ada_slot, {"X-Authz-Token": "garbage"}, {"X-Authz-Token": ""}):
            await world.opens(bearer(bob) | slot | world.notes.headers, world.bob)
    # It does not stand in for a missing or a bad bearer token, nor for the wrong scope.
    await world.refuses(ada_slot | world.notes.headers, MISSING, "missing_token")
    await world.refuses(ada_slot | world.notes.headers | bearer("provider-token"), INVALID)
    other = bearer(await world.authz(world.bob, "other"))
    await world.refuses(ada_slot | world.notes.headers | other, OTHER_SCOPE, "scope_mismatch")


async def test_VR_13_tokens_of_other_kinds_open_no_directory(world: World) -> None:
    issuer = world.stage.state.issuer
    session = await world.stage.session(world.bob, world.workspace)
    for token in (
        session.refresh.token,
        issuer.admin(user_id=world.bob.id, email="b@example.com", name="Bob", epoch=0).token,
    ):
        for headers in (
            bearer(token),
            bearer(token) | world.notes.headers,
            {"X-Authz-Token": token},
            bearer(token) | UNKNOWN_KEY,
        ):
            await world.refuses(headers, INVALID)


async def test_VR_7_and_VR_8_and_VR_9_every_form_reads_the_live_state(world: World) -> None:
    """Denylist, deactivation, epoch and membership, in all three forms."""

    async def forms(person: User) -> dict[str, Mapping[str, str]]:
        access, authz = await world.access(person), await world.authz(person)
        return {
            "a": bearer(access),
            "b, access": bearer(access) | world.notes.headers,
            "b, authz": bearer(authz) | world.notes.headers,
            "c": {"X-Authz-Token": authz},
            "c with a bad key": {"X-Authz-Token": authz} | UNKNOWN_KEY,
        }

    stage = world.stage
    for change, reason in (
        (lambda one: sa.update(User).where(User.id == one.id).values(is_active=False), "inactive_user"),
        (lambda one: sa.update(User).where(User.id == one.id).values(token_epoch=1), "outdated_epoch"),
        (lambda one: sa.delete(User).where(User.id == one.id), "unknown_user"),
    ):
        person = await stage.member(world.workspace)
        shown = await forms(person)
        for headers in shown.values():
            assert (await stage.client.get("/users/me", headers=headers)).status_code == 200
        await stage.execute(change(person))
        for headers in shown.values():
            await world.refuses(headers, INVALID, reason)
    # The membership is asked for at every call, but for the person's own profile.
    person = await stage.member(world.workspace)
    shown = await forms(person)
    await stage.execute(sa.delete(Membership).where(Membership.user_id == person.id))
    for form, headers in shown.items():
        me, *rest = await world.knock(headers)
        assert me.status_code == 200, form
        assert {(answer.status_code, answer.json()["detail"]) for answer in rest} == {NOT_A_MEMBER}, form


async def test_VR_7_a_denied_authz_token_is_refused_in_both_places(world: World) -> None:
    stage = world.stage
    issued = stage.state.issuer.authz(
        await stage.subject(world.bob, world.workspace), idp_subject="s", scope="notes", actions=[]
    )
    for headers in ({"X-Authz-Token": issued.token}, bearer(issued.token) | world.notes.headers):
        await world.opens(headers, world.bob)
    await stage.add(RevokedToken(jti=issued.jti, expires_at=issued.expires_at))
    for headers in ({"X-Authz-Token": issued.token}, bearer(issued.token) | world.notes.headers):
        await world.refuses(headers, INVALID, "revoked")


async def test_L18_every_form_is_bound_to_the_workspace_of_its_token(world: World) -> None:
    """A member of both, with tokens of one. Rules: W6, G2, G5."""
    stage = world.stage
    second = await stage.workspace(world.bob)
    group = await stage.group(second, world.bob)
    foreign = [
        f"/workspaces/{second.id}{path}" for path in ("/members", "/groups", f"/groups/{group.id}/members")
    ]
    own = f"/workspaces/{world.workspace.id}/groups/{group.id}/members"
    authz = await world.authz(world.bob)
    for headers in (
        bearer(await world.access(world.bob)),
        bearer(authz) | world.notes.headers,
        {"X-Authz-Token": authz},
    ):
        for path in foreign:
            answer = await stage.client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["detail"]) == NOT_A_MEMBER, path
        answer = await stage.client.get(own, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (404, "Group not found")


async def test_W6_and_G2_searches_work_in_every_form(world: World) -> None:
    """Query parameters reach the directory through a service as they do directly."""
    path = f"/workspaces/{world.workspace.id}/members"
    authz = await world.authz(world.bob)
    for headers in (
        bearer(await world.access(world.bob)),
        bearer(authz) | world.notes.headers,
        {"X-Authz-Token": authz},
    ):
        answer = await world.stage.client.get(path, headers=headers, params={"q": "AD", "limit": 5})
        assert [one["name"] for one in answer.json()] == ["Ada"]
        answer = await world.stage.client.get(path, headers=headers, params={"limit": 1})
        assert [one["name"] for one in answer.json()] == ["Ada"]


async def test_W6_and_G2_and_G5_the_log_names_the_person_and_the_service(world: World) -> None:
    """http-api.md §13 rules 1 and 3."""
    authz = await world.authz(world.bob)
    for headers, service in (
        (bearer(authz) | world.notes.headers, "notes"),
        ({"X-Authz-Token": authz}, None),
        (bearer(await world.access(world.bob)) | UNKNOWN_KEY, None),
    ):
        with world.stage.events() as lines:
            await world.knock(headers)
        access = [line for line in lines if line["event"] == "http.access"]
        assert [(line.get("actor"), line.get("caller_service")) for line in access] == [
            (str(world.bob.id), service)
        ] * 4
        assert authz not in str(lines)
        assert world.notes.key not in str(lines)
