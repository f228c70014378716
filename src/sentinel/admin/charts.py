"""Pictures for the panel, drawn on the server as SVG: no script, no style attribute, readable without colour.

Every picture stands beside a table of the same numbers, so it is hidden from screen readers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup, escape

from sentinel.roles.insights import TrendDay

WIDTH, HEIGHT = 760, 270
LEFT, RIGHT, TOP, BOTTOM = 48, 6, 12, 32
WIDEST = 44.0
"""A column is never wider than this, so that the picture of one day is not a wall."""
TICKS = 4
LABELS = 8
"""Days that are written below the columns, at most; on a narrow screen every other one of them."""
PATTERNS = ("", "M-2 2l4 -4M0 8l8 -8M6 10l4 -4", "M0 4h8", "M4 0v8", "M0 0l8 8M8 0l-8 8", "M0 2h8M0 6h8")
"""What is drawn over the colour of each series of a chart, the first one plain."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line of the legend: its name and its values, one for each day."""

    name: str
    values: Sequence[int]

    @property
    def total(self) -> int:
        return sum(self.values)


def columns(days: Sequence[date], series: Sequence[Series], *, name: str) -> Markup:
    """Stacked columns, one a day, with a legend.

    ``name`` keeps the patterns of two charts on a page apart: lower-case letters and ``-``. Up to six series tell
    themselves apart; each has a value for every day.
    """
    totals = [sum(one.values[index] for one in series) for index in range(len(days))]
    tick = tick_for(max(totals, default=0))
    height, top = HEIGHT - TOP - BOTTOM, tick * TICKS
    step = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    width = min(WIDEST, max(1.0, step * 0.76))
    parts = [_patterns(name, len(series)), _scale(tick, height)]
    for index, day in enumerate(days):
        left, base = LEFT + step * index + (step - width) / 2, TOP + float(height)
        for number, one in enumerate(series):
            value = one.values[index]
            if value <= 0:
                continue
            # What happened once is seen beside what happened a million times.
            tall = max(1.0, value / top * height)
            base -= tall
            shape = f'x="{left:.1f}" y="{base:.1f}" width="{width:.1f}" height="{tall:.1f}"'
            parts.append(f'<rect class="s{number + 1}" {shape}/>')
            if number:
                parts.append(f'<rect {shape} fill="url(#{name}-{number})"/>')
        if totals[index] > 0:
            parts.append(_hint(day, series, index, totals[index], LEFT + step * index, step))
    parts.append(_days(days, step))
    picture = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )
    return Markup(picture + _legend(name, series))  # noqa: S704  every inserted text is escaped


def verdicts(trend: Sequence[TrendDay]) -> list[Series]:
    """Allowed against denied, as the series of a chart."""
    return [
        Series("Allowed", [day.allowed for day in trend]),
        Series("Denied", [day.denied for day in trend]),
    ]


def bar(value: int, most: int) -> Markup:
    """One bar of a table, as long as ``value`` is beside ``most``."""
    share = 0 if most <= 0 or value <= 0 else min(100, max(0.7, 100 * value / most))
    return Markup(  # noqa: S704  numbers only
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="track" width="100" height="8"/><rect width="{share:.1f}" height="8"/></svg>'
    )


def percent(value: int, total: int) -> str:
    """How much ``value`` is of ``total``: ``42 %``, ``< 1 %``."""
    if total <= 0 or value <= 0:
        return "0 %"
    share = 100 * value / total
    return "< 1 %" if share < 1 else f"{share:.0f} %"


def tick_for(value: int) -> int:
    """The distance of the lines of the scale, of which the fourth is at or above ``value``: 1, 2, 3, 5, 10, 20, …"""
    power = 1
    while True:
        for size in (1, 2, 3, 5):
            if size * power * TICKS >= value:
                return size * power
        power *= 10


def short(value: int) -> str:
    """A number with room for five letters: ``950``, ``1.5k``, ``20M``."""
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return str(value)


def _hint(day: date, series: Sequence[Series], index: int, total: int, left: float, step: float) -> str:
    """What the browser says when the pointer rests on a day."""
    of = ", ".join(f"{one.name} {one.values[index]:,}" for one in series if one.values[index] > 0)
    text = escape(f"{day.day} {day:%b}: {total:,} ({of})")
    shape = f'x="{left:.1f}" y="{TOP}" width="{step:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
    return f'<rect class="hint" {shape}><title>{text}</title></rect>'


def _patterns(name: str, amount: int) -> str:
    shapes = (
        f'<pattern id="{name}-{number}" width="8" height="8" patternUnits="userSpaceOnUse">'
        f'<path class="hatch" d="{PATTERNS[number % len(PATTERNS)]}"/></pattern>'
        for number in range(1, amount)
    )
    return f"<defs>{''.join(shapes)}</defs>"


def _scale(tick: int, height: int) -> str:
    lines = []
    for number in range(TICKS + 1):
        y = TOP + height * (1 - number / TICKS)
        lines.append(
            f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text{" class=" + chr(34) + "minor" + chr(34) if number % 2 else ""} x="{LEFT - 7}" '
            f'y="{y + 4:.1f}" text-anchor="end">{short(tick * number)}</text>'
        )
    return "".join(lines)


def _days(days: Sequence[date], step: float) -> str:
    # Counted from the last day, which is the one that people look for.
    every, last = max(1, -(-len(days) // LABELS)), len(days) - 1
    words = []
    for index, day in enumerate(days):
        if (last - index) % every:
            continue
        minor = ' class="minor"' if (last - index) // every % 2 else ""
        x = min(LEFT + step * (index + 0.5), WIDTH - RIGHT - 20)
        words.append(
            f'<text{minor} x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{day.day} {day:%b}</text>'
        )
    return "".join(words)


def _legend(name: str, series: Sequence[Series]) -> str:
    items = "".join(
        '<li><svg class="chart" viewBox="0 0 14 14" aria-hidden="true" focusable="false">'
        f'<rect class="s{number + 1}" width="14" height="14" rx="2"/>'
        + (f'<rect width="14" height="14" fill="url(#{name}-{number})"/>' if number else "")
        + f"</svg>{escape(one.name)} <b>{escape(short(one.total))}</b></li>"
        for number, one in enumerate(series)
    )
    return f'<ul class="legend" aria-hidden="true">{items}</ul>'
