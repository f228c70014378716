"""Every page of the panel in a hostile world, light and dark, wide and narrow: nothing runs, nothing breaks."""

import os
import re
from pathlib import Path

import pytest

from sentinel.admin.rooms import PAGES
from tests.browser import looks
from tests.browser.conftest import Watched
from tests.browser.hostile import MARK, World, plant

NOT_PAGES = {"/admin/export/users", "/admin/export/workspaces"}
"""What a browser saves instead of showing it."""
KEEP_PICTURES = bool(os.environ.get("KEEP_PICTURES"))
"""Pictures of every page among the artifacts; they take as long as all the rest."""
PLANTED = {
    "planted script ran": f"{MARK} !== undefined",
    "planted markup became elements": (
        "document.querySelector('main script, main [onerror], main [onmouseover], main [onload], main svg svg')"
    ),
    "planted address became a link": (
        "document.querySelector(\"a[href^='javascript:' i], form[action^='javascript:' i]\")"
    ),
}


def templates() -> list[str]:
    """The path templates of all pages that can be opened."""
    routes = (route for router in PAGES for route in router.routes)
    paths = [getattr(route, "path", "") for route in routes if "GET" in getattr(route, "methods", ())]
    return [path for path in paths if path not in NOT_PAGES]


@pytest.fixture(scope="module")
def hostile(dev_url: str, dev_folder: Path) -> World:
    """The world of ``hostile.py`` in the development server of this module."""
    return plant(dev_folder)


def test_every_page_holds_in_a_hostile_world(panel: Watched, dev_url: str, hostile: World) -> None:
    """Each page is opened in one look and then put into the other; every second one begins with the second."""
    page = panel.page
    wrong: list[str] = []
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.add_init_script(looks.SHIFTS)
    pages = templates()
    assert len(pages) > 50
    first, second = looks.LOOKS
    looks.wear(page, first)
    for template in pages:
        path = re.sub(r"{(\w+)}", lambda name: str(hostile.ids[name[1]]), template)
        answer = page.goto(dev_url + path)
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{template}: status {answer.status}")
            continue
        found = [what for what, question in PLANTED.items() if page.evaluate(f"!!({question})")]
        found += looks.jumps(page)
        for look in (first, second):
            looks.wear(page, look)
            found += looks.overflow(page)
            found += looks.findings(
                page, looks.EVERYTHING if look == looks.WIDE_LIGHT else looks.WHAT_LOOKS_CHANGE
            )
            if KEEP_PICTURES:
                panel.shoot(f"hostile/{look}{path.replace('/', '-')[:60]}")
        wrong += [f"{template} ({first} first): {what}" for what in found]
        first, second = second, first
    wrong += panel.faults
    assert wrong == [], "\n".join(wrong)
