"""Redirect URIs of login apps and origins of service apps: what may be registered (RO-5, RO-6)."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

from sentinel.core.errors import Unprocessable

MAX_LENGTH = 2048
MAX_ENTRIES = 50
DEFAULT_PORTS = {"http": 80, "https": 443}

_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"^`{|}*]")


def is_loopback(host: str) -> bool:
    """Whether ``host`` names this machine itself: localhost, 127.0.0.0/8 or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_redirect_uris(uris: list[str], *, allow_plain_http: bool) -> list[str]:
    """The redirect URIs of a login app, without repetitions, in order.

    ``allow_plain_http`` permits http to any host (development). Raises :class:`Unprocessable` naming the entry.
    """
    if not 1 <= len(uris) <= MAX_ENTRIES:
        raise Unprocessable(f"Give 1 to {MAX_ENTRIES} redirect URIs", field="redirect_uris")
    return list(
        dict.fromkeys(_redirect_uri(uri, number, allow_plain_http) for number, uri in enumerate(uris, 1))
    )


def check_origins(origins: list[str]) -> list[str]:
    """The browser origins of a service app in their normal form, without repetitions, in order.

    Raises :class:`Unprocessable` naming the entry.
    """
    if len(origins) > MAX_ENTRIES:
        raise Unprocessable(f"Give at most {MAX_ENTRIES} origins", field="allowed_origins")
    return list(dict.fromkeys(_origin(origin, number) for number, origin in enumerate(origins, 1)))


def origin_of(uri: str) -> str:
    """``scheme://host[:port]`` of an http(s) URI as a browser writes it. Raises :class:`ValueError`."""
    parts = urlsplit(uri)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError("not an http(s) URI with a host")
    return _normal_origin(parts)


def _redirect_uri(uri: str, number: int, allow_plain_http: bool) -> str:
    def refuse(why: str) -> Unprocessable:
        return Unprocessable(f"Redirect URI {number} {why}", field="redirect_uris")

    if not uri or len(uri) > MAX_LENGTH:
        raise refuse(f"must have 1 to {MAX_LENGTH} characters")
    if _UNSAFE.search(uri) or not uri.isascii():
        raise refuse("holds a character that does not belong in a URI, or a wildcard")
    parts = _split(uri)
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise refuse("must be an absolute http or https URI with a host")
    if "@" in parts.netloc:
        raise refuse("must not hold user info")
    if "#" in uri or "?" in uri:
        raise refuse("must not have a query or a fragment")
    if urlunsplit(parts) != uri:
        raise refuse("is not in its normal form; write scheme and host in lower case")
    if any(segment in (".", "..") for segment in parts.path.split("/")):
        raise refuse("must not have '.' or '..' in its path")
    if parts.scheme == "http" and not allow_plain_http and not is_loopback(parts.hostname):
        raise refuse("must use https; http is for localhost only")
    return uri


def _origin(origin: str, number: int) -> str:
    def refuse(why: str) -> Unprocessable:
        return Unprocessable(f"Origin {number} {why}", field="allowed_origins")

    if not origin or len(origin) > MAX_LENGTH or _UNSAFE.search(origin) or not origin.isascii():
        raise refuse("must be scheme://host[:port], without wildcard")
    parts = _split(origin)
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise refuse("must be scheme://host[:port] with http or https")
    if "@" in parts.netloc or parts.path or "?" in origin or "#" in origin:
        raise refuse("must not have user info, path, query or fragment, not even a final slash")
    return _normal_origin(parts)


def _normal_origin(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    scheme = parts.scheme.lower()
    if parts.port is None or parts.port == DEFAULT_PORTS[scheme]:
        return f"{scheme}://{host}"
    return f"{scheme}://{host}:{parts.port}"


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        if parts.port == 0 or parts.netloc.endswith(":"):
            return None
    except ValueError:
        return None
    return parts
