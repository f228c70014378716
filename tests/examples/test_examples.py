"""The examples end to end: the notes application in a real browser, in both modes; the realm; the script."""

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from sentinel.devmode.client import sign_in
from tests.examples.conftest import LAUNCH, Examples

MODES = pytest.mark.parametrize("mode", ["proxy", "authz"])
EMPTY = "There is no note here that you may see."


@contextmanager
def person(browser: Browser, url: str, name: str, *, expected: str = "nothing at all") -> Iterator[Page]:
    """Somebody who has signed in at the provider, in a browser of his own whose console stays empty but for what
    holds the text ``expected``.
    """
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=re.compile(name)).click()
    page.locator("#person:visible, #choice:visible").wait_for()
    assert page.url == f"{url}/"  # no code and no token stays in the address
    yield page
    assert [fault for fault in faults if expected not in fault] == []
    context.close()


def look(page: Page, text: str) -> None:
    """Load the page anew, and wait for what it must show."""
    page.reload()
    page.get_by_text(text, exact=True).wait_for()


def barriers(page: Page) -> list[str]:
    """What keeps people with a disability out, as far as a program can tell."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]


@MODES
def test_a_note_is_written_shared_changed_unshared_and_deleted(
    browser: Browser, examples: Examples, mode: str
) -> None:
    url = examples.proxy if mode == "proxy" else examples.authz
    title = f"Plan of {mode}"
    with ExitStack() as stack:
        adam = stack.enter_context(person(browser, url, "Adam Admin"))
        victor = stack.enter_context(person(browser, url, "Victor Viewer"))
        assert adam.locator("body").get_attribute("data-mode") == mode
        assert adam.locator("#who").inner_text() == "Adam Admin, admin in acme"

        adam.get_by_role("button", name="New note").click()
        adam.get_by_label("Title").fill(title)
        adam.get_by_label("Text").fill("<b>bold</b>")
        adam.get_by_role("button", name="Save").click()
        adam.get_by_text("<b>bold</b>", exact=True).wait_for()  # shown as text, not as markup
        look(victor, EMPTY)

        adam.get_by_role("button", name="Share").click()
        share = adam.get_by_role("dialog", name=title)
        share.get_by_label("Colleague").select_option(label="Victor Viewer (viewer)")
        share.get_by_role("button", name="Share", exact=True).click()
        share.get_by_text("Victor Viewer may view").wait_for()
        look(victor, title)
        assert victor.get_by_role("button").all_inner_texts() == ["Sign out", "New note"]
        if mode == "proxy":  # one page for both
            adam.emulate_media(color_scheme="light")
            victor.emulate_media(color_scheme="dark")
            assert barriers(adam) == barriers(victor) == []

        share.get_by_label("May").select_option("edit")
        share.get_by_role("button", name="Share", exact=True).click()
        share.get_by_text("Victor Viewer may edit").wait_for()
        look(victor, title)
        victor.get_by_role("button", name="Edit").click()
        victor.get_by_label("Text").fill("Changed by Victor")
        victor.get_by_role("button", name="Save").click()
        victor.get_by_text("Changed by Victor").wait_for()

        share.get_by_role("button", name="Unshare").click()
        share.get_by_text("Victor Viewer may edit").wait_for(state="detached")
        look(victor, EMPTY)

        with adam.expect_response(re.compile("/visibility$")):
            share.get_by_label("Visible to").select_option("workspace")
        look(victor, title)
        share.get_by_role("button", name="Done").click()

        assert not victor.get_by_role("button", name="Export").is_visible()
        with adam.expect_download() as download:
            adam.get_by_role("button", name="Export").click()
        exported = json.loads(download.value.path().read_text())
        assert [(note["title"], note["text"]) for note in exported] == [(title, "Changed by Victor")]

        adam.once("dialog", lambda question: question.accept())
        adam.get_by_role("button", name="Delete").click()
        adam.get_by_text(EMPTY).wait_for()
        look(victor, EMPTY)
        adam.get_by_role("button", name="Sign out").click()
        adam.get_by_role("button", name="Sign in").wait_for()
        adam.reload()
        adam.get_by_role("button", name="Sign in").wait_for()


@MODES
def test_whoever_is_in_two_workspaces_chooses_one_and_stays_signed_in(
    browser: Browser, examples: Examples, mode: str
) -> None:
    url, used = (examples.proxy, "access_token") if mode == "proxy" else (examples.authz, "authz_token")
    invite(examples, "edith@acme.example")
    with person(browser, url, "Edith Editor", expected="Failed to load resource") as page:
        offered = page.locator("#workspaces").get_by_role("button")
        assert sorted(offered.all_inner_texts()) == ["Acme (editor)", "Globex (viewer)"]
        page.get_by_role("button", name="Globex").click()
        page.get_by_text("Edith Editor, viewer in globex").wait_for()
        # A token that is refused is renewed; when that is refused too, the page offers to sign in.
        held = json.loads(page.evaluate("sessionStorage.getItem('tokens')"))
        for broken, seen in (
            ({**held, used: "worn-out"}, "Edith Editor, viewer in globex"),
            (dict.fromkeys(held, "worn-out") | {"question": {"idp_token": "worn-out"}}, "Sign in"),
        ):
            page.evaluate("tokens => sessionStorage.setItem('tokens', tokens)", json.dumps(broken))
            with page.expect_response(lambda answer: answer.status == 401):
                page.reload()
            page.get_by_text(seen, exact=True).wait_for()


def test_the_page_allows_no_inline_script_and_the_server_decides_whatever_the_page_shows(
    examples: Examples,
) -> None:
    with httpx.Client(base_url=examples.proxy, trust_env=False) as http:
        policy = http.get("/").headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy and f"connect-src 'self' {examples.notes.base_url};" in policy
        assert examples.notes.service_key not in http.get("/config").text
        assert http.get("/notes").status_code == http.get("/export").status_code == 401

        adam, victor, oscar = (
            {"Authorization": f"Bearer {sign_in(examples.notes, address).access_token}"}
            for address in ("adam@acme.example", "victor@acme.example", "oscar@globex.example")
        )
        made = http.post("/notes", json={"title": "Wages", "visibility": "workspace"}, headers=adam)
        assert made.status_code == 201
        path = f"/notes/{made.json()['id']}"
        himself = http.get("/me", headers=victor).json()
        share = f"{path}/shares/{himself['id']}"
        # He sees it, and that is all.
        assert [note["title"] for note in http.get("/notes", headers=victor).json()] == ["Wages"]
        refusals = {
            http.put(path, json={"title": "Mine"}, headers=victor): 404,
            http.delete(path, headers=victor): 404,
            http.get(f"{path}/access", headers=victor): 403,
            http.put(share, json={"permission": "edit"}, headers=victor): 403,
            http.put(f"{path}/visibility", json={"visibility": "private"}, headers=victor): 403,
            http.get("/export", headers=victor): 403,
        }
        assert [answer.status_code for answer in refusals] == list(refusals.values())
        # Whoever may edit it shares and deletes it none the less.
        assert http.put(share, json={"permission": "edit"}, headers=adam).status_code == 204
        assert http.put(path, json={"title": "Wages 2"}, headers=victor).json()["title"] == "Wages 2"
        assert http.delete(path, headers=victor).status_code == 403
        # Nobody of another workspace, whatever his role there.
        assert http.get("/notes", headers=oscar).json() == []
        assert http.put(path, json={"title": "Mine"}, headers=oscar).status_code == 404
        assert http.delete(path, headers=adam).status_code == 204
        assert http.get("/notes", headers=adam).json() == []


def test_services_of_a_realm_call_each_other_with_and_without_a_user(examples: Examples) -> None:
    tokens = {
        name: sign_in(examples.notes, address, "acme").access_token
        for name, address in (("edith", "edith@acme.example"), ("victor", "victor@acme.example"))
    }
    edith, victor = ({"Authorization": f"Bearer {token}"} for token in tokens.values())
    with httpx.Client(trust_env=False) as http:
        # With a user: what she wrote at the one service is hers at the other.
        written = http.post(f"{examples.reports}/reports", json={"text": "All is well"}, headers=edith)
        assert written.status_code == 201, written.text
        report = written.json()
        for reader, status in ((edith, 200), (victor, 404), ({}, 401)):
            assert http.get(f"{examples.reports}/reports/{report}", headers=reader).status_code == status
            assert http.get(f"{examples.archive}/documents/{report}", headers=reader).status_code == status
        # Without a user: the archive has confirmed it, and tells the reports service how much it keeps.
        read = http.get(f"{examples.reports}/reports/{report}", headers=edith).json()
        assert read == {"text": "All is well", "confirmed_by": "archive"}
        counted = http.get(f"{examples.reports}/statistics", headers=edith).json()
        assert counted == {"documents": 1, "asked_by": "reports"}
        # A person is no service, and nobody is none either.
        for headers in (edith, {}):
            assert http.get(f"{examples.archive}/internal/statistics", headers=headers).status_code == 401
            stored = http.post(f"{examples.reports}/internal/stored/{report}", headers=headers)
            assert stored.status_code == 401


def test_the_script_registers_asks_and_prints(examples: Examples) -> None:
    command = [sys.executable, str(LAUNCH), "script", "--data", str(examples.data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Lathe: workspace, owned by Edith Editor",
        "Press: private, owned by Edith Editor",
        "The person may view the Lathe",
        "The person may not edit the Lathe",
        "The person may not view the Press",
        "The person may not edit the Press",
        "The person sees Lathe",
    ]


def test_one_command_starts_each_example() -> None:
    for name in ("notes", "realm", "script"):
        said = subprocess.run(
            ["make", "--dry-run", f"example-{name}"],
            cwd=LAUNCH.parents[1],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"python examples/launch.py {name}" in said.stdout


def test_without_a_server_the_examples_say_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    find_server = runpy.run_path(str(LAUNCH))["find_server"]
    with pytest.raises(SystemExit):
        find_server(tmp_path)
    assert "Start one in another terminal: make run" in capsys.readouterr().err
    (tmp_path / "dev.json").write_text('{"base_url": "http://localhost:9"}')
    with pytest.raises(SystemExit):
        find_server(tmp_path)
    assert "does not answer at http://localhost:9" in capsys.readouterr().err


def invite(examples: Examples, email: str) -> None:
    """Oscar takes somebody into Globex, unless he has done so before."""
    oscar = sign_in(examples.notes, "oscar@globex.example")
    answer = httpx.post(
        f"{examples.notes.base_url}/workspaces/{oscar.workspace['id']}/members/invite",
        json={"email": email, "role": "viewer"},
        headers={"Authorization": f"Bearer {oscar.access_token}"},
        trust_env=False,
    )
    assert answer.status_code in (201, 400), answer.text
