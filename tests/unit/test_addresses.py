"""Redirect URIs and origins that may be registered (``tokens.md`` §12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.apps.addresses import check_origins, check_redirect_uris, is_loopback, origin_of
from sentinel.core.errors import Unprocessable

GOOD_URIS = [
    "https://app.example.com/callback",
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:8443/a/b.c-d_e~f/g",
    "https://app.example.com/caf%C3%A9",
    "https://xn--bcher-kva.example/cb",
    "https://10.1.2.3/cb",
    "https://[2001:db8::1]:8443/cb",
]
LOCAL_URIS = [
    "http://localhost/cb",
    "http://localhost:3000/cb",
    "http://app.localhost:3000/cb",
    "http://127.0.0.1:3000/cb",
    "http://127.8.9.10/cb",
    "http://[::1]:3000/cb",
]
PLAIN_URIS = [
    "http://app.example.com/cb",
    "http://10.1.2.3/cb",
    "http://0.0.0.0/cb",
    "http://[::]/cb",
    "http://127.1/cb",
    "http://2130706433/cb",
    "http://localhost.example.com/cb",
    "http://127.0.0.1.example.com/cb",
    "http://notlocalhost/cb",
]
BAD_URIS = {
    "empty": "",
    "null": "null",
    "star": "*",
    "relative": "/callback",
    "no scheme": "app.example.com/callback",
    "no scheme, slashes": "//app.example.com/callback",
    "other scheme": "ftp://app.example.com/callback",
    "script": "javascript:alert(1)",
    "data": "data:text/html,x",
    "app scheme": "com.example.app:/callback",
    "no host": "https:///callback",
    "only scheme": "https://",
    "one slash": "https:/app.example.com/callback",
    "no slash": "https:app.example.com/callback",
    "only port": "https://:443/callback",
    "user": "https://ada@app.example.com/callback",
    "user and password": "https://ada:secret@app.example.com/callback",
    "empty user": "https://@app.example.com/callback",
    "localhost as user": "http://localhost:80@evil.example/callback",
    "query": "https://app.example.com/callback?a=b",
    "empty query": "https://app.example.com/callback?",
    "fragment": "https://app.example.com/callback#part",
    "empty fragment": "https://app.example.com/callback#",
    "wildcard host": "https://*.example.com/callback",
    "wildcard path": "https://app.example.com/*",
    "wildcard port": "https://app.example.com:*/callback",
    "upper-case scheme": "HTTPS://app.example.com/callback",
    "port zero": "https://app.example.com:0/callback",
    "port too large": "https://app.example.com:65536/callback",
    "port no number": "https://app.example.com:https/callback",
    "empty port": "https://app.example.com:/callback",
    "half an address": "https://[::1/callback",
    "no address": "https://[localhost]/callback",
    "dots": "https://app.example.com/a/../callback",
    "dot": "https://app.example.com/./callback",
    "final dots": "https://app.example.com/..",
    "backslash": "https://app.example.com\\callback",
    "backslash before user": "https://app.example.com\\@evil.example/",
    "blank": "https://app.example.com/call back",
    "leading blank": " https://app.example.com/callback",
    "trailing newline": "https://app.example.com/callback\n",
    "tab": "https://app.exa\tmple.com/callback",
    "NUL": "https://app.example.com/\x00",
    "DEL": "https://app.example.com/\x7f",
    "quotes": 'https://app.example.com/"',
    "tags": "https://app.example.com/<script>",
    "letters beyond ASCII": "https://bücher.example/callback",
    "full-width dot": "https://app.example。com/callback",
    "lone surrogate": "https://app.example.com/\ud800",
    "too long": "https://app.example.com/" + "a" * 2048,
}

GOOD_ORIGINS = {
    "https://app.example.com": "https://app.example.com",
    "http://app.example.com": "http://app.example.com",
    "https://app.example.com:8443": "https://app.example.com:8443",
    "http://localhost:3000": "http://localhost:3000",
    "http://[::1]:3000": "http://[::1]:3000",
    "HTTPS://App.Example.COM": "https://app.example.com",
    "https://app.example.com:443": "https://app.example.com",
    "http://app.example.com:80": "http://app.example.com",
    "http://app.example.com:443": "http://app.example.com:443",
    "https://app.example.com:80": "https://app.example.com:80",
    "https://[2001:DB8::1]:443": "https://[2001:db8::1]",
}
BAD_ORIGINS = {
    "empty": "",
    "null": "null",
    "star": "*",
    "host only": "app.example.com",
    "host and port": "app.example.com:443",
    "slashes": "//app.example.com",
    "other scheme": "ftp://app.example.com",
    "file": "file://",
    "extension": "chrome-extension://abcdef",
    "no host": "https://",
    "only port": "https://:443",
    "final slash": "https://app.example.com/",
    "path": "https://app.example.com/app",
    "query": "https://app.example.com?a",
    "empty query": "https://app.example.com?",
    "fragment": "https://app.example.com#a",
    "empty fragment": "https://app.example.com#",
    "user": "https://ada@app.example.com",
    "user and password": "https://ada:secret@app.example.com",
    "empty user": "https://@app.example.com",
    "wildcard": "https://*.example.com",
    "wildcard port": "https://app.example.com:*",
    "port zero": "https://app.example.com:0",
    "port too large": "https://app.example.com:99999",
    "port no number": "https://app.example.com:x",
    "empty port": "https://app.example.com:",
    "half an address": "https://[::1",
    "two": "https://a.example https://b.example",
    "comma": "https://a.example,https://b.example",
    "leading blank": " https://app.example.com",
    "newline": "https://app.example.com\n",
    "backslash": "https://app.example.com\\",
    "letters beyond ASCII": "https://bücher.example",
    "too long": "https://" + "a" * 2048,
}


@pytest.mark.parametrize("uri", GOOD_URIS + LOCAL_URIS)
def test_RO_5_good_redirect_uris(uri: str) -> None:
    assert check_redirect_uris([uri], allow_plain_http=False) == [uri]


@pytest.mark.parametrize("uri", PLAIN_URIS)
def test_RO_5_plain_http_only_for_localhost_or_in_development(uri: str) -> None:
    with pytest.raises(Unprocessable, match="must use https"):
        check_redirect_uris([uri], allow_plain_http=False)
    assert check_redirect_uris([uri], allow_plain_http=True) == [uri]


@pytest.mark.parametrize("uri", BAD_URIS.values(), ids=BAD_URIS.keys())
def test_RO_5_bad_redirect_uris(uri: str) -> None:
    """Rules: L13."""
    for allow_plain_http in (False, True):
        with pytest.raises(Unprocessable, match=r"^Redirect URI 2 ") as refusal:
            check_redirect_uris(["https://good.example/cb", uri], allow_plain_http=allow_plain_http)
        assert refusal.value.field == "redirect_uris"


def test_RO_5_number_and_length() -> None:
    with pytest.raises(Unprocessable, match="1 to 50"):
        check_redirect_uris([], allow_plain_http=False)
    many = [f"https://app.example.com/{number}" for number in range(51)]
    with pytest.raises(Unprocessable, match="1 to 50"):
        check_redirect_uris(many, allow_plain_http=False)
    assert check_redirect_uris(many[:50], allow_plain_http=False) == many[:50]
    longest = "https://app.example.com/".ljust(2048, "a")
    assert check_redirect_uris([longest], allow_plain_http=False) == [longest]


def test_RO_5_repetitions_collapse_in_order() -> None:
    uris = ["https://b.example/", "https://a.example/", "https://b.example/"]
    assert check_redirect_uris(uris, allow_plain_http=False) == uris[:2]


@pytest.mark.parametrize(("origin", "normal"), GOOD_ORIGINS.items())
def test_RO_6_good_origins_get_their_normal_form(origin: str, normal: str) -> None:
    assert check_origins([origin]) == [normal]
    assert check_origins([normal]) == [normal]


@pytest.mark.parametrize("origin", BAD_ORIGINS.values(), ids=BAD_ORIGINS.keys())
def test_RO_6_bad_origins(origin: str) -> None:
    with pytest.raises(Unprocessable, match=r"^Origin 2 ") as refusal:
        check_origins(["https://good.example", origin])
    assert refusal.value.field == "allowed_origins"


def test_RO_6_number_and_repetitions() -> None:
    assert check_origins([]) == []
    assert check_origins(["https://a.example", "HTTPS://A.example:443"]) == ["https://a.example"]
    with pytest.raises(Unprocessable, match="at most 50"):
        check_origins([f"https://a{number}.example" for number in range(51)])


@given(st.text(max_size=60))
def test_RO_5_and_RO_6_any_text_is_judged_and_never_fails(text: str) -> None:
    for address in (text, f"https://{text}", f"https://app.example.com{text}", f"http://localhost:{text}"):
        try:
            [uri] = check_redirect_uris([address], allow_plain_http=False)
        except Unprocessable:
            pass
        else:
            assert uri == address
            assert "@" not in uri.removeprefix("https://").partition("/")[0]
            assert origin_of(uri)
        try:
            [origin] = check_origins([address])
        except Unprocessable:
            pass
        else:
            assert check_origins([origin]) == [origin] == [origin_of(address)]


@pytest.mark.parametrize("uri", GOOD_URIS + LOCAL_URIS)
def test_RO_6_origin_of_a_redirect_uri_can_be_registered(uri: str) -> None:
    assert check_origins([origin_of(uri)]) == [origin_of(uri)]


def test_loopback_is_this_machine() -> None:
    assert [
        host
        for host in ("localhost", "a.localhost", "127.0.0.1", "127.255.0.1", "::1")
        if not is_loopback(host)
    ] == []
    for host in (
        "",
        "localhost.example",
        "128.0.0.1",
        "0.0.0.0",  # noqa: S104
        "::",
        "127.1",
        "127.0.0.1.example",
        "localhos",
    ):
        assert not is_loopback(host)
