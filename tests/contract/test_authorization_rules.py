"""Rules of ``authorization.md`` that need a test of their own, over HTTP; where the others are: tests/README.md."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sentinel.identity.models import User
from sentinel.permissions.models import Resource
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces.models import Group, Membership, Workspace
from tests.contract.test_resolve import _claims, _id_token, _resolve
from tests.stage import Keys, Pkce, Service, Stage, bearer

pytestmark = pytest.mark.anyio

ROLES = ("viewer", "editor", "admin", "owner")
HTTP_METHODS = {"get", "put", "post", "patch", "delete"}


async def may(
    stage: Stage, headers: dict[str, str], resource: Resource, action: str, *, scope: str = "notes"
) -> bool:
    item = {
        "service_name": scope,
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
        "action": action,
    }
    answer = await stage.client.post("/permissions/check", headers=headers, json={"checks": [item]})
    assert answer.status_code == 200, answer.text
    allowed: bool = answer.json()["results"][0]["allowed"]
    return allowed


async def register(
    stage: Stage, service: Service, *names: str, scope: str | None = None, **headers: str
) -> httpx.Response:
    body = {
        "service_name": scope or service.app.service_name,
        "actions": [{"action": name} for name in names],
    }
    return await stage.client.post("/roles/actions/register", headers=headers or service.headers, json=body)


async def granting(
    stage: Stage, headers: dict[str, str], workspace: Workspace, action: str, *, scope: str = "notes"
) -> list[str] | int:
    """The roles that allow an action, or the status of a refusal."""
    body = {"service_name": scope, "action": action, "workspace_id": str(workspace.id)}
    answer = await stage.client.post("/roles/check-action", headers=headers, json=body)
    if answer.status_code != 200:
        return answer.status_code
    names: list[str] = answer.json()["roles"]
    assert answer.json() == {"allowed": bool(names), "roles": names}
    return names


async def actions_of(stage: Stage, headers: dict[str, str], workspace: Workspace) -> list[str] | int:
    asked = {"service_name": "notes", "workspace_id": str(workspace.id)}
    answer = await stage.client.get("/roles/user-actions", headers=headers, params=asked)
    found: list[str] = answer.json().get("actions")
    return found if answer.status_code == 200 else answer.status_code


async def role(stage: Stage, workspace: Workspace, name: str, *actions: ServiceAction) -> Role:
    made = Role(id=uuid4(), workspace_id=workspace.id, name=name, created_at=stage.clock.now())
    await stage.add(made, *(RoleAction(role_id=made.id, service_action_id=action.id) for action in actions))
    return made


async def bind(stage: Stage, bound: Role, *holders: User | Group) -> None:
    await stage.add(
        *(
            GroupRole(role_id=bound.id, group_id=holder.id)
            if isinstance(holder, Group)
            else UserRole(role_id=bound.id, user_id=holder.id)
            for holder in holders
        )
    )


async def known(stage: Stage, *names: str, scope: str = "notes") -> list[ServiceAction]:
    found = [ServiceAction(id=uuid4(), service_name=scope, action=name) for name in names]
    await stage.add(*found)
    return found


# ── §2 ──


VIEWER = {"read", "view open", *(f"{what} own" for what in ("view", "edit", "share", "show", "unshare"))}
EDITOR = VIEWER | {"edit open"}
ADMIN = EDITOR | {
    *(f"{what} private" for what in ("view", "edit", "share", "show", "unshare")),
    "change the workspace",
    "add a member",
    "make a group",
}
OWNER = ADMIN | {"grant owner", "remove an owner", "delete the workspace"}


async def powers(stage: Stage, notes: Service, name: str) -> set[str]:
    """What somebody with that role can do in a workspace of his own, of all that the table of capabilities knows."""
    workspace = await stage.workspace(await stage.user())
    me, peer = await stage.member(workspace, name), await stage.member(workspace)
    second, new = await stage.member(workspace, "owner"), await stage.user()
    headers = await stage.as_user(me, workspace) | notes.headers
    kinds = {
        "open": await stage.resource(workspace, peer),
        "private": await stage.resource(workspace, peer, visibility="private"),
        "own": await stage.resource(workspace, me, visibility="private"),
    }
    found = set()
    for kind, resource in kinds.items():
        for action in ("view", "edit"):
            if await may(stage, headers, resource, action):
                found.add(f"{action} {kind}")

    async def can(what: str, method: str, path: str, body: dict[str, str] | None = None) -> None:
        answer = await stage.client.request(method, path, headers=headers, json=body)
        assert answer.is_success or answer.status_code == 403, (name, what, answer.text)
        if answer.is_success:
            found.add(what)

    for kind in ("private", "own"):
        path = f"/permissions/{kinds[kind].id}"
        grantee = {"grantee_type": "user", "grantee_id": str(peer.id), "permission": "view"}
        await stage.share(kinds[kind], second)
        await can(f"share {kind}", "POST", f"{path}/share", grantee)
        await can(f"unshare {kind}", "DELETE", f"{path}/share", grantee | {"grantee_id": str(second.id)})
        await can(f"show {kind}", "PATCH", f"{path}/visibility", {"visibility": "workspace"})
    here = f"/workspaces/{workspace.id}"
    await can("read", "GET", here)
    await can("change the workspace", "PATCH", here, {"name": "New"})
    await can("add a member", "POST", f"{here}/members/invite", {"email": new.email, "role": "viewer"})
    await can("make a group", "POST", f"{here}/groups", {"name": "New"})
    await can("grant owner", "PATCH", f"{here}/members/{peer.id}", {"role": "owner"})
    await can("remove an owner", "DELETE", f"{here}/members/{second.id}")
    await can("delete the workspace", "DELETE", here)
    return found


async def test_authorization_2_1_and_2_capabilities_each_role_has_more_than_the_one_below(
    stage: Stage,
) -> None:
    notes = await stage.service()
    found = [await powers(stage, notes, name) for name in ROLES]
    assert found == [VIEWER, EDITOR, ADMIN, OWNER]
    assert VIEWER < EDITOR < ADMIN < OWNER


async def test_authorization_2_capabilities_roles_are_defined_and_bound_in_the_panel_alone(
    stage: Stage,
) -> None:
    """Nothing on the public surface does it, and the token of an owner opens nothing of the panel."""
    notes, owner = await stage.service(), await stage.user()
    workspace = await stage.workspace(owner)
    group = await stage.group(workspace, owner)
    [write] = await known(stage, "write")
    made = await role(stage, workspace, "Writer", write)
    ids = {"workspace_id": workspace.id, "role_id": made.id, "user_id": owner.id, "group_id": group.id}
    operations = [
        (method.upper(), path)
        for path, methods in stage.app.api.openapi()["paths"].items()
        for method in methods
        if "role" in path and method in HTTP_METHODS
    ]
    public = {path for _, path in operations if not path.startswith("/admin/")}
    assert public == {"/roles/actions/register", "/roles/check-action", "/roles/user-actions"}
    token = await stage.access_token(owner, workspace)
    before = await stage.snapshot()
    changing = [
        (method, path) for method, path in operations if path not in public and method not in ("GET", "HEAD")
    ]
    assert len(changing) >= 9
    for method, path in changing:
        where = path.format(**(ids | {"action_id": write.id}))
        for shown in ({}, notes.headers, {"Cookie": f"admin_token={token}"}):
            headers = bearer(token) | {"X-Requested-With": "XMLHttpRequest"} | shown
            answer = await stage.client.request(method, where, headers=headers, json={"name": "x"})
            assert answer.status_code in (401, 403), (method, path, answer.text)
    assert await stage.snapshot() == before
    headers = bearer(token) | notes.headers
    assert await granting(stage, headers, workspace, "write") == []
    async with stage.panel() as http:
        bound = await http.post(f"/admin/api/roles/{made.id}/members/{owner.id}")
    assert bound.status_code == 201, bound.text
    assert await granting(stage, headers, workspace, "write") == ["Writer"]


async def test_authorization_2_2_one_role_in_each_of_any_number_of_workspaces(stage: Stage) -> None:
    boss, ada = await stage.user(), await stage.user()
    places = {name: await stage.workspace(boss, name=name) for name in ROLES}
    for name, workspace in places.items():
        await stage.join(workspace, ada, name)
    listed = await stage.client.get("/workspaces", headers=await stage.as_user(ada, places["viewer"]))
    assert {one["name"] for one in listed.json()} == set(ROLES)
    async with stage.panel() as http:
        for name, workspace in places.items():
            renamed = await stage.client.patch(
                f"/workspaces/{workspace.id}", headers=await stage.as_user(ada, workspace), json={"name": "N"}
            )
            assert renamed.status_code == (200 if name in ("admin", "owner") else 403), name
            # A second role in the same workspace is refused by each face, and by the database.
            for other in ROLES:
                body = {"email": ada.email, "role": other}
                path = f"/workspaces/{workspace.id}/members/invite"
                again = await stage.client.post(path, headers=await stage.as_user(boss, workspace), json=body)
                assert again.status_code == 400, again.text
                assert (await http.post(f"/admin/api{path}", json=body)).status_code == 400
                with pytest.raises(IntegrityError):
                    await stage.join(workspace, ada, other)
    kept = await stage.all(Membership, Membership.user_id == ada.id)
    assert sorted((one.workspace_id, one.role) for one in kept) == sorted(
        (workspace.id, name) for name, workspace in places.items()
    )


# ── §3 ──


async def test_authorization_3_1_an_action_is_a_scope_and_a_name_that_its_service_registers(
    stage: Stage,
) -> None:
    notes, wiki, owner = await stage.service(), await stage.service("wiki"), await stage.user()
    workspace = await stage.workspace(owner)
    user = await stage.as_user(owner, workspace)
    good = ["a", "write", "note:read.all", "a_b-c", "z9", "a" * 255]
    assert (await register(stage, notes, *good)).status_code == 201
    for bad in ("", "A", "9a", "_a", "-a", ":a", ".a", "a b", "a/b", "a\n", " a", "á", "aÉ", "a*", "a" * 256):
        assert (await register(stage, notes, "fine", bad)).status_code == 422, bad
    for service, headers, status in (
        (wiki, {}, 403),
        (notes, user, 401),
        (notes, user | {"X-Service-Key": "sk_none"}, 401),
    ):
        answer = await register(stage, service, "fine", scope="notes", **headers)
        assert answer.status_code == status, answer.text
    assert {(one.service_name, one.action) for one in await stage.all(ServiceAction)} == {
        ("notes", name) for name in good
    }
    # The same name under another scope is another action.
    assert (await register(stage, wiki, "write")).status_code == 201
    mine, theirs = [
        (await stage.all(ServiceAction, ServiceAction.service_name == scope, ServiceAction.action == "write"))
        for scope in ("notes", "wiki")
    ]
    assert len(mine) == len(theirs) == 1 and mine[0].id != theirs[0].id
    await bind(stage, await role(stage, workspace, "Writer", mine[0]), owner)
    assert await granting(stage, user | notes.headers, workspace, "write") == ["Writer"]
    assert await granting(stage, user | wiki.headers, workspace, "write", scope="wiki") == []


async def test_authorization_3_3_and_3_4_and_3_5_and_5_1_one_union_everywhere_and_nothing_twice(
    stage: Stage, stage_keys: Keys
) -> None:
    """Roles bound directly, through two groups and to a group that the person has left, asked with both kinds of
    token and minted into one.
    """
    notes, workspace = await stage.service(), await stage.workspace(await stage.user())
    ada = await stage.member(workspace, email="ada@example.com")
    read, write, export, _ = await known(stage, "read", "write", "export", "unheld")
    one, two = await stage.group(workspace, ada), await stage.group(workspace, ada)
    left = await stage.group(workspace)
    writer = await role(stage, workspace, "Writer", write, read)
    await bind(stage, writer, ada, one, two)
    await bind(stage, await role(stage, workspace, "Reader", read), two)
    await bind(stage, await role(stage, workspace, "Exporter", export), left)

    async def minted() -> dict[str, Any]:
        answer = await _resolve(
            stage, notes.headers, _id_token(stage, stage_keys), workspace_id=str(workspace.id)
        )
        assert answer.status_code == 200, answer.text
        return {"token": answer.json()["authz_token"], **_claims(answer.json()["authz_token"])}

    first = await minted()
    for token in (first["token"], await stage.access_token(ada, workspace)):
        headers = notes.headers | bearer(token)
        assert await granting(stage, headers, workspace, "read") == ["Reader", "Writer"]
        assert await granting(stage, headers, workspace, "write") == ["Writer"]
        for nothing in ("export", "unheld", "unknown"):
            assert await granting(stage, headers, workspace, nothing) == [], nothing
        assert await actions_of(stage, headers, workspace) == ["read", "write"]
    assert first["actions"] == ["read", "write"]
    # A binding less is as good while another gives the same.
    await stage.execute(sa.delete(UserRole))
    assert (await minted())["actions"] == ["read", "write"]
    await stage.execute(sa.delete(GroupRole).where(GroupRole.role_id == writer.id))
    assert (await minted())["actions"] == ["read"]
    assert await actions_of(stage, notes.headers | bearer(first["token"]), workspace) == ["read"]


async def test_authorization_3_11_a_minted_token_keeps_its_actions_for_five_minutes_and_no_check_reads_them(
    stage: Stage, stage_keys: Keys
) -> None:
    notes, workspace = await stage.service(), await stage.workspace(await stage.user())
    ada = await stage.member(workspace, email="ada@example.com")
    await bind(stage, await role(stage, workspace, "Writer", *await known(stage, "write")), ada)
    where = str(workspace.id)
    answer = await _resolve(stage, notes.headers, _id_token(stage, stage_keys), workspace_id=where)
    token = answer.json()["authz_token"]
    headers = notes.headers | bearer(token)
    assert await granting(stage, headers, workspace, "write") == ["Writer"]
    await stage.execute(sa.delete(RoleAction))
    assert await granting(stage, headers, workspace, "write") == []
    claims = _claims(token)
    assert (claims["actions"], claims["exp"] - claims["iat"]) == (["write"], 300)
    stage.clock.advance(300)
    assert await granting(stage, headers, workspace, "write") == 401
    fresh = await _resolve(stage, notes.headers, _id_token(stage, stage_keys), workspace_id=where)
    assert _claims(fresh.json()["authz_token"])["actions"] == []


async def test_authorization_3_7_bindings_of_the_inactive_and_of_non_members_never_count(
    stage: Stage, stage_keys: Keys
) -> None:
    """The rows of the bindings stay all the time; directly bound and through a group."""
    notes, workspace = await stage.service(), await stage.workspace(await stage.user())
    ada = await stage.member(workspace, email="ada@example.com")
    group = await stage.group(workspace, ada)
    await bind(stage, await role(stage, workspace, "Writer", *await known(stage, "write")), ada, group)

    async def asked() -> list[Any]:
        """check-action and user-actions with both kinds of token, and the actions of a new token."""
        found: list[Any] = []
        for token in (
            await stage.access_token(ada, workspace),
            await stage.authz_token(ada, workspace, "notes"),
        ):
            headers = notes.headers | bearer(token)
            found += [
                await granting(stage, headers, workspace, "write"),
                await actions_of(stage, headers, workspace),
            ]
        minted = await _resolve(
            stage, notes.headers, _id_token(stage, stage_keys), workspace_id=str(workspace.id)
        )
        if minted.status_code != 200:
            return [*found, minted.status_code]
        return [*found, _claims(minted.json()["authz_token"])["actions"]]

    granted: list[Any] = [["Writer"], ["write"]]
    assert await asked() == [*granted, *granted, ["write"]]
    await stage.execute(sa.update(User).where(User.id == ada.id).values(is_active=False))
    assert await asked() == [401, 401, 401, 401, 403]
    await stage.execute(sa.update(User).where(User.id == ada.id).values(is_active=True))
    assert await asked() == [*granted, *granted, ["write"]]
    await stage.execute(sa.delete(Membership).where(Membership.user_id == ada.id))
    assert await asked() == [403, 403, 403, 403, 403]
    assert (await stage.count(UserRole), await stage.count(GroupRole)) == (1, 1)


async def test_authorization_3_10_who_is_in_a_bound_group_is_decided_in_the_workspace_and_its_powers_in_the_panel(
    stage: Stage,
) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    admin, ada = await stage.member(workspace, "admin"), await stage.member(workspace)
    group = await stage.group(workspace)
    writer = await role(stage, workspace, "Writer", *await known(stage, "write"))
    async with stage.panel() as http:
        assert (await http.post(f"/admin/api/roles/{writer.id}/groups/{group.id}")).status_code == 201
        member = f"/workspaces/{workspace.id}/groups/{group.id}/members/{ada.id}"

        async def holds(person: User) -> list[str] | int:
            headers = notes.headers | await stage.as_user(person, workspace)
            return await granting(stage, headers, workspace, "write")

        assert await holds(ada) == []
        mine = await stage.as_user(ada, workspace)
        assert (await stage.client.post(member, headers=mine)).status_code == 403
        headers = await stage.as_user(admin, workspace)
        assert (await stage.client.post(member, headers=headers)).status_code == 201
        assert await holds(ada) == ["Writer"]
        # Who may say who is in it has none of its powers, and cannot change them.
        assert await holds(admin) == await holds(boss) == []
        for method, path in (
            ("DELETE", f"/admin/api/roles/{writer.id}/groups/{group.id}"),
            ("POST", f"/admin/api/roles/{writer.id}/members/{admin.id}"),
        ):
            for person in (admin, boss):
                shown = await stage.as_user(person, workspace) | {"X-Requested-With": "XMLHttpRequest"}
                assert (await stage.client.request(method, path, headers=shown)).status_code == 401
        assert (await stage.client.delete(member, headers=headers)).status_code == 204
        assert await holds(ada) == []
        assert (await stage.client.post(member, headers=headers)).status_code == 201
        assert (await http.delete(f"/admin/api/roles/{writer.id}/groups/{group.id}")).status_code == 204
        assert await holds(ada) == []


# ── §5 ──


async def test_authorization_5_2_the_groups_of_a_token_are_for_others_and_decide_nothing_here(
    stage: Stage,
) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    app, pkce, person = await stage.login_app(), Pkce(), stage.person("ada@example.com", sub="ada")
    ada = await stage.member(workspace, email="ada@example.com")
    mine, other = await stage.group(workspace, ada), await stage.group(workspace, boss)
    # The claim is there, for applications that read it.
    body = {
        "code": await stage.code(person, app, pkce),
        "code_verifier": pkce.verifier,
        "workspace_id": str(workspace.id),
    }
    pair = (await stage.client.post("/auth/token", json=body)).json()
    assert _claims(pair["access_token"])["groups"] == [str(mine.id)]
    await bind(stage, await role(stage, workspace, "Mine", *await known(stage, "mine")), mine)
    await bind(stage, await role(stage, workspace, "Other", *await known(stage, "other")), other)
    resources = [await stage.resource(workspace, boss, visibility="private") for _ in range(2)]
    for resource, group in zip(resources, (mine, other), strict=True):
        await stage.share(resource, group, "edit")
    subject = await stage.subject(ada, workspace)
    for claimed in ((mine.id,), (), (other.id,), (mine.id, other.id)):
        token = stage.state.issuer.access(replace(subject, group_ids=claimed)).token
        assert _claims(token)["groups"] == [str(one) for one in claimed]
        headers = notes.headers | bearer(token)
        assert [await may(stage, headers, one, "edit") for one in resources] == [True, False], claimed
        assert await granting(stage, headers, workspace, "mine") == ["Mine"]
        assert await granting(stage, headers, workspace, "other") == []
        wish = {
            "service_name": "notes",
            "resource_type": "document",
            "action": "view",
            "workspace_id": str(workspace.id),
        }
        listed = await stage.client.post("/permissions/accessible", headers=headers, json=wish)
        assert listed.json()["resource_ids"] == [str(resources[0].resource_id)], claimed


# ── §6 ──


async def test_authorization_6_1_and_6_2_an_app_is_in_one_realm_and_shares_its_scope(stage: Stage) -> None:
    boss = await stage.user()
    workspace = await stage.workspace(boss)
    suite, office = await stage.realm("suite"), await stage.realm("office")
    services = [await stage.service(name) for name in ("notes", "wiki", "tasks")]
    notes, wiki, tasks = services
    shared = await stage.resource(workspace, boss, service_name="suite")
    token = bearer(await stage.authz_token(boss, workspace, "suite"))

    async def open_to() -> list[bool]:
        found = []
        for service in services:
            answer = await stage.client.get("/users/me", headers=token | service.headers)
            assert answer.status_code in (200, 403), answer.text
            found.append(answer.status_code == 200)
            if found[-1]:
                assert await may(stage, token | service.headers, shared, "edit", scope="suite")
                assert (await register(stage, service, "act", scope="suite")).status_code == 201
            else:
                assert (await register(stage, service, "act", scope="suite")).status_code == 403
        return found

    assert await open_to() == [False, False, False]
    async with stage.panel() as http:
        for service, realm in ((notes, suite), (wiki, suite), (tasks, office)):
            path = f"/admin/api/realms/{realm.id}/members/{service.app.id}"
            assert (await http.post(path)).status_code == 201
        before = await stage.snapshot()
        second = await http.post(f"/admin/api/realms/{office.id}/members/{notes.app.id}")
        assert second.status_code == 409, second.text
        assert await stage.snapshot() == before
        assert await open_to() == [True, True, False]
        path = f"/admin/api/realms/{suite.id}/members/{notes.app.id}"
        assert (await http.delete(path)).status_code == 204
    assert await open_to() == [False, True, False]
    assert await stage.count(ServiceAction) == 1
