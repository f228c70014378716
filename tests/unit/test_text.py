"""identity/text.py: names, descriptions and addresses of pictures, as they are kept."""

import html
import time

import nh3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentinel.core.errors import Unprocessable
from sentinel.identity.text import NAME_LENGTH, URL_LENGTH, display_name, label, plain_text, web_url

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            "</",
            "/>",
            "<!--",
            "-->",
            "<?",
            "<![CDATA[",
            "]]>",
            "=",
            '"',
            "'",
            "b",
            "script",
            "svg",
            "style",
        ),
        *(
            "&",
            ";",
            "&amp;",
            "amp;",
            "&lt;",
            "&gt;",
            "&lt",
            "&#60;",
            "&#x3c;",
            "&#62;",
            "&amp;lt;",
            "&amp;amp;lt;",
        ),
        *(
            "&#10;",
            "&#0;",
            "&#x81;",
            "&#xd800;",
            "&nbsp;",
            "&notit;",
            "&ZeroWidthSpace;",
            "&#x202e;",
            "&#xfeff;",
        ),
        *("\0", "\x01", "\x7f", "\x9f", "\n", "\r", "\u2028", "\u3000", "\ufeff", "\ud800", "\u200f", *BIDI),
    ]
)
SPITEFUL = st.lists(PIECES | st.characters(), max_size=16).map("".join)


def survives(text: str) -> str:
    """What a sanitizer that allows no tag leaves of a text."""
    return html.unescape(nh3.clean(text, tags=set()))


@settings(max_examples=200, deadline=None)
@given(SPITEFUL)
@example("&" + "amp;" * 40 + "lt;b&" + "amp;" * 40 + "gt;x")
@example("\ufeff" * 12 + "x")
@example(" \ufeffx")
@example("<&#x202e;b>x")
def test_plain_text_holds_nothing_to_strip_and_is_plain_for_good(value: str) -> None:
    plain = plain_text(value)
    assert survives(plain) == plain
    assert plain_text(plain) == plain
    assert plain == " ".join(plain.split())
    assert not any(char < " " or "\x7f" <= char <= "\x9f" or char in BIDI for char in plain)
    plain.encode()


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60))
def test_plain_text_leaves_letters_and_digits_of_every_script(value: str) -> None:
    assert plain_text(value) == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada \t\n Lovelace  ", "Ada Lovelace"),
        ("<b>Ada</b>", "Ada"),
        ("Ada<script>alert(1)</script>", "Ada"),
        ("<img src=x onerror=alert(1)>Ada", "Ada"),
        ("<scr<b>ipt>alert(1)</script>", "ipt>alert(1)"),
        # Escaped once, twice, six times: never a tag in the end.
        ("&lt;b&gt;Ada&lt;/b&gt;", "Ada"),
        ("&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;Ada", "Ada"),
        ("&#60;b&#62;Ada", "Ada"),
        ("&" + "amp;" * 6 + "lt;b&" + "amp;" * 6 + "gt;Ada", "amp;lt;bamp;gt;Ada"),
        # What is no markup stays.
        ("AT&T", "AT&T"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ('"O\'Hara" & sons', '"O\'Hara" & sons'),
        ("I <3 you", "I <3 you"),
        # Control characters part words, they do not join them.
        ("Ada\x00Lovelace", "Ada Lovelace"),
        ("Ada\x1b[31m", "Ada [31m"),
        ("<\x01script>", "< script>"),
        ("a\ud800b", "a b"),
        # Scripts from right to left stay; the characters that turn a text around do not.
        ("עדה", "עדה"),
        ("آدا لوفليس", "آدا لوفليس"),
        ("\u200fעדה", "\u200fעדה"),
        ("gpj.\u202eAda", "gpj. Ada"),
        ("\u2066Ada\u2069", "Ada"),
        ("&#x202e;Ada", "Ada"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("", ""),
        (" \ufeff ", ""),
        ("<b></b>", ""),
    ],
)
def test_plain_text(value: str, plain: str) -> None:
    assert plain_text(value) == plain


@pytest.mark.parametrize(
    "piece", ["a", "<", "</", "<b>", "<!--", "&", "&amp;", "amp;", "&lt;", "\ufeff", "\u202e", "<svg><style>"]
)
def test_L29_ten_thousand_characters_are_plain_quickly(piece: str) -> None:
    value = ("&" + piece * 10_000)[:10_000]
    started = time.process_time()
    plain = plain_text(value)
    assert time.process_time() - started < 2
    assert len(plain) <= len(value)
    assert plain_text(plain) == plain


@pytest.mark.parametrize(
    ("value", "email", "name"),
    [
        ("Ada", "ada@example.com", "Ada"),
        ("<b>Ada</b>", "ada@example.com", "Ada"),
        ("", "ada@example.com", "ada"),
        ("<b></b>", "ada@example.com", "ada"),
        ("\u202e", "ada@example.com", "ada"),
        ("", "<b>@example.com", "?"),
        ("", "", "?"),
        ("x" * 300, "ada@example.com", "x" * 255),
        ("", "x" * 300 + "@example.com", "x" * 255),
        ("x" * 254 + " y", "ada@example.com", "x" * 254),
    ],
)
def test_display_name(value: str, email: str, name: str) -> None:
    assert display_name(value, email) == name


@settings(max_examples=100, deadline=None)
@given(SPITEFUL, SPITEFUL)
def test_display_name_is_never_empty_nor_too_long_nor_markup(value: str, email: str) -> None:
    name = display_name(value, email)
    assert 1 <= len(name) <= NAME_LENGTH
    assert plain_text(name) == name


LONGEST_URL = "https://example.com/" + "a" * (URL_LENGTH - len("https://example.com/"))


@pytest.mark.parametrize(
    "value",
    [
        "https://example.com/a.png",
        "http://example.com",
        "HTTPS://EXAMPLE.COM/A.PNG",
        "https://[::1]:8443/a?b=c#d",
        "https://пример.рф/а",
        LONGEST_URL,
    ],
)
def test_ID_2_web_addresses_are_kept_as_they_are(value: str) -> None:
    assert web_url(value) == value


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt://example.com/%0aalert(1)",
        "java\nscript:alert(1)",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
        "//example.com/a.png",
        "example.com/a.png",
        "https:",
        "https://",
        "https:///a.png",
        "https:/example.com",
        "https://[::1/a.png",
        "https://example.com/\x00",
        "https://example.com/\na",
        "https://example.com/\u202egnp.a",
        "\x01https://example.com/a.png",
        LONGEST_URL + "a",
    ],
)
def test_ID_2_anything_else_is_no_address_of_a_picture(value: str | None) -> None:
    assert web_url(value) is None


def test_a_label_has_1_to_255_characters_besides_markup() -> None:
    assert label(" <b>Notes</b> &amp; more ") == "Notes & more"
    assert label(f"<i>{'a' * NAME_LENGTH}</i>") == "a" * NAME_LENGTH
    for bad in ("", " \t", "<b></b>", "\x00", "a" * (NAME_LENGTH + 1)):
        with pytest.raises(Unprocessable) as refused:
            label(bad)
        assert refused.value.field == "name"
        assert refused.value.detail == "Name must have 1 to 255 characters besides markup"
    with pytest.raises(Unprocessable) as refused:
        label("<b></b>", "title")
    assert refused.value.field == "title"
