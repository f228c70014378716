"""Every page of the panel in a hostile world, light and dark, wide and narrow: nothing runs, nothing breaks."""

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

from sentinel.admin.rooms import PAGES
from tests.browser.conftest import Watched
from tests.browser.hostile import MARK, World, plant

WIDE_LIGHT = {"viewport": {"width": 1360, "height": 900}, "color_scheme": "light"}
NARROW_DARK = {"viewport": {"width": 380, "height": 800}, "color_scheme": "dark"}
NOT_PAGES = {"/admin/export/users", "/admin/export/workspaces"}
"""What a browser saves instead of showing it."""
KEEP_PICTURES = bool(os.environ.get("KEEP_PICTURES"))
"""Pictures of every page among the artifacts; they take as long as all the rest."""
AXE: dict[str, dict[str, object]] = {
    "wide-light": {"resultTypes": ["violations"]},
    # The markup is the same in every look; what changes is colours and what scrolls.
    "narrow-dark": {
        "resultTypes": ["violations"],
        "runOnly": {
            "type": "rule",
            "values": ["color-contrast", "scrollable-region-focusable"],
        },
    },
}
SERIOUS = ("serious", "critical")


def templates() -> list[str]:
    """The path templates of all pages that can be opened."""
    routes = (route for router in PAGES for route in router.routes)
    paths = [getattr(route, "path", "") for route in routes if "GET" in getattr(route, "methods", ())]
    return [path for path in paths if path not in NOT_PAGES]


@pytest.fixture(scope="module")
def hostile(dev_url: str, dev_folder: Path) -> World:
    """The world of ``hostile.py`` in the development server of this module."""
    return plant(dev_folder)


@pytest.mark.parametrize("panel", [WIDE_LIGHT, NARROW_DARK], indirect=True, ids=["wide-light", "narrow-dark"])
def test_every_page_holds_in_a_hostile_world(
    panel: Watched, dev_url: str, hostile: World, request: pytest.FixtureRequest
) -> None:
    page, wrong = panel.page, []
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    axe = Axe()
    pages = templates()
    assert len(pages) > 50
    for template in pages:
        path = re.sub(r"{(\w+)}", lambda name: str(hostile.ids[name[1]]), template)
        answer = page.goto(dev_url + path)
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{template}: status {answer.status}")
            continue
        if page.evaluate(f"{MARK} !== undefined"):
            wrong.append(f"{template}: planted script ran")
        if page.locator(
            "main script, main [onerror], main [onmouseover], main [onload], main svg svg"
        ).count():
            wrong.append(f"{template}: planted markup became elements")
        if page.locator("a[href^='javascript:' i], form[action^='javascript:' i]").count():
            wrong.append(f"{template}: planted address became a link")
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if overflow > 1:
            wrong.append(f"{template}: {overflow} pixels run off the page")
        found = axe.run(page, options=AXE[request.node.callspec.id]).response["violations"]
        for violation in found:
            if violation["impact"] in SERIOUS:
                nodes = "; ".join(node["html"][:160] for node in violation["nodes"][:2])
                wrong.append(f"{template}: axe {violation['id']} ({violation['impact']}): {nodes}")
        if KEEP_PICTURES:
            panel.shoot(f"hostile/{request.node.callspec.id}{path.replace('/', '-')[:60]}")
    wrong += panel.faults
    assert wrong == [], "\n".join(wrong)
