"""The panel's pages Dashboard, Activity, Insights, Usage, System and Settings over HTTP (``admin.md`` §2)."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from sentinel.audit.activity import ACTIONS, SYSTEM_TARGET
from sentinel.audit.models import Activity
from sentinel.identity.models import User
from sentinel.roles.models import ActionUsage, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces import census
from sentinel.workspaces.models import Workspace
from tests.stage import Furnished, Stage

pytestmark = pytest.mark.anyio

PAGES = {
    "/admin": "Dashboard",
    "/admin/activity": "Activity",
    "/admin/insights": "Insights",
    "/admin/usage": "Usage",
    "/admin/system": "System",
    "/admin/settings": "Settings",
}
HOSTILE = "<script>alert('x')</script>\"&"


async def note(stage: Stage, action: str, **values: Any) -> Activity:
    row = Activity(
        **{
            "id": uuid4(),
            "action": action,
            "target_type": "system",
            "target_id": SYSTEM_TARGET,
            "created_at": stage.clock.now(),
        }
        | values
    )
    await stage.add(row)
    return row


async def furnish(stage: Stage) -> None:
    """An installation in which something of every kind has happened, to people with hostile names."""
    await stage.service("notes")
    ada = await stage.user(HOSTILE)
    acme = await stage.workspace(ada, name=HOSTILE)
    group = await stage.group(acme, ada, name=HOSTILE)
    for action in sorted(ACTIONS):
        await note(
            stage,
            action,
            actor_id=ada.id,
            workspace_id=acme.id,
            target_type="group",
            target_id=group.id,
            detail={"reason": HOSTILE, "ip": "8.8.8.8", "user_agent": HOSTILE, "count": 2},
        )
    service_action = ServiceAction(
        id=uuid4(), service_name="notes", action="notes.publish", created_at=stage.clock.now()
    )
    role = Role(id=uuid4(), workspace_id=acme.id, name=HOSTILE, created_at=stage.clock.now())
    await stage.add(
        service_action,
        role,
        RoleAction(id=uuid4(), role_id=role.id, service_action_id=service_action.id),
        UserRole(id=uuid4(), role_id=role.id, user_id=ada.id, assigned_at=stage.clock.now()),
        ActionUsage(
            day=stage.clock.now().date(),
            workspace_id=acme.id,
            user_id=ada.id,
            service_name="notes",
            action=HOSTILE,
            count=12345,
        ),
    )


@pytest.fixture
async def furnished(copied_stage: Furnished) -> AsyncIterator[Stage]:
    async with copied_stage(furnish) as (stage, _):
        yield stage


@pytest.fixture
async def http(furnished: Stage) -> AsyncIterator[httpx.AsyncClient]:
    boss = await furnished.user("Boss", email="boss@example.com", is_admin=True)
    async with furnished.panel(boss) as opened:
        yield opened


async def page(http: httpx.AsyncClient, path: str, /, **query: Any) -> str:
    answer = await http.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def table(text: str) -> list[list[str]]:
    """The cells of every table row of a page, as plain text."""
    rows = re.findall(r"<tr[ >].*?</tr>", text, re.DOTALL)
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"<t[dh][ >].*?</t[dh]>", row, re.DOTALL)
        ]
        for row in rows
    ]


# ── all of them ──


@pytest.mark.parametrize("path", PAGES)
async def test_overview_pages_send_strangers_to_the_login_page(stage: Stage, path: str) -> None:
    answer = await stage.client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{stage.settings.admin_url}/login?next=")
    assert await stage.activities() == []


@pytest.mark.parametrize("path", PAGES)
async def test_overview_pages_cost_six_statements_or_fewer(
    furnished: Stage, http: httpx.AsyncClient, path: str
) -> None:
    for query in (
        {},
        {"workspace_id": str(uuid4())},
        {"actor_id": str(uuid4()), "workspace_id": str(uuid4())},
    ):
        with furnished.statements() as seen:
            await page(http, path, **query)
        assert len(seen) <= 6, seen.texts


@pytest.mark.parametrize("path", PAGES)
async def test_overview_pages_have_one_heading_and_show_names_as_text(
    http: httpx.AsyncClient, path: str
) -> None:
    text = await page(http, path)
    assert re.findall(r"<h1>(.*?)</h1>", text) == [PAGES[path]]
    assert "<script>alert" not in text
    assert ("&lt;script&gt;alert" in text) is (path in ("/admin", "/admin/activity", "/admin/usage"))


@pytest.mark.parametrize("path", PAGES)
async def test_overview_pages_have_no_inline_script_or_style(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert "'unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<[^>]+\sstyle=|<style|<[^>]+\son[a-z]+=|javascript:", answer.text)
    assert not re.search(r"<script(?! src=)", answer.text)
    ids = re.findall(r'\sid="([^"]+)"', answer.text)
    assert len(ids) == len(set(ids)), sorted(one for one in ids if ids.count(one) > 1)


@pytest.mark.parametrize("path", PAGES)
async def test_overview_pages_of_an_empty_installation(stage: Stage, path: str) -> None:
    async with stage.panel() as http:
        await page(http, path)


@pytest.mark.parametrize("path", PAGES)
async def test_overview_pages_take_any_query(http: httpx.AsyncClient, path: str) -> None:
    """Names of the page's own values, and of its functions, in the address break nothing."""
    for name in ("path", "url", "query", "state", "self", "field", "title", "days2", "<b>"):
        text = await page(http, path, **{name: HOSTILE})
        assert HOSTILE not in text


