"""The signing keys of an issuer: found by kid, cached, fetched again rarely, never trusted after their time."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import Outbound
from sentinel.providers import Provider, ProviderUnavailable, TokenRejected

from .issuer import Issuer, b64, public
from .stage import SILENCE, Reply, Stage

pytestmark = pytest.mark.anyio


async def refused(provider: Provider, token: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        await provider.identify(token)
    assert caught.value.reason == "unknown_key"


async def test_EV_11_keys_are_cached_for_an_hour(
    corp: Provider, issuer: Issuer, stage: Stage, clock: ManualClock
) -> None:
    for _ in range(3):
        await corp.identify(issuer.token())
    clock.advance(3599)
    await corp.identify(issuer.token())
    assert len(stage.asked("/jwks")) == 1
    clock.advance(1)
    await corp.identify(issuer.token())
    assert len(stage.asked("/jwks")) == 2


async def test_EV_11_new_key_is_found_at_once(
    corp: Provider, issuer: Issuer, stage: Stage, rsa_keys: list[RSAKey]
) -> None:
    await corp.identify(issuer.token())
    issuer.jwks.append(public(rsa_keys[1], "k2"))
    await corp.identify(issuer.token(key=rsa_keys[1], header={"kid": "k2"}))
    assert len(stage.asked("/jwks")) == 2


async def test_L36_and_EV_11_flood_of_unknown_kids_is_one_fetch_a_minute(
    corp: Provider, issuer: Issuer, stage: Stage, clock: ManualClock
) -> None:
    await corp.identify(issuer.token())
    for minute in range(3):
        for number in range(20):
            await refused(corp, issuer.token(header={"kid": f"unknown-{minute}-{number}"}))
            clock.advance(2.9)
        assert len(stage.asked("/jwks")) == 2 + minute
        clock.advance(2)
    await corp.identify(issuer.token())  # and the known key works all the time


async def test_L36_flood_at_the_same_time_is_one_fetch(corp: Provider, issuer: Issuer, stage: Stage) -> None:
    await corp.identify(issuer.token())
    await asyncio.gather(*(refused(corp, issuer.token(header={"kid": f"u{n}"})) for n in range(30)))
    assert len(stage.asked("/jwks")) == 2


async def test_L36_unknown_kid_on_a_cold_cache_is_one_fetch(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    await refused(corp, issuer.token(header={"kid": "unknown"}))
    assert len(stage.asked("/jwks")) == 1


async def test_L36_removed_key_is_dropped_with_the_next_fetch(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey], clock: ManualClock
) -> None:
    old = issuer.token()
    await corp.identify(old)
    issuer.jwks[:] = [public(rsa_keys[1], "k2")]
    await corp.identify(issuer.token(key=rsa_keys[1], header={"kid": "k2"}))
    await refused(corp, old)
    clock.advance(3600)
    await refused(corp, issuer.token())


async def test_L36_all_keys_removed(corp: Provider, issuer: Issuer, clock: ManualClock) -> None:
    await corp.identify(issuer.token())
    issuer.jwks.clear()
    clock.advance(3600)
    await refused(corp, issuer.token())


async def test_EV_11_concurrent_callers_share_one_fetch(corp: Provider, issuer: Issuer, stage: Stage) -> None:
    await asyncio.gather(*(corp.identify(issuer.token()) for _ in range(30)))
    assert len(stage.asked("/jwks")) == 1
    assert len(stage.asked("/openid-configuration")) == 1


@pytest.mark.parametrize("path", ["/jwks", "/.well-known/openid-configuration"])
async def test_EV_11_and_EV_12_concurrent_callers_share_one_failure(
    corp: Provider, issuer: Issuer, stage: Stage, outbound: Outbound, path: str
) -> None:
    """One after the other they would wait for 20 times the limit."""
    outbound._timeout = 0.1
    stage.on(issuer.base + path, SILENCE)
    calls = [corp.identify(issuer.token()) for _ in range(20)]
    failures = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(failure, ProviderUnavailable) for failure in failures)
    assert {failure.reason for failure in failures if isinstance(failure, ProviderUnavailable)} == {
        "outbound_timeout"
    }
    assert len({id(failure) for failure in failures}) == 20
    assert len(stage.asked(path)) == 1


async def test_EV_11_concurrent_tokens_of_a_new_key_are_all_accepted(
    corp: Provider, issuer: Issuer, stage: Stage, rsa_keys: list[RSAKey]
) -> None:
    await corp.identify(issuer.token())
    issuer.jwks.append(public(rsa_keys[1], "k2"))
    token = issuer.token(key=rsa_keys[1], header={"kid": "k2"})
    await asyncio.gather(*(corp.identify(token) for _ in range(20)))
    assert len(stage.asked("/jwks")) == 2


async def test_EV_11_caller_that_gives_up_does_not_take_the_others_along(
    corp: Provider, issuer: Issuer
) -> None:
    first = asyncio.ensure_future(corp.identify(issuer.token()))
    second = asyncio.ensure_future(corp.identify(issuer.token()))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).subject == "248289761001"


async def test_L36_expired_keys_are_never_used_when_the_issuer_is_down(
    corp: Provider, issuer: Issuer, stage: Stage, clock: ManualClock
) -> None:
    await corp.identify(issuer.token())
    stage.on(f"{issuer.base}/jwks", Reply(503))
    clock.advance(3599)
    await corp.identify(issuer.token())
    clock.advance(1)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await corp.identify(issuer.token())


async def test_L36_clock_set_back_does_not_prolong_a_life(
    corp: Provider, issuer: Issuer, stage: Stage, clock: ManualClock
) -> None:
    await corp.identify(issuer.token())
    clock.advance(-7200)
    await corp.identify(issuer.token())
    assert len(stage.asked("/jwks")) == 2


async def test_EV_11_refetch_that_fails_is_a_failure_of_the_provider_not_of_the_token(
    corp: Provider, issuer: Issuer, stage: Stage, clock: ManualClock
) -> None:
    """Nobody knows whether the key exists, so nobody may say that the token is forged. Still one fetch a minute."""
    await corp.identify(issuer.token())
    stage.on(f"{issuer.base}/jwks", Reply(500))
    for _ in range(5):
        with pytest.raises(ProviderUnavailable):
            await corp.identify(issuer.token(header={"kid": "k2"}))
    assert len(stage.asked("/jwks")) == 2
    await corp.identify(issuer.token())  # a known key is still in its time
    stage.on(f"{issuer.base}/jwks", {"keys": issuer.jwks})
    clock.advance(60)
    await refused(corp, issuer.token(header={"kid": "k2"}))


UNUSABLE = [
    Reply(404),
    Reply(500),
    Reply(body="<html>"),
    Reply(body="[]"),
    Reply(body={}),
    Reply(body={"keys": {}}),
    Reply(body={"keys": None}),
    Reply(body="[" * 100_000),
    Reply(then="more"),
    Reply(302, headers={"location": "https://idp.example.com/realms/corp/jwks2"}),
    Reply(body=b"x", headers={"content-encoding": "br"}),
]


@pytest.mark.parametrize("answer", UNUSABLE, ids=range(len(UNUSABLE)))
async def test_L36_key_endpoint_that_gives_no_keys(
    corp: Provider, issuer: Issuer, stage: Stage, rsa_keys: list[RSAKey], answer: Reply
) -> None:
    stage.on(f"{issuer.base}/jwks2", {"keys": issuer.jwks})
    stage.on(f"{issuer.base}/jwks", answer)
    with pytest.raises(ProviderUnavailable):
        await corp.identify(issuer.token())
    assert not stage.asked("/jwks2")


async def test_EV_6_elements_of_the_set_that_are_of_no_use_are_ignored(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey]
) -> None:
    good = public(rsa_keys[0], "k1")
    issuer.jwks[:] = [
        None,
        "key",
        [],
        {},
        {"kty": "AKP", "kid": "k1", "pub": "post-quantum"},
        {"kty": "oct", "kid": "k1", "k": b64("secret")},
        {"kty": ["RSA"], "kid": "k1"},
        {"kty": "RSA", "kid": "k1"},
        {**good, "n": 1},
        {**good, "n": "ä"},
        {**good, "n": ""},
        {**good, "e": "AQAB=="},
        {**good, "e": None},
        {**good, "kid": 1},
        {**good, "use": "enc"},
        {**good, "alg": "RS512"},
        {**good, "key_ops": ["encrypt"], "use": None},
        {"kty": "EC", "kid": "k1", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "k1", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "OKP", "kid": "k1", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "kid": "k1", "crv": "X25519", "x": b64(b"x" * 32)},
        {**good, "x5c": "not a list", "x5t": 1},
    ]
    await corp.identify(issuer.token())


@pytest.mark.parametrize("bits", [1024, 2040])
async def test_EV_6_short_rsa_key_is_not_used(corp: Provider, issuer: Issuer, bits: int) -> None:
    """RFC 7518 §3.3: 2048 bits or more. Written with leading zeros it is no longer either."""
    modulus = (1 << (bits - 1)) | 1
    plain = modulus.to_bytes(bits // 8)
    issuer.jwks[:] = [
        {"kty": "RSA", "kid": "k1", "n": b64(octets), "e": "AQAB"}
        for octets in (plain, b"\x00" * 128 + plain)
    ]
    await refused(corp, issuer.token())


async def test_EV_6_huge_rsa_key_is_not_used(corp: Provider, issuer: Issuer) -> None:
    issuer.jwks[:] = [{"kty": "RSA", "kid": "k1", "n": b64(b"\xff" * 4096), "e": "AQAB"}]
    await refused(corp, issuer.token())


async def test_EV_6_private_members_of_a_key_are_not_even_read(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey]
) -> None:
    issuer.jwks[:] = [{**rsa_keys[0].as_dict(private=True), "kid": "k1", "d": "AQAB"}]
    await corp.identify(issuer.token())


async def test_EV_6_token_without_kid_needs_exactly_one_fitting_key(
    corp: Provider, issuer: Issuer, stage: Stage, rsa_keys: list[RSAKey], clock: ManualClock
) -> None:
    other_kinds = [public(ECKey.generate_key("P-256"), "ec"), public(OKPKey.generate_key("Ed25519"), "ed")]
    issuer.jwks += other_kinds
    await corp.identify(issuer.token(header={"kid": ...}))
    issuer.jwks.append(public(rsa_keys[1], "k2"))
    clock.advance(3600)
    await refused(corp, issuer.token(header={"kid": ...}))
    await corp.identify(issuer.token())
    issuer.jwks[:] = other_kinds
    clock.advance(3600)
    await refused(corp, issuer.token(header={"kid": ...}))


async def test_EV_6_keys_without_kid(corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey]) -> None:
    issuer.jwks[:] = [public(rsa_keys[0], None)]
    await corp.identify(issuer.token(header={"kid": ...}))
    await refused(corp, issuer.token(header={"kid": "k1"}))


async def test_EV_6_same_kid_for_keys_of_two_kinds(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey]
) -> None:
    """RFC 7517 §4.5 allows it; the kind of key decides."""
    issuer.jwks.insert(0, public(ECKey.generate_key("P-256"), "k1"))
    await corp.identify(issuer.token())


async def test_EV_11_providers_do_not_share_keys(
    make_corp: Callable[[str], Provider],
    issuer: Issuer,
    stage: Stage,
    rsa_keys: list[RSAKey],
    clock: ManualClock,
    outbound: Outbound,
) -> None:
    corp = make_corp(issuer.metadata_url)
    await corp.identify(issuer.token())
    other = Issuer(stage, "https://other.example", rsa_keys, clock)
    other.jwks[:] = [public(rsa_keys[1], "k1")]
    second = make_corp(other.metadata_url)
    token: dict[str, Any] = {"key": rsa_keys[1], "iss": "https://other.example"}
    await second.identify(other.token(**token))
    with pytest.raises(TokenRejected):
        await corp.identify(issuer.token(key=rsa_keys[1]))
