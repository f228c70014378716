"""The site as it is built: whole, current, and loading nothing from elsewhere."""

import re
import threading
import tomllib
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from scripts import docs
from sentinel.checklist import IDS
from sentinel.settings import Settings
from tests.browser.conftest import browser
from tests.docs.blocks import ROOT, pages

__all__ = ["browser"]

SITE = ROOT / "artifacts" / "site"
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
"""Elements whose address the browser fetches by itself."""


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built as ``make docs`` does: a link or an anchor inside docs/ that leads nowhere fails the build."""
    assert docs.build() == 0
    return SITE


def test_generated_pages_are_what_the_program_says() -> None:
    assert [path.name for path in docs.stale()] == [], "run 'make docs'"
    checklist = (docs.REFERENCE / "checklist.md").read_text("utf-8")
    assert re.findall(r"^## (\S+): ", checklist, re.MULTILINE) == list(IDS)
    configuration = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert all(f"`{name.upper()}`" in configuration for name in Settings.model_fields if name != "oidc")


def test_every_page_has_its_place_in_the_navigation() -> None:
    settings = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    # Decisions are listed on a page of their own.
    decisions = {name for name in there if name.startswith("decisions/") and name != "decisions/index.md"}
    assert set(_leaves(settings["nav"])) == there - decisions


def _leaves(nav: Any) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case dict():
            for part in nav.values():
                yield from _leaves(part)
        case list():
            for part in nav:
                yield from _leaves(part)


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    built = list(site.rglob("*.html"))
    assert len(built) > 40
    foreign = [
        f"{path.relative_to(site)}: {url}" for path in built for url in _fetched(path) if _is_foreign(url)
    ]
    styles = [
        f"{path.name}: {url}"
        for path in site.rglob("*.css")
        for url in re.findall(r"url\(([^)]*)\)", path.read_text("utf-8"))
        if _is_foreign(url.strip("'\""))
    ]
    # The scripts of the site would fetch what draws these from elsewhere.
    drawn = [path.name for path in built if 'class="mermaid"' in path.read_text("utf-8")]
    assert foreign + styles + drawn == []


class _Fetched(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in LOADED and given.get("rel") != "canonical":
            self.urls.append(given.get(LOADED[tag]) or "")


def _fetched(page: Path) -> list[str]:
    parser = _Fetched()
    parser.feed(page.read_text("utf-8"))
    return parser.urls


def _is_foreign(url: str) -> bool:
    return bool(urlsplit(url).netloc)


def test_the_site_works_in_a_browser_on_its_own(site: Path, browser: Browser) -> None:
    handler = partial(_Silent, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_address[1]}/"
        page = browser.new_context().new_page()
        asked: list[str] = []
        trouble: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(home)
        expect(page.get_by_role("heading", name="Sentinel Auth", level=1)).to_be_visible()
        page.get_by_role("link", name="Start it, sign in, ask").click()
        expect(page.get_by_role("heading", name="Minute 1: start it")).to_be_visible()
        page.goto(f"{home}concepts/decisions/")
        picture = page.get_by_role("img", name="The seven steps")
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
        server.shutdown()
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []
    assert trouble == []


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_links_of_every_page_lead_somewhere() -> None:
    """Those inside docs/ are the builder's task too; here also of the README and of pages beside the code."""
    broken, anchors = [], {path: _anchors(path) for path in pages()}
    for path in pages():
        for target in _targets(path):
            url = urlsplit(target)
            if url.scheme:
                good = url.scheme in ("http", "https", "mailto") and (bool(url.hostname) or bool(url.path))
            else:
                file = (path.parent / url.path).resolve() if url.path else path
                good = file.exists() and (not url.fragment or url.fragment in anchors.get(file, set()))
            broken += [] if good else [f"{path.relative_to(ROOT)}: {target}"]
    assert broken == []


def test_tests_that_the_pages_name_exist() -> None:
    named = {
        name for path in pages() for name in re.findall(r"`(tests/[\w/]+(?:\.py)?)`", path.read_text("utf-8"))
    }
    assert len(named) > 15
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def _targets(path: Path) -> list[str]:
    """The links and pictures of a page, those in code left out."""
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))


def _anchors(path: Path) -> set[str]:
    """The anchors of a page, as forges and the site make them from headings."""
    text = re.sub(r"^ *```.*?^ *```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = set()
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        if own := re.search(r"\{ #(\S+) \}", heading):
            found.add(own[1])
        words = re.sub(r"[`*_]|\[|\]\([^)]*\)", "", heading).strip().lower()
        found.add(re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", words)))
    return found
