"""The discovery document: whose it is, where it may point, and how long it counts."""

from collections.abc import Callable

import pytest
from joserfc.jwk import RSAKey

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import NotAllowed, Outbound
from sentinel.providers import Provider, ProviderUnavailable, TokenRejected

from .issuer import Issuer
from .stage import Reply, Stage

pytestmark = pytest.mark.anyio

MakeCorp = Callable[[str], Provider]


async def why_unavailable(provider: Provider, token: str = "x") -> str:
    with pytest.raises(ProviderUnavailable) as caught:
        await provider.identify(token)
    return caught.value.reason


@pytest.mark.parametrize(
    "issued",
    [
        "https://idp.example.com/realms/corp//",
        "https://idp.example.com/realms",
        "https://idp.example.com/realms/corp2",
        "https://idp.example.com/realms/Corp",
        "https://IDP.example.com/realms/corp",
        "https://idp.example.com:443/realms/corp",
        "http://idp.example.com/realms/corp",
        "https://evil.example/realms/corp",
        "https://idp.example.com/realms/corp ",
    ],
)
async def test_L09_and_EV_6_issuer_of_the_document_must_be_the_one_its_address_implies(
    corp: Provider, issuer: Issuer, issued: str
) -> None:
    """OpenID Connect Discovery §4.3. The token agrees with the document, which does not help it."""
    issuer.document["issuer"] = issued
    assert await why_unavailable(corp, issuer.token()) == "metadata_issuer_mismatch"


@pytest.mark.parametrize("issued", [None, "", 1, [], {}])
async def test_EV_6_document_without_an_issuer(corp: Provider, issuer: Issuer, issued: object) -> None:
    issuer.document["issuer"] = issued
    assert await why_unavailable(corp) == "metadata_malformed"


async def test_EV_6_issuer_with_a_final_slash(corp: Provider, issuer: Issuer, clock: ManualClock) -> None:
    """§4.1 removes the slash before the suffix is added, so the address cannot show it (Auth0 has one)."""
    issuer.document["issuer"] = f"{issuer.base}/"
    await corp.identify(issuer.token())
    with pytest.raises(TokenRejected):
        await corp.identify(issuer.token(iss=issuer.base))
    issuer.document["issuer"] = issuer.base  # and it may not change afterwards
    clock.advance(3600)
    assert await why_unavailable(corp, issuer.token()) == "metadata_issuer_mismatch"


async def test_EV_6_other_address_takes_the_issuer_of_the_document_and_holds_it_to_that(
    make_corp: MakeCorp, issuer: Issuer, stage: Stage, clock: ManualClock
) -> None:
    url = "https://idp.example.com/tenant/metadata.json?policy=b2c"
    stage.on(url, lambda _: Reply(body=issuer.document))
    issuer.document["issuer"] = "https://issuer.example/v2"
    corp = make_corp(url)
    await corp.identify(issuer.token())
    assert stage.asked("/metadata.json")[0].query == "policy=b2c"
    issuer.document["issuer"] = "https://issuer.example/v3"
    clock.advance(3600)
    assert await why_unavailable(corp, issuer.token()) == "metadata_issuer_mismatch"


REFUSED_ENDPOINTS = [
    "http://idp.example.com/x",
    "http://127.0.0.1:6379/x",
    "https://127.0.0.1/x",
    "http://localhost/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[fe80::1]/x",
    "https://0.0.0.0/x",
    "https://user:pass@idp.example.com/x",
    "file:///etc/passwd",
    "gopher://idp.example.com/x",
    "javascript:alert(1)",
    "//idp.example.com/x",
    "/x",
    "https://",
    "https://idp.example.com/x#fragment",
    "https://idp.example.com:99999/x",
    "https://idp.example.com/\x00",
]


