"""Roles, their actions and their bindings as the panel manages them (``authorization.md`` §3, ``admin.md`` §6)."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from sentinel.audit.models import Activity
from sentinel.core.errors import Conflict, DomainError, Invalid, NotFound, Unprocessable
from sentinel.identity.models import User
from sentinel.roles import actions, bindings, roles
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces.models import GroupMembership, Workspace
from tests.contract.service_actions import registered
from tests.stage import Service, Stage, bearer

pytestmark = pytest.mark.anyio


class Panel:
    """Calls use cases as an administrator, each in a transaction of its own."""

    def __init__(self, stage: Stage, admin: User) -> None:
        self.stage = stage
        self.admin = admin

    async def __call__(self, use_case: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        async with self.stage.state.database.transaction() as session:
            result = await use_case(
                session, *arguments, actor_id=self.admin.id, now=self.stage.clock.now(), **options
            )
        self.stage.clock.advance(1)
        return result

    async def read(self, query: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        """The answer to a question that costs one statement."""
        async with self.stage.state.database.reading() as session:
            with self.stage.statements() as seen:
                found = await query(session, *arguments, **options)
        assert len(seen) == 1, seen.texts
        return found

    async def refused(
        self,
        refusal: type[DomainError],
        use_case: Callable[..., Awaitable[Any]],
        *arguments: Any,
        **options: Any,
    ) -> DomainError:
        """The refusal of a use case, which has changed nothing."""
        before = await self.stage.snapshot()
        with pytest.raises(refusal) as refused:
            await self(use_case, *arguments, **options)
        assert await self.stage.snapshot() == before
        return refused.value

    async def told(self, action: str) -> Activity:
        """The one activity of that name, which the administrator has done."""
        [entry] = await self.stage.activities(action)
        assert entry.actor_id == self.admin.id
        return entry


@pytest.fixture
async def panel(stage: Stage) -> Panel:
    return Panel(stage, await stage.user("Root", is_admin=True))


async def allowed(
    stage: Stage, service: Service, user: User, workspace: Workspace, action: str, *, scope: str | None = None
) -> list[str]:
    """The roles that allow a person an action now; ``scope`` is the service's own name unless it is in a realm."""
    scope = scope or service.app.service_name
    token = await stage.authz_token(user, workspace, scope)
    answer = await stage.client.post(
        "/roles/check-action",
        headers=service.headers | bearer(token),
        json={"service_name": scope, "action": action, "workspace_id": str(workspace.id)},
    )
    assert answer.status_code == 200, answer.text
    names: list[str] = answer.json()["roles"]
    assert answer.json()["allowed"] == bool(names)
    return names


# ── roles ──


async def test_authorization_3_2_a_role_has_a_name_of_its_own_in_its_workspace(
    stage: Stage, panel: Panel
) -> None:
    """Made with a plain name; the same name in another workspace is another role."""
    here, there = await stage.workspace(), await stage.workspace()
    role = await panel(roles.create, here.id, name=" <b>Editors</b> ", description="May <i>edit</i>")
    assert (role.name, role.description, role.workspace_id) == ("Editors", "May edit", here.id)
    assert role.created_by == panel.admin.id
    entry = await panel.told("role_created")
    assert (entry.target_type, entry.target_id, entry.workspace_id) == ("role", role.id, here.id)
    taken = await panel.refused(Conflict, roles.create, here.id, name="Editors")
    assert taken.reason == "name_taken"
    other = await panel(roles.create, there.id, name="Editors")
    assert other.description is None
    await panel.refused(NotFound, roles.create, uuid4(), name="Editors")
    for name in ("", " ", "<i></i>", "x" * 256):
        wrong = await panel.refused(Unprocessable, roles.create, here.id, name=name)
        assert isinstance(wrong, Unprocessable) and wrong.field == "name"
    await panel(roles.create, here.id, name="x" * 255)


async def test_admin_6_lists_roles_of_one_workspace_newest_first_with_counts(
    stage: Stage, panel: Panel
) -> None:
    workspace, other = await stage.workspace(), await stage.workspace()
    ada, bob = await stage.member(workspace), await stage.member(workspace)
    group = await stage.group(workspace, ada)
    found = await registered(stage, "notes:a", "notes:b", "wiki:a")
    assert await panel.read(roles.list_roles, workspace.id) == []
    full = await panel(roles.create, workspace.id, name="full")
    empty = await panel(roles.create, workspace.id, name="empty")
    foreign = await panel(roles.create, other.id, name="foreign")
    await panel(roles.add_actions, full.id, [action.id for action in found])
    for user in (ada, bob):
        await panel(bindings.bind_member, full.id, user.id)
    await panel(bindings.bind_group, full.id, group.id)
    await panel(roles.add_actions, foreign.id, [found[0].id])
    assert [
        (entry.role.id, entry.action_count, entry.member_count, entry.group_count)
        for entry in await panel.read(roles.list_roles, workspace.id)
    ] == [(empty.id, 0, 0, 0), (full.id, 3, 2, 1)]
    with pytest.raises(NotFound):
        await panel.read(roles.list_roles, uuid4())


