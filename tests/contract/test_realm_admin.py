"""Realms and what stands under scopes, as the panel manages them (``authorization.md`` §6, ``admin.md`` §7)."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from sentinel.apps import login_apps, realms, scopes, service_apps
from sentinel.apps.models import Realm
from sentinel.core.errors import Conflict, NotFound, Unprocessable
from sentinel.permissions.models import Resource, Share
from sentinel.roles import bindings, roles
from sentinel.roles.models import RoleAction, ServiceAction
from sentinel.tokens.models import RefreshFamily
from sentinel.workspaces.models import Workspace
from tests.contract.service_actions import registered
from tests.contract.test_role_admin import Panel, allowed
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def panel(stage: Stage) -> Panel:
    return Panel(stage, await stage.user("Root", is_admin=True))


async def joined(stage: Stage, panel: Panel, realm: Realm, name: str) -> Service:
    """A service that had a life of its own and is now in a realm."""
    service = await stage.service(name)
    await panel(realms.add_member, realm.id, service.app.id)
    return service


async def under(stage: Stage, name: str) -> tuple[int, int]:
    """How many resources and actions stand under a scope."""
    return (
        await stage.count(Resource, Resource.service_name == name),
        await stage.count(ServiceAction, ServiceAction.service_name == name),
    )


# ── lists ──


async def test_admin_7_lists_and_searches_realms_newest_first(stage: Stage, panel: Panel) -> None:
    assert await panel.read(realms.list_all) == []
    first = await panel(realms.create, name="Office Suite", slug="suite")
    second = await panel(realms.create, name="Shop", slug="shop-floor")
    for search, found in (
        (None, [second, first]),
        ("", [second, first]),
        ("OFFICE", [first]),
        ("-floor", [second]),
        ("s", [second, first]),
        ("%", []),
        ("_", []),
    ):
        async with stage.state.database.reading() as session:
            listed = await realms.browse(session, search)
        assert [one.realm.id for one in listed.items] == [one.id for one in found], search
        assert listed.total == len(found)
    assert [one.id for one in await panel.read(realms.list_all)] == [second.id, first.id]


async def test_admin_7_lists_service_apps_newest_first(stage: Stage, panel: Panel) -> None:
    services = [await stage.service(name) for name in ("notes", "wiki", "tasks")]
    listed = await panel.read(service_apps.list_all)
    assert [one.id for one in listed] == [one.app.id for one in reversed(services)]


async def test_authorization_6_3_members_that_have_rows_of_their_own_are_marked(
    stage: Stage, panel: Panel
) -> None:
    realm, other = await stage.realm("suite"), await stage.realm("other")
    assert await panel.read(realms.members, realm.id) == []
    workspace = await stage.workspace()
    for name in ("wiki", "notes", "tasks"):
        await joined(stage, panel, realm, name)
    await joined(stage, panel, other, "elsewhere")
    await stage.service("alone")
    await stage.resource(workspace, None, service_name="wiki")
    await registered(stage, "tasks:read", "suite:read", "elsewhere:read", "alone:read")
    found = await panel.read(realms.members, realm.id)
    assert [(one.service_name, one.name, one.has_grants) for one in found] == [
        ("notes", "Notes", False),
        ("tasks", "Tasks", True),
        ("wiki", "Wiki", True),
    ]
    with pytest.raises(NotFound):
        await panel.read(realms.members, uuid4())


async def test_authorization_6_4_what_a_deletion_leaves_behind_is_counted(stage: Stage, panel: Panel) -> None:
    """The slug stays reserved until an administrator purges the rows (SB-3). Rules: SB-3."""
    realm, workspace = await stage.realm("suite"), await stage.workspace()
    assert await panel.read(scopes.count_rows, "suite") == scopes.Rows(0, 0)
    for scope in ("suite", "suite", "notes"):
        await stage.resource(workspace, None, service_name=scope)
    await registered(stage, "suite:a", "notes:a")
    counted = await panel.read(scopes.count_rows, "suite")
    assert (counted, str(counted)) == (scopes.Rows(2, 1), "2 resources and 1 action")
    await panel(realms.delete, realm.id)
    assert await panel.read(scopes.count_rows, "suite") == counted
    await panel.refused(Conflict, realms.create, name="S", slug="suite")
    assert await panel(scopes.purge_orphaned, "suite") == counted
    assert await under(stage, "suite") == (0, 0)
    assert await under(stage, "notes") == (1, 1)
    entry = await panel.told("permissions_purged")
    assert (entry.target_type, entry.target_id) == ("service", UUID(int=0))
    assert entry.detail == {"service_name": "suite", "deleted_count": 2, "deleted_actions": 1}
    await panel(realms.create, name="S", slug="suite")


async def test_SB_3_only_a_scope_that_nobody_has_is_purged(stage: Stage, panel: Panel) -> None:
    """An inactive service or realm still has its scope, a member of a realm its own name."""
    realm, workspace = await stage.realm("suite", is_active=False), await stage.workspace()
    service, member = await stage.service("notes"), await stage.service("wiki", realm=realm)
    await panel(service_apps.set_active, service.app.id, False)
    for name in ("suite", "notes", "wiki"):
        await stage.resource(workspace, None, service_name=name)
        assert (await panel.refused(Conflict, scopes.purge_orphaned, name)).reason == "scope_in_use"
    assert (await panel.refused(NotFound, scopes.purge_orphaned, "ghost")).reason == "scope_empty"
    await panel(service_apps.delete, member.app.id)
    assert await panel(scopes.purge_orphaned, "wiki") == scopes.Rows(1, 0)
    assert await under(stage, "notes") == (1, 0)


async def test_admin_7_a_realm_that_is_so_already_is_not_changed(stage: Stage, panel: Panel) -> None:
    realm = await panel(realms.create, name="Suite", slug="suite")
    before = await stage.snapshot()
    await panel(realms.change, realm.id)
    await panel(realms.change, realm.id, name=" <b>Suite</b> ", m2m_ttl_s=300, is_active=True)
    assert await stage.snapshot() == before
    changed = await panel(realms.change, realm.id, name="Suite", m2m_ttl_s=60)
    assert (changed.m2m_ttl_s, changed.updated_at > changed.created_at) == (60, True)
    await panel.told("realm_updated")


async def test_admin_7_names_of_applications_and_realms_are_refused_alike(stage: Stage, panel: Panel) -> None:
    """The sentence says why a name that looks long enough is none."""
    uris = {"redirect_uris": ["https://a.example/cb"], "allow_plain_http": False}
    for create, options in (
        (realms.create, {"slug": "suite"}),
        (service_apps.create, {"service_name": "notes"}),
        (login_apps.create, uris),
    ):
        refused = await panel.refused(Unprocessable, create, name="<b></b>", **options)
        assert refused.detail == "Name must have 1 to 255 characters besides markup"


# ── re-keying ──


async def test_authorization_6_3_rekeying_moves_the_rows_of_a_member_to_the_realm(
    stage: Stage, panel: Panel
) -> None:
    """Shares and roles go with them, and the service finds its own again, as every other member does."""
    realm, workspace = await stage.realm("suite"), await stage.workspace()
    bob = await stage.member(workspace)
    notes = await joined(stage, panel, realm, "notes")
    wiki = await joined(stage, panel, realm, "wiki")
    [action, _, _] = await registered(stage, "notes:read", "wiki:own", "suite:other")
    role = await panel(roles.create, workspace.id, name="reader")
    await panel(roles.add_actions, role.id, [action.id])
    await panel(bindings.bind_member, role.id, bob.id)
    resource = await stage.resource(workspace, None, visibility="private")
    await stage.share(resource, bob)
    foreign = await stage.resource(workspace, None, service_name="wiki")
    assert await _may_view(stage, notes, bob, workspace, resource) is False
    assert await _allows(stage, notes, bob, workspace) == []

    assert await panel(realms.rekey, realm.id, notes.app.id) == scopes.Rows(1, 1)
    for service in (notes, wiki):
        assert await _may_view(stage, service, bob, workspace, resource) is True
        assert await _allows(stage, service, bob, workspace) == ["reader"]
    assert await under(stage, "notes") == (0, 0)
    assert await under(stage, "suite") == (1, 2)
    assert await under(stage, "wiki") == (1, 1)
    [stored] = await stage.all(Resource, Resource.id == resource.id)
    assert (stored.resource_id, stored.visibility) == (resource.resource_id, "private")
    assert await stage.count(Share) == 1 and await stage.count(RoleAction) == 1
    assert foreign.service_name == "wiki"
    entry = await panel.told("realm_updated")
    assert (entry.target_type, entry.target_id) == ("realm", realm.id)
    assert entry.detail == {"slug": "suite", "rekeyed_from": "notes", "resources": 1, "actions": 1}
    marks = {one.service_name: one.has_grants for one in await panel.read(realms.members, realm.id)}
    assert marks == {"notes": False, "wiki": True}
    # Nothing is left to be moved, and nothing is written down for it.
    assert await panel(realms.rekey, realm.id, notes.app.id) == scopes.Rows(0, 0)
    await panel.told("realm_updated")


async def _may_view(
    stage: Stage, service: Service, user: Any, workspace: Workspace, resource: Resource
) -> bool:
    token = await stage.authz_token(user, workspace, "suite")
    item = {
        "service_name": "suite",
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
        "action": "view",
    }
    answer = await stage.client.post(
        "/permissions/check", headers=service.headers | bearer(token), json={"checks": [item]}
    )
    assert answer.status_code == 200, answer.text
    allowed: bool = answer.json()["results"][0]["allowed"]
    return allowed


async def _allows(stage: Stage, service: Service, user: Any, workspace: Workspace) -> list[str]:
    return await allowed(stage, service, user, workspace, "read", scope="suite")


async def test_authorization_6_3_rekeying_is_refused_with_the_number_of_conflicts(
    stage: Stage, panel: Panel
) -> None:
    """The same action or the same resource under the slug; all or nothing moves."""
    realm, workspace = await stage.realm("suite"), await stage.workspace()
    notes = await joined(stage, panel, realm, "notes")
    await registered(stage, "notes:a", "notes:b", "notes:c", "suite:a", "suite:b", "wiki:c")
    resource, kept = [await stage.resource(workspace, None) for _ in range(2)]
    same, other_type, other_scope = [
        Resource(
            id=uuid4(),
            service_name=scope,
            resource_type=kind,
            resource_id=of.resource_id,
            workspace_id=workspace.id,
            created_at=stage.clock.now(),
        )
        for scope, kind, of in (
            ("suite", "document", resource),
            ("suite", "folder", kept),
            ("wiki", "document", kept),
        )
    ]
    await stage.add(same, other_type, other_scope)
    refused = await panel.refused(Conflict, realms.rekey, realm.id, notes.app.id)
    assert refused.reason == "rekey_conflict"
    assert refused.detail == "1 resource and 2 actions of 'notes' exist under 'suite' already"


async def test_admin_7_only_rows_of_a_member_are_rekeyed(stage: Stage, panel: Panel) -> None:
    realm, other, workspace = await stage.realm("suite"), await stage.realm("other"), await stage.workspace()
    alone, elsewhere = await stage.service("alone"), await joined(stage, panel, other, "elsewhere")
    for name in ("alone", "elsewhere"):
        await stage.resource(workspace, None, service_name=name)
    for realm_id, app_id in (
        (realm.id, alone.app.id),
        (realm.id, elsewhere.app.id),
        (realm.id, uuid4()),
        (uuid4(), elsewhere.app.id),
    ):
        await panel.refused(NotFound, realms.rekey, realm_id, app_id)


async def test_authorization_6_3_rekeying_races_with_registrations_of_the_realm(
    stage: Stage, panel: Panel
) -> None:
    """Another member registers the same actions at this moment: all rows move, or none, and no action is lost."""
    realm = await stage.realm("suite")
    notes, wiki = await joined(stage, panel, realm, "notes"), await joined(stage, panel, realm, "wiki")
    names = [f"a{number}" for number in range(25)]
    await registered(stage, *(f"notes:{name}" for name in names))

    async def register(name: str) -> None:
        body = {"service_name": "suite", "actions": [{"action": name}]}
        answer = await stage.client.post("/roles/actions/register", headers=wiki.headers, json=body)
        assert answer.status_code == 201, answer.text

    async def rekey() -> str:
        try:
            await panel(realms.rekey, realm.id, notes.app.id)
        except Conflict:
            return "refused"
        return "moved"

    outcomes = await asyncio.gather(
        *map(register, names[:12]), *(rekey() for _ in range(25)), *map(register, names)
    )
    outcome = {one for one in outcomes if one}
    assert await under(stage, "suite") == (0, 25)
    assert await under(stage, "notes") == ((0, 0) if "moved" in outcome else (0, 25))
    assert await _rekeyings(stage) == (1 if await under(stage, "notes") == (0, 0) else 0)


async def _rekeyings(stage: Stage) -> int:
    return len(await stage.activities("realm_updated"))


# ── login apps ──


async def test_DL_9_sessions_of_an_app_that_is_off_already_can_still_be_ended(
    stage: Stage, panel: Panel
) -> None:
    app, workspace = await stage.login_app(), await stage.workspace()
    ada = await stage.member(workspace)
    pair = await stage.session(ada, workspace, app)

    async def switch(active: bool | None, *, revoke_sessions: bool) -> int:
        changed, revoked = await panel(
            login_apps.change,
            app.id,
            is_active=active,
            revoke_sessions=revoke_sessions,
            allow_plain_http=False,
        )
        assert changed.is_active is bool(active)
        return int(revoked)

    assert await switch(True, revoke_sessions=True) == 0
    assert await switch(False, revoke_sessions=False) == 0
    assert await switch(None, revoke_sessions=True) == 0
    headers = bearer(pair.access.token)
    assert (await stage.client.get("/users/me", headers=headers)).status_code == 200
    assert await switch(False, revoke_sessions=True) == 1
    assert (await stage.client.get("/users/me", headers=headers)).status_code == 401
    assert await stage.count(RefreshFamily, RefreshFamily.revoked_at.is_(None)) == 0
    last = (await stage.activities("client_app_updated"))[-1]
    assert last.detail is not None and last.detail["tokens_revoked"] == 1
