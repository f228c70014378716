"""The entity ACL as the panel sees and changes it (``admin.md`` §6, ``authorization.md`` §4, §8)."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps import scopes, service_apps
from sentinel.apps.scopes import Rows
from sentinel.core.errors import Invalid, NotFound, Unprocessable
from sentinel.identity.models import User
from sentinel.permissions import catalogue, oversight
from sentinel.permissions.catalogue import Page, Search
from sentinel.permissions.decide import Level, Visibility
from sentinel.permissions.models import Resource, Share
from sentinel.permissions.resources import Grantee
from sentinel.roles.models import ServiceAction
from sentinel.workspaces.models import Group, Membership, Workspace
from tests.contract.service_actions import registered
from tests.contract.test_role_admin import Panel
from tests.races import in_a_row, use
from tests.stage import Keys, Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def panel(stage: Stage) -> Panel:
    return Panel(stage, await stage.user("Root", is_admin=True))


@pytest.fixture
async def sqlite_stage(anyio_backend: Any, sqlite_url: str, stage_keys: Keys) -> AsyncIterator[Stage]:
    """One database is enough for what needs none, or what one of them can be asked about best."""
    async with open_stage(sqlite_url, stage_keys) as stage:
        yield stage


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many records, and how many owners, are few, so that a small world is searched like a large one."""

    def few(number: int) -> None:
        monkeypatch.setattr(catalogue, "FEW", number)
        monkeypatch.setattr(catalogue, "FEW_OWNERS", number)

    return few


async def browse(stage: Stage, **search: Any) -> Page:
    """A page of the list, which costs two statements, or four where those with shares end."""
    async with stage.state.database.reading() as session:
        with stage.statements() as seen:
            page = await catalogue.browse(session, Search(**search))
    # The application's own rounds, such as looking for allowed origins, may fall into the same moment.
    own = [text for text in seen.texts if "resource_permissions" in text or "resource_shares" in text]
    assert len(own) <= (4 if search.get("sort_by") == "shares" else 2), own
    return page


async def ids(stage: Stage, **search: Any) -> list[UUID]:
    page = await browse(stage, **search)
    assert page.total >= len(page.items)
    return [entry.resource.id for entry in page.items]


def to(grantee: User | Group) -> Grantee:
    return Grantee("group" if isinstance(grantee, Group) else "user", grantee.id)


async def can(stage: Stage, service: Service, user: User, resource: Resource) -> list[str]:
    """What a check allows a person to do with a resource now."""
    [workspace] = await stage.all(Workspace, Workspace.id == resource.workspace_id)
    token = await stage.authz_token(user, workspace, resource.service_name)
    item = {
        "service_name": resource.service_name,
        "resource_type": resource.resource_type,
        "resource_id": str(resource.resource_id),
    }
    answer = await stage.client.post(
        "/permissions/check",
        headers=service.headers | bearer(token),
        json={"checks": [item | {"action": action} for action in ("view", "edit")]},
    )
    assert answer.status_code == 200, answer.text
    return [result["action"] for result in answer.json()["results"] if result["allowed"]]


# ── the list ──


async def test_admin_6_browses_all_records_newest_first_in_pages(stage: Stage) -> None:
    """Of every workspace and service, with owner and number of shares."""
    ada, bob = await stage.user(email="ada@example.com"), await stage.user()
    here, there = await stage.workspace(ada), await stage.workspace(bob)
    found = [
        await stage.resource(here, ada),
        await stage.resource(there, bob, service_name="wiki", visibility="private"),
        await stage.resource(here, None),
    ]
    await stage.share(found[0], bob)
    await stage.share(found[0], await stage.group(here))
    page = await browse(stage)
    assert (page.total, page.page, page.page_size) == (3, 1, 20)
    assert [(one.resource.id, one.owner_email, one.share_count) for one in page.items] == [
        (found[2].id, None, 0),
        (found[1].id, bob.email, 0),
        (found[0].id, "ada@example.com", 2),
    ]
    newest = [one.id for one in reversed(found)]
    assert await ids(stage, descending=False) == newest[::-1]
    assert [await ids(stage, page=number, page_size=2) for number in (1, 2, 3)] == [
        newest[:2],
        newest[2:],
        [],
    ]
    assert (await browse(stage, page=7)).total == 3
    assert await ids(stage, page=2**62, page_size=2) == []


