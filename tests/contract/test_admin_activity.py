"""The activity log over the JSON API of the panel: search, summary, and where sign-ins come from (``admin.md`` §3)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from sentinel.apps.models import LoginApp
from sentinel.audit.activity import ACTIONS, SYSTEM_TARGET
from sentinel.audit.models import Activity
from sentinel.identity.models import User
from sentinel.roles.models import Role, ServiceAction
from sentinel.workspaces.models import Workspace
from tests.stage import Stage

pytestmark = pytest.mark.anyio

SEARCH = "/admin/api/activity"
SUMMARY = "/admin/api/activity/summary"
SIGN_INS = "/admin/api/activity/insights"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)


async def note(
    stage: Stage, action: str, target: Any = None, *, at: datetime | None = None, **values: Any
) -> Activity:
    """One row of the log; ``target`` is a row of a table, or nothing for the system."""
    row = Activity(
        id=uuid4(),
        action=action,
        target_type=values.pop("target_type", "user" if target is not None else "system"),
        target_id=target.id if target is not None else values.pop("target_id", SYSTEM_TARGET),
        created_at=at or stage.clock.now(),
        **values,
    )
    await stage.add(row)
    return row


async def items(http: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await http.get(SEARCH, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


# ── who may ask ──


@pytest.mark.parametrize("path", [SEARCH, SUMMARY, SIGN_INS])
async def test_admin_activity_is_for_administrators_alone(stage: Stage, path: str) -> None:
    user = await stage.user()
    assert (await stage.client.get(path)).status_code == 401
    forged = stage.state.issuer.admin(user_id=user.id, email=user.email, name=user.name, epoch=0).token
    async with stage.browser() as http:
        http.cookies.set("admin_token", forged)
        assert (await http.get(path)).status_code == 401


# ── search ──


async def test_admin_activity_has_the_shape_of_the_contract(stage: Stage) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    acme = await stage.workspace(name="Acme")
    row = await note(
        stage, "member_removed", bob, actor_id=ada.id, workspace_id=acme.id, detail={"role": "viewer"}
    )
    async with stage.panel() as http:
        answer = await http.get(SEARCH, params={"action": "member_removed"})
    assert answer.json() == {
        "items": [
            {
                "id": str(row.id),
                "action": "member_removed",
                "actor_id": str(ada.id),
                "actor_name": "Ada",
                "actor_email": ada.email,
                "target_type": "user",
                "target_id": str(bob.id),
                "target_label": "Bob",
                "workspace_id": str(acme.id),
                "detail": {"role": "viewer"},
                "created_at": row.created_at.isoformat().replace("+00:00", "Z"),
            }
        ],
        "total": 1,
        "page": 1,
        "page_size": 20,
    }


async def test_admin_activity_is_paged_newest_first(stage: Stage) -> None:
    rows = [await note(stage, "export_users") for _ in range(5)]
    newest = [str(row.id) for row in reversed(rows)]
    async with stage.panel() as http:
        first = (await http.get(SEARCH, params={"action": "export_users", "page_size": 2})).json()
        last = (await http.get(SEARCH, params={"action": "export_users", "page_size": 2, "page": 3})).json()
        beyond = (await http.get(SEARCH, params={"action": "export_users", "page": 10**20})).json()
    assert [row["id"] for row in first["items"]] == newest[:2]
    assert (first["total"], first["page"], first["page_size"]) == (5, 1, 2)
    assert [row["id"] for row in last["items"]] == newest[4:]
    assert beyond["items"] == [] and beyond["total"] == 5


async def test_admin_activity_of_one_moment_has_one_order(stage: Stage) -> None:
    at = stage.clock.now()
    rows = [await note(stage, "export_users", at=at) for _ in range(6)]
    async with stage.panel() as http:
        seen = [
            (await items(http, action="export_users", page_size=1, page=page))[0]["id"]
            for page in range(1, 7)
        ]
    assert sorted(seen) == sorted(str(row.id) for row in rows)


async def test_admin_activity_filters_each_and_together(stage: Stage) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    acme, globex = await stage.workspace(name="Acme"), await stage.workspace(name="Globex")
    one = await note(stage, "group_created", acme, target_type="group", actor_id=ada.id, workspace_id=acme.id)
    two = await note(stage, "group_created", acme, target_type="group", actor_id=bob.id, workspace_id=acme.id)
    three = await note(
        stage, "role_created", acme, target_type="role", actor_id=ada.id, workspace_id=globex.id
    )

    async with stage.panel() as http:

        async def found(**query: Any) -> set[str]:
            return {row["id"] for row in await items(http, **query)} & {str(r.id) for r in (one, two, three)}

        assert await found(action="group_created") == {str(one.id), str(two.id)}
        assert await found(target_type="role") == {str(three.id)}
        assert await found(actor_id=ada.id) == {str(one.id), str(three.id)}
        assert await found(workspace_id=acme.id) == {str(one.id), str(two.id)}
        assert await found(workspace_id=acme.id, actor_id=ada.id, action="group_created") == {str(one.id)}
        assert await found(workspace_id=globex.id, action="group_created") == set()
        assert await found(actor_id=uuid4()) == set()


async def test_admin_activity_days_are_whole_days_in_utc_the_last_one_included(stage: Stage) -> None:
    def at(hour: int, minute: int = 0, day: int = 10) -> datetime:
        return datetime(2026, 3, day, hour, minute, tzinfo=UTC)

    before = await note(stage, "export_users", at=at(23, 59, day=9))
    first = await note(stage, "export_users", at=at(0))
    last = await note(stage, "export_users", at=at(23, 59))
    after = await note(stage, "export_users", at=at(0, day=11))
    names = {str(before.id): "before", str(first.id): "first", str(last.id): "last", str(after.id): "after"}

    async with stage.panel() as http:

        async def found(**query: str) -> set[str]:
            return {names[row["id"]] for row in await items(http, action="export_users", **query)}

        assert await found(from_date="2026-03-10", to_date="2026-03-10") == {"first", "last"}
        assert await found(from_date="2026-03-10") == {"first", "last", "after"}
        assert await found(to_date="2026-03-09") == {"before"}
        assert await found(to_date="2026-03-10T00:00:00Z") == {"before", "first"}
        assert await found(from_date="2026-03-11T01:00:00+01:00") == {"after"}
        assert await found(from_date="2026-03-10T23:59") == {"last", "after"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": "0"}, "page"),
        ({"page_size": "0"}, "page_size"),
        ({"page_size": "101"}, "page_size"),
        ({"action": "user_login' OR 1=1"}, "action"),
        ({"target_type": "planet"}, "target_type"),
        ({"workspace_id": "acme"}, "workspace_id"),
        ({"actor_id": "ada"}, "actor_id"),
        ({"from_date": "yesterday"}, "from_date"),
        ({"from_date": "2026-02-30"}, "from_date"),
        ({"to_date": "9999-12-31"}, "to_date"),
        ({"from_date": "0001-01-01T00:00:00+14:00"}, "from_date"),
    ],
)
async def test_admin_activity_refuses_malformed_filters(
    stage: Stage, query: dict[str, str], field: str
) -> None:
    async with stage.panel() as http:
        answer = await http.get(SEARCH, params=query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["detail"][0]["loc"][-1] == field


async def test_admin_activity_every_action_of_the_vocabulary_can_be_asked_for(stage: Stage) -> None:
    async with stage.panel() as http:
        for action in sorted(ACTIONS):
            assert await items(http, action=action) == []


# ── labels ──


async def test_admin_activity_labels_are_what_targets_are_called_now(stage: Stage) -> None:
    ada = await stage.user("Ada")
    acme = await stage.workspace(name="Acme")
    group = await stage.group(acme, name="Readers")
    realm = await stage.realm("suite")
    service = await stage.service("notes", realm=realm)
    login_app = await stage.login_app(name="Web")
    organization = await stage.organization("example.org")
    resource = await stage.resource(acme, ada)
    action = ServiceAction(
        id=uuid4(), service_name="notes", action="notes.publish", created_at=stage.clock.now()
    )
    role = Role(id=uuid4(), workspace_id=acme.id, name="Publisher", created_at=stage.clock.now())
    await stage.add(action, role)
    await stage.execute(sa.update(Workspace).where(Workspace.id == acme.id).values(name="Acme Ltd"))
    wanted = {
        "user": (ada, "Ada"),
        "workspace": (acme, "Acme Ltd"),
        "group": (group, "Readers"),
        "role": (role, "Publisher"),
        "realm": (realm, "Suite"),
        "organization": (organization, "Org"),
        "client_app": (login_app, "Web"),
        "service_app": (service.app, "Notes"),
        "resource_permission": (resource, f"notes document {resource.resource_id}"),
        "service_action": (action, "notes: notes.publish"),
    }
    for target_type, (target, _) in wanted.items():
        await note(stage, "export_users", target, target_type=target_type)
    await note(
        stage,
        "permissions_purged",
        target_type="service",
        detail={"service_name": "notes", "deleted_count": 3},
    )
    async with stage.panel() as http:
        with stage.statements() as seen:
            found = {row["target_type"]: row["target_label"] for row in await items(http, page_size=100)}
    assert {name: found[name] for name in wanted} == {name: label for name, (_, label) in wanted.items()}
    assert found["service"] == "notes"
    assert len(seen) == 2, seen.texts


async def test_admin_activity_of_what_is_gone_has_no_label(stage: Stage) -> None:
    bob = await stage.user("Bob")
    app = await stage.login_app(name="Web")
    await note(stage, "user_updated", bob, actor_id=bob.id)
    await note(stage, "client_app_updated", app, target_type="client_app")
    # The id of a workspace under the type of a user is no user.
    acme = await stage.workspace()
    await note(stage, "user_activated", acme, target_type="user")
    await stage.execute(sa.delete(User).where(User.id == bob.id))
    await stage.execute(sa.delete(LoginApp).where(LoginApp.id == app.id))
    async with stage.panel() as http:
        for action in ("user_updated", "client_app_updated", "user_activated"):
            newest = (await items(http, action=action))[0]
            assert newest["target_label"] is None, newest
            assert newest["actor_id"] is newest["actor_name"] is newest["actor_email"] is None


async def test_admin_activity_costs_two_statements_however_many_rows(stage: Stage) -> None:
    ada = await stage.user()
    acme = await stage.workspace()
    for number in range(30):
        target = await stage.group(acme) if number % 2 else ada
        await note(
            stage, "export_users", target, target_type="group" if number % 2 else "user", actor_id=ada.id
        )
    async with stage.panel() as http:
        with stage.statements() as seen:
            assert len(await items(http, page_size=100)) >= 30
    assert len(seen) == 2, seen.texts


@pytest.mark.parametrize("query", ["", "action", "target_type", "workspace_id", "actor_id", "from_date"])
async def test_admin_activity_reads_no_table_from_end_to_end(stage: Stage, query: str) -> None:
    """Neither without a filter nor with any of them, once there is more than a handful of rows."""
    ada, acme = await stage.user(), await stage.workspace()
    now = stage.clock.now()
    common = {"target_type": "user", "target_id": ada.id, "detail": {"ip": "192.0.2.1"}}
    await stage.execute(
        sa.insert(Activity).values(
            [
                {**common, "id": uuid4(), "action": "user_login", "created_at": now - timedelta(minutes=n)}
                for n in range(2000)
            ]
        )
    )
    values = {
        "action": "export_users",
        "target_type": "role",
        "workspace_id": acme.id,
        "actor_id": ada.id,
        "from_date": (now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    asked: list[tuple[str, Any]] = []

    def keep(_c: Any, _cursor: Any, text: str, parameters: Any, _x: Any, _m: Any) -> None:
        if "activity_logs" in text:
            asked.append((text, parameters))

    database = stage.state.database
    event.listen(database.engine.sync_engine, "before_cursor_execute", keep)
    async with stage.panel() as http:
        await items(http, **({query: str(values[query])} if query else {}))
    event.remove(database.engine.sync_engine, "before_cursor_execute", keep)
    (text, parameters) = asked[-1]
    async with database.engine.connect() as connection:
        if database.is_sqlite:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", parameters)
            steps = [row.detail for row in plan]
            bad = [step for step in steps if step.startswith("SCAN activity_logs") and "USING" not in step]
            sorts = [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]
            assert not bad and len(sorts) <= 1, steps
        else:
            await connection.exec_driver_sql("SET enable_seqscan = off")
            plan = await connection.exec_driver_sql(f"EXPLAIN {text}", parameters)
            steps = [row[0] for row in plan]
            assert not [step for step in steps if "Seq Scan on activity_logs" in step], steps


# ── summary ──


async def test_admin_activity_summary_counts_by_day_and_action(stage: Stage) -> None:
    today = stage.clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    stage.clock.advance((today - stage.clock.now()).total_seconds())
    yesterday = today - timedelta(days=1)
    midnight = today.replace(hour=0)
    for at, action in (
        (today, "export_users"),
        (midnight, "export_users"),
        (midnight - timedelta(microseconds=1), "export_users"),
        (yesterday, "org_update"),
        (midnight - timedelta(days=1), "org_update"),
        (midnight - timedelta(days=1, microseconds=1), "org_update"),
    ):
        await note(stage, action, at=at)
    async with stage.panel() as http:
        answer = await http.get(SUMMARY, params={"days": 2})
        month = (await http.get(SUMMARY)).json()
    assert answer.json() == {
        "days": 2,
        "items": [
            {"day": yesterday.date().isoformat(), "action": "export_users", "count": 1},
            {"day": yesterday.date().isoformat(), "action": "org_update", "count": 2},
            {"day": today.date().isoformat(), "action": "export_users", "count": 2},
        ],
    }
    assert month["days"] == 30 and sum(item["count"] for item in month["items"]) == 6


@pytest.mark.parametrize("path", [SUMMARY, SIGN_INS])
@pytest.mark.parametrize("days", ["0", "91", "many"])
async def test_admin_activity_reports_cover_1_to_90_days(stage: Stage, path: str, days: str) -> None:
    async with stage.panel() as http:
        assert (await http.get(path, params={"days": days})).status_code == 422
        assert (await http.get(path, params={"days": 90})).json()["days"] == 90


# ── sign-ins ──


async def sign_in(
    stage: Stage, user: User, ip: str | None, agent: str | None, action: str = "user_login", days: int = 0
) -> None:
    detail = {key: value for key, value in (("ip", ip), ("user_agent", agent)) if value}
    at = stage.clock.now() - timedelta(days=days)
    await note(stage, action, user, actor_id=user.id, detail=detail, at=at)


async def test_admin_sign_ins_are_counted_by_browser_system_and_country(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    await sign_in(stage, ada, "8.8.8.8", FIREFOX)
    await sign_in(stage, ada, "8.8.4.4", FIREFOX, "admin_login")
    await sign_in(stage, bob, "193.0.6.139", SAFARI)
    await sign_in(stage, bob, "10.1.2.3", None)
    await sign_in(stage, bob, "8.8.8.8", FIREFOX, days=40)
    await sign_in(stage, bob, "8.8.8.8", FIREFOX, "login_failed")
    await note(stage, "user_login", bob, actor_id=bob.id, detail=None)
    async with stage.panel() as http:
        with stage.statements() as seen:
            everybody = (await http.get(SIGN_INS)).json()
        only_ada = (await http.get(SIGN_INS, params={"user_id": str(ada.id)})).json()
        nobody = (await http.get(SIGN_INS, params={"user_id": str(uuid4())})).json()
    assert everybody == {
        "days": 30,
        "total": 5,
        "browsers": [
            {"name": "Firefox", "count": 2},
            {"name": "Other", "count": 2},
            {"name": "Mobile Safari", "count": 1},
        ],
        "os": [
            {"name": "Other", "count": 2},
            {"name": "Windows", "count": 2},
            {"name": "iOS", "count": 1},
        ],
        "countries": [
            {"code": "US", "name": "United States", "count": 2},
            {"code": "NL", "name": "Netherlands", "count": 1},
        ],
        "unresolved": 2,
    }
    assert len(seen) == 2, seen.texts
    assert only_ada["total"] == 2 and [row["code"] for row in only_ada["countries"]] == ["US"]
    assert nobody["total"] == 0 and nobody["browsers"] == [] and nobody["unresolved"] == 0


async def test_admin_sign_ins_of_hostile_clients_are_counted_and_shown_as_they_are(stage: Stage) -> None:
    ada = await stage.user()
    for ip, agent in (("not an address", "<script>"), ("::ffff:8.8.8.8", "\"'--" * 60), ("1" * 400, "")):
        await sign_in(stage, ada, ip, agent)
    async with stage.panel() as http:
        found = (await http.get(SIGN_INS)).json()
    assert found["total"] == 3 and found["unresolved"] == 2
    assert [row["name"] for row in found["browsers"]] == ["Other"]


async def test_admin_sign_ins_look_up_the_most_frequent_addresses_and_count_the_rest(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many addresses there are, a report takes a bounded time."""
    monkeypatch.setattr("sentinel.audit.sign_ins.MOST_ADDRESSES", 1)
    ada = await stage.user()
    for ip in ("193.0.6.139", "8.8.8.8", "8.8.8.8", "1.1.1.1"):
        await sign_in(stage, ada, ip, FIREFOX)
    async with stage.panel() as http:
        found = (await http.get(SIGN_INS)).json()
    assert found["countries"] == [{"code": "US", "name": "United States", "count": 2}]
    assert found["total"] == 4 and found["unresolved"] == 2


async def test_admin_sign_ins_look_at_the_most_frequent_browsers_and_count_the_rest(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many User-Agents somebody makes up, a report takes a bounded time, and no sign-in is lost."""
    monkeypatch.setattr("sentinel.audit.sign_ins.MOST_AGENTS", 1)
    ada = await stage.user()
    for agent in (SAFARI, FIREFOX, FIREFOX, None):
        await sign_in(stage, ada, "8.8.8.8", agent)
    async with stage.panel() as http:
        found = (await http.get(SIGN_INS)).json()
    assert found["browsers"] == [{"name": "Firefox", "count": 2}, {"name": "Other", "count": 2}]
    assert found["os"] == [{"name": "Other", "count": 2}, {"name": "Windows", "count": 2}]
    assert found["total"] == 4 and found["unresolved"] == 0


async def test_admin_sign_ins_refuse_an_id_that_is_none(stage: Stage) -> None:
    async with stage.panel() as http:
        assert (await http.get(SIGN_INS, params={"user_id": "ada"})).status_code == 422
