"""Who is calling, as an address: http-api.md §0.8 rule 4."""

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]{1,5}")
UNKNOWN = "unknown"


def client_address(scope: Scope, behind_proxy: bool, trusted_proxy_count: int) -> str:
    """The address of the client of ``scope``, in its canonical form; the peer's unless ``behind_proxy``.

    Behind proxies it is the entry of ``X-Forwarded-For`` that lies ``trusted_proxy_count`` positions from its
    end: what stands further left was written by the client. A chain that is too short and an entry that is no
    address give the peer, never something the client chose.
    """
    peer = scope.get("client")
    host = str(peer[0]) if peer else UNKNOWN
    fallback = _parsed(host) or host
    if not behind_proxy:
        return fallback
    lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    chain = ",".join(lines).split(",")
    if len(chain) < trusted_proxy_count:
        return fallback
    return _parsed(chain[-trusted_proxy_count].strip()) or fallback


@lru_cache(maxsize=4096)
def _parsed(text: str) -> str | None:
    """The address in ``text``, canonical: bare, ``v4:port``, ``[v6]`` or ``[v6]:port``; None when there is none."""
    found = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    bare = found[1] if found else text
    # A zone index is free text, so one host could look like many.
    if "%" in bare:
        return None
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    # ::ffff:192.0.2.1 is how a dual-stack socket spells 192.0.2.1: one client, one bucket.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


class ClientAddress:
    """Puts the client's address into ``scope["state"]["client_ip"]``, where logs and limits find it."""

    def __init__(self, app: ASGIApp, *, behind_proxy: bool, trusted_proxy_count: int) -> None:
        self.app = app
        self.behind_proxy = behind_proxy
        self.trusted_proxy_count = trusted_proxy_count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            address = client_address(scope, self.behind_proxy, self.trusted_proxy_count)
            scope.setdefault("state", {})["client_ip"] = address
        await self.app(scope, receive, send)
