"""Text that people and providers give us, made safe to keep: plain, printable, without markup."""

import html
import re
from urllib.parse import urlsplit

from sentinel.core.errors import Unprocessable

NAME_LENGTH = 255
URL_LENGTH = 2048

# Besides control characters and halves of pairs: those that reorder the text around them, so that a name could
# show as another one, and the byte order mark, which HTML drops and we would find again.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")
_MARKUP = re.compile(r"[<&]")
"""What a tag or an escaped character begins with (HTML, "Tokenization"): without it there is none."""


def plain_text(value: str) -> str:
    """``value`` without markup and control characters, trimmed. Making it plain twice changes nothing.

    Tags are removed until none is left, so that doubly escaped ones do not come back to life.
    """
    text = _CONTROL.sub(" ", value)
    if not _MARKUP.search(text):
        return " ".join(text.split())
    # Loaded with the first text that needs it, which most processes never see.
    import nh3

    for _ in range(5):
        stripped = _CONTROL.sub(" ", html.unescape(nh3.clean(text, tags=set())))
        if stripped == text:
            break
        text = stripped
    else:
        # Nobody writes like this by mistake. Without the ampersand nothing can be escaped once more either.
        text = re.sub(r"[<>&]", "", text)
    return " ".join(text.split())


def label(value: str, field: str = "name") -> str:
    """The name of a thing or a person, made plain. Raises :class:`Unprocessable` for ``field`` unless 1 to 255
    characters are left.
    """
    text = plain_text(value)
    if not 1 <= len(text) <= NAME_LENGTH:
        raise Unprocessable(
            f"{field.capitalize()} must have 1 to {NAME_LENGTH} characters besides markup", field=field
        )
    return text


def display_name(value: str, email: str) -> str:
    """A name to show for a person: ``value`` made plain, or the local part of ``email`` when nothing is left."""
    return _first(plain_text(value)) or _first(plain_text(email.partition("@")[0])) or "?"


def _first(text: str) -> str:
    return text[:NAME_LENGTH].rstrip()


def web_url(value: str | None) -> str | None:
    """``value`` if it is an http(s) URL with a host, at most 2048 characters; else None (ID-2)."""
    if not value or len(value) > URL_LENGTH or _CONTROL.search(value):
        return None
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and host else None
