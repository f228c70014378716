"""A map of the countries that people sign in from: dots for the land, a circle for each country.

The land is one picture of its own (``static/world.svg``) that browsers keep; the circles are drawn with the page.
"""

from collections.abc import Sequence
from math import sqrt

from markupsafe import Markup, escape

from sentinel.audit.centroids import CENTROIDS
from sentinel.audit.sign_ins import CountryCount

COLUMNS, ROWS = 144, 55
DEGREES = 2.5
"""One dot of the land is so many degrees wide and high; the picture begins at 180° west and 80° north."""
NORTH = 80.0
SMALLEST, LARGEST = 1.1, 5.0
NAMED = 3
"""Circles that carry the code of their country: those with the most sign-ins."""


def world(countries: Sequence[CountryCount], land: str) -> Markup:
    """The map of ``countries``, most sign-ins first; ``land`` is the address of the picture of the land.

    Hidden from screen readers: the table beside it says the same.
    """
    most = max((country.count for country in countries), default=0)
    circles: list[str] = []
    codes: list[tuple[float, float, str]] = []
    # The small ones last, so that no large one hides them.
    for position, country in enumerate(countries):
        place = CENTROIDS.get(country.code)
        if place is None:
            continue
        x, y = (place[1] + 180) / DEGREES, (NORTH - place[0]) / DEGREES
        if not 0 <= y <= ROWS:
            continue
        radius = SMALLEST + (LARGEST - SMALLEST) * sqrt(country.count / most)
        title = escape(f"{country.name}: {country.count:,}")
        circles.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.2f}"><title>{title}</title></circle>')
        crowded = any(
            abs(x - other_x) < 2 * LARGEST and abs(y - other_y) < LARGEST for other_x, other_y, _ in codes
        )
        if position < NAMED and not crowded:
            codes.append((x, y, country.code))
    circles += [f'<text x="{x:.1f}" y="{y + 1.1:.1f}">{escape(code)}</text>' for x, y, code in codes]
    return Markup(  # noqa: S704  every inserted text is escaped
        f'<svg class="world" viewBox="0 0 {COLUMNS} {ROWS}" aria-hidden="true" focusable="false">'
        f'<use class="land" href="{escape(land)}#land"/>{"".join(circles)}</svg>'
    )
