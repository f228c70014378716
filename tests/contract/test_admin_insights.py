"""Totals and the use of actions over the JSON API of the panel: ``GET /admin/stats``, ``GET /admin/actions/insights``
(``admin.md`` §3).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from sentinel.audit.models import Activity
from sentinel.identity.models import User
from sentinel.roles import idle, insights
from sentinel.roles.models import ActionUsage, GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces.models import Workspace
from tests.races import read
from tests.stage import Stage

pytestmark = pytest.mark.anyio

STATS = "/admin/api/stats"
INSIGHTS = "/admin/api/actions/insights"


# ── stats ──


async def test_admin_stats_counts_everything(stage: Stage) -> None:
    boss = await stage.user("Boss", is_admin=True)
    people = [await stage.user(f"P{number}", is_active=number != 3) for number in range(6)]
    acme, globex = await stage.workspace(name="Acme"), await stage.workspace(name="Globex")
    for user in people[:3]:
        await stage.join(acme, user)
    await stage.join(globex, people[0])
    await stage.group(acme)
    await stage.resource(acme, people[0])
    await stage.resource(globex, None)
    async with stage.panel(boss) as http:
        with stage.statements() as seen:
            answer = await http.get(STATS)
    found = answer.json()
    assert len(seen) == 4, seen.texts
    totals = {key: value for key, value in found.items() if not isinstance(value, list)}
    assert totals == {
        "total_users": 7,
        "active_users": 6,
        "inactive_users": 1,
        "total_workspaces": 2,
        "total_groups": 1,
        "total_resources": 2,
    }
    assert [user["name"] for user in found["recent_users"]] == ["P5", "P4", "P3", "P2", "P1"]
    assert found["recent_users"][2] == {
        "id": str(people[3].id),
        "email": people[3].email,
        "name": "P3",
        "avatar_url": None,
        "is_active": False,
        "is_admin": False,
        "created_at": people[3].created_at.isoformat().replace("+00:00", "Z"),
        "workspace_count": 0,
    }
    assert found["top_workspaces"] == [
        {"id": str(acme.id), "name": "Acme", "slug": acme.slug, "member_count": 3},
        {"id": str(globex.id), "name": "Globex", "slug": globex.slug, "member_count": 1},
    ]


async def test_admin_stats_lists_five_of_each_and_empty_workspaces_last(stage: Stage) -> None:
    for number in range(6):
        workspace = await stage.workspace(name=f"W{number}")
        for _ in range(number):
            await stage.member(workspace)
    async with stage.panel() as http:
        found = (await http.get(STATS)).json()
    assert [item["member_count"] for item in found["top_workspaces"]] == [5, 4, 3, 2, 1]
    assert len(found["recent_users"]) == 5


async def test_admin_stats_and_insights_are_for_administrators_alone(stage: Stage) -> None:
    for path in (STATS, INSIGHTS):
        assert (await stage.client.get(path)).status_code == 401


# ── the use of actions ──


@dataclass
class Grants:
    """A workspace with people, actions and roles to use or to leave alone."""

    stage: Stage
    workspace: Workspace

    async def action(self, name: str, service_name: str = "notes") -> ServiceAction:
        action = ServiceAction(
            id=uuid4(), service_name=service_name, action=name, created_at=self.stage.clock.now()
        )
        await self.stage.add(action)
        return action

    async def role(self, name: str, *actions: ServiceAction, workspace: Workspace | None = None) -> Role:
        role = Role(
            id=uuid4(),
            workspace_id=(workspace or self.workspace).id,
            name=name,
            created_at=self.stage.clock.now(),
        )
        await self.stage.add(role)
        for action in actions:
            await self.stage.add(RoleAction(id=uuid4(), role_id=role.id, service_action_id=action.id))
        return role

    async def give(self, role: Role, user: User) -> None:
        await self.stage.add(
            UserRole(id=uuid4(), role_id=role.id, user_id=user.id, assigned_at=self.stage.clock.now())
        )

    async def use(
        self,
        user: User,
        action: str,
        count: int = 1,
        *,
        days_ago: int = 0,
        service_name: str = "notes",
        workspace: Workspace | None = None,
    ) -> None:
        day = self.stage.clock.now().date() - timedelta(days=days_ago)
        await self.stage.add(
            ActionUsage(
                day=day,
                workspace_id=(workspace or self.workspace).id,
                user_id=user.id,
                service_name=service_name,
                action=action,
                count=count,
            )
        )

    async def deny(self, user: User, *, count: int | None = None, days_ago: int = 0) -> None:
        await self.stage.add(
            Activity(
                id=uuid4(),
                action="action_denied",
                actor_id=user.id,
                target_type="user",
                target_id=user.id,
                workspace_id=self.workspace.id,
                detail={"action": "notes.publish"} | ({"count": count} if count else {}),
                created_at=self.stage.clock.now() - timedelta(days=days_ago),
            )
        )


@pytest.fixture
async def grants(stage: Stage) -> Grants:
    return Grants(stage, await stage.workspace(name="Acme"))


async def ask(http: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await http.get(INSIGHTS, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("days", ["1", "8", "31", "0", "-7", "all"])
async def test_admin_insights_takes_7_30_or_90_days(stage: Stage, days: str) -> None:
    async with stage.panel() as http:
        assert (await http.get(INSIGHTS, params={"days": days})).status_code == 422


async def test_admin_insights_of_a_young_installation_say_so(stage: Stage) -> None:
    today = stage.clock.now().date()
    async with stage.panel() as http:
        for days in (7, 30, 90):
            found = await ask(http, days=days)
            assert found.pop("trend") == [
                {"day": (today - timedelta(days=ago)).isoformat(), "allowed": 0, "denied": 0}
                for ago in range(days - 1, -1, -1)
            ]
            assert found == {
                "days": days,
                "since": (today - timedelta(days=days - 1)).isoformat(),
                "data_since": None,
                "top_actions": [],
                "by_service": [],
                "top_users": [],
                "dormant_grants": {"total": 0, "items": []},
                "unused_roles": [],
            }
        assert (await ask(http))["days"] == 30


async def test_admin_insights_count_uses_by_action_service_and_person(stage: Stage, grants: Grants) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    await grants.use(ada, "notes.read", 5)
    await grants.use(ada, "notes.read", 2, days_ago=6)
    await grants.use(bob, "notes.write", 4)
    await grants.use(bob, "chat.post", 9, service_name="chat")
    await grants.use(bob, "notes.read", 1000, days_ago=7)
    async with stage.panel() as http:
        found = await ask(http, days=7)
    assert found["top_actions"] == [
        {"service_name": "chat", "action": "chat.post", "count": 9},
        {"service_name": "notes", "action": "notes.read", "count": 7},
        {"service_name": "notes", "action": "notes.write", "count": 4},
    ]
    assert found["by_service"] == [
        {"service_name": "notes", "count": 11},
        {"service_name": "chat", "count": 9},
    ]
    assert found["top_users"] == [
        {"user_id": str(bob.id), "email": bob.email, "name": "Bob", "count": 13},
        {"user_id": str(ada.id), "email": ada.email, "name": "Ada", "count": 7},
    ]
    assert found["data_since"] == (stage.clock.now().date() - timedelta(days=7)).isoformat()
    assert found["trend"][0]["allowed"] == 2 and found["trend"][-1]["allowed"] == 18


async def test_admin_insights_set_denied_beside_allowed(stage: Stage, grants: Grants) -> None:
    ada = await stage.user()
    await grants.use(ada, "notes.read", 3)
    await grants.deny(ada, count=4)
    await grants.deny(ada)
    await grants.deny(ada, count=7, days_ago=2)
    await grants.deny(ada, count=100, days_ago=8)
    async with stage.panel() as http:
        trend = (await ask(http, days=7))["trend"]
        elsewhere = (await ask(http, days=7, workspace_id=str(uuid4())))["trend"]
    assert (trend[-1]["allowed"], trend[-1]["denied"]) == (3, 5)
    assert trend[-3]["denied"] == 7
    assert sum(day["denied"] for day in trend) == 12
    assert sum(day["denied"] + day["allowed"] for day in elsewhere) == 0


async def shown_alike(stage: Stage, *, days: int = 30, **query: Any) -> None:
    """The page shows what the API answers where there is not very much of it."""
    whole = await read(stage, insights.insights, days=days, now=stage.clock.now(), **query)
    with stage.statements() as seen:
        glance = await read(stage, insights.glance, days=days, now=stage.clock.now(), **query)
    assert glance == insights.Glance(whole, more_dormant=False, more_unused=False)
    assert len(seen) == 4, seen.texts


async def test_admin_insights_a_grant_is_dormant_until_that_person_uses_it_there(
    stage: Stage, grants: Grants
) -> None:
    ada, bob = await stage.user("Ada", email="ada@a.example"), await stage.user("Bob", email="bob@b.example")
    publish, read = await grants.action("notes.publish"), await grants.action("notes.read")
    role = await grants.role("Editors", publish, read)
    other = await stage.workspace(name="Globex")
    for user in (ada, bob):
        await grants.give(role, user)
    await grants.use(ada, "notes.publish")  # used: not dormant
    await grants.use(ada, "notes.read", days_ago=7)  # too long ago
    await grants.use(bob, "notes.read", service_name="chat")  # of another service
    await grants.use(bob, "notes.publish", workspace=other)  # in another workspace
    async with stage.panel() as http:
        week, month = await ask(http, days=7), await ask(http, days=30)
    await shown_alike(stage, days=7)
    common = {"service_name": "notes", "role_name": "Editors"}
    place = {"workspace_id": str(grants.workspace.id), "workspace_name": "Acme"}
    person = {"user_id": str(ada.id), "email": ada.email, "name": "Ada"}
    his = {"user_id": str(bob.id), "email": bob.email, "name": "Bob"}
    assert week["dormant_grants"] == {
        "total": 3,
        "items": [
            {**person, **common, **place, "action": "notes.read"},
            {**his, **common, **place, "action": "notes.publish"},
            {**his, **common, **place, "action": "notes.read"},
        ],
    }
    assert [(row["name"], row["action"]) for row in month["dormant_grants"]["items"]] == [
        ("Bob", "notes.publish"),
        ("Bob", "notes.read"),
    ]


async def test_admin_insights_a_grant_given_twice_lies_idle_once(stage: Stage, grants: Grants) -> None:
    """Directly and through a group, by two roles: one person, one action, one row."""
    ada = await stage.user("Ada")
    publish = await grants.action("notes.publish")
    first, second = await grants.role("Authors", publish), await grants.role("Bosses", publish)
    group = await stage.group(grants.workspace, ada)
    await grants.give(second, ada)
    await stage.add(GroupRole(id=uuid4(), group_id=group.id, role_id=first.id, assigned_at=stage.clock.now()))
    async with stage.panel() as http:
        dormant = (await ask(http))["dormant_grants"]
        assert dormant["total"] == 1 and dormant["items"][0]["role_name"] == "Authors"
        await shown_alike(stage)
        await grants.use(ada, "notes.publish")
        assert (await ask(http))["dormant_grants"] == {"total": 0, "items": []}


async def test_admin_insights_list_fifty_dormant_grants_and_count_all(
    stage: Stage, grants: Grants, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions = [await grants.action(f"notes.a{number}") for number in range(13)]
    role = await grants.role("All", *actions)
    for number in range(4):
        await grants.give(role, await stage.user(email=f"u{number}@example.com"))
    async with stage.panel() as http:
        dormant = (await ask(http))["dormant_grants"]
    assert dormant["total"] == 52 and len(dormant["items"]) == 50
    assert [row["email"] for row in dormant["items"]] == sorted(row["email"] for row in dormant["items"])
    # A page takes the first ones that it comes across, and says so.
    monkeypatch.setattr(idle, "SOME_DORMANT", 30)
    monkeypatch.setattr(idle, "SOME_UNUSED", 1)
    await grants.role("Nobody")
    glance = await read(stage, insights.glance, days=30, now=stage.clock.now())
    some = glance.insights.dormant_grants
    assert glance.more_dormant and some.total == len(some.items) == 31
    assert glance.more_unused and len(glance.insights.unused_roles) == 1


async def test_admin_insights_a_role_is_unused_when_none_of_its_people_used_any_of_it(
    stage: Stage, grants: Grants
) -> None:
    ada, bob, eve = await stage.user(), await stage.user(), await stage.user()
    publish, read = await grants.action("notes.publish"), await grants.action("notes.read")
    used = await grants.role("Used", publish, read)
    idle = await grants.role("Idle", publish)
    grouped = await grants.role("Grouped", read)
    empty = await grants.role("Nobody", publish)
    without = await grants.role("No actions")
    for user in (ada, bob):
        await grants.give(used, user)
    for user in (bob, eve):
        await grants.give(idle, user)
    await grants.give(without, ada)
    group = await stage.group(grants.workspace, ada, eve)
    await stage.add(
        GroupRole(id=uuid4(), group_id=group.id, role_id=grouped.id, assigned_at=stage.clock.now())
    )
    await grants.give(grouped, ada)
    await grants.use(ada, "notes.publish")
    # What somebody did elsewhere is no use of a role here.
    await grants.use(bob, "notes.publish", workspace=await stage.workspace())
    await shown_alike(stage)
    async with stage.panel() as http:
        unused = (await ask(http))["unused_roles"]
        assert [(row["name"], row["assignees"], row["no_assignees"]) for row in unused] == [
            ("Grouped", 2, False),
            ("Idle", 2, False),
            ("No actions", 1, False),
            ("Nobody", 0, True),
        ]
        assert unused[-1] == {
            "id": str(empty.id),
            "name": "Nobody",
            "workspace_id": str(grants.workspace.id),
            "workspace_name": "Acme",
            "assignees": 0,
            "no_assignees": True,
        }
        await grants.use(eve, "notes.read")
        await shown_alike(stage, workspace_id=grants.workspace.id)
        assert "Grouped" not in [row["name"] for row in (await ask(http))["unused_roles"]]


async def test_admin_insights_of_one_workspace_know_nothing_of_others(stage: Stage, grants: Grants) -> None:
    ada = await stage.user("Ada")
    globex = await stage.workspace(name="Globex")
    publish = await grants.action("notes.publish")
    here, there = await grants.role("Here", publish), await grants.role("There", publish, workspace=globex)
    for role in (here, there):
        await grants.give(role, ada)
    await grants.use(ada, "notes.read", 3)
    await grants.use(ada, "notes.write", 5, workspace=globex, days_ago=3)
    await grants.deny(ada, count=2)
    async with stage.panel() as http:
        acme = await ask(http, workspace_id=str(grants.workspace.id))
        other = await ask(http, workspace_id=str(globex.id))
    assert [row["action"] for row in acme["top_actions"]] == ["notes.read"]
    assert [row["action"] for row in other["top_actions"]] == ["notes.write"]
    assert acme["top_users"][0]["count"] == 3 and other["top_users"][0]["count"] == 5
    assert [row["role_name"] for row in acme["dormant_grants"]["items"]] == ["Here"]
    assert [row["name"] for row in other["unused_roles"]] == ["There"]
    assert sum(day["denied"] for day in acme["trend"]) == 2 and not sum(d["denied"] for d in other["trend"])
    assert acme["data_since"] == stage.clock.now().date().isoformat() != other["data_since"]


async def test_admin_insights_cost_four_statements_beside_the_administrators_own(
    stage: Stage, grants: Grants
) -> None:
    ada = await stage.user()
    for number in range(5):
        role = await grants.role(f"R{number}", await grants.action(f"notes.a{number}"))
        await grants.give(role, ada)
        await grants.use(ada, f"notes.a{number}")
    async with stage.panel() as http:
        with stage.statements() as seen:
            await ask(http)
    assert len(seen) == 5, seen.texts


async def test_admin_insights_refuse_a_workspace_that_is_no_id(stage: Stage) -> None:
    async with stage.panel() as http:
        assert (await http.get(INSIGHTS, params={"workspace_id": "acme"})).status_code == 422
