"""C-1, C-2, C-7, C-8 and C-13 to C-16 of ``configuration.md`` §3: what the world sees."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.settings import DEV_SESSION_SECRET, Settings

from .conftest import found, judged, reasons

pytestmark = pytest.mark.anyio

Variables = Mapping[str, str]

NO_PROVIDER = {"GOOGLE_CLIENT_ID": "", "GOOGLE_CLIENT_SECRET": ""}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (DEV_SESSION_SECRET, "published development default"),
        ("", "is empty"),
        ("  ", "is empty"),
        ("k3y-0f-31-characters-abcdefghij", "fewer than 32"),
    ],
)
async def test_C_1_weak_session_key(production: Variables, key: str, said: str) -> None:
    [one] = await found(production, SESSION_SECRET_KEY=key)
    assert (one.id, one.reason, one.verdict) == ("C-1", "insecure_session", "refuse")
    assert "SESSION_SECRET_KEY" in one.seen and said in one.seen


async def test_C_1_32_characters_are_enough(production: Variables) -> None:
    assert await found(production, SESSION_SECRET_KEY="k3y-0f-32-characters-abcdefghijk") == []


async def test_C_1_a_key_that_was_not_drawn_is_told(production: Variables) -> None:
    assert await reasons(production, SESSION_SECRET_KEY="abc" * 20) == [("C-1", "insecure_session", "warn")]


async def test_C_1_previous_keys_are_accepted_too_and_so_judged_too(production: Variables) -> None:
    good = production["SESSION_SECRET_KEY"]
    [one] = await found(production, SESSION_SECRET_KEY_PREVIOUS=f"{good},{DEV_SESSION_SECRET}")
    assert (one.id, one.verdict) == ("C-1", "refuse")
    assert one.seen.startswith("entry 2 of SESSION_SECRET_KEY_PREVIOUS")


async def test_C_1_and_C_21_the_internal_tier_needs_neither_session_key_nor_provider(
    production: Variables,
) -> None:
    changes = {"SESSION_SECRET_KEY": DEV_SESSION_SECRET, **NO_PROVIDER}
    assert await found(production, TIER="internal", **changes) == []
    for tier in ("public", "all"):
        assert [one.id for one in await found(production, TIER=tier, **changes)] == ["C-1", "C-21"]


async def test_C_2_cookies_without_secure(production: Variables) -> None:
    assert await reasons(production, COOKIE_SECURE="false") == [("C-2", "insecure_cookie", "refuse")]


@pytest.mark.parametrize("hosts", ["*", "auth.example.com,*"])
async def test_C_7_any_host(production: Variables, hosts: str) -> None:
    [one] = await found(production, ALLOWED_HOSTS=hosts)
    assert (one.id, one.reason, one.verdict) == ("C-7", "allowed_hosts_wildcard", "refuse")
    assert one.remedy == "ALLOWED_HOSTS=auth.example.com"


async def test_C_7_hosts_taken_from_the_urls_pass(production: Variables) -> None:
    assert await found(production, ALLOWED_HOSTS="") == []


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "null",
        "https://app.example.com/",
        "https://app.example.com/path",
        "https://app.example.com?x=1",
        "https://app.example.com#x",
        "https://user@app.example.com",
        "https://user:password@app.example.com",
        "https://*.example.com",
        "https://app.example.com:*",
        "app.example.com",
        "ftp://app.example.com",
        "javascript://app.example.com",
        "https://",
        "https://[::1",
        "https://app.example.com:99999",
        "https://bücher.example",
        "https://a b.example",
    ],
)
async def test_C_8_entries_that_are_no_exact_origin(production: Variables, entry: str) -> None:
    [one] = await found(production, CORS_ORIGINS=f"https://app.example.com,{entry}")
    assert (one.id, one.reason, one.verdict) == ("C-8", "cors_invalid", "refuse")
    assert "entry 2" in one.seen and "password@" not in one.seen
    assert one.remedy == "CORS_ORIGINS=https://app.example.com"


@pytest.mark.parametrize(
    "entry", ["http://app.example.com", "http://10.0.0.1", "HTTPS://App.example.com:443"]
)
async def test_C_8_plain_http_and_odd_spellings_are_told(production: Variables, entry: str) -> None:
    [one] = await found(production, CORS_ORIGINS=entry)
    assert (one.id, one.reason, one.verdict) == ("C-8", "cors_invalid", "warn")
    assert one.remedy.startswith("CORS_ORIGINS=https://")


async def test_C_8_local_and_https_origins_pass(production: Variables) -> None:
    origins = "http://localhost:3000,http://127.0.0.1:5173,http://[::1]:8043,https://app.example.com:8443"
    assert await found(production, CORS_ORIGINS=origins) == []
    assert await found(production, CORS_ORIGINS="") == []


@settings(deadline=None, max_examples=200)
@given(entry=st.one_of(st.text(), st.text(alphabet="htps:/[]@*?#.a1%\x00\ud800")))
def test_C_8_any_text_is_judged_and_nothing_breaks(entry: str) -> None:
    findings = judged(Settings(cors_origins=("https://app.example.com", entry)))
    assert all(one.seen.isprintable() and one.remedy.isprintable() for one in findings)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://auth.example.com", True),
        ("http://localhost:9003", True),
        ("https://localhost", True),
        ("http://127.0.0.1:9003", True),
        ("http://8.8.8.8", True),
        ("https://auth.example.com", False),
        ("https://auth.example.com/auth-service", False),
        ("http://sentinel:9003", False),
        ("http://sentinel.auth.svc.cluster.local:9003", False),
        ("http://10.1.2.3:9003", False),
    ],
)
async def test_C_13_public_url(production: Variables, url: str, warned: bool) -> None:
    expected = [("C-13", "base_url_insecure", "warn")] if warned else []
    assert await reasons(production, BASE_URL=url) == expected


async def test_C_14_panel_on_another_host(production: Variables) -> None:
    assert await reasons(production, ADMIN_URL="https://panel.example.com") == [
        ("C-14", "admin_host_mismatch", "warn")
    ]
    assert await found(production, ADMIN_URL="https://auth.example.com/auth-admin") == []


async def test_C_15_proxy_not_declared(production: Variables) -> None:
    assert await reasons(production, BEHIND_PROXY="false") == [("C-15", "proxy_not_declared", "warn")]
    assert await found(production, BEHIND_PROXY="false", BASE_URL="http://sentinel:9003") == []


async def test_C_16_no_rate_limits(production: Variables) -> None:
    assert await reasons(production, RATE_LIMIT_ENABLED="false") == [
        ("C-16", "rate_limit_disabled", "refuse")
    ]
