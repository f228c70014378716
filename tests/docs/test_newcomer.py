"""Somebody who follows the tutorial and nothing else has a working application at its end."""

import ast
import re
import sys
import time

import httpx
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import browser
from tests.docs.blocks import ROOT, Block, of_page
from tests.docs.scene import Scene, Terminal

__all__ = ["browser"]

TUTORIAL = ROOT / "docs" / "tutorial.md"


def test_the_application_of_the_tutorial_works(scene: Scene, browser: Browser) -> None:
    blocks = of_page(TUTORIAL)
    terminal = Terminal(scene, scene.home / "empty")
    assert list(terminal.folder.iterdir()) == []
    _require_that_it_installs_what_it_imports(blocks)
    try:
        terminal.follow(blocks)
        folder = terminal.cwd()
        written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {block.title for block in blocks if block.title} <= written
        _walk(f"http://localhost:{terminal.ports['8000']}/", scene.url, browser)
    finally:
        terminal.close()


def _walk(home: str, sentinel: str, browser: Browser) -> None:
    # Sentinel takes requests from a page within five seconds of the registration of its address.
    origin = {"Origin": home.rstrip("/"), "Access-Control-Request-Method": "POST"}
    deadline = time.monotonic() + 20
    while not httpx.options(f"{sentinel}/auth/token", headers=origin, trust_env=False).is_success:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    edith = _signed_in(browser, home, "Edith Editor")
    edith.get_by_label("New note").fill("Feed the cat")
    edith.get_by_role("button", name="Write").click()
    mine = edith.get_by_role("listitem").filter(has_text="Feed the cat")
    expect(mine).to_be_visible()

    # The note of the curl walk was shared with him there, this one was not.
    victor = _signed_in(browser, home, "Victor Viewer")
    expect(victor.get_by_text("Water the plants")).to_be_visible()
    expect(victor.get_by_text("Feed the cat")).to_have_count(0)

    with edith.expect_response(lambda response: "/shares/" in response.url) as shared:
        mine.get_by_label("Share with").select_option("Victor Viewer")
    assert shared.value.ok
    again = _signed_in(browser, home, "Victor Viewer")
    expect(again.get_by_text("Feed the cat (Edith Editor)")).to_be_visible()


def _signed_in(browser: Browser, home: str, name: str) -> Page:
    """The page of the application after the whole walk of a sign-in, in a fresh browser."""
    page = browser.new_context().new_page()
    page.goto(home)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=name).click()
    expect(page.get_by_label("New note")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()
    return page


def _require_that_it_installs_what_it_imports(blocks: list[Block]) -> None:
    """The one block that is not done, because it downloads, brings what the files import."""
    [install] = [block.text for block in blocks if "pip install" in block.text]
    assert "sdk/python[fastapi]" in install
    assert re.search(r"\buvicorn\b", install)
    files = {block.title: block.text for block in blocks if block.title.endswith(".py")}
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name) or ""
        for text in files.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    foreign = {name.partition(".")[0] for name in imported} - sys.stdlib_module_names
    assert foreign == {"fastapi", "sentinel_auth"} | {name.removesuffix(".py") for name in files} - {"app"}