async def test_admin_6_an_empty_installation_has_an_empty_list(stage: Stage) -> None:
    for sort_by in ("created_at", "shares"):
        page = await browse(stage, sort_by=sort_by)
        assert (page.items, page.total) == ([], 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page", 0),
        ("page", -1),
        ("page", 2**63),
        ("page_size", 0),
        ("page_size", 101),
        ("resource_id", "x"),
        ("resource_id", "3f2a%"),
        ("resource_id", "3f-2a"),
        ("resource_id", "0" * 33),
        ("resource_id", "00000000-0000-0000-0000-0000000000000"),
        ("resource_id", "٣"),
    ],
)
async def test_L33_malformed_pages_and_prefixes_are_refused(
    sqlite_stage: Stage, field: str, value: Any
) -> None:
    async with sqlite_stage.state.database.reading() as session:
        with pytest.raises(Unprocessable) as refused:
            await catalogue.browse(session, Search(**{field: value}))
    assert refused.value.field == field


async def test_admin_6_filters_by_workspace_and_service(stage: Stage) -> None:
    ada = await stage.user()
    here, there = await stage.workspace(ada), await stage.workspace(ada)
    a = await stage.resource(here, ada)
    b = await stage.resource(here, ada, service_name="wiki")
    c = await stage.resource(there, ada, service_name="wiki")
    assert await ids(stage, workspace_id=here.id) == [b.id, a.id]
    assert await ids(stage, service_name="wiki") == [c.id, b.id]
    assert await ids(stage, workspace_id=here.id, service_name="wiki") == [b.id]
    for search in ({"workspace_id": uuid4()}, {"service_name": "wik"}, {"service_name": "WIKI"}):
        assert await ids(stage, **search) == []