@pytest.mark.parametrize("path", ["/admin", "/admin/insights", "/admin/usage"])
async def test_overview_periods_are_7_30_and_90_days_and_stay_in_the_address(
    http: httpx.AsyncClient, path: str
) -> None:
    for days, shown in ((7, 7), (30, 30), (90, 90), (1, 30), (100000, 30)):
        text = await page(http, path, days=days)
        (chosen,) = re.findall(r'aria-current="true" href="[^"]*">(\d+) days<', text)
        assert int(chosen) == shown
    assert f'href="{path}?days=90' in text.replace("/admin/?", "/admin?")
    assert (await http.get(path, params={"days": "many"})).status_code == 422


# ── dashboard ──


async def test_dashboard_shows_totals_newest_largest_and_recent(
    furnished: Stage, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = await furnished.workspace(name="Crowd")
    for number in range(5):
        await furnished.member(crowd, name=f"Member {number}")
    text = await page(http, "/admin")
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", text))
    assert tiles == {"Users": "7", "Workspaces": "2", "Groups": "1", "Resources": "0"}
    newest = text.partition('id="newest-title"')[2].partition("</section>")[0]
    assert re.findall(r"Member \d", newest) == [f"Member {number}" for number in (4, 3, 2, 1, 0)]
    largest = text.partition('id="largest-title"')[2].partition("</section>")[0]
    assert largest.index("Crowd") < largest.index("5 members") < largest.index("1 member<")
    recent = text.partition('id="recent-title"')[2].partition("</section>")[0]
    assert len(re.findall("<li>", recent)) == 11
    # Very many resources are not counted where the statistics of the database know about them.
    await furnished.resource(crowd, None)
    monkeypatch.setattr(census, "EXACTLY", 0)
    await furnished.execute(sa.text("ANALYZE resource_permissions"))
    await furnished.resource(crowd, None)
    text = await page(http, "/admin")
    about = "<small>about</small> 1" if not furnished.state.database.is_sqlite else "2"
    assert f"<dt>Resources</dt><dd>{about}</dd>" in text


async def test_dashboard_counts_activity_by_day_and_area(stage: Stage) -> None:
    ada = await stage.user()
    today = stage.clock.now()
    for action, days_ago, times in (("user_login", 0, 3), ("role_created", 1, 2), ("org_create", 8, 1)):
        for _ in range(times):
            await note(stage, action, actor_id=ada.id, created_at=today - timedelta(days=days_ago))
    async with stage.panel() as http:
        rows = table(await page(http, "/admin", days=7))
    head, newest, before = rows[0], rows[1], rows[2]
    assert head == [
        "Day", "Sign-ins", "Sign-in anomalies", "People", "Workspaces", "Access", "Apps and system", "All",
    ]  # fmt: skip
    assert newest[1:] == ["3", "0", "0", "0", "0", "0", "3"]
    assert before[1:] == ["0", "0", "0", "0", "2", "0", "2"]
    assert len(rows) == 8 and all(row[-1] == "0" for row in rows[3:])


async def test_dashboard_signals_have_a_severity_a_number_and_a_way_to_their_rows(
    furnished: Stage, http: httpx.AsyncClient
) -> None:
    await note(furnished, "login_new_country", created_at=furnished.clock.now() - timedelta(days=20))
    for days, number in ((7, "1"), (30, "2")):
        text = await page(http, "/admin", days=days)
        tiles = re.findall(r'<a class="card tile alarm[^"]*" href="([^"]+)">(.*?)</a>', text, re.DOTALL)
        assert len(tiles) == 4
        found = {}
        for target, inner in tiles:
            action = re.search(r"action=([a-z_]+)&amp;from_date=", target)
            assert action, target
            found[action[1]] = (
                re.search(r"<strong>([^<]+)", inner)[1],  # type: ignore[index]
                re.search(r'alarm-number">(\d+)', inner)[1],  # type: ignore[index]
                re.search(r"badge[^>]*>([a-z]+)<", inner)[1],  # type: ignore[index]
            )
        assert found == {
            "login_impossible_travel": ("Impossible travel", "1", "high"),
            "credential_stuffing_suspected": ("Credential stuffing", "1", "high"),
            "login_new_country": ("New country", number, "medium"),
            "login_new_device": ("New device", "1", "low"),
        }
    target = unescape(tiles[2][0])
    assert "<span>1–2 of 2</span>" in (await http.get(target)).text


# ── activity ──


async def test_activity_page_tells_rows_in_sentences_with_links(stage: Stage) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    acme = await stage.workspace(name="Acme")
    await note(
        stage,
        "member_role_changed",
        actor_id=ada.id,
        target_type="user",
        target_id=bob.id,
        workspace_id=acme.id,
        detail={"old_role": "viewer", "new_role": "editor"},
    )
    async with stage.panel() as http:
        text = await page(http, "/admin/activity", action="member_role_changed")
    assert (
        f'<a href="/admin/users/{ada.id}">Ada</a> changed the role of <a href="/admin/users/{bob.id}">Bob</a>'
        in text
    )
    assert "viewer → editor" in text
    assert f'<a href="/admin/workspaces/{acme.id}">Acme</a>' in text
    assert 'class="code-block">' in text and '"old_role": "viewer"' in text


async def test_activity_page_of_what_is_gone_has_no_dead_links(stage: Stage) -> None:
    bob, acme = await stage.user("Bob"), await stage.workspace(name="Acme")
    await note(
        stage,
        "workspace_deleted",
        actor_id=bob.id,
        target_type="workspace",
        target_id=acme.id,
        workspace_id=acme.id,
        detail={"name": "Acme"},
    )
    await stage.execute(sa.delete(User).where(User.id == bob.id))
    await stage.execute(sa.delete(Workspace).where(Workspace.id == acme.id))
    async with stage.panel() as http:
        text = await page(http, "/admin/activity")
    assert "Somebody deleted the workspace <strong>Acme</strong>" in text
    assert str(acme.id) in text and f"/workspaces/{acme.id}" not in text and str(bob.id) not in text


async def test_activity_filters_live_in_the_address_and_in_the_form(stage: Stage) -> None:
    ada, acme = await stage.user("Ada"), await stage.workspace(name="Acme")
    today = stage.clock.now().date().isoformat()
    await note(stage, "org_create", actor_id=ada.id, workspace_id=acme.id, target_type="organization")
    await note(stage, "org_update")
    query = {
        "action": "org_create",
        "target_type": "organization",
        "workspace_id": str(acme.id),
        "actor_id": str(ada.id),
        "from_date": today,
        "to_date": today,
    }
    async with stage.panel() as http:
        text = await page(http, "/admin/activity", **query)
        nothing = await page(http, "/admin/activity", **(query | {"action": "org_delete"}))
    assert 'value="org_create" selected' in text and 'value="organization" selected' in text
    assert text.count(f'value="{today}"') == 2
    assert "1–1 of 1" in text and "Nothing fits these filters" in nothing
    chips = re.findall(r'<span class="chip">(.*?)</span>', text)
    assert ["Workspace: <strong>Acme</strong>" in chips[0], "By: <strong>Ada</strong>" in chips[1]] == [
        True
    ] * 2
    without_workspace = unescape(re.findall(r'href="([^"]+)"', chips[0])[0])
    assert "workspace_id" not in without_workspace and f"actor_id={ada.id}" in without_workspace


async def test_activity_form_offers_the_whole_vocabulary_and_nothing_else(stage: Stage) -> None:
    async with stage.panel() as http:
        text = await page(http, "/admin/activity")
    form = text.partition('aria-label="Filters"')[2].partition("</form>")[0]
    actions = form.partition('name="action"')[2].partition("</select>")[0]
    assert set(re.findall(r'<option value="([^"]+)"', actions)) == ACTIONS
    assert len(re.findall(r"<optgroup", actions)) == 12
    kinds = form.partition('name="target_type"')[2].partition("</select>")[0]
    assert len(re.findall(r'<option value="[^"]+"', kinds)) == 13


async def test_activity_pager_keeps_the_filters(stage: Stage) -> None:
    for _ in range(30):
        await note(stage, "export_users")
    async with stage.panel() as http:
        first = await page(http, "/admin/activity", action="export_users")
        target = unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])  # type: ignore[index]
        second = await http.get(target)
    assert "1–25 of 30" in first and "26–30 of 30" in second.text
    assert 'rel="next"' not in second.text and "action=export_users&amp;page=1" in second.text


