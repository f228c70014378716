"""People and organizations in the panel, clicked through in Chromium."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched

SIZES = {"desktop": {"width": 1360, "height": 900}, "phone": {"width": 390, "height": 844}}
DESKTOP = {"viewport": SIZES["desktop"]}


def open_person(page: Page, dev_url: str, name: str) -> None:
    page.goto(f"{dev_url}/admin/users?search={name.split(maxsplit=1)[0]}")
    page.locator("#list").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_deactivating_a_person_says_what_will_happen_and_what_has(panel: Watched, dev_url: str) -> None:
    page = panel.page
    open_person(page, dev_url, "Edith Editor")
    page.get_by_role("button", name="Deactivate …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Every session ends at once")
    dialog.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("status")).to_contain_text("Deactivated; 0 sessions ended.")
    expect(page.get_by_role("button", name="Activate …")).to_be_visible()
    # What was done stands in the activity at once.
    expect(page.locator(".timeline")).to_contain_text("Adam Admin deactivated Edith Editor")
    page.get_by_role("button", name="Activate …").click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    expect(page.get_by_role("status")).to_contain_text("Activated")
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_choosing_several_shows_the_bar_and_filtering_forgets_the_choice(
    panel: Watched, dev_url: str
) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/users")
    bar = page.get_by_role("group", name="For the chosen people")
    expect(bar).to_be_hidden()
    page.get_by_label("Choose Oscar Outsider").check()
    page.get_by_label("Choose Victor Viewer").check()
    expect(bar).to_contain_text("2 chosen")
    page.get_by_role("searchbox", name="Search").fill("oscar")
    expect(page).to_have_url(re.compile("search=oscar"))
    expect(bar).to_be_hidden()
    page.get_by_label("Choose Oscar Outsider").check()
    panel.shoot("users-chosen")
    bar.get_by_role("button", name="Deactivate …").click()
    dialog = page.get_by_role("dialog", name="Deactivate the chosen people?")
    expect(dialog).to_contain_text("Chosen: 1.")
    dialog.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("status")).to_contain_text("1 person deactivated; 0 sessions ended.")
    expect(page).to_have_url(re.compile("search=oscar"))
    page.get_by_label("Choose everybody on this page").check()
    bar.get_by_role("button", name="Activate …", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    expect(page.get_by_role("status")).to_contain_text("1 person activated")
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_a_file_is_checked_and_imported_without_choosing_it_twice(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/users/import")
    rows = "email,name,workspace_slug,role\nnina@acme.example,Nina New,acme,editor\nnina,No,acme,\n"
    file: Any = {"name": "people.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Check the file").click()
    outcome = page.locator("#outcome")
    expect(outcome).to_contain_text("This is not one e-mail address")
    panel.shoot("users-import-checked")
    page.get_by_role("button", name="Import 1 row").click()
    expect(outcome).to_contain_text("Row 3 (nina): This is not one e-mail address")
    expect(outcome.get_by_role("status")).to_contain_text("Memberships added1")
    expect(page.locator("[data-upload-progress]")).to_be_hidden()
    panel.shoot("users-import-done")
    outcome.get_by_role("link", name="To the users").click()
    expect(page.locator("#list")).to_contain_text("Nina New")
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_the_kill_switch_of_an_organization(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/organizations/new")
    page.get_by_label("Name").fill("Globex Corporation")
    page.get_by_label("Slug").fill("globex-corp")
    page.get_by_role("button", name="Create the organization").click()
    page.get_by_label("Add a mail domain").fill("corp.globex.example")
    page.get_by_label("With every domain below it").check()
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("corp.globex.example belongs here now")
    page.get_by_role("button", name="Disable …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nobody is assigned to it yet")
    dialog.get_by_role("button", name="Disable and end the sessions").click()
    expect(page.get_by_role("status")).to_contain_text("Globex Corporation is disabled; 0 sessions ended.")
    page.get_by_role("button", name="Enable …").click()
    expect(page.get_by_role("dialog")).to_contain_text("can sign in again")
    assert panel.faults == []
    # Last, for taking a picture leaves traces in the page's inputs that its policy would complain of.
    panel.shoot("organization-switch")


@pytest.mark.parametrize(
    "panel",
    [{"viewport": SIZES[size], "color_scheme": scheme} for size in SIZES for scheme in ("light", "dark")],
    indirect=True,
    ids=[f"{size}-{scheme}" for size in SIZES for scheme in ("light", "dark")],
)
def test_nothing_runs_off_the_page(panel: Watched, dev_url: str, request: pytest.FixtureRequest) -> None:
    page = panel.page
    look = request.node.callspec.id
    page.goto(f"{dev_url}/admin/users")
    panel.shoot(f"users-{look}")
    wide = [page.evaluate("document.documentElement.scrollWidth")]
    open_person(page, dev_url, "Adam Admin")
    panel.shoot(f"user-{look}")
    wide.append(page.evaluate("document.documentElement.scrollWidth"))
    page.goto(f"{dev_url}/admin/organizations/00000000-0000-0000-0000-000000000001")
    wide.append(page.evaluate("document.documentElement.scrollWidth"))
    assert max(wide) <= (page.viewport_size or {"width": 0})["width"]
    assert panel.faults == []