async def test_admin_6_changes_a_role_and_writes_down_only_real_changes(stage: Stage, panel: Panel) -> None:
    workspace = await stage.workspace()
    role = await panel(roles.create, workspace.id, name="Editors", description="old")
    await panel(roles.create, workspace.id, name="Taken")
    await panel(roles.change, role.id, name="Editors", description="old")
    await panel(roles.change, role.id)
    assert await stage.activities("role_updated") == []
    changed = await panel(roles.change, role.id, name="<b>Writers</b>", description="new")
    assert (changed.name, changed.description) == ("Writers", "new")
    entry = await panel.told("role_updated")
    assert entry.detail is not None and entry.detail["fields"] == ["name", "description"]
    assert entry.workspace_id == workspace.id
    assert (await panel.refused(Conflict, roles.change, role.id, name="Taken")).reason == "name_taken"
    await panel.refused(Unprocessable, roles.change, role.id, name="<b></b>")
    await panel.refused(NotFound, roles.change, uuid4(), name="x")
    [stored] = await stage.all(Role, Role.id == role.id)
    assert (stored.name, stored.description) == ("Writers", "new")


async def test_authorization_3_9_a_deleted_role_takes_its_links_and_bindings_along(
    stage: Stage, panel: Panel
) -> None:
    workspace = await stage.workspace()
    ada = await stage.member(workspace)
    group = await stage.group(workspace, ada)
    [action] = await registered(stage, "notes:a")
    doomed, kept = [await panel(roles.create, workspace.id, name=name) for name in ("doomed", "kept")]
    for role in (doomed, kept):
        await panel(roles.add_actions, role.id, [action.id])
        await panel(bindings.bind_member, role.id, ada.id)
        await panel(bindings.bind_group, role.id, group.id)
    await panel(roles.delete, doomed.id)
    for table in (RoleAction, UserRole, GroupRole):
        assert [row.role_id for row in await stage.all(table)] == [kept.id]
    assert [role.id for role in await stage.all(Role)] == [kept.id]
    assert await stage.count(GroupMembership) == 1 and await stage.count(ServiceAction) == 1
    entry = await panel.told("role_deleted")
    assert (entry.target_id, entry.workspace_id) == (doomed.id, workspace.id)
    assert entry.detail is not None and entry.detail["name"] == "doomed"
    await panel.refused(NotFound, roles.delete, doomed.id)


# ── actions ──


async def test_authorization_3_2_actions_are_added_all_or_none(stage: Stage, panel: Panel) -> None:
    """Of any scope; what the role holds already is ignored."""
    workspace = await stage.workspace()
    role = await panel(roles.create, workspace.id, name="r")
    wiki, read, write = await registered(stage, "wiki:read", "notes:read", "notes:write")
    assert await panel(roles.add_actions, role.id, [read.id, wiki.id, read.id]) == 2
    assert await panel(roles.add_actions, role.id, [read.id]) == 0
    assert await panel(roles.add_actions, role.id, []) == 0
    unknown = await panel.refused(NotFound, roles.add_actions, role.id, [write.id, uuid4()])
    assert unknown.reason == "service_action_not_found"
    assert (await panel.refused(NotFound, roles.add_actions, uuid4(), [])).reason == "role_not_found"
    too_many = [uuid4() for _ in range(roles.MAX_ACTIONS + 1)]
    await panel.refused(Unprocessable, roles.add_actions, role.id, too_many)
    assert await panel(roles.add_actions, role.id, [read.id, write.id]) == 1
    listed = await panel.read(roles.list_actions, role.id)
    assert [action.id for action in listed] == [read.id, write.id, wiki.id]
    entries = await stage.activities("role_action_added")
    assert [entry.detail["actions"] for entry in entries if entry.detail] == [
        ["notes:read", "wiki:read"],
        ["notes:write"],
    ]
    assert {(entry.target_id, entry.workspace_id) for entry in entries} == {(role.id, workspace.id)}


