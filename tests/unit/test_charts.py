"""Pictures of the panel: every input, escaped, and numbers that survive being drawn."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from sentinel.admin import charts
from sentinel.admin.charts import Series
from sentinel.admin.world import world
from sentinel.audit.centroids import CENTROIDS
from sentinel.audit.country_names import COUNTRY_NAMES
from sentinel.audit.sign_ins import CountryCount

SVG = "{http://www.w3.org/2000/svg}"


def days(amount: int) -> list[date]:
    return [date(2026, 3, 1) + timedelta(days=number) for number in range(amount)]


def drawn(markup: str) -> ElementTree.Element:
    """The picture and its legend, read as a browser would: ill-formed text raises."""
    text = str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    return ElementTree.fromstring(f"<div>{text}</div>")  # noqa: S314  our own text


def bars(root: ElementTree.Element) -> list[ElementTree.Element]:
    picture = root.find(f"{SVG}svg")
    assert picture is not None
    return [rect for rect in picture.iter(f"{SVG}rect") if re.fullmatch(r"s\d", rect.get("class", ""))]


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def test_columns_stack_each_day_from_the_line_up() -> None:
    root = drawn(charts.columns(days(2), [Series("A", [3, 0]), Series("B", [1, 2])], name="c"))
    found = bars(root)
    assert [rect.get("class") for rect in found] == ["s1", "s2", "s2"]
    first, second = found[0], found[1]
    assert float(second.get("y", "")) + float(second.get("height", "")) == pytest.approx(
        float(first.get("y", "")), abs=0.2
    )
    assert float(first.get("height", "")) == pytest.approx(3 * float(second.get("height", "")), rel=0.02)


def test_columns_are_told_apart_without_colour() -> None:
    """Every series but the first lies under a pattern of its own, in the picture and in the legend."""
    names = ["A", "B", "C", "D", "E", "F"]
    markup = charts.columns(days(1), [Series(name, [1]) for name in names], name="c")
    for number in range(1, 6):
        assert markup.count(f'id="c-{number}"') == 1
        assert markup.count(f"url(#c-{number})") == 2
    paths = re.findall(r'class="hatch" d="([^"]+)"', markup)
    assert len(set(paths)) == 5


def test_columns_of_two_charts_do_not_share_patterns() -> None:
    series = [Series("A", [1]), Series("B", [1])]
    one, other = (set(re.findall(r'id="([^"]+)"', charts.columns(days(1), series, name=n))) for n in "ab")
    assert one and other and not one & other


def test_columns_escape_what_they_are_told() -> None:
    hostile = "</title><script>alert(1)</script>\"'&"
    markup = charts.columns(days(1), [Series(hostile, [1]), Series(hostile, [2])], name="c")
    assert "<script" not in markup and "</title><" in markup
    root = drawn(markup)
    assert root.find(".//{*}script") is None
    assert f"1 Mar: 3 ({hostile} 1, {hostile} 2)" in [title.text for title in root.iter(f"{SVG}title")]


@pytest.mark.parametrize("amount", [0, 1, 7, 30, 90])
def test_columns_without_any_data_are_an_empty_scale(amount: int) -> None:
    root = drawn(charts.columns(days(amount), [Series("A", [0] * amount)], name="c"))
    assert bars(root) == [] and texts(root)[:2] == ["0", "1"]
    assert not list(root.iter(f"{SVG}title"))


def test_columns_without_any_series() -> None:
    assert bars(drawn(charts.columns(days(3), [], name="c"))) == []


def test_column_of_one_day_is_no_wall() -> None:
    (rect,) = bars(drawn(charts.columns(days(1), [Series("A", [4])], name="c")))
    assert float(rect.get("width", "")) <= charts.WIDEST


@pytest.mark.parametrize("amount", [7, 30, 90])
def test_columns_stay_inside_the_picture_and_labels_are_few(amount: int) -> None:
    root = drawn(charts.columns(days(amount), [Series("A", [9] * amount)], name="c"))
    for rect in bars(root):
        left, top = float(rect.get("x", "")), float(rect.get("y", ""))
        assert left >= charts.LEFT and left + float(rect.get("width", "")) <= charts.WIDTH
        assert top >= charts.TOP - 0.1
    labels = [text for text in texts(root) if re.fullmatch(r"\d+ Mar|\d+ \w{3}", text)]
    assert 1 < len(labels) <= charts.LABELS
    last = days(amount)[-1]
    assert labels[-1] == f"{last.day} {last:%b}"


def test_columns_of_large_numbers_have_short_labels_and_small_ones_are_still_seen() -> None:
    root = drawn(charts.columns(days(2), [Series("A", [10**9, 1])], name="c"))
    assert texts(root)[:5] == ["0", "300M", "600M", "900M", "1.2G"]
    small = bars(root)[1]
    assert float(small.get("height", "")) >= 1
    assert "1,000,000,000" in "".join(title.text or "" for title in root.iter(f"{SVG}title"))


def test_pictures_are_for_the_eye_and_keep_the_content_security_policy() -> None:
    for markup in (
        charts.columns(days(3), [Series("A", [1, 2, 3]), Series("B", [1, 2, 3])], name="c"),
        charts.bar(3, 4),
        world([CountryCount("DE", "Germany", 3)], "/admin/static/x/world.svg"),
    ):
        assert "style=" not in markup and "<style" not in markup and not re.search(r"<[^>]* on\w+=", markup)
        for picture in re.findall(r"<svg [^>]*>", markup):
            assert 'aria-hidden="true"' in picture


@pytest.mark.parametrize(
    ("value", "tick"), [(0, 1), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3), (13, 5), (21, 10), (4001, 2000)]
)
def test_scale_ends_at_or_above_the_largest_value(value: int, tick: int) -> None:
    assert charts.tick_for(value) == tick


@pytest.mark.parametrize("value", [*range(200), 10**6, 10**6 + 1, 10**15])
def test_scale_is_never_too_low_and_never_mostly_air(value: int) -> None:
    top = charts.tick_for(value) * charts.TICKS
    assert value <= top and (value < 4 or top <= 2.5 * value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1k"), (1500, "1.5k"), (20_000_000, "20M"), (3 * 10**12, "3T")],
)
def test_short_numbers(value: int, text: str) -> None:
    assert charts.short(value) == text


@pytest.mark.parametrize(
    ("value", "most", "width"),
    [(0, 0, "0.0"), (0, 9, "0.0"), (5, 10, "50.0"), (10, 10, "100.0"), (1, 10**9, "0.7"), (9, 3, "100.0")],
)
def test_bar_is_as_long_as_its_share(value: int, most: int, width: str) -> None:
    assert f'<rect width="{width}" height="8"/>' in charts.bar(value, most)


@pytest.mark.parametrize(
    ("value", "total", "text"), [(0, 0, "0 %"), (1, 1000, "< 1 %"), (1, 3, "33 %"), (3, 3, "100 %")]
)
def test_percent(value: int, total: int, text: str) -> None:
    assert charts.percent(value, total) == text


# ── the map ──


def circles(markup: str) -> list[ElementTree.Element]:
    return list(drawn(markup).iter(f"{SVG}circle"))


def test_map_puts_countries_where_they_lie_the_larger_the_more() -> None:
    found = circles(
        world([CountryCount("DE", "Germany", 100), CountryCount("AU", "Australia", 25)], "land.svg")
    )
    (german_x, german_y, german_r), (australian_x, australian_y, australian_r) = (
        (float(circle.get("cx", "")), float(circle.get("cy", "")), float(circle.get("r", "")))
        for circle in found
    )
    assert german_x < australian_x and german_y < australian_y and german_r > australian_r
    assert [circle[0].text for circle in found] == ["Germany: 100", "Australia: 25"]


def test_map_without_anybody_is_the_land_alone() -> None:
    markup = world([], "land.svg")
    assert circles(markup) == [] and 'href="land.svg#land"' in markup


def test_map_leaves_out_what_it_cannot_place_and_escapes_the_rest() -> None:
    assert circles(world([CountryCount("XX", "Nowhere", 3), CountryCount("AQ", "Antarctica", 1)], "l")) == []
    markup = world([CountryCount("DE", "<script>", 3)], '"><script>')
    assert "<script" not in markup


def test_every_country_has_a_place_and_a_name() -> None:
    assert set(CENTROIDS) == set(COUNTRY_NAMES)
    assert all(name == name.strip() and name for name in COUNTRY_NAMES.values())
