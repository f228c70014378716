"""A workspace from its first name to its end, clicked through in Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE_DARK = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}


def told(page: Page, text: str) -> None:
    expect(page.locator("[role=status]")).to_contain_text(text)


@pytest.mark.parametrize("panel", [PHONE_DARK], indirect=True)
def test_members_of_a_workspace_fit_a_phone(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/workspaces")
    page.get_by_role("link", name="Acme").click()
    page.get_by_role("button", name="Remove Edith Editor").click()
    expect(page.get_by_role("dialog", name="Remove Edith Editor?")).to_contain_text("What stays")
    panel.shoot("panel-workspace-phone-dark")
    page.get_by_role("button", name="Cancel").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert panel.faults == []


# Last, because it ends the session that the tests of this module share.
@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_workspace_is_made_filled_given_a_role_and_deleted(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/workspaces")
    page.get_by_role("link", name="New workspace").click()
    page.get_by_label("Name").fill("Browser Lab")
    page.get_by_label("Slug").fill("acme")
    page.get_by_role("button", name="Create the workspace").click()
    # Refused: nothing that was typed is lost, and the form keeps its address.
    expect(page.get_by_text("Workspace slug is already taken")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Browser Lab")
    expect(page).to_have_url(f"{dev_url}/admin/workspaces/new")
    panel.faults.clear()  # Chromium notes the status 409 as an error of the console
    page.get_by_label("Slug").fill("browser-lab")
    page.get_by_role("button", name="Create the workspace").click()
    told(page, "Browser Lab")

    # Two people, found one after the other: the first stays ticked while the second is looked for.
    page.get_by_role("link", name="Add people").click()
    add = page.get_by_role("button", name="Add to the workspace")
    expect(add).to_be_disabled()
    search = page.get_by_placeholder("Name or e-mail address")
    search.fill("edith")
    page.get_by_label("Edith Editor").check()
    search.fill("VICTOR@")
    page.get_by_label("Victor Viewer").check()
    expect(page.get_by_label("Edith Editor")).to_be_checked()
    expect(page).to_have_url(re.compile("search=VICTOR"))
    search.fill("adam")
    expect(page.get_by_label("Adam Admin")).to_be_disabled()
    expect(page.locator("[data-count]")).to_have_text("2")
    panel.shoot("panel-workspace-add")
    add.click()
    told(page, "2 people added as viewer.")

    # A role changes with the choice itself.
    page.get_by_label("Role of Edith Editor", exact=True).select_option("editor")
    told(page, "Edith Editor is now editor.")
    panel.shoot("panel-workspace-members")

    page.get_by_role("link", name="Roles 0").click()
    page.get_by_role("link", name="New role").click()
    page.get_by_label("Name").fill("Publishers")
    page.get_by_role("button", name="Create the role").click()
    all_of_service = page.get_by_label(re.compile("^All of "))
    all_of_service.first.check()
    expect(page.locator("[data-bulk]")).to_contain_text("1 chosen")
    page.get_by_role("button", name="Add to the role").click()
    told(page, "1 action added.")
    expect(page.get_by_text("1 of 1 held")).to_be_visible()
    page.get_by_role("button", name="Remove documents.publish").click()
    page.get_by_role("button", name="Remove the action").click()
    told(page, "Action removed.")
    all_of_service.first.check()
    page.get_by_role("button", name="Add to the role").click()
    told(page, "1 action added.")
    page.get_by_role("link", name="Members 0").click()
    page.get_by_role("link", name="Bind members").click()
    page.get_by_label("Victor Viewer").check()
    page.get_by_role("button", name="Bind to the role").click()
    told(page, "1 person bound to the role.")
    expect(page.get_by_role("link", name="Members 1")).to_be_visible()
    role = page.url
    page.go_back()
    expect(page).to_have_url(re.compile("/members/add$"))
    expect(page.get_by_label("Victor Viewer")).to_be_disabled()
    page.goto(role)

    page.get_by_role("link", name="Browser Lab").first.click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_role("button", name="Delete …").click()
    delete = page.get_by_role("button", name="Delete the workspace")
    expect(delete).to_be_disabled()
    page.get_by_label(re.compile("^Type")).fill("Browser La")
    expect(delete).to_be_disabled()
    page.get_by_label(re.compile("^Type")).fill("Browser Lab")
    delete.click()
    # Adam was a member of it, and all its members are signed out.
    expect(page).to_have_url(re.compile(r"/admin/login\?next="))
    page.locator("a[data-provider]").click()
    page.get_by_role("button", name=re.compile("Adam Admin")).click()
    expect(page).to_have_url(f"{dev_url}/admin/workspaces")
    told(page, "Workspace Browser Lab is deleted")
    expect(page.locator("#list")).not_to_contain_text("Browser Lab")
    assert panel.faults == []
