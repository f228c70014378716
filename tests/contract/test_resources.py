"""P3 to P6, resources and their ACLs: http-api.md §8, authorization.md §4 rule 7, tokens.md §13."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
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

RECORD = {
    "id", "service_name", "resource_type", "resource_id", "workspace_id", "owner_id", "visibility",
    "created_at", "shares",
}  # fmt: skip
SCOPE = {"detail": "Service key is not valid for this service"}
UNKNOWN = {"detail": "Resource not found"}
BAD_NAMES = ["", "Notes", "notes ", "1notes", "not/es", "nоtes", "notes\0", "n" * 256, None, 7]


def registration(workspace: Workspace, owner: User, **changes: Any) -> dict[str, Any]:
    return {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(uuid4()),
        "workspace_id": str(workspace.id),
        "owner_id": str(owner.id),
    } | changes


async def register(stage: Stage, service: Service, body: Any) -> httpx.Response:
    return await stage.client.post("/permissions/register", headers=service.headers, json=body)


def path(resource: Resource, **changes: str) -> str:
    names = {
        "service_name": resource.service_name,
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
    } | changes
    return "/permissions/resource/" + "/".join(names.values())


def record(resource: Resource, *shares: Share) -> dict[str, Any]:
    """P, exactly as the contract shows it."""
    return {
        "id": str(resource.id),
        "service_name": resource.service_name,
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
        "workspace_id": str(resource.workspace_id),
        "owner_id": str(resource.owner_id) if resource.owner_id else None,
        "visibility": resource.visibility,
        "created_at": moment(resource.created_at),
        "shares": [
            {
                "id": str(share.id),
                "grantee_type": share.grantee_type,
                "grantee_id": str(share.grantee_id),
                "permission": share.permission,
                "granted_by": str(share.granted_by) if share.granted_by else None,
                "granted_at": moment(share.granted_at),
            }
            for share in shares
        ],
    }


def moment(time: datetime) -> str:
    """ISO 8601 with the offset of UTC (§0.1 rule 2)."""
    return time.isoformat().replace("+00:00", "Z")


def named(events: Sequence[Any], name: str) -> list[Any]:
    return [line for line in events if line["event"] == name]


async def rows(stage: Stage) -> list[tuple[Any, ...]]:
    """Everything that a call of this file could have written."""
    found = [(one.id, one.owner_id, one.visibility, one.created_at) for one in await stage.all(Resource)]
    shares = [(one.id, one.permission, one.granted_by, one.granted_at) for one in await stage.all(Share)]
    return sorted(found, key=str) + sorted(shares, key=str)


# ── P3 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_P3_registers_a_resource(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace, "viewer")
    activities = await stage.count(Activity)
    for owner, given, visibility in (
        (boss, {}, "workspace"),
        (viewer, {"visibility": "private"}, "private"),
        (viewer, {"visibility": "workspace", "resource_type": "a_b.c-1"}, "workspace"),
    ):
        body = registration(workspace, owner, **given)
        with stage.events() as events:
            answer = await register(stage, notes, body)
        assert answer.status_code == 201
        stored = (await stage.all(Resource, Resource.resource_id == UUID(body["resource_id"])))[0]
        assert answer.json() == record(stored)
        assert answer.json() | body | {"visibility": visibility} == answer.json()
        assert stored.created_at == stage.clock.now()
        [line] = named(events, "permission.resource.registered")
        assert (line["category"], line["outcome"]) == ("audit", "success")
        assert (line["permission_id"], line["resource_id"]) == (str(stored.id), body["resource_id"])
        assert (line["workspace_id"], line["owner"]) == (str(workspace.id), str(owner.id))
    assert await stage.count(Activity) == activities


async def test_P3_is_idempotent_and_overwrites_nothing(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace)
    body = registration(workspace, viewer, visibility="private")
    first = await register(stage, notes, body)
    [stored] = await stage.all(Resource)
    share = await stage.share(stored, boss, "edit")
    before = await rows(stage)
    stage.clock.advance(60)
    with stage.events() as events:
        for again in (body, body | {"owner_id": str(boss.id)}, body | {"visibility": "workspace"}):
            answer = await register(stage, notes, again)
            assert answer.status_code == 201
            assert answer.json() == record(stored, share)
            assert answer.json()["id"] == first.json()["id"]
    assert await rows(stage) == before
    assert not named(events, "permission.resource.registered"), "nothing was registered"


async def test_P3_conflicts_with_a_record_of_another_workspace(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace(boss)
    resource = await stage.resource(workspace, boss)
    before = await rows(stage)
    with stage.events() as events:
        for owner in (boss, await stage.user()):
            answer = await register(
                stage, notes, registration(other, owner, resource_id=str(resource.resource_id))
            )
            assert answer.status_code == 409
            assert answer.json() == {"detail": "Resource is already registered in another workspace"}
    assert await rows(stage) == before
    assert not named(events, "permission.resource.registered")
    # The name is of three parts: another type, or another service, is another resource.
    again = registration(other, boss, resource_id=str(resource.resource_id), resource_type="image")
    assert (await register(stage, notes, again)).status_code == 201
    wiki = await stage.service("wiki")
    again |= {"service_name": "wiki", "resource_type": "document"}
    assert (await register(stage, wiki, again)).status_code == 201


async def test_P3_the_owner_must_be_a_member(stage: Stage) -> None:
    """authorization.md §4 rule 7.

    Rules: authorization-4.7.
    """
    notes, boss, stranger = await stage.service(), await stage.user(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace(stranger)
    former = await stage.member(workspace)
    await stage.execute(sa.delete(Membership).where(Membership.user_id == former.id))
    good = registration(workspace, boss)
    with stage.events() as events:
        for changes in (
            {"owner_id": str(stranger.id)},
            {"owner_id": str(former.id)},
            {"owner_id": str(uuid4())},
            {"owner_id": str(workspace.id)},
            {"workspace_id": str(uuid4())},
            {"workspace_id": str(other.id)},
        ):
            answer = await register(stage, notes, good | changes)
            assert answer.status_code == 400, changes
            assert answer.json() == {"detail": "Owner is not a member of the workspace"}
    assert await rows(stage) == []
    assert not named(events, "permission.resource.registered")
    assert (await register(stage, notes, good)).status_code == 201


async def test_P3_and_SB_4_and_SB_5_keeps_to_the_scope(stage: Stage) -> None:
    realm = await stage.realm("suite")
    notes, wiki = await stage.service("notes"), await stage.service("wiki", realm=realm)
    boss, stranger = await stage.user(), await stage.user()
    workspace = await stage.workspace(boss)
    for service, scope in (
        (notes, "wiki"),
        (notes, "suite"),
        (wiki, "wiki"),
        (wiki, "notes"),
        (notes, "note"),
    ):
        # The scope comes first: nothing is said about owners and workspaces of others.
        for owner in (boss, stranger):
            answer = await register(stage, service, registration(workspace, owner, service_name=scope))
            assert (answer.status_code, answer.json()) == (403, SCOPE), scope
    assert await rows(stage) == []
    assert (
        await register(stage, wiki, registration(workspace, boss, service_name="suite"))
    ).status_code == 201


async def test_P3_refuses_malformed_bodies(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    good = registration(workspace, boss)
    bad: dict[str, list[Any]] = {
        "service_name": BAD_NAMES,
        "resource_type": BAD_NAMES,
        "resource_id": ["", "x", None, 7],
        "workspace_id": ["", "x", None, 7],
        "owner_id": ["", "x", None, 7],
        "visibility": ["", "public", "Private", None],
    }
    for field, values in bad.items():
        for value in values:
            answer = await register(stage, notes, good | {field: value})
            assert answer.status_code == 422, (field, value)
            assert answer.json()["detail"][0]["loc"] == ["body", field]
    for missing in set(good):
        answer = await register(stage, notes, {key: good[key] for key in good if key != missing})
        assert answer.status_code == 422, missing
    for body in (None, 7, "x"):
        assert (await register(stage, notes, body)).status_code == 422
    assert await rows(stage) == []


async def test_L15_and_P3_fields_of_ours_cannot_be_given(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    forged = {
        "id": str(uuid4()),
        "created_at": "2001-01-01T00:00:00Z",
        "shares": [{"grantee_type": "user", "grantee_id": str(boss.id), "permission": "edit"}],
    }
    answer = await register(stage, notes, registration(workspace, boss) | forged)
    assert answer.status_code == 201
    [stored] = await stage.all(Resource)
    assert answer.json() == record(stored)
    assert str(stored.id) != forged["id"] and stored.created_at == stage.clock.now()
    assert await stage.count(Share) == 0


# ── P4 and P5 ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_P4_shows_the_record_with_its_shares(stage: Stage) -> None:
    realm = await stage.realm("suite")
    notes, wiki = await stage.service("notes", realm=realm), await stage.service("wiki", realm=realm)
    boss = await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace)
    group = await stage.group(workspace, viewer)
    resource = await stage.resource(workspace, boss, service_name="suite", visibility="private")
    orphan = await stage.resource(workspace, None, service_name="suite")
    shares = [await stage.share(resource, viewer, "edit"), await stage.share(resource, group, "view")]
    for service in (notes, wiki):
        answer = await stage.client.get(path(resource), headers=service.headers)
        assert (answer.status_code, answer.json()) == (200, record(resource, *shares))
        answer = await stage.client.get(path(orphan), headers=service.headers)
        assert (answer.status_code, answer.json()) == (200, record(orphan))
    assert set(answer.json()) == RECORD


async def test_P5_adds_the_names(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user("Grace Owner")
    workspace = await stage.workspace(boss)
    reader = await stage.member(workspace, name="Alan Reader")
    group = await stage.group(workspace, reader, name="Readers")
    resource = await stage.resource(workspace, boss)
    to_reader = await stage.share(resource, reader, "edit")
    to_group = await stage.share(resource, group)
    to_nobody = await stage.share(resource, User(id=uuid4()))
    to_no_group = await stage.share(resource, Group(id=uuid4()))
    # An id of the other kind finds no name.
    crossed = [
        Share(
            id=uuid4(),
            resource_permission_id=resource.id,
            grantee_type=kind,
            grantee_id=grantee_id,
            permission="view",
            granted_at=stage.clock.now() + timedelta(seconds=number),
        )
        for number, (kind, grantee_id) in enumerate((("group", boss.id), ("user", group.id)))
    ]
    await stage.add(*crossed)
    await stage.execute(sa.update(Share).where(Share.id == to_reader.id).values(granted_by=boss.id))
    await stage.execute(sa.update(Share).where(Share.id == to_group.id).values(granted_by=reader.id))
    shares = sorted(await stage.all(Share), key=lambda share: share.granted_at)
    assert [share.id for share in shares[-2:]] == [share.id for share in crossed]
    answer = await stage.client.get(f"{path(resource)}/enriched", headers=notes.headers)
    assert answer.status_code == 200
    people = {
        to_reader.id: ("Alan Reader", reader.email, "Grace Owner"),
        to_group.id: ("Readers", None, "Alan Reader"),
        to_nobody.id: (None, None, None),
        to_no_group.id: (None, None, None),
        **{share.id: (None, None, None) for share in crossed},
    }
    expected = record(resource, *shares) | {"owner_name": "Grace Owner", "owner_email": boss.email}
    for line, share in zip(expected["shares"], shares, strict=True):
        names = people[share.id]
        line["grantee_name"], line["grantee_email"], line["granted_by_name"] = names
    assert answer.json() == expected
    bare = await stage.resource(workspace, None)
    answer = await stage.client.get(f"{path(bare)}/enriched", headers=notes.headers)
    assert answer.json() == record(bare) | {"owner_name": None, "owner_email": None}


async def test_P4_and_P5_and_P6_refuse_in_the_right_order(stage: Stage) -> None:
    """401 before 403 before 404; malformed names are 422. Rules: SB-4, SB-5."""
    realm = await stage.realm("suite")
    notes, wiki = await stage.service("notes"), await stage.service("wiki", realm=realm)
    boss = await stage.user()
    workspace = await stage.workspace(boss)
    resource = await stage.resource(workspace, boss)
    of_wiki = await stage.resource(workspace, boss, service_name="wiki")
    before = await rows(stage)
    calls = (("GET", ""), ("GET", "/enriched"), ("DELETE", ""))
    unknown = str(uuid4())
    user = await stage.as_user(boss, workspace)
    cases: list[tuple[Mapping[str, str], str, int, Any]] = [
        ({}, path(resource), 401, None),
        (user, path(resource), 401, None),
        ({"X-Service-Key": "sk_" + "x" * 43}, path(resource), 401, None),
        ({"X-Service-Key": "sk_" + "x" * 43}, path(resource, resource_id=unknown), 401, None),
        (wiki.headers, path(resource), 403, SCOPE),
        (wiki.headers, path(resource, resource_id=unknown), 403, SCOPE),
        (wiki.headers, path(of_wiki), 403, SCOPE),
        (notes.headers, path(of_wiki), 403, SCOPE),
        (notes.headers, path(resource, service_name="note"), 403, SCOPE),
        (notes.headers, path(resource, resource_id=unknown), 404, UNKNOWN),
        (notes.headers, path(resource, resource_id=str(resource.id)), 404, UNKNOWN),
        (notes.headers, path(resource, resource_type="image"), 404, UNKNOWN),
        (wiki.headers, path(of_wiki, service_name="suite"), 404, UNKNOWN),
        (notes.headers, path(resource, resource_id="none"), 422, None),
        (notes.headers, path(resource, service_name="Notes"), 422, None),
        (notes.headers, path(resource, resource_type="-doc"), 422, None),
        (notes.headers, path(resource, resource_type="n" * 256), 422, None),
    ]
    with stage.events() as events:
        for headers, url, status, body in cases:
            for method, suffix in calls:
                answer = await stage.client.request(method, url + suffix, headers=headers)
                assert answer.status_code == status, (method, url, suffix)
                assert body is None or answer.json() == body
    assert await rows(stage) == before
    assert not named(events, "permission.resource.deregistered")


async def test_P3_to_P6_need_the_key_of_an_active_app(stage: Stage) -> None:
    """§0.7 SVC: a person's token, a registered origin or a rotated key do not stand in for it.

    Rules: P3, P4, P5, P6, SK-4, SK-9.
    """
    notes, boss = await stage.service(allowed_origins=["https://notes.example.com"]), await stage.user()
    workspace = await stage.workspace(boss)
    resource = await stage.resource(workspace, boss)
    authz = bearer(await stage.authz_token(boss, workspace, "notes"))
    origin = {"Origin": "https://notes.example.com"}
    before = await rows(stage)
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/permissions/register", registration(workspace, boss)),
        ("GET", path(resource), None),
        ("GET", path(resource) + "/enriched", None),
        ("DELETE", path(resource), None),
    ]

    async def all_refused(headers: Mapping[str, str], why: str) -> None:
        for method, url, body in calls:
            with stage.events() as events:
                answer = await stage.client.request(method, url, headers=headers, json=body)
            assert answer.status_code == 401, (method, url)
            assert answer.json() == {"detail": "Invalid or missing service key"}
            [line] = named(events, "auth.guard.rejected")
            assert (line["guard"], line["reason"]) == ("service", why)

    await all_refused({}, "missing_service_key")
    await all_refused(origin, "missing_service_key")
    await all_refused(authz, "missing_service_key")
    await all_refused(await stage.as_user(boss, workspace), "missing_service_key")
    await all_refused({"X-Service-Key": "sk_" + "x" * 43} | origin, "unknown_service_key")
    await all_refused({"X-Service-Key": notes.app.key_hash}, "unknown_service_key")
    await stage.execute(sa.update(ServiceApp).values(is_active=False))
    await all_refused(notes.headers, "unknown_service_key")
    assert await rows(stage) == before


# ── P6 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_P6_forgets_the_record_and_its_shares(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    viewer = await stage.member(workspace)
    resource, other = await stage.resource(workspace, boss), await stage.resource(workspace, boss)
    await stage.share(resource, viewer)
    await stage.share(resource, await stage.group(workspace, viewer))
    kept = await stage.share(other, viewer)
    activities = await stage.count(Activity)
    with stage.events() as events:
        answer = await stage.client.delete(path(resource), headers=notes.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert [one.id for one in await stage.all(Resource)] == [other.id]
    assert [one.id for one in await stage.all(Share)] == [kept.id]
    [line] = named(events, "permission.resource.deregistered")
    assert (line["category"], line["outcome"]) == ("audit", "success")
    assert (line["permission_id"], line["workspace_id"]) == (str(resource.id), str(workspace.id))
    assert await stage.count(Activity) == activities
    with stage.events() as events:
        answer = await stage.client.delete(path(resource), headers=notes.headers)
    assert (answer.status_code, answer.json()) == (404, UNKNOWN)
    assert not named(events, "permission.resource.deregistered")
    # Registered again it is another record, and nobody has kept a share.
    body = registration(workspace, boss, resource_id=str(resource.resource_id))
    answer = await register(stage, notes, body)
    assert answer.status_code == 201
    assert answer.json()["id"] != str(resource.id) and answer.json()["shares"] == []


async def test_P3_to_P6_development_without_apps(database_url: str, stage_keys: Keys) -> None:
    """§0.7, development exception: without an active app nobody needs a key, and every scope is open.

    Rules: P3, P4, P5, P6.
    """
    async with open_stage(database_url, stage_keys, debug=True) as stage:
        boss = await stage.user()
        workspace = await stage.workspace(boss)
        for scope in ("notes", "wiki"):
            body = registration(workspace, boss, service_name=scope)
            assert (await stage.client.post("/permissions/register", json=body)).status_code == 201
        one, two = sorted(await stage.all(Resource), key=lambda found: found.service_name)
        for resource in (one, two):
            assert (await stage.client.get(path(resource))).json() == record(resource)
            assert (await stage.client.get(path(resource) + "/enriched")).status_code == 200
        assert (await stage.client.delete(path(one))).status_code == 204
        await stage.service("memos")
        for method, url in (("GET", path(two)), ("GET", path(two) + "/enriched"), ("DELETE", path(two))):
            assert (await stage.client.request(method, url)).status_code == 401
        body = registration(workspace, boss)
        assert (await stage.client.post("/permissions/register", json=body)).status_code == 401
