"""Which hosts are this machine, which are in a private network, and which are out in the world."""

import pytest

from sentinel.checklist.hosts import in_url, is_local, is_private

LOCAL = [
    "",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "app.localhost",
    "127.0.0.1",
    "127.8.9.10",
    "::1",
    "[::1]",
]
SOCKETS = ["/var/run/postgresql"]
PRIVATE = [
    "db",
    "redis-1",
    "db.internal",
    "db.local",
    "db.auth.svc",
    "db.auth.svc.cluster.local",
    "db.auth.svc.cluster.local.",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "fd00::1",
    "[fd00::1]",
    "::ffff:10.0.0.1",
]
PUBLIC = [
    "db.example.com",
    "internal.example.com",
    "notinternal.com",
    "db.svc.example.com",
    "8.8.8.8",
    "172.32.0.1",
    "11.0.0.1",
    "2001:db8::1",
    "::ffff:8.8.8.8",
    "169.254.169.254",
    "134744072",
    "0x08080808",
    "localhost.example.com",
    "127.0.0.1.example.com",
]


@pytest.mark.parametrize("host", LOCAL + SOCKETS)
def test_local(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", PRIVATE)
def test_private(host: str) -> None:
    assert is_private(host) and not is_local(host)


@pytest.mark.parametrize("host", PUBLIC)
def test_public(host: str) -> None:
    assert not is_local(host) and not is_private(host)


def test_addresses_in_urls() -> None:
    assert [in_url(host) for host in ("::1", "[::1]", "db", "")] == ["[::1]", "[::1]", "db", ""]
