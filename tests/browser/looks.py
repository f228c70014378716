"""How the panel is looked at: wide and narrow, light and dark, with axe, for what runs off the page or jumps."""

from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

WIDE_LIGHT = "wide-light"
NARROW_DARK = "narrow-dark"
LOOKS: dict[str, dict[str, Any]] = {
    WIDE_LIGHT: {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    NARROW_DARK: {"viewport": {"width": 380, "height": 800}, "color_scheme": "dark"},
}
OTHER: dict[str, Literal["light", "dark"]] = {"light": "dark", "dark": "light"}

SERIOUS = ("serious", "critical")
EVERYTHING = {"resultTypes": ["violations"]}
WHAT_LOOKS_CHANGE = {
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "rule",
        "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable"],
    },
}
"""The markup is the same in every look; what changes is colours and what scrolls."""
SHIFTS = """
window.__shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
"""Run in a page from its beginning: how much of it has jumped without being asked (Cumulative Layout Shift)."""
LARGEST_SHIFT = 0.1

_SCRIPT = Axe().axe_script


def wear(page: Page, look: str) -> None:
    """Change to the width and the colours of ``look``, as turning a telephone or nightfall do.

    Without motion: colours on their way from one theme to the other are those of neither.
    """
    page.set_viewport_size(LOOKS[look]["viewport"])
    page.emulate_media(color_scheme=LOOKS[look]["color_scheme"], reduced_motion="reduce")


def findings(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe finds on the page that is serious or worse."""
    # Pages that htmx swaps in leave the window as it is, and axe in it.
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(f"{_SCRIPT};0")
    violations = page.evaluate(
        "(options) => axe.run(document, options).then((found) => found.violations)", options
    )
    return [
        f"axe {one['id']} ({one['impact']}): "
        + "; ".join(f"{node['html'][:160]} {node['failureSummary']}" for node in one["nodes"][:2])
        for one in violations
        if one["impact"] in SERIOUS
    ]


def overflow(page: Page) -> list[str]:
    """Says so when something runs off the page."""
    pixels = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{pixels} pixels run off the page"] if pixels > 1 else []


def jumps(page: Page) -> list[str]:
    """Says so when the page moves while it is built. The context has to run ``SHIFTS``.

    Where a machine is so busy that the page is painted in pieces, a table may move once; one that moves because of what
    it is made of does so again.
    """
    shift = page.evaluate("window.__shift")
    if shift > LARGEST_SHIFT:
        page.reload()
        shift = min(shift, page.evaluate("window.__shift"))
    return [f"the layout shifted by {shift:.3f}"] if shift > LARGEST_SHIFT else []
