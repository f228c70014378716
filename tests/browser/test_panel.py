"""The panel in Chromium: in and out, the search box, the keyboard alone, light and dark, lists, a workspace's life."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sentinel.devmode import sample
from tests.browser import looks
from tests.browser.conftest import Watched

DESKTOP = looks.LOOKS[looks.WIDE_LIGHT]
PHONE_DARK = looks.LOOKS[looks.NARROW_DARK]
JUMPS = {
    "a person": ("victor", "Victor Viewer", r"/admin/users/[0-9a-f-]{36}$"),
    "a workspace": ("globex", "Globex", r"/admin/workspaces/[0-9a-f-]{36}(/members)?$"),
    "a login app": ("start", "Start page", r"/admin/client-apps/[0-9a-f-]{36}$"),
    "a service": ("team-notes", "Team notes", r"/admin/service-apps/[0-9a-f-]{36}$"),
    "a resource": (
        str(sample.DOCUMENTS[0].id),
        str(sample.DOCUMENTS[0].id),
        r"/admin/permissions/[0-9a-f-]{36}$",
    ),
    "a page": ("activ", "Activity", r"/admin/activity$"),
}
"""What the search box leads to: what is typed, the line that is chosen, and where one is then."""


def told(page: Page, text: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(text)


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
def test_ctrl_k_jumps_to_anything_by_the_keyboard_alone(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    before = here = page.url
    for typed, label, there in JUMPS.values():
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        expect(page.locator("#palette-results")).to_contain_text(label)
        expect(page.locator("#palette-results:not([data-stale])")).to_be_visible()
        names = page.locator("#palette-results [role=option] span").all_inner_texts()
        [at, *_] = [number for number, name in enumerate(names) if name.startswith(label)]
        for _ in range(at + 1):
            page.keyboard.press("ArrowDown")
        chosen = page.locator("#palette").get_by_role("option", selected=True)
        expect(chosen).to_contain_text(label)
        assert chosen.get_attribute("id") == page.get_by_role("combobox", name="Search").get_attribute(
            "aria-activedescendant"
        )
        if typed == "start":
            panel.faults += looks.findings(page, looks.EVERYTHING)
        page.locator("main").evaluate("main => main.dataset.old = ''")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(there))
        expect(page.locator("#palette")).to_be_hidden()
        # The address changes before the page does; what is typed in between goes to the old one.
        expect(page.locator("main:not([data-old])")).to_be_visible()
        page.wait_for_load_state("networkidle")
        before, here = here, page.url
    page.go_back()
    expect(page).to_have_url(before)
    expect(page.get_by_role("heading", name="document")).to_be_visible()
    page.wait_for_load_state("networkidle")
    # Whoever types fast need not wait for the list.
    page.keyboard.press("Control+k")
    page.keyboard.type("edith@acme")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Edith Editor", level=1)).to_be_visible()
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP], indirect=True)
def test_what_is_typed_while_a_page_wakes_up_is_searched_for(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    page.evaluate(TYPE_EARLY)
    page.get_by_role("link", name="Users", exact=True).click()
    expect(page.locator("#palette-results")).to_contain_text("Victor Viewer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Victor Viewer", level=1)).to_be_visible()
    assert panel.faults == []


TYPE_EARLY = """
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target !== document.body) return;
  document.querySelector("[data-open-palette]").click();
  const input = document.querySelector("#palette input");
  input.value = "victor";
  input.dispatchEvent(new Event("input", { bubbles: true }));
}, { once: true })
"""
"""Types when the new page has come and htmx does not know it yet."""


FOCUS = """() => {
  const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
  const ring = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== "none";
  const inside = box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { name: it.getAttribute("aria-label") || it.name || it.innerText.trim(), ring, inside };
}"""
"""Which element has the focus, whether that is to be seen, and whether it is on screen."""


def tab_to(panel: Watched, name: str) -> None:
    """Press Tab until ``name`` has the focus; wherever it passes, the focus has to be seen."""
    for _ in range(40):
        panel.page.keyboard.press("Tab")
        at = panel.page.evaluate(FOCUS)
        if not (at["ring"] and at["inside"]):
            panel.faults.append(f"the focus on {at['name']!r} is not to be seen")
        if at["name"] == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


@pytest.mark.parametrize("panel", [DESKTOP, PHONE_DARK], indirect=True, ids=list(looks.LOOKS))
def test_a_form_and_a_dialog_work_by_the_keyboard_alone(panel: Watched, dev_url: str) -> None:
    page = panel.page
    # A form: past the frame by the skip link, through the fields in their order, refused beside the field, sent.
    page.goto(f"{dev_url}/admin/realms/new")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    tab_to(panel, "name")
    page.keyboard.type("Keys and more")
    tab_to(panel, "slug")
    page.keyboard.type("No Slug")
    tab_to(panel, "m2m_ttl_s")
    tab_to(panel, "Create the realm")
    page.keyboard.press("Enter")
    slug = page.get_by_label("Slug")
    expect(slug).to_have_class(re.compile("is-invalid"))
    expect(slug).to_have_accessible_error_message(re.compile("letters"))
    panel.faults[:] = [fault for fault in panel.faults if "422" not in fault]
    panel.faults += looks.findings(page, looks.EVERYTHING)
    expect(page.get_by_label("Name")).to_have_value("Keys and more")
    slug.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("keys-" + ("wide" if page.viewport_size == DESKTOP["viewport"] else "narrow"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Keys and more")

    # A dialog: it takes the focus, Escape gives it back, the way through it ends at its button.
    opener = page.get_by_role("button", name="Deactivate …")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Deactivate Keys and more?")
    expect(dialog).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(panel, "Close")
    tab_to(panel, "Cancel")
    tab_to(panel, "Deactivate")
    page.keyboard.press("Enter")
    told(page, "The realm is inactive")
    assert panel.faults == []


@pytest.mark.parametrize("panel", [PHONE_DARK], indirect=True)
def test_on_a_phone_the_side_bar_is_a_drawer(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    workspaces = page.get_by_role("link", name="Workspaces", exact=True)
    menu = page.get_by_role("button", name="Menu")
    expect(workspaces).not_to_be_visible()
    menu.click()
    expect(menu).to_have_attribute("aria-expanded", "true")
    expect(workspaces).to_be_visible()
    panel.faults += looks.findings(page, looks.EVERYTHING)
    page.keyboard.press("Escape")
    expect(workspaces).not_to_be_visible()
    menu.click()
    page.mouse.click(370, 700)
    expect(workspaces).not_to_be_visible()
    menu.click()
    workspaces.click()
    expect(page).to_have_url(f"{dev_url}/admin/workspaces")
    expect(page.get_by_role("heading", name="Workspaces", level=1)).to_be_visible()
    expect(workspaces).not_to_be_visible()
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
    page.goto(f"{dev_url}/admin/activity")
    page.get_by_label("Action", exact=True).select_option("admin_login")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(f"{dev_url}/admin/activity?action=admin_login")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Adam Admin signed in to the panel")
    assert panel.faults == []


@pytest.mark.parametrize("panel", [DESKTOP, PHONE_DARK], indirect=True, ids=list(looks.LOOKS))
def test_the_choice_of_light_or_dark_stays(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin")
    root = page.locator("html")
    system = root.get_attribute("data-bs-theme") or ""
    page.get_by_role("button", name="Light or dark").click()
    expect(root).to_have_attribute("data-bs-theme", looks.OTHER[system])
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", looks.OTHER[system])
    # From then on it is the person's choice and not the system's.
    page.emulate_media(color_scheme=looks.OTHER[system])
    page.emulate_media(color_scheme="light" if system == "light" else "dark")
    expect(root).to_have_attribute("data-bs-theme", looks.OTHER[system])
    assert panel.faults == []


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

    # By the trail of bread crumbs.
    trail = page.get_by_role("list", name="You are here")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page).to_have_url(re.compile("/edit$"))
    trail.get_by_role("link", name="Browser Lab").click()
    expect(page.get_by_role("heading", name="Browser Lab", level=1)).to_be_visible()
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
