"""The frame of the panel in Chromium: in and out, the search box, light and dark, a phone's width."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched, sign_in_to_panel

DESKTOP = {"viewport": {"width": 1360, "height": 900}}
PHONE_DARK = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}


@pytest.mark.parametrize("watched", [DESKTOP], indirect=True)
def test_an_administrator_comes_in_and_goes_out(watched: Watched, dev_url: str) -> None:
    page = watched.page
    page.goto(f"{dev_url}/admin/search?q=adam")
    expect(page).to_have_url(re.compile(r"/admin/login\?next="))
    watched.shoot("panel-login")
    # The page that was asked for is the one that signing in ends at.
    page.locator("a[data-provider]").click()
    page.get_by_role("button", name=re.compile("Adam Admin")).click()
    expect(page).to_have_url(f"{dev_url}/admin/search?q=adam")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()
    page.goto(f"{dev_url}/admin")
    expect(page).to_have_url(re.compile("/admin/login"))
    assert watched.faults == []


def test_somebody_who_is_no_administrator_is_told_so(watched: Watched, dev_url: str) -> None:
    page = watched.page
    page.goto(f"{dev_url}/admin")
    page.locator("a[data-provider]").click()
    page.get_by_role("button", name=re.compile("Edith Editor")).click()
    expect(page.get_by_role("alert")).to_contain_text("not an administrator")
    assert watched.faults == []


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_ctrl_k_finds_things_and_enter_opens_them(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    page.keyboard.press("Control+k")
    page.keyboard.type("activ")
    expect(page.locator("#palette-results")).to_contain_text("Activity")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{dev_url}/admin/activity")
    page.go_back()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    assert panel.faults == []


@pytest.mark.parametrize("panel", [PHONE_DARK], indirect=True)
def test_on_a_phone_the_side_bar_is_a_drawer_and_nothing_runs_off_the_page(
    panel: Watched, dev_url: str
) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    expect(page.get_by_role("link", name="Workspaces", exact=True)).not_to_be_visible()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Workspaces", exact=True).click()
    expect(page).to_have_url(f"{dev_url}/admin/workspaces")
    panel.shoot("panel-phone")
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP | {"java_script_enabled": False}], indirect=True)
def test_pages_work_without_a_script(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    page.get_by_role("link", name="Search").click()
    page.locator("main input[name=q]").fill("victor")
    page.locator("main").get_by_role("button", name="Search").click()
    expect(page.locator("main").get_by_role("link", name=re.compile("Victor Viewer"))).to_be_visible()
    assert panel.faults == []


def test_the_choice_of_light_or_dark_stays(watched: Watched, dev_url: str) -> None:
    page = watched.page
    sign_in_to_panel(page, dev_url)
    page.get_by_role("button", name="Light or dark").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert watched.faults == []


@pytest.mark.parametrize(
    "panel", [DESKTOP | {"timezone_id": "Asia/Kolkata", "locale": "en-GB"}], indirect=True
)
def test_times_are_the_readers_own_with_utc_on_hover(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/activity")
    stamp = page.locator("time[data-local]").first
    at = datetime.fromisoformat(stamp.get_attribute("datetime") or "")
    there = at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    expect(stamp).to_contain_text(f"{there:%H:%M:%S}")
    assert stamp.get_attribute("title") == f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    expect(page.locator("footer")).to_contain_text("UTC on hover")
    assert panel.faults == []
