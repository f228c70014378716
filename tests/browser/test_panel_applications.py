"""Keys and explanations of the panel in Chromium: what is shown once is shown once, and why somebody sees something."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched

DESKTOP = {"viewport": {"width": 1360, "height": 900}}
PHONE_DARK = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark"}
WITH_CLIPBOARD = DESKTOP | {"permissions": ["clipboard-read", "clipboard-write"]}
KEY = re.compile(r"sk_[A-Za-z0-9_-]{43}")


def is_gone(page: Page, key: str) -> None:
    """The page shows a service and no key."""
    expect(page.get_by_text("cannot be shown again. If it is lost, rotate it")).to_be_visible()
    assert key not in page.content()


@pytest.mark.parametrize("panel", [WITH_CLIPBOARD], indirect=True)
def test_SK_2_a_new_key_is_copied_once_and_never_shown_again(panel: Watched, dev_url: str) -> None:
    page = panel.page
    page.goto(f"{dev_url}/admin/service-apps/new")
    page.get_by_label("Name", exact=True).fill("Billing")
    page.get_by_label("Service name").fill("billing")
    page.get_by_role("button", name="Register and show the key").click()
    key = page.locator("#service-key").inner_text()
    assert KEY.fullmatch(key)
    panel.shoot("panel-service-key")
    page.get_by_role("button", name="Copy the key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key
    for block in ("environment", "curl", "python"):
        assert key in page.locator(f"#{block}").inner_text()
        assert dev_url in page.locator(f"#{block}").inner_text()
    assert key not in page.url
    expect(page).to_have_url(re.compile(r"/admin/service-apps/[0-9a-f-]{36}$"))
    service = page.url
    page.reload()
    is_gone(page, key)
    page.get_by_role("link", name="Realms").click()
    expect(page.get_by_role("heading", name="Realms", level=1)).to_be_visible()
    page.go_back()
    is_gone(page, key)

    page.goto(f"{service}/rotate-key")
    page.get_by_label("After 15 minutes").check()
    page.get_by_role("button", name="Make a new key").click()
    expect(page.get_by_text("The old key works beside it until")).to_be_visible()
    other = page.locator("#service-key").inner_text()
    assert KEY.fullmatch(other) and other != key
    page.get_by_role("link", name="I have stored it").click()
    is_gone(page, other)
    page.go_back()
    expect(page).to_have_url(service)
    is_gone(page, other)
    expect(page.get_by_text("accepted", exact=True)).to_be_visible()
    # Going back at once breaks off what the page before was still loading.
    assert [fault for fault in panel.faults if "ERR_ABORTED" not in fault] == []


@pytest.mark.parametrize("panel", [DESKTOP, PHONE_DARK], indirect=True, ids=["desktop", "phone"])
def test_authorization_4_why_and_who_are_answered_in_words(panel: Watched, dev_url: str) -> None:
    page = panel.page
    is_phone = page.viewport_size["width"] < 500  # type: ignore[index]
    page.goto(f"{dev_url}/admin/permissions?workspace=acme&sort=shares")
    page.locator("#list a.fw-bold").first.click()
    page.get_by_role("link", name="Why can she see this?").click()
    page.locator("#list").get_by_role("link", name=re.compile("Adam Admin")).click()
    expect(page.get_by_role("heading", name="Adam Admin may view it")).to_be_visible()
    expect(page.locator("[aria-current=step]")).to_contain_text("Administrator or owner of the workspace")
    panel.shoot("panel-why-phone" if is_phone else "panel-why")
    page.get_by_role("link", name="Who can see this?").click()
    expect(page.locator("#list tbody tr").first).to_be_visible()
    expect(page.locator("#list")).to_contain_text("administers the workspace")
    page.go_back()
    expect(page.get_by_role("heading", name="Adam Admin may view it")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert panel.faults == []