async def test_admin_6_removes_an_action_from_a_role(stage: Stage, panel: Panel) -> None:
    workspace = await stage.workspace()
    role, other = [await panel(roles.create, workspace.id, name=name) for name in ("r", "o")]
    read, write = await registered(stage, "notes:read", "notes:write")
    await panel(roles.add_actions, role.id, [read.id, write.id])
    await panel(roles.add_actions, other.id, [read.id])
    await panel(roles.remove_action, role.id, read.id)
    assert [action.id for action in await panel.read(roles.list_actions, role.id)] == [write.id]
    assert [action.id for action in await panel.read(roles.list_actions, other.id)] == [read.id]
    entry = await panel.told("role_action_removed")
    assert entry.detail is not None and entry.detail["actions"] == ["notes:read"]
    assert entry.workspace_id == workspace.id
    await panel.refused(NotFound, roles.remove_action, role.id, read.id)
    await panel.refused(NotFound, roles.remove_action, uuid4(), write.id)
    with pytest.raises(NotFound):
        await panel.read(roles.list_actions, uuid4())


async def test_admin_6_lists_all_actions_by_service_and_name(stage: Stage, panel: Panel) -> None:
    """Punctuation sorts alike on both databases."""
    await registered(stage, "notes:b", "wiki:a", "notes:a.b", "notes:a-b", "notes:a:b", "notes:a_b")
    names = ["a-b", "a.b", "a:b", "a_b", "b"]
    found = await panel.read(actions.list_all)
    assert [f"{one.service_name}:{one.action}" for one in found] == [
        *(f"notes:{name}" for name in names),
        "wiki:a",
    ]
    found = await panel.read(actions.list_all, service_name="notes")
    assert [one.action for one in found] == names
    assert await panel.read(actions.list_all, service_name="note") == []


async def test_authorization_3_9_a_deleted_action_leaves_all_roles(stage: Stage, panel: Panel) -> None:
    here, there = await stage.workspace(), await stage.workspace()
    ada, service = await stage.member(here), await stage.service("notes")
    doomed, kept = await registered(stage, "notes:doomed", "notes:kept")
    for workspace in (here, there):
        role = await panel(roles.create, workspace.id, name="r")
        await panel(roles.add_actions, role.id, [doomed.id, kept.id])
        if workspace is here:
            await panel(bindings.bind_member, role.id, ada.id)
    assert await allowed(stage, service, ada, here, "doomed") == ["r"]
    await panel(actions.delete, doomed.id)
    assert await allowed(stage, service, ada, here, "doomed") == []
    assert await allowed(stage, service, ada, here, "kept") == ["r"]
    assert {row.service_action_id for row in await stage.all(RoleAction)} == {kept.id}
    assert [row.id for row in await stage.all(ServiceAction)] == [kept.id]
    entry = await panel.told("service_action_deleted")
    assert (entry.target_type, entry.target_id) == ("service_action", doomed.id)
    assert entry.detail == {"service_name": "notes", "action": "doomed", "roles": 2}
    await panel.refused(NotFound, actions.delete, doomed.id)


# ── bindings ──


async def test_authorization_3_6_only_a_member_of_the_workspace_is_bound(stage: Stage, panel: Panel) -> None:
    """Somebody of another workspace, nobody at all and somebody bound already are refused."""
    workspace = await stage.workspace()
    role = await panel(roles.create, workspace.id, name="r")
    ada, stranger = await stage.member(workspace), await stage.member(await stage.workspace())
    await panel(bindings.bind_member, role.id, ada.id)
    for user_id in (stranger.id, uuid4()):
        assert (await panel.refused(Invalid, bindings.bind_member, role.id, user_id)).reason == "not_a_member"
    assert (await panel.refused(Conflict, bindings.bind_member, role.id, ada.id)).reason == "already_bound"
    assert (await panel.refused(NotFound, bindings.bind_member, uuid4(), ada.id)).reason == "role_not_found"
    entry = await panel.told("role_member_added")
    assert (entry.target_type, entry.target_id, entry.workspace_id) == ("user", ada.id, workspace.id)
    assert entry.detail == {"role_id": str(role.id), "name": "r"}