async def test_activity_empty_fields_of_the_form_leave_the_address(stage: Stage) -> None:
    async with stage.panel() as http:
        answer = await http.get(
            "/admin/activity", params={"action": "org_update", "actor_id": "", "from_date": ""}
        )
        assert answer.status_code == 303
        assert answer.headers["location"] == "/admin/activity?action=org_update"
        assert (await http.get(answer.headers["location"])).status_code == 200


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ({"action": "no_such"}, "Action"),
        ({"target_type": "planet"}, "Done to"),
        ({"workspace_id": "acme"}, "Workspace id"),
        ({"actor_id": HOSTILE}, "Person&#39;s id"),
        ({"from_date": "yesterday"}, "From"),
        ({"to_date": "2026-02-31"}, "To"),
    ],
)
async def test_activity_filters_that_make_no_sense_are_shown_again_with_the_reason(
    stage: Stage, query: dict[str, str], label: str
) -> None:
    await note(stage, "export_users")
    async with stage.panel() as http:
        answer = await http.get("/admin/activity", params=query)
    assert answer.status_code == 422
    assert f"<div>{label}: " in answer.text and "is-invalid" in answer.text
    assert "exported the list" not in answer.text and "<script>alert" not in answer.text
    (field, value), = query.items()  # fmt: skip
    if field not in ("action", "target_type"):
        assert value in unescape(re.search(rf'name="{field}" value="([^"]*)"', answer.text)[1])  # type: ignore[index]


