"""Where a host name leads: to this machine, into a private network, or out into the world."""

import ipaddress

from sentinel.apps.addresses import is_loopback

PRIVATE_SUFFIXES = (".internal", ".local", ".svc")
"""Names that no public DNS serves: ``.internal`` (reserved by ICANN), ``.local`` (RFC 6762, and with it the
``.cluster.local`` of Kubernetes), ``.svc`` (services of Kubernetes, written short)."""

PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")  # RFC 1918, RFC 4193
)


def is_local(host: str) -> bool:
    """Whether ``host`` is this machine: a loopback name or address, the folder of a Unix socket, or nothing."""
    host = _plain(host)
    return not host or host.startswith("/") or is_loopback(host)


def is_private(host: str) -> bool:
    """Whether ``host`` is a private-network name or address: its traffic does not cross the open internet."""
    host = _plain(host)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A number without dots is an address in an old spelling, not the name of a neighbour.
        return host.endswith(PRIVATE_SUFFIXES) or ("." not in host and not host[:1].isdigit())
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in PRIVATE_NETWORKS)


def in_url(host: str) -> str:
    """``host`` as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _plain(host: str) -> str:
    return host.lower().strip("[]").removesuffix(".")