async def test_authorization_3_11_a_binding_counts_from_the_next_check_to_its_end(
    stage: Stage, panel: Panel
) -> None:
    """Rules: authorization-5.1."""
    workspace, service = await stage.workspace(), await stage.service("notes")
    ada = await stage.member(workspace)
    group = await stage.group(workspace, ada)
    [action] = await registered(stage, "notes:read")
    direct, team = [await panel(roles.create, workspace.id, name=name) for name in ("direct", "team")]
    for role in (direct, team):
        await panel(roles.add_actions, role.id, [action.id])
    assert await allowed(stage, service, ada, workspace, "read") == []
    await panel(bindings.bind_member, direct.id, ada.id)
    assert await allowed(stage, service, ada, workspace, "read") == ["direct"]
    await panel(bindings.bind_group, team.id, group.id)
    assert await allowed(stage, service, ada, workspace, "read") == ["direct", "team"]
    await panel(bindings.unbind_member, direct.id, ada.id)
    assert await allowed(stage, service, ada, workspace, "read") == ["team"]
    await panel(bindings.unbind_group, team.id, group.id)
    assert await allowed(stage, service, ada, workspace, "read") == []
    # Nobody was signed out for it.
    assert [user.token_epoch for user in await stage.all(User, User.id == ada.id)] == [0]


async def test_admin_6_lists_and_unbinds_the_people_of_a_role(stage: Stage, panel: Panel) -> None:
    workspace = await stage.workspace()
    role, other = [await panel(roles.create, workspace.id, name=name) for name in ("r", "o")]
    assert await panel.read(bindings.list_members, role.id) == []
    ada, bob = [await stage.member(workspace, name=name) for name in ("Ada", "Bob")]
    for user in (ada, bob):
        await panel(bindings.bind_member, role.id, user.id)
    await panel(bindings.bind_member, other.id, ada.id)
    listed = await panel.read(bindings.list_members, role.id)
    assert [(one.user_id, one.email, one.name, one.assigned_by) for one in listed] == [
        (bob.id, bob.email, "Bob", panel.admin.id),
        (ada.id, ada.email, "Ada", panel.admin.id),
    ]
    assert listed[0].assigned_at > listed[1].assigned_at
    await panel(bindings.unbind_member, role.id, ada.id)
    assert [one.user_id for one in await panel.read(bindings.list_members, role.id)] == [bob.id]
    assert [one.user_id for one in await panel.read(bindings.list_members, other.id)] == [ada.id]
    entry = await panel.told("role_member_removed")
    assert (entry.target_id, entry.workspace_id) == (ada.id, workspace.id)
    for role_id, user_id in ((role.id, ada.id), (uuid4(), bob.id)):
        await panel.refused(NotFound, bindings.unbind_member, role_id, user_id)
    with pytest.raises(NotFound):
        await panel.read(bindings.list_members, uuid4())


async def test_authorization_3_6_only_a_group_of_the_workspace_is_bound(stage: Stage, panel: Panel) -> None:
    workspace = await stage.workspace()
    role = await panel(roles.create, workspace.id, name="r")
    group, foreign = await stage.group(workspace), await stage.group(await stage.workspace())
    await panel(bindings.bind_group, role.id, group.id)
    cases: list[tuple[type[DomainError], UUID, UUID, str]] = [
        (Invalid, role.id, foreign.id, "other_workspace"),
        (Conflict, role.id, group.id, "already_bound"),
        (NotFound, role.id, uuid4(), "group_not_found"),
        (NotFound, uuid4(), group.id, "role_not_found"),
    ]
    for refusal, role_id, group_id, reason in cases:
        refused = await panel.refused(refusal, bindings.bind_group, role_id, group_id)
        assert refused.reason == reason
    entry = await panel.told("role_group_added")
    assert (entry.target_type, entry.target_id, entry.workspace_id) == ("group", group.id, workspace.id)


async def test_admin_6_lists_and_unbinds_the_groups_of_a_role(stage: Stage, panel: Panel) -> None:
    workspace = await stage.workspace()
    role = await panel(roles.create, workspace.id, name="r")
    assert await panel.read(bindings.list_groups, role.id) == []
    people = [await stage.member(workspace) for _ in range(2)]
    small, large = (
        await stage.group(workspace, name="small"),
        await stage.group(workspace, *people, name="large"),
    )
    for group in (small, large):
        await panel(bindings.bind_group, role.id, group.id)
    listed = await panel.read(bindings.list_groups, role.id)
    assert [(one.group_id, one.name, one.description, one.member_count) for one in listed] == [
        (large.id, "large", None, 2),
        (small.id, "small", None, 0),
    ]
    assert {one.assigned_by for one in listed} == {panel.admin.id}
    await panel(bindings.unbind_group, role.id, large.id)
    assert [one.group_id for one in await panel.read(bindings.list_groups, role.id)] == [small.id]
    entry = await panel.told("role_group_removed")
    assert (entry.target_id, entry.workspace_id) == (large.id, workspace.id)
    for role_id, group_id in ((role.id, large.id), (uuid4(), small.id)):
        await panel.refused(NotFound, bindings.unbind_group, role_id, group_id)
    with pytest.raises(NotFound):
        await panel.read(bindings.list_groups, uuid4())
