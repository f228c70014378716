"""P7 to P9, who may reach a resource: http-api.md §8, authorization.md §2 and §4, tokens.md §13."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.apps.models import ServiceApp
from sentinel.audit.models import Activity
from sentinel.identity.models import User
from sentinel.permissions.models import Resource, Share
from sentinel.workspaces.models import Group, Membership, Workspace
from tests.stage import Keys, Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

OK = {"status": "ok"}
SCOPE = {"detail": "Service key is not valid for this service"}
UNKNOWN = {"detail": "Resource not found"}
NO_SHARE = {"detail": "Share not found"}
OTHER_WORKSPACE = {"detail": "Resource belongs to another workspace"}
NOT_YOURS = {"detail": "Only the owner or a workspace admin may do this"}
NOT_A_MEMBER = {"detail": "Not a member of this workspace"}
AUDIT = (
    "permission.resource.shared",
    "permission.resource.share_revoked",
    "permission.resource.visibility_updated",
)


@dataclass(frozen=True)
class World:
    """A workspace with one person of each standing towards ``resource``, which belongs to a mere viewer."""

    stage: Stage
    notes: Service
    workspace: Workspace
    people: dict[str, User]
    group: Group
    resource: Resource

    async def token(self, name: str) -> dict[str, str]:
        return await self.stage.as_user(self.people[name], self.workspace)

    async def authz(self, name: str, scope: str = "notes") -> dict[str, str]:
        return bearer(await self.stage.authz_token(self.people[name], self.workspace, scope))

    async def send(
        self, what: str, headers: Mapping[str, str], body: Any, permission_id: UUID | None = None
    ) -> httpx.Response:
        """P7, P8 or P9 with the key of ``notes`` and further headers (which may replace the key)."""
        method, path = {"P7": ("POST", "share"), "P8": ("DELETE", "share"), "P9": ("PATCH", "visibility")}[
            what
        ]
        url = f"/permissions/{permission_id or self.resource.id}/{path}"
        return await self.stage.client.request(
            method, url, headers={**self.notes.headers, **headers}, json=body
        )

    async def rows(self) -> list[tuple[Any, ...]]:
        """Everything that a call of this file could have written."""
        found = [(one.id, one.visibility) for one in await self.stage.all(Resource)]
        shares = [
            (
                one.id,
                one.resource_permission_id,
                one.grantee_id,
                one.permission,
                one.granted_by,
                one.granted_at,
            )
            for one in await self.stage.all(Share)
        ]
        return sorted(found, key=str) + sorted(shares, key=str)


async def build(stage: Stage) -> World:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    people = {"boss": boss}
    for name, role in {
        "admin": "admin",
        "author": "viewer",
        "editor": "editor",
        "writer": "editor",
        "reader": "viewer",
    }.items():
        people[name] = await stage.member(workspace, role)
    group = await stage.group(workspace, people["reader"])
    resource = await stage.resource(workspace, people["author"], visibility="private")
    return World(stage, notes, workspace, people, group, resource)


def to(grantee: User | Group, permission: str = "view") -> dict[str, str]:
    return {
        "grantee_type": "group" if isinstance(grantee, Group) else "user",
        "grantee_id": str(grantee.id),
        "permission": permission,
    }


def named(events: Sequence[Any], *names: str) -> list[Any]:
    return [line for line in events if line["event"] in names]


# ── P7 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_P7_shares_with_people_and_groups(stage: Stage) -> None:
    """By the owner of the resource, an admin and an owner of the workspace, with both kinds of token."""
    world = await build(stage)
    activities = await stage.count(Activity)
    cases: list[tuple[str, dict[str, str], User | Group, str]] = [
        ("author", await world.token("author"), world.people["reader"], "view"),
        ("admin", await world.token("admin"), world.people["editor"], "edit"),
        ("boss", await world.token("boss"), world.group, "view"),
        ("author", await world.authz("author"), world.people["boss"], "edit"),
        ("author", await world.authz("author"), world.people["author"], "view"),
    ]
    for name, headers, grantee, permission in cases:
        stage.clock.advance(1)
        with stage.events() as events:
            answer = await world.send("P7", headers, to(grantee, permission))
        assert (answer.status_code, answer.json()) == (201, OK)
        [share] = await stage.all(Share, Share.grantee_id == grantee.id)
        assert (share.resource_permission_id, share.permission) == (world.resource.id, permission)
        assert share.grantee_type == to(grantee)["grantee_type"]
        assert (share.granted_by, share.granted_at) == (world.people[name].id, stage.clock.now())
        [line] = named(events, *AUDIT)
        assert (
            line
            | {
                "event": "permission.resource.shared",
                "category": "audit",
                "outcome": "success",
                "actor": str(world.people[name].id),
                "permission_id": str(world.resource.id),
                "workspace_id": str(world.workspace.id),
                **to(grantee, permission),
            }
            == line
        )
    assert await stage.count(Share) == len(cases)
    assert await stage.count(Activity) == activities


async def test_P7_sharing_again_replaces_level_grantor_and_time(stage: Stage) -> None:
    """authorization.md §4 rule 5: one row for each grantee, its level goes up and down.

    Rules: authorization-4.5.
    """
    world = await build(stage)
    reader = world.people["reader"]
    for grantee in (reader, world.group):
        for name, permission in (("author", "view"), ("admin", "edit"), ("boss", "view"), ("author", "view")):
            stage.clock.advance(60)
            answer = await world.send("P7", await world.token(name), to(grantee, permission))
            assert (answer.status_code, answer.json()) == (201, OK)
            [share] = await stage.all(Share, Share.grantee_id == grantee.id)
            assert (share.permission, share.granted_by) == (permission, world.people[name].id)
            assert share.granted_at == stage.clock.now()
    assert await stage.count(Share) == 2


async def test_P7_refuses_everybody_else(stage: Stage) -> None:
    """An edit share lets somebody edit, not pass on; nor does a role below admin. Rules: L18, L19."""
    world = await build(stage)
    await stage.share(world.resource, world.people["writer"], "edit")
    stranger = await stage.user()
    other = await stage.workspace(stranger)
    await stage.join(other, world.people["author"], "owner")
    body = to(world.people["reader"], "edit")
    before = await world.rows()
    cases: dict[str, tuple[dict[str, str], dict[str, str]]] = {
        "editor": (await world.token("editor"), NOT_YOURS),
        "writer": (await world.token("writer"), NOT_YOURS),
        "reader": (await world.token("reader"), NOT_YOURS),
        "reader with an authz token": (await world.authz("reader"), NOT_YOURS),
        "owner of another workspace": (await stage.as_user(stranger, other), OTHER_WORKSPACE),
        "author from elsewhere": (await stage.as_user(world.people["author"], other), OTHER_WORKSPACE),
        "claims": (
            bearer(await stage.access_token(world.people["editor"], world.workspace, "owner")),
            NOT_YOURS,
        ),
        "not a member": (bearer(await stage.access_token(stranger, world.workspace, "owner")), NOT_A_MEMBER),
    }
    for name, (headers, detail) in cases.items():
        with stage.events() as events:
            answer = await world.send("P7", headers, body)
        assert (answer.status_code, answer.json()) == (403, detail), name
        assert not named(events, *AUDIT), name
    # Whoever owns the resource but has left has nothing to give any more.
    author = await world.token("author")
    await stage.execute(sa.delete(Membership).where(Membership.user_id == world.people["author"].id))
    answer = await world.send("P7", author, body)
    assert (answer.status_code, answer.json()) == (403, NOT_A_MEMBER)
    assert await world.rows() == before


async def test_P7_grantees_belong_to_the_workspace(stage: Stage) -> None:
    """authorization.md §4 rule 6.

    Rules: authorization-4.6.
    """
    world = await build(stage)
    stranger, former = await stage.user(), await stage.member(world.workspace)
    other = await stage.workspace(stranger)
    await stage.join(other, world.people["author"])
    foreign = await stage.group(other, world.people["author"])
    await stage.execute(sa.delete(Membership).where(Membership.user_id == former.id))
    before, headers = await world.rows(), await world.token("author")
    not_a_member = {"detail": "User is not a member of this workspace"}
    not_a_group = {"detail": "Group does not belong to this workspace"}
    cases: list[tuple[dict[str, str], dict[str, str]]] = [
        (to(stranger), not_a_member),
        (to(former), not_a_member),
        (to(User(id=uuid4())), not_a_member),
        (to(world.group) | {"grantee_type": "user"}, not_a_member),
        (to(foreign), not_a_group),
        (to(Group(id=uuid4())), not_a_group),
        (to(world.people["reader"]) | {"grantee_type": "group"}, not_a_group),
    ]
    for body, detail in cases:
        with stage.events() as events:
            answer = await world.send("P7", headers, body)
        assert (answer.status_code, answer.json()) == (400, detail), body
        assert not named(events, *AUDIT)
    assert await world.rows() == before


async def test_P7_refuses_in_the_right_order(stage: Stage) -> None:
    """401 and 422, then 404, 403, 400: what comes first hides what comes later. Rules: SB-4, SB-5."""
    world = await build(stage)
    realm = await stage.realm("suite")
    wiki = await stage.service("wiki", realm=realm)
    of_wiki = await stage.resource(world.workspace, world.people["author"], service_name="wiki")
    author, reader = await world.token("author"), await world.token("reader")
    nobody = to(User(id=uuid4()))
    unknown = uuid4()
    before = await world.rows()
    cases: list[tuple[str, dict[str, str], Any, UUID | None, int, Any]] = [
        ("no token", {}, nobody, unknown, 401, None),
        ("no key", author | {"X-Service-Key": ""}, nobody, unknown, 401, None),
        ("unknown id", reader, nobody, unknown, 404, UNKNOWN),
        ("id of the resource, not of the record", author, nobody, world.resource.resource_id, 404, UNKNOWN),
        ("unknown id, other scope", author | wiki.headers, nobody, unknown, 404, UNKNOWN),
        ("other scope", reader | wiki.headers, nobody, None, 403, SCOPE),
        ("own name of a realm member", author | wiki.headers, nobody, of_wiki.id, 403, SCOPE),
        ("out of scope", author, nobody, of_wiki.id, 403, SCOPE),
        ("not the owner", reader, nobody, None, 403, NOT_YOURS),
        ("authz token of another scope", await world.authz("author", "wiki"), nobody, unknown, 403, None),
        ("grantee", author, nobody, None, 400, None),
    ]
    for name, headers, body, permission_id, status, detail in cases:
        answer = await world.send("P7", headers, body, permission_id)
        assert answer.status_code == status, name
        assert detail is None or answer.json() == detail, name
    assert await world.rows() == before


async def test_P7_to_P9_refuse_malformed_bodies(stage: Stage) -> None:
    """Also P8: the JSON body is mandatory on DELETE, with a level that is then not compared. Rules: P7, P8, P9."""
    world = await build(stage)
    headers, good = await world.token("author"), to(world.people["reader"])
    await stage.share(world.resource, world.people["reader"])
    before = await world.rows()
    bad: list[Any] = [
        good | {"grantee_type": "role"},
        good | {"grantee_type": None},
        good | {"grantee_id": "x"},
        good | {"grantee_id": None},
        good | {"permission": "own"},
        good | {"permission": "EDIT"},
        good | {"permission": None},
        *({key: good[key] for key in good if key != missing} for missing in good),
        {},
        None,
        [],
    ]
    malformed: dict[str, list[Any]] = {
        "P7": bad,
        "P8": bad,
        "P9": [{}, None, [], {"visibility": "public"}, {"visibility": None}, {"visibility": "Private"}],
    }
    for what, bodies in malformed.items():
        for body in bodies:
            for shown in (headers, {}) if what != "P7" else (headers,):
                answer = await world.send(what, shown, body)
                assert answer.status_code == 422, (what, body)
                assert all(set(problem) == {"loc", "msg", "type"} for problem in answer.json()["detail"])
    for method, path in (("POST", "share"), ("DELETE", "share"), ("PATCH", "visibility")):
        url = f"/permissions/{world.resource.id}/{path}"
        answer = await stage.client.request(method, url, headers=world.notes.headers | headers)
        assert answer.status_code == 422, "no body at all"
        url = f"/permissions/none/{path}"
        answer = await stage.client.request(method, url, headers=world.notes.headers | headers, json=good)
        assert answer.status_code == 422, "not a UUID"
    assert await world.rows() == before


# ── P8 and P9 ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_P8_takes_a_share_away(stage: Stage) -> None:
    """By the service alone, and by those who may share; the level in the body does not matter."""
    world = await build(stage)
    reader = world.people["reader"]
    activities = await stage.count(Activity)
    cases: list[tuple[str | None, dict[str, str]]] = [
        (None, {}),
        ("author", await world.token("author")),
        ("author", await world.authz("author")),
        ("admin", await world.token("admin")),
        ("boss", await world.token("boss")),
    ]
    for name, headers in cases:
        for grantee, other in ((reader, world.group), (world.group, reader)):
            await stage.execute(sa.delete(Share))
            await stage.share(world.resource, grantee, "edit")
            kept = await stage.share(world.resource, other, "edit")
            with stage.events() as events:
                answer = await world.send("P8", headers, to(grantee, "view"))
            assert (answer.status_code, answer.json()) == (200, OK)
            assert [share.id for share in await stage.all(Share)] == [kept.id]
            [line] = named(events, *AUDIT)
            assert (line["event"], line["category"]) == ("permission.resource.share_revoked", "audit")
            assert line["actor"] == (str(world.people[name].id) if name else None)
            assert (line["permission_id"], line["grantee_id"]) == (str(world.resource.id), str(grantee.id))
            with stage.events() as events:
                answer = await world.send("P8", headers, to(grantee, "edit"))
            assert (answer.status_code, answer.json()) == (404, NO_SHARE)
            assert not named(events, *AUDIT)
    assert await stage.count(Activity) == activities


async def test_P8_touches_the_one_share_that_is_named(stage: Stage) -> None:
    world = await build(stage)
    reader = world.people["reader"]
    await stage.share(await stage.resource(world.workspace, world.people["author"]), reader)
    await stage.share(world.resource, world.group)
    before = await world.rows()
    for body in (to(reader), to(world.group) | {"grantee_type": "user"}, to(User(id=uuid4()))):
        answer = await world.send("P8", {}, body)
        assert (answer.status_code, answer.json()) == (404, NO_SHARE)
    assert await world.rows() == before


async def test_P9_changes_the_visibility(stage: Stage) -> None:
    world = await build(stage)
    share = await stage.share(world.resource, world.group, "edit")
    activities = await stage.count(Activity)
    cases: list[tuple[str | None, dict[str, str]]] = [
        (None, {}),
        ("author", await world.token("author")),
        ("author", await world.authz("author")),
        ("admin", await world.token("admin")),
        ("boss", await world.token("boss")),
    ]
    for name, headers in cases:
        for visibility in ("workspace", "workspace", "private"):
            with stage.events() as events:
                answer = await world.send("P9", headers, {"visibility": visibility})
            assert answer.status_code == 200
            [stored] = await stage.all(Resource)
            assert stored.visibility == visibility
            assert answer.json() == {
                "id": str(stored.id),
                "service_name": "notes",
                "resource_type": "document",
                "resource_id": str(stored.resource_id),
                "workspace_id": str(world.workspace.id),
                "owner_id": str(world.people["author"].id),
                "visibility": visibility,
                "created_at": world.resource.created_at.isoformat().replace("+00:00", "Z"),
                "shares": [
                    {
                        "id": str(share.id),
                        **to(world.group, "edit"),
                        "granted_by": None,
                        "granted_at": share.granted_at.isoformat().replace("+00:00", "Z"),
                    }
                ],
            }
            [line] = named(events, *AUDIT)
            assert (line["event"], line["category"]) == ("permission.resource.visibility_updated", "audit")
            assert line["actor"] == (str(world.people[name].id) if name else None)
            assert (line["permission_id"], line["visibility"]) == (str(stored.id), visibility)
    assert await stage.count(Activity) == activities


async def test_P8_and_P9_a_token_that_is_there_must_be_valid_and_entitled(stage: Stage) -> None:
    """Optional is not ignored: with a bad or powerless token nothing happens, though the key alone would do.

    Rules: SB-1, SB-4, SB-5, VR-10.
    """
    world = await build(stage)
    realm = await stage.realm("suite")
    wiki = await stage.service("wiki", realm=realm)
    reader = world.people["reader"]
    await stage.share(world.resource, reader, "edit")
    of_wiki = await stage.resource(world.workspace, world.people["author"], service_name="wiki")
    await stage.share(of_wiki, reader)
    stranger = await stage.user()
    other = await stage.workspace(stranger)
    await stage.join(other, world.people["author"], "owner")
    dismissed = await stage.member(world.workspace, "admin", is_active=False)
    author = await world.token("author")
    pair = await stage.session(world.people["author"], world.workspace)
    unknown, none = uuid4(), None
    before = await world.rows()
    cases: list[tuple[str, Mapping[str, str], UUID | None, int, Any]] = [
        ("no key", {"X-Service-Key": ""}, none, 401, None),
        ("no key, but a token", author | {"X-Service-Key": ""}, none, 401, None),
        ("unknown key", author | {"X-Service-Key": "sk_" + "x" * 43}, none, 401, None),
        ("garbage", bearer("garbage"), none, 401, None),
        ("empty", {"Authorization": ""}, none, 401, None),
        ("another scheme", {"Authorization": "Basic YTpi"}, none, 401, None),
        ("refresh token", bearer(pair.refresh.token), none, 401, None),
        ("inactive", bearer(await stage.access_token(dismissed, world.workspace)), none, 401, None),
        ("garbage on an unknown id", bearer("garbage"), unknown, 401, None),
        ("authz token of another scope", await world.authz("author", "wiki"), none, 403, None),
        (
            "not a member",
            bearer(await stage.access_token(stranger, world.workspace)),
            none,
            403,
            NOT_A_MEMBER,
        ),
        ("grantee himself", await world.token("reader"), none, 403, NOT_YOURS),
        ("editor", await world.token("editor"), none, 403, NOT_YOURS),
        ("editor with an authz token", await world.authz("editor"), none, 403, NOT_YOURS),
        ("other workspace", await stage.as_user(stranger, other), none, 403, OTHER_WORKSPACE),
        (
            "author from elsewhere",
            await stage.as_user(world.people["author"], other),
            none,
            403,
            OTHER_WORKSPACE,
        ),
        ("unknown id", {}, unknown, 404, UNKNOWN),
        ("unknown id with a powerless token", await world.token("reader"), unknown, 404, UNKNOWN),
        ("id of the resource", author, world.resource.resource_id, 404, UNKNOWN),
        ("unknown id, other scope", wiki.headers, unknown, 404, UNKNOWN),
        ("other scope", wiki.headers, none, 403, SCOPE),
        ("other scope with a token", author | wiki.headers, none, 403, SCOPE),
        ("own name of a realm member", wiki.headers, of_wiki.id, 403, SCOPE),
        ("out of scope", {}, of_wiki.id, 403, SCOPE),
    ]
    for what, body in (("P8", to(reader, "edit")), ("P9", {"visibility": "workspace"})):
        for name, headers, permission_id, status, detail in cases:
            with stage.events() as events:
                answer = await world.send(what, headers, body, permission_id)
            assert answer.status_code == status, (what, name)
            assert detail is None or answer.json() == detail, (what, name)
            assert not named(events, *AUDIT), (what, name)
    stage.clock.advance(24 * 3600)
    for what, body in (("P8", to(reader, "edit")), ("P9", {"visibility": "workspace"})):
        assert (await world.send(what, author, body)).status_code == 401, "expired"
    assert await world.rows() == before


async def test_P7_to_P9_development_without_apps(database_url: str, stage_keys: Keys) -> None:
    """§0.7, development exception: no key and no scope, but a token where one is needed or shown.

    Rules: P7, P8, P9.
    """
    async with open_stage(database_url, stage_keys, debug=True) as stage:
        world = await build(stage)
        await stage.execute(sa.update(ServiceApp).values(is_active=False))
        wiki = await stage.resource(world.workspace, world.people["author"], service_name="wiki")
        body, nothing = to(world.people["reader"]), {"X-Service-Key": ""}
        author, reader = await world.token("author") | nothing, await world.token("reader") | nothing
        elsewhere = await world.authz("author", "elsewhere") | nothing
        visible = {"visibility": "workspace"}
        for resource in (world.resource, wiki):
            assert (await world.send("P7", nothing, body, resource.id)).status_code == 401
            assert (await world.send("P7", reader, body, resource.id)).status_code == 403
            assert (await world.send("P7", author, body, resource.id)).status_code == 201
            assert (await world.send("P7", elsewhere, body, resource.id)).status_code == 201
            for what, wish in (("P8", body), ("P9", visible)):
                assert (await world.send(what, bearer("x") | nothing, wish, resource.id)).status_code == 401
                assert (await world.send(what, reader, wish, resource.id)).status_code == 403
                assert (await world.send(what, nothing, wish, resource.id)).status_code == 200
        await stage.service("memos")
        for what, wish in (("P7", body), ("P8", body), ("P9", visible)):
            assert (await world.send(what, author, wish)).status_code == 401