async def test_admin_6_filters_by_the_beginning_of_the_resource_id(stage: Stage) -> None:
    """As far as the id is written, with hyphens or without, in either case; first and last ids are found, too."""
    workspace = await stage.workspace()
    written = [
        "00000000-0000-0000-0000-000000000000",
        "3f2a0000-0000-0000-0000-000000000000",
        "3f2a1b2c-4d5e-6f70-8192-a3b4c5d6e7f8",
        "3f2affff-ffff-ffff-ffff-ffffffffffff",
        "3f2b0000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ]
    for text in written:
        await stage.add(
            Resource(
                id=uuid4(),
                service_name="notes",
                resource_type="document",
                resource_id=UUID(text),
                workspace_id=workspace.id,
                created_at=stage.clock.now(),
            )
        )
    full = written[2]
    prefixes = ["", "3", "3f2a", "3F2A", " 3f2a ", "3f2a1", "3f2b", "f", "0", "4", full.replace("-", "")]
    prefixes += [full[:length] for length in range(1, 37)]
    for prefix in prefixes:
        page = await browse(stage, resource_id=prefix, descending=False)
        plain = prefix.strip().lower().replace("-", "")
        assert [str(one.resource.resource_id) for one in page.items] == [
            text for text in written if text.replace("-", "").startswith(plain)
        ], prefix


async def test_admin_6_filters_by_a_part_of_the_owners_address(
    stage: Stage, few: Callable[[int], None]
) -> None:
    """``%`` and ``_`` are literal; the answer is the same however many records fit."""
    ada, bob = await stage.user(email="ada_x@example.com"), await stage.user(email="bob@example.org")
    workspace = await stage.workspace(ada)
    a, b = await stage.resource(workspace, ada), await stage.resource(workspace, bob)
    await stage.resource(workspace, None)
    for limit in (catalogue.FEW, 0):
        few(limit)
        assert await ids(stage, owner="ADA_X@") == [a.id]
        assert await ids(stage, owner="example") == [b.id, a.id]
        assert await ids(stage, owner="example", sort_by="shares") == [b.id, a.id]
        for nobody in ("%", "da_@", "a%a"):
            assert await ids(stage, owner=nobody) == []


async def test_admin_6_sorts_by_the_number_of_shares(
    stage: Stage, few: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every page in both directions, with and without a filter: no record twice, none left out."""
    ada = await stage.user(email="ada@example.com")
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    people = [await stage.member(workspace) for _ in range(3)]
    shares: dict[UUID, int] = {}
    for number in (0, 2, 0, 1, 3, 1, 0, 1):
        resource = await stage.resource(workspace, ada)
        shares[resource.id] = number
        for user in people[:number]:
            await stage.share(resource, user)
    foreign = await stage.resource(other, ada)
    for user in people:
        await stage.share(foreign, user)
    for limit, deep in ((catalogue.FEW, catalogue.DEEP), (0, catalogue.DEEP), (0, -1)):
        few(limit)
        monkeypatch.setattr(catalogue, "DEEP", deep)
        for descending in (True, False):
            searches: list[dict[str, Any]] = [
                {},
                {"owner": "ADA@"},
                {"workspace_id": workspace.id},
                {"workspace_id": workspace.id, "service_name": "notes", "owner": "ada"},
            ]
            for search in searches:
                wanted = shares if "workspace_id" in search else shares | {foreign.id: 3}
                for size in (2, 9):
                    paged: list[UUID] = []
                    for number in range(1, len(wanted) // size + 2):
                        page = await browse(
                            stage,
                            sort_by="shares",
                            descending=descending,
                            page=number,
                            page_size=size,
                            **search,
                        )
                        assert page.total == len(wanted)
                        assert all(one.share_count == wanted[one.resource.id] for one in page.items)
                        paged += [one.resource.id for one in page.items]
                    assert sorted(paged) == sorted(wanted)
                    counts = [wanted[one] for one in paged]
                    assert counts == sorted(counts, reverse=descending), (size, descending)
    # Those without shares come in the order of their creation.
    unshared = [one for one, number in shares.items() if not number]
    last = await ids(stage, sort_by="shares", workspace_id=workspace.id)
    assert last[-3:] == unshared[::-1]


INDEXED: dict[str, tuple[dict[str, Any], str]] = {
    "everything": ({}, "created_at_id"),
    "workspace": ({"workspace_id": UUID(int=1)}, "workspace_id_created_at_id"),
    "service": ({"service_name": "notes"}, "service_name_created_at_id"),
    "prefix": ({"resource_id": "3f2a"}, "ix_resource_permissions_resource_id"),
    "owner": ({"owner": "ada@"}, "ix_resource_permissions_owner_id"),
}


@pytest.mark.parametrize("name", INDEXED)
async def test_admin_6_every_filter_of_the_list_has_an_index(sqlite_stage: Stage, name: str) -> None:
    """As the planner says that it reads the records."""
    search, index = INDEXED[name]
    ada = await sqlite_stage.user(email="ada@example.com")
    workspace = await sqlite_stage.workspace(ada)
    await sqlite_stage.execute(
        sa.insert(Resource).values(
            service_name="notes",
            resource_type="document",
            resource_id=UUID("3f2a" + "0" * 28),
            workspace_id=workspace.id,
            owner_id=ada.id,
        )
    )
    if "workspace_id" in search:
        search = {"workspace_id": workspace.id}
    plans: list[str] = []
    engine = sqlite_stage.state.database.engine.sync_engine

    def explain(_connection: Any, cursor: Any, text: str, parameters: Any, _x: Any, _m: Any) -> None:
        if "FROM resource_permissions" in text and not text.startswith("EXPLAIN"):
            cursor.execute(f"EXPLAIN QUERY PLAN {text}", parameters)
            plans.extend(row[3] for row in cursor.fetchall())

    event.listen(engine, "before_cursor_execute", explain)
    assert (await browse(sqlite_stage, **search)).total == 1
    assert any(index in line for line in plans), plans
    assert [line for line in plans if line == "SCAN resource_permissions"] == []


# ── one record ──


async def test_admin_6_detail_names_everybody_in_the_record(stage: Stage) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    workspace = await stage.workspace(ada)
    group = await stage.group(workspace, name="Team")
    resource = await stage.resource(workspace, ada)
    to_bob, to_team = await stage.share(resource, bob), await stage.share(resource, group, "edit")
    await stage.resource(workspace, bob)
    async with stage.state.database.reading() as session:
        with stage.statements() as seen:
            found = await catalogue.detail(session, resource.id)
        assert len(seen) == 1
        with pytest.raises(NotFound):
            await catalogue.detail(session, uuid4())
    assert (found.resource.id, found.owner.name, found.owner.email) == (resource.id, "Ada", ada.email)
    assert [(one.share.id, one.grantee.name, one.grantee.email) for one in found.shares] == [
        (to_bob.id, "Bob", bob.email),
        (to_team.id, "Team", None),
    ]


async def test_admin_6_visibility_changes_at_once_and_is_written_down(stage: Stage, panel: Panel) -> None:
    service, workspace = await stage.service("notes"), await stage.workspace()
    bob = await stage.member(workspace)
    resource, other = await stage.resource(workspace, None), await stage.resource(workspace, None)
    assert await can(stage, service, bob, resource) == ["view"]
    await panel(oversight.set_visibility, resource.id, Visibility.PRIVATE)
    assert await can(stage, service, bob, resource) == []
    assert await can(stage, service, bob, other) == ["view"]
    await panel(oversight.set_visibility, resource.id, Visibility.PRIVATE)
    entry = await panel.told("permission_visibility_changed")
    assert (entry.target_type, entry.target_id, entry.workspace_id) == (
        "resource_permission",
        resource.id,
        workspace.id,
    )
    assert entry.detail == {
        "service_name": "notes",
        "resource_type": "document",
        "resource_id": str(resource.resource_id),
        "old_visibility": "workspace",
        "new_visibility": "private",
    }
    await panel.refused(NotFound, oversight.set_visibility, uuid4(), Visibility.PRIVATE)


async def test_authorization_4_6_an_administrator_shares_inside_the_workspace_only(
    stage: Stage, panel: Panel
) -> None:
    """A second share of the same grantee replaces the level (rule 5).

    Rules: authorization-4.5.
    """
    service, workspace = await stage.service("notes"), await stage.workspace()
    bob, eve = await stage.member(workspace), await stage.member(workspace)
    team = await stage.group(workspace, eve)
    resource = await stage.resource(workspace, None, visibility="private")
    await panel(oversight.share, resource.id, to(bob), Level.VIEW)
    assert await can(stage, service, bob, resource) == ["view"]
    await panel(oversight.share, resource.id, to(bob), Level.EDIT)
    assert await can(stage, service, bob, resource) == ["view", "edit"]
    await panel(oversight.share, resource.id, to(team), Level.VIEW)
    assert await can(stage, service, eve, resource) == ["view"]
    assert {share.granted_by for share in await stage.all(Share)} == {panel.admin.id}
    assert await stage.count(Share) == 2
    elsewhere = await stage.workspace()
    outside = [to(await stage.member(elsewhere)), to(await stage.group(elsewhere))]
    unknown = [Grantee("user", uuid4()), Grantee("group", uuid4()), Grantee("group", bob.id)]
    for grantee in [*outside, *unknown]:
        refused = await panel.refused(Invalid, oversight.share, resource.id, grantee, Level.VIEW)
        assert refused.reason == "grantee_not_in_workspace"
    await panel.refused(NotFound, oversight.share, uuid4(), to(bob), Level.VIEW)
    entries = await stage.activities("permission_shared")
    assert [
        (entry.detail["grantee_id"], entry.detail["permission"]) for entry in entries if entry.detail
    ] == [
        (str(bob.id), "view"),
        (str(bob.id), "edit"),
        (str(team.id), "view"),
    ]
    assert {(one.target_id, one.workspace_id, one.actor_id) for one in entries} == {
        (resource.id, workspace.id, panel.admin.id)
    }


async def test_admin_6_an_administrator_takes_a_share_away(stage: Stage, panel: Panel) -> None:
    service, workspace = await stage.service("notes"), await stage.workspace()
    bob = await stage.member(workspace)
    team = await stage.group(workspace, bob)
    resource, other = [await stage.resource(workspace, None, visibility="private") for _ in range(2)]
    for shared in (resource, other):
        await stage.share(shared, bob, "edit")
        await stage.share(shared, team)
    await panel(oversight.unshare, resource.id, to(bob))
    assert await can(stage, service, bob, resource) == ["view"]
    await panel(oversight.unshare, resource.id, to(team))
    assert await can(stage, service, bob, resource) == []
    assert await can(stage, service, bob, other) == ["view", "edit"]
    entries = await stage.activities("permission_revoked")
    assert [entry.detail["grantee_type"] for entry in entries if entry.detail] == ["user", "group"]
    assert {(one.target_id, one.workspace_id) for one in entries} == {(resource.id, workspace.id)}
    await panel.refused(NotFound, oversight.unshare, resource.id, to(bob))
    await panel.refused(NotFound, oversight.unshare, uuid4(), to(bob))


async def test_authorization_4_7_an_administrator_sets_a_member_as_owner(stage: Stage, panel: Panel) -> None:
    service, workspace = await stage.service("notes"), await stage.workspace()
    ada, bob = await stage.member(workspace), await stage.member(workspace)
    resource = await stage.resource(workspace, None, visibility="private")
    for new in (ada, bob):
        await panel(oversight.set_owner, resource.id, new.id)
        assert await can(stage, service, new, resource) == ["view", "edit"]
    assert await can(stage, service, ada, resource) == []
    await panel(oversight.set_owner, resource.id, bob.id)
    entries = await stage.activities("permission_owner_changed")
    assert [(one.detail["old_owner_id"], one.detail["new_owner_id"]) for one in entries if one.detail] == [
        (None, str(ada.id)),
        (str(ada.id), str(bob.id)),
    ]
    assert {(one.target_id, one.workspace_id) for one in entries} == {(resource.id, workspace.id)}
    await stage.execute(sa.delete(Membership).where(Membership.user_id == ada.id))
    for nobody in (ada.id, panel.admin.id, uuid4()):
        refused = await panel.refused(Invalid, oversight.set_owner, resource.id, nobody)
        assert refused.reason == "owner_not_member"
    await panel.refused(NotFound, oversight.set_owner, uuid4(), bob.id)


# ── purging ──


async def test_SB_3_purging_a_service_counts_and_spares_the_others(stage: Stage, panel: Panel) -> None:
    workspace, other = await stage.workspace(), await stage.workspace()
    bob = await stage.member(workspace)
    doomed = [await stage.resource(place, None, service_name="ghost") for place in (workspace, other)]
    kept = await stage.resource(workspace, None)
    for resource in (*doomed, kept):
        await stage.share(resource, bob)
    assert await panel(oversight.purge, "ghost") == Rows(2, 0)
    assert [one.id for one in await stage.all(Resource)] == [kept.id]
    assert [one.resource_permission_id for one in await stage.all(Share)] == [kept.id]
    entry = await panel.told("permissions_purged")
    assert (entry.target_type, entry.target_id) == ("service", UUID(int=0))
    assert entry.detail == {"service_name": "ghost", "deleted_count": 2}
    async with stage.state.database.transaction() as session:
        await service_apps.create(
            session, name="G", service_name="ghost", actor_id=None, now=stage.clock.now()
        )
    assert await panel(oversight.purge, "ghost") == Rows(0, 0)


async def test_SB_3_purging_a_name_that_nobody_has_takes_its_actions_and_frees_it(
    stage: Stage, panel: Panel
) -> None:
    """A service or a realm, active or not, keeps the actions under its name."""
    await stage.service("notes")
    await stage.realm("suite", is_active=False)
    workspace = await stage.workspace()
    for name in ("notes", "suite", "ghost"):
        await stage.resource(workspace, None, service_name=name)
    await registered(stage, "notes:read", "suite:read", "ghost:read", "bare:read")
    for name, gone in (
        ("notes", Rows(1, 0)),
        ("suite", Rows(1, 0)),
        ("ghost", Rows(1, 1)),
        ("bare", Rows(0, 1)),
        ("bare", Rows(0, 0)),
    ):
        assert await panel(oversight.purge, name) == gone, name
    assert {one.service_name for one in await stage.all(ServiceAction)} == {"notes", "suite"}
    details = [one.detail for one in await stage.activities("permissions_purged")]
    assert details[2] == {"service_name": "ghost", "deleted_count": 1, "deleted_actions": 1}
    for name in ("ghost", "bare"):
        await panel(service_apps.create, name="New", service_name=name)


async def test_SB_3_a_name_that_is_just_being_taken_keeps_the_actions_of_its_new_owner(
    anyio_backend: Any, postgresql_url: str, stage_keys: Keys
) -> None:
    """Who has the name is asked once nobody can take it any more."""
    async with open_stage(postgresql_url, stage_keys) as stage:
        await stage.resource(await stage.workspace(), None, service_name="ghost")
        now = stage.clock.now()

        async def take_over(session: AsyncSession) -> None:
            await scopes.purge_orphaned(session, "ghost", actor_id=None, now=now)
            await service_apps.create(session, name="G", service_name="ghost", actor_id=None, now=now)
            session.add(ServiceAction(id=uuid4(), service_name="ghost", action="read", created_at=now))
            await session.flush()

        _, gone = await in_a_row(stage, take_over, use(stage, oversight.purge, "ghost"))
        assert gone == Rows(0, 0)
        assert await stage.count(ServiceAction) == 1
