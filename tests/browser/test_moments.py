"""The moments that matter, clicked through from end to end, wide and light, then narrow and dark.

At every stop of the way axe looks at the page, and nothing may run off it. Each walk is a story in one browser: a
moment may build on what an earlier one has left.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from sentinel.devmode import client, sample
from sentinel.devmode.installation import Notes, read_notes
from tests.browser import looks
from tests.browser.conftest import Watched, watch

KEY = re.compile(r"sk_[A-Za-z0-9_-]{43}")
PRIVATE = next(document for document in sample.DOCUMENTS if document.title == "Salary review")
"""A document that Edith does not see."""
EDITH = "edith@acme.example"
NEWCOMERS = {looks.WIDE_LIGHT: "oscar@globex.example", looks.NARROW_DARK: "victor@acme.example"}
"""Whose account is deleted in a walk, to begin anew as the first administrator."""


@dataclass
class Walk(Watched):
    """One browser that goes through all moments in one look."""

    look: str = ""
    url: str = ""
    folder: Path = Path()

    @property
    def notes(self) -> Notes:
        """What the development server has written down of itself."""
        notes = read_notes(self.folder / "data")
        assert notes is not None
        return notes

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.url}/admin{path}")
        return self.page

    def stop(self) -> None:
        """Look around: nothing serious for axe, nothing off the page."""
        options = looks.EVERYTHING if self.look == looks.WIDE_LIGHT else looks.WHAT_LOOKS_CHANGE
        found = looks.overflow(self.page) + looks.findings(self.page, options)
        self.faults += [f"{self.page.url} ({self.look}): {what}" for what in found]

    def told(self, text: str | re.Pattern[str]) -> None:
        """The page says what has happened."""
        expect(self.page.get_by_role("status")).to_contain_text(text)

    def dialog(self, opener: str | Locator) -> Locator:
        """Open a dialog and look around in it."""
        button = (
            self.page.get_by_role("button", name=opener, exact=True) if isinstance(opener, str) else opener
        )
        button.click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        self.stop()
        return dialog

    def typed(self, dialog: Locator, wanted: str, label: str) -> None:
        """Confirm by typing; anything else than ``wanted`` leaves the button shut."""
        button = dialog.get_by_role("button", name=label)
        expect(button).to_be_disabled()
        dialog.get_by_label(re.compile("^Type")).fill(wanted[:-1])
        expect(button).to_be_disabled()
        dialog.get_by_label(re.compile("^Type")).fill(wanted)
        button.click()

    def call(self, key: str, method: str, path: str, **options: Any) -> httpx.Response:
        """What a service does with its key."""
        headers = {"X-Service-Key": key}
        return httpx.request(method, self.url + path, headers=headers, trust_env=False, **options)


# --- the moments -----------------------------------------------------------------------------------------------


def typed_confirmation(walk: Walk) -> None:
    """Deleting says what goes and what stays, and wants a name: of a workspace, then of the person who owned it."""
    email = NEWCOMERS[walk.look]
    if email.startswith("oscar"):
        page = walk.go("/workspaces")
        page.locator("#list").get_by_role("link", name="Globex").click()
        page.get_by_role("link", name="Edit", exact=True).click()
        dialog = walk.dialog("Delete …")
        expect(dialog).to_contain_text("What stays")
        walk.typed(dialog, "Globex", "Delete the workspace")
        walk.told("Workspace Globex is deleted")
    page = walk.go(f"/users?search={email}")
    page.locator("#list").get_by_role("link").first.click()
    dialog = walk.dialog("Delete …")
    expect(dialog).to_contain_text("This cannot be undone")
    expect(dialog).to_contain_text("stays, without an owner")
    walk.typed(dialog, email, "Delete the person")
    walk.told("is deleted")
    expect(page).to_have_url(f"{walk.url}/admin/users")
    walk.stop()


def first_administrator(walk: Walk) -> None:
    """The terminal prints a link, the link greets by address, a provider vouches for it; nobody has a password."""
    email = NEWCOMERS[walk.look]
    keys = walk.folder / "data" / "keys"
    environment = {
        "PATH": os.environ["PATH"],
        "DEBUG": "true",
        "BASE_URL": walk.url,
        "DATABASE_URL": f"sqlite+aiosqlite:///{walk.folder / 'data' / 'sentinel.db'}",
        "SESSION_SECRET_KEY": walk.notes.session_secret,
        "JWT_PRIVATE_KEY_PATH": str(keys / "private.pem"),
        "JWT_PUBLIC_KEY_PATH": str(keys / "public.pem"),
    } | {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    said = subprocess.run(
        [str(Path(sys.executable).with_name("sentinel")), "users", "create-admin", email],
        cwd=walk.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    link = re.search(rf"{re.escape(walk.url)}/admin/login\?welcome=\S+", said)
    assert link, said
    page = walk.page
    page.context.clear_cookies()
    page.goto(link[0])
    expect(page.get_by_role("status")).to_contain_text(email)
    expect(page.locator("input[type=password]")).to_have_count(0)
    walk.stop()
    page.locator("a[data-provider]").click()
    page.get_by_role("button", name=re.compile(re.escape(email))).click()
    expect(page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    page.get_by_role("button", name="Your account").click()
    expect(page.locator("#account")).to_contain_text(email)
    walk.stop()
    # The link greets once: whoever follows it now is sent to the panel or told nothing.
    anonymous = httpx.get(link[0], trust_env=False)
    assert anonymous.status_code == 200
    assert email not in anonymous.text


def new_service_app(walk: Walk) -> None:
    """The key is shown once, large, with a button to copy it and snippets that hold it; it works at once."""
    page = walk.go("/service-apps/new")
    name = f"billing-{walk.look}"
    page.get_by_label("Name", exact=True).fill(f"Billing {walk.look}")
    page.get_by_label("Service name").fill(name)
    walk.stop()
    page.get_by_role("button", name="Register and show the key").click()
    key = page.locator("#service-key").inner_text()
    assert KEY.fullmatch(key)
    expect(page.get_by_role("alert")).to_contain_text("it cannot be shown again")
    walk.stop()
    walk.shoot(f"moments/{walk.look}-key")
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    for block in ("environment", "curl", "python"):
        assert key in page.locator(f"#{block}").inner_text()
        assert walk.url in page.locator(f"#{block}").inner_text()
    assert key not in page.url
    expect(page).to_have_url(re.compile(r"/admin/service-apps/[0-9a-f-]{36}$"))
    # Its actions are what the role editor groups below.
    wishes = [
        {"action": f"invoices.{verb}", "description": f"To {verb} invoices"} for verb in ("read", "send")
    ]
    said = walk.call(key, "POST", "/roles/actions/register", json={"service_name": name, "actions": wishes})
    assert said.status_code == 201, said.text
    page.reload()
    _is_gone(page, key)
    if walk.look == looks.NARROW_DARK:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Realms").click()
    expect(page.get_by_role("heading", name="Realms", level=1)).to_be_visible()
    page.go_back()
    _is_gone(page, key)
    walk.stop()


def _is_gone(page: Page, key: str) -> None:
    """The page shows a service and no key."""
    expect(page.get_by_text("cannot be shown again. If it is lost, rotate it")).to_be_visible()
    assert key not in page.content()


def rotation_with_overlap(walk: Walk) -> None:
    """Both keys work for as long as was chosen, and the page of the service says until when."""
    page = walk.go("/service-apps")
    page.locator("#list").get_by_role("link", name=f"Billing {walk.look}").click()
    expect(page.get_by_role("heading", name=f"Billing {walk.look}")).to_be_visible()
    service = page.url
    keys = []
    for overlap in ("After 15 minutes", "At once"):
        page.get_by_role("link", name="Rotate the key").click()
        page.get_by_label(re.compile(overlap)).check()
        walk.stop()
        page.get_by_role("button", name="Make a new key").click()
        expect(page.locator("#service-key")).to_have_text(KEY)
        keys.append(page.locator("#service-key").inner_text())
        if overlap != "At once":
            expect(page.get_by_text("The old key works beside it until")).to_be_visible()
            walk.stop()
        page.get_by_role("link", name="I have stored it").click()
        _is_gone(page, keys[-1])
        if overlap != "At once":
            expect(page.get_by_text("accepted", exact=True)).to_be_visible()
            walk.stop()
    page.go_back()
    expect(page).to_have_url(service)
    _is_gone(page, keys[-1])


def deactivating_a_person(walk: Walk) -> None:
    """What will happen stands in the dialog, what has happened above the page, and it has."""
    session = client.sign_in(walk.notes, EDITH, "acme")
    page = walk.go("/users?search=edith")
    page.locator("#list").get_by_role("link", name="Edith Editor").click()
    dialog = walk.dialog("Deactivate …")
    expect(dialog).to_contain_text("Every session ends at once")
    walk.shoot(f"moments/{walk.look}-deactivate")
    dialog.get_by_role("button", name="Deactivate").click()
    walk.told("Deactivated; 1 session ended.")
    refused = httpx.post(
        f"{walk.url}/auth/refresh", json={"refresh_token": session.refresh_token}, trust_env=False
    )
    assert refused.status_code == 401
    # What was done stands in the activity at once.
    expect(page.locator(".timeline")).to_contain_text("deactivated Edith Editor")
    walk.stop()
    dialog = walk.dialog("Activate …")
    dialog.get_by_role("button", name="Activate").click()
    walk.told("Activated")


def organization_kill_switch(walk: Walk) -> None:
    """Says whom it shuts out, and shuts them out; and lets them in again."""
    page = walk.go("/organizations/new")
    page.get_by_label("Name").fill("Acme Holding")
    page.get_by_label("Slug").fill("acme-holding")
    page.get_by_role("button", name="Create the organization").click()
    page.get_by_label("Add a mail domain").fill("acme.example")
    page.get_by_role("button", name="Add", exact=True).click()
    walk.told("acme.example belongs here now")
    client.sign_in(walk.notes, EDITH, "acme")
    page.reload()
    expect(page.locator("main")).to_contain_text("Edith Editor")
    dialog = walk.dialog("Disable …")
    expect(dialog).to_contain_text("This shuts out 1 person at once.")
    walk.shoot(f"moments/{walk.look}-kill-switch")
    dialog.get_by_role("button", name="Disable and end the sessions").click()
    walk.told("Acme Holding is disabled; 1 session ended.")
    walk.stop()
    with pytest.raises(client.SignInFailed):
        client.sign_in(walk.notes, EDITH, "acme")
    dialog = walk.dialog("Enable …")
    expect(dialog).to_contain_text("can sign in again")
    dialog.get_by_role("button", name="Enable").click()
    walk.told("enabled")
    session = client.sign_in(walk.notes, EDITH, "acme")
    bearer = {"Authorization": f"Bearer {session.access_token}"}
    assert httpx.post(f"{walk.url}/auth/logout", headers=bearer, trust_env=False).is_success
    walk.dialog("Delete …").get_by_role("button", name="Delete the organization").click()
    walk.told("Acme Holding")
    expect(page).to_have_url(f"{walk.url}/admin/organizations")


def sharing(walk: Walk) -> None:
    """A private document is shared with one person."""
    page = walk.go(f"/permissions?resource={PRIVATE.id}")
    page.locator("#list a.fw-bold").click()
    page.get_by_role("link", name="Share", exact=True).click()
    # Sent off by hand as well: what is typed before the page has woken up is not sought by itself.
    page.get_by_placeholder("Name or e-mail address").fill("edith")
    page.get_by_placeholder("Name or e-mail address").press("Enter")
    expect(page).to_have_url(re.compile("search=edith"))
    expect(page.locator("#list label")).to_have_count(1)
    page.get_by_label(re.compile("Edith Editor")).check()
    page.get_by_label("They may").select_option("edit")
    walk.stop()
    page.get_by_role("button", name="Share").click()
    walk.told("Shared. It counts from the next check on: view and edit.")
    expect(page.locator("#list")).to_contain_text("view and edit")
    walk.stop()


def explain(walk: Walk) -> None:
    """Why can she see this? The step that decides, and the share behind it."""
    page = walk.go(f"/permissions?resource={PRIVATE.id}")
    page.locator("#list a.fw-bold").click()
    page.get_by_role("link", name="Why can she see this?").click()
    walk.stop()
    page.locator("#list").get_by_role("link", name="Edith Editor").click()
    expect(page.get_by_role("heading", name="Edith Editor may view it")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_contain_text("shared", ignore_case=True)
    walk.stop()
    walk.shoot(f"moments/{walk.look}-explain")
    page.get_by_role("link", name="And edit it?").click()
    expect(page.get_by_role("heading", name="Edith Editor may edit it")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Edith Editor may view it")).to_be_visible()


def subjects(walk: Walk) -> None:
    """Who can see this? Everybody, each with a reason, and from there why."""
    page = walk.go(f"/permissions?resource={PRIVATE.id}")
    page.locator("#list a.fw-bold").click()
    page.get_by_role("link", name="Who can see this?").click()
    rows = page.locator("#list tbody tr")
    expect(rows.filter(has_text="Olivia Owner")).to_contain_text("owns it")
    expect(rows.filter(has_text="Adam Admin")).to_contain_text("administers the workspace")
    edith = rows.filter(has_text="Edith Editor")
    expect(edith).to_contain_text("share")
    walk.stop()
    walk.shoot(f"moments/{walk.look}-subjects")
    page.get_by_role("link", name="Who can edit").click()
    expect(page).to_have_url(re.compile("action=edit"))
    edith.get_by_role("link", name="Why?").click()
    expect(page.get_by_role("heading", name="Edith Editor may edit it")).to_be_visible()


def unsharing(walk: Walk) -> None:
    """Revoking says what it takes; the next answer is another one."""
    page = walk.go(f"/permissions?resource={PRIVATE.id}")
    page.locator("#list a.fw-bold").click()
    dialog = walk.dialog("Revoke the share with Edith Editor")
    expect(dialog).to_contain_text("It counts from the next check on")
    dialog.get_by_role("button", name="Revoke the share").click()
    walk.told("The share is revoked.")
    expect(page.get_by_text("Not shared with anybody")).to_be_visible()
    walk.stop()
    page.get_by_role("link", name="Why can she see this?").click()
    page.locator("#list").get_by_role("link", name="Edith Editor").click()
    expect(page.get_by_role("heading", name="Edith Editor may not view it")).to_be_visible()
    walk.stop()


def role_editor(walk: Walk) -> None:
    """Actions stand under their services; all of a service is one click."""
    page = walk.go("/workspaces")
    page.locator("#list").get_by_role("link", name="Acme").click()
    page.get_by_role("link", name=re.compile(r"^Roles \d")).click()
    page.get_by_role("link", name="New role").click()
    page.get_by_label("Name").fill(f"Accountants {walk.look}")
    page.get_by_role("button", name="Create the role").click()
    service = page.get_by_role("group", name=f"billing-{walk.look}")
    expect(service).to_contain_text("0 of 2 held")
    expect(page.get_by_role("group", name=sample.SERVICE_NAME)).to_contain_text(sample.PUBLISH)
    bar = page.locator("[data-bulk]")
    expect(bar).to_be_hidden()
    service.get_by_label(f"All of billing-{walk.look}").check()
    expect(bar).to_contain_text("2 chosen")
    walk.stop()
    walk.shoot(f"moments/{walk.look}-role")
    bar.get_by_role("button", name="Add to the role").click()
    walk.told("2 actions added.")
    expect(service).to_contain_text("2 of 2 held")
    dialog = walk.dialog(f"Remove invoices.send of billing-{walk.look}")
    dialog.get_by_role("button", name="Remove the action").click()
    walk.told("Action removed.")
    expect(service).to_contain_text("1 of 2 held")
    walk.stop()
    page.get_by_role("link", name="Members 0").click()
    page.get_by_role("link", name="Bind members").click()
    page.get_by_label(re.compile("Olivia Owner")).check()
    walk.stop()
    page.get_by_role("button", name="Bind to the role").click()
    walk.told("1 person bound to the role.")
    expect(page.get_by_role("link", name="Members 1")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("/members/add$"))
    expect(page.get_by_label(re.compile("Olivia Owner"))).to_be_disabled()


def realm_with_grants(walk: Walk) -> None:
    """What a service has registered under its own name goes out of sight in a realm, and the page says so."""
    name = f"Suite {walk.look}"
    page = walk.go("/realms/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Slug").fill(f"suite-{walk.look}")
    walk.stop()
    page.get_by_role("button", name="Create the realm").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.locator("select[name=app_id]").select_option(label=f"Team notes ({sample.SERVICE_NAME})")
    page.get_by_role("button", name="Add to the realm").click()
    walk.told("is out of sight now")
    row = page.locator("#list tr", has_text=sample.SERVICE_NAME)
    expect(row).to_contain_text("out of sight")
    walk.stop()
    walk.shoot(f"moments/{walk.look}-realm")
    row.get_by_role("link", name="Re-key …").click()
    expect(page.locator("main")).to_contain_text(re.compile(r"\d resources"))
    walk.stop()
    page.get_by_role("link", name="Cancel").click()
    dialog = walk.dialog(row.get_by_role("button", name=re.compile("^Take out")))
    expect(dialog).to_contain_text("sees its own rows again")
    dialog.get_by_role("button", name="Take out").click()
    walk.told("Taken out.")
    page.get_by_role("link", name="Edit", exact=True).click()
    walk.typed(walk.dialog("Delete …"), name, "Delete the realm")
    walk.told(f"Realm {name} is deleted")


def activity_in_the_address(walk: Walk) -> None:
    """Every filter is in the address, the way back takes it off, and a copied address shows the same."""
    walk.go("/settings")
    page = walk.go("/activity")
    page.get_by_label("Action", exact=True).select_option("view_system_settings")
    expect(page).to_have_url(f"{walk.url}/admin/activity?action=view_system_settings")
    expect(page.get_by_role("row").nth(1)).to_contain_text("looked at the settings")
    page.get_by_text("Details").first.click()
    walk.stop()
    page.get_by_role("link", name="only his").first.click()
    expect(page).to_have_url(re.compile(r"action=view_system_settings&actor_id=[0-9a-f-]{36}$"))
    chip = page.locator(".chip", has_text="By: ")
    expect(chip).to_be_visible()
    walk.stop()
    walk.shoot(f"moments/{walk.look}-activity")
    address = page.url
    chip.get_by_role("link").click()
    expect(page).to_have_url(f"{walk.url}/admin/activity?action=view_system_settings")
    page.go_back()
    expect(page).to_have_url(address)
    expect(chip).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.reload()
    expect(chip).to_be_visible()
    expect(page.get_by_label("Action", exact=True)).to_have_value("view_system_settings")


MOMENTS: dict[str, Callable[[Walk], None]] = {
    "typed confirmation for what destroys": typed_confirmation,
    "the first administrator": first_administrator,
    "creating a service app": new_service_app,
    "rotating with overlap": rotation_with_overlap,
    "deactivating a person": deactivating_a_person,
    "the organization kill switch": organization_kill_switch,
    "sharing a resource": sharing,
    "why can she see this": explain,
    "who can see this": subjects,
    "unsharing a resource": unsharing,
    "the role editor": role_editor,
    "the realm and its rows out of sight": realm_with_grants,
    "activity with filters in the address": activity_in_the_address,
}
"""All of them, in the order in which a walk comes to them."""


@pytest.fixture(scope="module")
def walk(request: pytest.FixtureRequest, browser: Browser, dev_url: str, dev_folder: Path) -> Iterator[Walk]:
    """A browser in one look, in which Adam is signed in."""
    context = browser.new_context(
        **looks.LOOKS[request.param],
        reduced_motion="reduce",
        permissions=["clipboard-read", "clipboard-write"],
    )
    walk = Walk(context.new_page(), look=request.param, url=dev_url, folder=dev_folder)
    watch(walk)
    walk.go("")
    walk.page.locator("a[data-provider]").click()
    walk.page.get_by_role("button", name=re.compile("Adam Admin")).click()
    expect(walk.page.get_by_role("heading", name="Dashboard", level=1)).to_be_visible()
    yield walk
    context.close()


@pytest.mark.parametrize("walk", looks.LOOKS, indirect=True)
@pytest.mark.parametrize("moment", MOMENTS)
def test_moment(walk: Walk, moment: str) -> None:
    """Rules: SK-2, authorization-4.steps."""
    walk.faults.clear()
    MOMENTS[moment](walk)
    assert walk.faults == [], "\n".join(walk.faults)