@pytest.mark.parametrize(
    "endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
async def test_L20_document_may_not_point_into_this_machine_or_away_from_https(
    corp: Provider, issuer: Issuer, endpoint: str
) -> None:
    for url in REFUSED_ENDPOINTS:
        issuer.document[endpoint] = url
        assert await why_unavailable(corp) == "metadata_endpoint_refused", url


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_EV_6_document_without_an_endpoint(corp: Provider, issuer: Issuer, endpoint: str) -> None:
    values: list[object] = [None, 1, ["https://idp.example.com"], {}]
    for value in values:
        issuer.document[endpoint] = value
        assert await why_unavailable(corp) == "metadata_malformed"
    del issuer.document[endpoint]
    assert await why_unavailable(corp) == "metadata_malformed"


@pytest.mark.parametrize("value", [..., None, ""])
async def test_EV_6_userinfo_endpoint_is_optional(corp: Provider, issuer: Issuer, value: object) -> None:
    issuer.document["userinfo_endpoint"] = value
    if value is ...:
        del issuer.document["userinfo_endpoint"]
    await corp.identify(issuer.token())


async def test_L20_only_hosts_of_the_configured_document_are_called(
    make_corp: MakeCorp, issuer: Issuer, stage: Stage, outbound: Outbound, clock: ManualClock
) -> None:
    issuer.document["jwks_uri"] = "https://keys.example/jwks"
    stage.on("https://keys.example/jwks", lambda _: Reply(body={"keys": issuer.jwks}))
    corp = make_corp(issuer.metadata_url)
    with pytest.raises(NotAllowed):
        await outbound.request("GET", "https://keys.example/jwks")
    await corp.identify(issuer.token())
    await outbound.request("GET", "https://keys.example/jwks")
    with pytest.raises(NotAllowed):
        await outbound.request("GET", "https://elsewhere.example/")
    # A host that the document no longer names is no longer called.
    issuer.document["jwks_uri"] = f"{issuer.base}/jwks"
    clock.advance(3600)
    await corp.identify(issuer.token())
    with pytest.raises(NotAllowed):
        await outbound.request("GET", "https://keys.example/jwks")


@pytest.mark.parametrize(
    "url", ["http://idp.example.com/x", "ftp://idp.example.com/x", "https://169.254.1.1/x"]
)
async def test_L20_address_of_the_document_itself_is_judged_at_start(make_corp: MakeCorp, url: str) -> None:
    with pytest.raises(ValueError, match="OIDC_CORP_METADATA_URL"):
        make_corp(url)


async def test_EV_11_document_is_cached_for_an_hour_and_then_fails_closed(
    corp: Provider, issuer: Issuer, stage: Stage, clock: ManualClock
) -> None:
    await corp.identify(issuer.token())
    stage.on(issuer.metadata_url, Reply(500))
    clock.advance(3599)
    await corp.identify(issuer.token())
    assert len(stage.asked("/openid-configuration")) == 1
    clock.advance(1)
    assert await why_unavailable(corp, issuer.token()) == "provider_status_500"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(404),
        Reply(301, headers={"location": "https://idp.example.com/other"}),
        Reply(body="no json"),
        Reply(body="[]"),
        Reply(body=b"\xff"),
        Reply(then="more"),
    ],
    ids=range(6),
)
async def test_L20_document_that_is_none(corp: Provider, issuer: Issuer, stage: Stage, answer: Reply) -> None:
    stage.on("https://idp.example.com/other", issuer.document)
    stage.on(issuer.metadata_url, answer)
    await why_unavailable(corp, issuer.token())
    assert not stage.asked("/other")


async def test_L20_issuer_on_loopback_may_use_http(
    make_corp: MakeCorp, stage: Stage, rsa_keys: list[RSAKey], clock: ManualClock
) -> None:
    """The development provider and test set-ups; its own endpoints are on loopback, too."""
    local = Issuer(stage, f"{stage.url}/dev", rsa_keys, clock)
    assert (await make_corp(local.metadata_url).identify(local.token())).subject == "248289761001"