async def test_activity_page_zero_is_no_page(stage: Stage) -> None:
    async with stage.panel() as http:
        assert (await http.get("/admin/activity", params={"page": 0})).status_code == 422


# ── insights ──


async def test_insights_page_has_a_map_and_the_same_numbers_beside_it(stage: Stage) -> None:
    ada, bob = await stage.user("Ada"), await stage.user("Bob")
    for user, ip in ((ada, "8.8.8.8"), (ada, "8.8.4.4"), (bob, "193.0.6.139"), (bob, "10.0.0.1")):
        await note(
            stage,
            "user_login",
            actor_id=user.id,
            target_type="user",
            target_id=user.id,
            detail={
                "ip": ip,
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            },
        )
    async with stage.panel() as http:
        text = await page(http, "/admin/insights")
        only_bob = await page(http, "/admin/insights", user_id=str(bob.id), days=7)
        nobody = await page(http, "/admin/insights", user_id=str(uuid4()))
        assert (await http.get("/admin/insights", params={"user_id": "bob"})).status_code == 422
    rows = [[row[0], row[-1]] for row in table(text)]
    for wanted in (
        ["United States", "2 50 %"],
        ["Netherlands", "1 25 %"],
        ["Not known", "1 25 %"],
        ["Firefox", "4 100 %"],
    ):
        assert wanted in rows
    assert len(re.findall("<circle ", text)) == 2 and "United States: 2" in text
    assert "Only: <strong>Bob</strong>" in only_bob and "United States" not in only_bob
    assert "somebody who is gone" in nobody and "No sign-in in these 30 days" in nobody


