"""The start page of the development mode, clicked through in Chromium: the whole proxy-mode login."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Watched

DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE_DARK = {"viewport": {"width": 380, "height": 800}, "color_scheme": "dark"}


def _sign_in(watched: Watched, url: str, name: str) -> None:
    watched.page.goto(url)
    watched.page.get_by_role("button", name="Sign in", exact=True).click()
    watched.page.get_by_role("button", name=re.compile(name)).click()


@pytest.mark.parametrize("watched", [DESKTOP, PHONE_DARK], indirect=True, ids=["desktop", "phone-dark"])
def test_a_newcomer_signs_in_sees_the_token_and_asks_for_decisions(
    watched: Watched, dev_url: str, request: pytest.FixtureRequest
) -> None:
    page, size = watched.page, request.node.callspec.id
    _sign_in(watched, dev_url, "Edith Editor")
    page.get_by_role("button", name=re.compile("Acme")).click()
    claims = page.locator("#claim-rows")
    expect(claims).to_contain_text("edith@acme.example")
    expect(claims).to_contain_text("editor")
    expect(claims).to_contain_text("sentinel:access")
    # The code is gone from the address bar.
    assert "code=" not in page.url

    answers = {("Roadmap", "edit"): True, ("Salary review", "view"): False, ("Globex plan", "view"): False}
    for (title, action), allowed in answers.items():
        page.locator("label.option", has_text=title).first.click()
        page.locator("label.pill", has_text=action).click()
        page.locator("#ask-button").click()
        verdict = page.locator("#verdict")
        expect(verdict).to_have_text(re.compile("^Allowed" if allowed else "^Denied"))
        expect(page.locator("#answer-words")).to_contain_text(title)
        expect(page.locator("#curl")).to_contain_text("$SERVICE_KEY")
    watched.shoot(f"start-page-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert watched.faults == []


@pytest.mark.parametrize("watched", [DESKTOP], indirect=True)
def test_refresh_rotates_and_log_out_ends_the_session(watched: Watched, dev_url: str) -> None:
    page = watched.page
    _sign_in(watched, dev_url, "Olivia Owner")
    page.get_by_role("button", name=re.compile("Acme")).click()
    before = page.locator("#claim-rows").inner_text()
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#claim-rows")).not_to_have_text(before)
    expect(page.locator("#claim-rows")).to_contain_text("olivia@acme.example")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert page.evaluate("JSON.stringify(Object.values(sessionStorage))").count("eyJ") == 0
    assert watched.faults == []


@pytest.mark.parametrize("watched", [DESKTOP], indirect=True)
def test_A3_an_unverified_address_ends_on_a_page_that_says_so(watched: Watched, dev_url: str) -> None:
    _sign_in(watched, dev_url, "Una Unverified")
    expect(watched.page.get_by_role("heading", level=1)).to_have_text("You cannot sign in here")
    expect(watched.page.locator("main")).to_contain_text("verified")
    watched.shoot("error-page")
    # The 403 itself is the only thing that the console may complain of.
    assert [fault for fault in watched.faults if "403" not in fault] == []


@pytest.mark.parametrize("watched", [DESKTOP], indirect=True)
def test_the_service_key_never_reaches_the_browser(watched: Watched, dev_url: str) -> None:
    bodies: list[str] = []
    watched.page.on(
        "response", lambda r: bodies.append(r.text()) if r.request.resource_type != "image" and r.ok else None
    )
    sent: list[str] = []
    watched.page.on("request", lambda r: sent.append(str(r.headers)))
    watched.page.goto(dev_url)
    watched.page.wait_for_load_state("networkidle")
    assert len(bodies) >= 3
    assert not any("sk_" in text for text in bodies + sent)


@pytest.mark.parametrize("watched", [DESKTOP], indirect=True)
def test_H4_the_reference_is_shown_and_tried_with_files_of_this_installation(
    watched: Watched, dev_url: str
) -> None:
    page = watched.page
    page.goto(f"{dev_url}/docs")
    page.locator('[data-path="/.well-known/jwks.json"]').click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("RS256")
    assert watched.faults == []
