"""The panel's pages of the overview in Chromium: what one clicks there."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched

DESKTOP = {"viewport": {"width": 1360, "height": 900}}


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_activity_filters_are_in_the_address_and_the_way_back_undoes_them(
    panel: Watched, dev_url: str
) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/settings")
    page.get_by_role("link", name="Activity", exact=True).click()
    expect(page).to_have_url(f"{dev_url}/admin/activity")
    page.get_by_label("Action", exact=True).select_option("view_system_settings")
    expect(page).to_have_url(f"{dev_url}/admin/activity?action=view_system_settings")
    expect(page.get_by_role("row").nth(1)).to_contain_text("looked at the settings")
    page.get_by_text("Details").first.click()
    page.get_by_role("link", name="only his").first.click()
    expect(page).to_have_url(re.compile(r"action=view_system_settings&actor_id=[0-9a-f-]{36}$"))
    expect(page.get_by_text("By: Adam Admin")).to_be_visible()
    page.get_by_role("link", name="Without by Adam Admin").click()
    expect(page).to_have_url(f"{dev_url}/admin/activity?action=view_system_settings")
    page.go_back()
    expect(page).to_have_url(re.compile("actor_id="))
    expect(page.get_by_text("By: Adam Admin")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.reload()
    expect(page.get_by_label("Action", exact=True)).to_have_value("view_system_settings")
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_a_signal_of_the_dashboard_leads_to_its_rows_and_the_chart_to_its_numbers(
    panel: Watched, dev_url: str
) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    page.get_by_role("link", name="7 days").click()
    expect(page).to_have_url(re.compile(r"/admin/?\?days=7$"))
    numbers = page.get_by_text("The numbers, day by day")
    numbers.click()
    expect(page.get_by_role("columnheader", name="Sign-in anomalies")).to_be_visible()
    page.get_by_role("link", name=re.compile("New country")).click()
    expect(page).to_have_url(re.compile(r"/admin/activity\?action=login_new_country&from_date="))
    expect(page.get_by_text("Nothing fits these filters")).to_be_visible()
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP | {"java_script_enabled": False}], indirect=True)
def test_activity_filters_work_without_a_script(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/activity")
    page.get_by_label("Action", exact=True).select_option("admin_login")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(f"{dev_url}/admin/activity?action=admin_login")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Adam Admin signed in to the panel")
    assert panel.faults == []