# ── usage ──


async def test_usage_page_shows_what_is_used_and_what_lies_idle(
    furnished: Stage, http: httpx.AsyncClient
) -> None:
    other = await furnished.workspace(name="Other")
    text = await page(http, "/admin/usage")
    rows = table(text)
    tiles = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", text))
    assert tiles == {"Allowed": "12\u202f345", "Denied": "2", "Dormant grants": "1", "Unused roles": "1"}
    assert [f"notes: {HOSTILE}", "", "12 345"] in rows
    assert any("notes.publish notes" in row for row in rows)
    assert rows[1][-3:] == ["12 345", "2", "12 347"]
    elsewhere = await page(http, "/admin/usage", workspace_id=str(other.id), days=7)
    assert "Workspace: <strong>Other</strong>" in elsewhere
    assert "No action was checked" in elsewhere and "Nothing lies idle" in elsewhere
    assert "12\u202f345" not in elsewhere


async def test_usage_of_a_young_installation_says_since_when_it_counts(http: httpx.AsyncClient) -> None:
    assert "may only be young" in await page(http, "/admin/usage", days=7)


# ── system and settings ──


async def test_system_page_shows_every_finding_with_its_remedy(stage: Stage) -> None:
    async with stage.panel() as http:
        warnings = (await http.get("/admin/api/system/health")).json()["warnings"]
        text = unescape(await page(http, "/admin/system"))
    assert len(warnings) > 3
    for finding in warnings:
        for part in ("id", "seen", "why", "remedy"):
            assert finding[part] in text, finding
    assert stage.state.keyring.kid in text
    assert ("SQLite 3" if stage.state.database.is_sqlite else "PostgreSQL") in text
    assert "1 worker" in text and "not used" in text


async def test_system_page_tells_how_old_the_keys_are(stage: Stage) -> None:
    stage.clock.advance(40 * 86400)
    async with stage.panel() as http:
        assert "1 month ago" in await page(http, "/admin/system")


async def test_settings_page_shows_no_secret_and_is_noted_once_a_view(
    furnished: Stage, http: httpx.AsyncClient
) -> None:
    await furnished.execute(sa.delete(Activity))
    text = await page(http, "/admin/settings")
    assert furnished.settings.session_secret_key.get_secret_value() not in text
    assert (
        furnished.state.keyring.kid in text
        and "corp" in text
        and "<form" not in text.partition("<main")[2].partition("</main>")[0]
    )
    await page(http, "/admin/settings")
    assert len(await furnished.activities("view_system_settings")) == 2


async def test_settings_page_is_not_shown_when_the_view_cannot_be_recorded(stage: Stage) -> None:
    await stage.forbid_inserts("activity_logs")
    async with stage.panel() as http:
        answer = await http.get("/admin/settings")
    assert answer.status_code in (409, 500) and stage.state.keyring.kid not in answer.text
