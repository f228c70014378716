"""Tokens that an application hands to us: every way in which one may be wrong. Keys and issuer are real."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from sentinel.core.clock import ManualClock
from sentinel.providers import Provider, TokenRejected
from sentinel.providers.id_token import LEEWAY_SECONDS

from .issuer import CLIENT_ID, Issuer, b64, public, sign, unsigned
from .stage import Stage

pytestmark = pytest.mark.anyio


async def refusal(provider: Provider, token: str, **how: Any) -> str:
    """The reason for which ``token`` is refused."""
    with pytest.raises(TokenRejected) as caught:
        await provider.identify(token, **how)
    assert len(token) < 20 or token not in caught.value.detail
    return caught.value.reason


async def test_EV_6_good_token(corp: Provider, issuer: Issuer) -> None:
    identity = await corp.identify(issuer.token())
    assert (identity.provider, identity.subject, identity.idp_sub) == ("corp", "248289761001", "248289761001")


# ── algorithms ──


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
async def test_L06_alg_none(corp: Provider, issuer: Issuer, alg: str) -> None:
    for signature in (b"", b"x"):
        token = unsigned({"alg": alg, "kid": "k1"}, issuer.claims(), signature)
        assert await refusal(corp, token) == "algorithm_not_allowed"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("listed", [False, True])
async def test_L06_hmac_with_the_public_key_as_secret(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey], alg: str, listed: bool
) -> None:
    if listed:  # whatever the metadata says
        issuer.document["id_token_signing_alg_values_supported"] = ["RS256", "none", alg]
        issuer.jwks.append({"kty": "oct", "kid": "k1", "k": b64("secret"), "alg": alg})
    digest = getattr(hashlib, alg.replace("HS", "sha"))
    for secret in (rsa_keys[0].as_pem(private=False), rsa_keys[0].as_der(private=False), b"secret", b""):
        signed = f"{b64({'alg': alg, 'kid': 'k1'})}.{b64(issuer.claims())}"
        token = f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"
        assert await refusal(corp, token) == "algorithm_not_allowed"


@pytest.mark.parametrize("alg", [None, 1, ["RS256"], {"RS256": 1}, "RS256 ", "rs256", "RS1", "ES256K"])
async def test_L06_alg_that_is_no_known_name(corp: Provider, issuer: Issuer, alg: object) -> None:
    assert await refusal(corp, unsigned({"alg": alg, "kid": "k1"}, issuer.claims(), b"x")) in (
        "algorithm_not_allowed",
        "token_malformed",
    )


async def test_L06_header_without_alg(corp: Provider, issuer: Issuer) -> None:
    assert await refusal(corp, unsigned({"kid": "k1"}, issuer.claims(), b"x")) == "token_malformed"


OTHER_KEYS: dict[str, Callable[[], Key]] = {
    "RS384": lambda: RSAKey.generate_key(2048),
    "RS512": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "ES384": lambda: ECKey.generate_key("P-384"),
    "ES512": lambda: ECKey.generate_key("P-521"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


@pytest.mark.parametrize("alg", OTHER_KEYS)
async def test_EV_6_other_asymmetric_algorithms_only_when_the_metadata_lists_them(
    corp: Provider, issuer: Issuer, clock: ManualClock, alg: str
) -> None:
    key = OTHER_KEYS[alg]()
    issuer.jwks.append(public(key, "k2"))
    token = issuer.token(key=key, header={"alg": alg, "kid": "k2"})
    assert await refusal(corp, token) == "algorithm_not_allowed"
    issuer.document["id_token_signing_alg_values_supported"] = [alg]
    clock.advance(3600)
    token = issuer.token(key=key, header={"alg": alg, "kid": "k2"})
    assert (await corp.identify(token)).subject == "248289761001"
    # And RS256 no longer, which the document has ceased to list.
    assert await refusal(corp, issuer.token()) == "algorithm_not_allowed"


@pytest.mark.parametrize("listed", [..., None, [], "ES256", ["HS256", "none"], [1, None], {"ES256": True}])
async def test_EV_6_rs256_when_the_metadata_lists_nothing_usable(
    corp: Provider, issuer: Issuer, listed: object
) -> None:
    issuer.document["id_token_signing_alg_values_supported"] = listed
    if listed is ...:
        del issuer.document["id_token_signing_alg_values_supported"]
    await corp.identify(issuer.token())


async def test_L06_algorithm_of_another_key_type(corp: Provider, issuer: Issuer) -> None:
    """An RSA key's name on a token that claims to be ES256."""
    issuer.document["id_token_signing_alg_values_supported"] = ["RS256", "ES256"]
    token = issuer.token(key=ECKey.generate_key("P-256"), header={"alg": "ES256"})
    assert await refusal(corp, token) == "unknown_key"


# ── keys in the header, critical headers, types ──


async def test_L07_keys_in_the_header_are_ignored(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey], stage: Stage
) -> None:
    """Signed with the attacker's key, which the token itself offers; and served at an address, too."""
    evil = rsa_keys[2]
    stage.on("https://evil.example/jwks", {"keys": [public(evil, "k1")]})
    header = {
        "jwk": public(evil, "k1"),
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/jwks",
        "x5c": ["MIIB"],
    }
    for members in ({name: value} for name, value in header.items()):
        assert await refusal(corp, issuer.token(key=evil, header=members)) == "bad_signature"
        await corp.identify(issuer.token(header=members))
    assert not stage.asked("evil.example/jwks")
    assert {seen.host for seen in stage.calls} == {"idp.example.com"}


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "https://evil.example/k",
        "k1' OR '1'='1",
        "k1\x00",
        "K1",
        " k1",
        "k" * 3000,
        "",
    ],
)
async def test_L07_odd_kid_finds_nothing(corp: Provider, issuer: Issuer, kid: str) -> None:
    assert await refusal(corp, issuer.token(header={"kid": kid})) == "unknown_key"


@pytest.mark.parametrize("kid", [1, ["k1"], {"k1": "k1"}, True])
async def test_L07_kid_that_is_no_text(corp: Provider, issuer: Issuer, kid: object) -> None:
    _, _, rest = issuer.token().partition(".")
    token = f"{b64({'alg': 'RS256', 'kid': kid})}.{rest}"
    assert await refusal(corp, token) == "token_malformed"


@pytest.mark.parametrize(
    "crit", [["exp"], ["http://example.com/x"], ["b64"], ["alg"], [], "exp", None, [1], {"b64": 1}]
)
async def test_L08_crit_is_refused(corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey], crit: Any) -> None:
    header = {"alg": "RS256", "kid": "k1", "crit": crit, "exp": 1, "http://example.com/x": 1, "b64": True}
    signed = f"{b64(header)}.{b64(issuer.claims())}"
    token = f"{signed}.{_rs256(signed, rsa_keys[0])}"
    assert await refusal(corp, token) in ("critical_header", "token_malformed")


async def test_L08_unencoded_payload_is_refused(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey]
) -> None:
    """RFC 7797 is an extension that a JWT must not use."""
    signed = f"{b64({'alg': 'RS256', 'kid': 'k1', 'crit': ['b64'], 'b64': False})}.eyJ9"
    assert await refusal(corp, f"{signed}.{_rs256(signed, rsa_keys[0])}") == "critical_header"


def _rs256(signed: str, key: RSAKey) -> str:
    return b64(JWSRegistry.algorithms["RS256"].sign(signed.encode(), key))


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "logout+JWT", "dpop+jwt"])
async def test_EV_6_token_of_another_kind(corp: Provider, issuer: Issuer, typ: str) -> None:
    assert await refusal(corp, issuer.token(header={"typ": typ})) == "not_an_id_token"


@pytest.mark.parametrize("typ", ["JWT", "jwt", ...])
async def test_EV_6_usual_types_and_unknown_header_members(
    corp: Provider, issuer: Issuer, typ: object
) -> None:
    await corp.identify(issuer.token(header={"typ": typ, "x5t": "abc", "nonce": "of the vendor"}))


# ── signature ──


async def test_EV_6_signature_of_another_key(corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey]) -> None:
    assert await refusal(corp, issuer.token(key=rsa_keys[1])) == "bad_signature"


async def test_EV_6_changed_payload(corp: Provider, issuer: Issuer) -> None:
    header, _, signature = issuer.token().split(".")
    token = f"{header}.{b64(issuer.claims(email='eve@example.com'))}.{signature}"
    assert await refusal(corp, token) == "bad_signature"


@pytest.mark.parametrize("signature", ["", "AA", "!!", "====", "A" * 342])
async def test_EV_6_signature_that_is_none(corp: Provider, issuer: Issuer, signature: str) -> None:
    token = issuer.token().rpartition(".")[0]
    assert await refusal(corp, f"{token}.{signature}") == "bad_signature"


# ── claims ──

NEAR_MISSES = [
    "https://idp.example.com/realms/corp/",
    "https://idp.example.com/realms/cor",
    "https://idp.example.com/realms/corp2",
    "https://idp.example.com/realms/corp/../corp",
    "https://idp.example.com/realms/Corp",
    "https://IDP.example.com/realms/corp",
    "http://idp.example.com/realms/corp",
    "https://idp.example.com:443/realms/corp",
    "https://idp.example.com/realms/corp?",
    "https://idp.example.com.evil.example/realms/corp",
    "https://evil.example/https://idp.example.com/realms/corp",
    " https://idp.example.com/realms/corp",
    "https://idp.example.com/realms/corp\n",
    "idp.example.com/realms/corp",
    "",
    None,
    ["https://idp.example.com/realms/corp"],
    1,
    ...,
]


async def test_L09_and_EV_6_issuer_near_misses(corp: Provider, issuer: Issuer) -> None:
    for iss in NEAR_MISSES:
        assert await refusal(corp, issuer.token(iss=iss)) in ("wrong_issuer", "claim_missing"), iss


@pytest.mark.parametrize(
    "aud",
    [
        "other",
        "",
        "our-client ",
        "OUR-CLIENT",
        "our-client-2",
        "our",
        [],
        ["other"],
        [""],
        None,
        ...,
        1,
        [["our-client"]],
        {"our-client": 1},
    ],
)
async def test_EV_7_wrong_audience(corp: Provider, issuer: Issuer, aud: object) -> None:
    assert await refusal(corp, issuer.token(aud=aud)) in ("wrong_audience", "claim_missing")


@pytest.mark.parametrize("aud", [CLIENT_ID, [CLIENT_ID], ["other", CLIENT_ID]])
async def test_EV_7_own_client_id_alone_or_among_others(corp: Provider, issuer: Issuer, aud: object) -> None:
    await corp.identify(issuer.token(aud=aud))


async def test_EV_7_audiences_of_the_application_replace_our_client_id(
    corp: Provider, issuer: Issuer
) -> None:
    await corp.identify(issuer.token(aud="app-1"), audiences=["app-0", "app-1"])
    assert await refusal(corp, issuer.token(), audiences=["app-0", "app-1"]) == "wrong_audience"
    assert await refusal(corp, issuer.token(aud="app-1")) == "wrong_audience"
    assert await refusal(corp, issuer.token(aud="app-1"), audiences=[]) == "wrong_audience"
    await corp.identify(issuer.token(), audiences=[])


@pytest.mark.parametrize("audiences", [[""], ["", "app-1"]])
async def test_L10_and_EV_7_empty_audience_never_matches(
    corp: Provider, issuer: Issuer, audiences: list[str]
) -> None:
    for aud in ("", [""], ["", "x"]):
        assert await refusal(corp, issuer.token(aud=aud), audiences=audiences) in (
            "wrong_audience",
            "nothing_to_compare_with",
        )


@pytest.mark.parametrize("azp", ["other", "", ["our-client"], 1, {}, "OUR-CLIENT"])
async def test_EV_6_azp_with_several_audiences(corp: Provider, issuer: Issuer, azp: object) -> None:
    assert await refusal(corp, issuer.token(aud=[CLIENT_ID, "other"], azp=azp)) == "wrong_authorized_party"


async def test_EV_6_azp_that_is_an_allowed_audience(corp: Provider, issuer: Issuer) -> None:
    await corp.identify(issuer.token(aud=[CLIENT_ID, "other"], azp=CLIENT_ID))
    await corp.identify(issuer.token(aud=["a", "b"], azp="b"), audiences=["a", "b"])
    # With one audience the party may be another client of the same project, as on Android.
    await corp.identify(issuer.token(azp="android-client"))


async def test_EV_6_expiry_with_ten_seconds_of_leeway(
    corp: Provider, issuer: Issuer, clock: ManualClock
) -> None:
    now = clock.timestamp()
    await corp.identify(issuer.token(exp=now - LEEWAY_SECONDS + 1))
    assert await refusal(corp, issuer.token(exp=now - LEEWAY_SECONDS)) == "token_expired"
    assert LEEWAY_SECONDS <= 10


async def test_EV_6_token_expires_as_time_goes_by(corp: Provider, issuer: Issuer, clock: ManualClock) -> None:
    token = issuer.token()
    await corp.identify(token)
    clock.advance(311)
    assert await refusal(corp, token) == "token_expired"


async def test_EV_6_issue_time_and_not_before(corp: Provider, issuer: Issuer, clock: ManualClock) -> None:
    now = clock.timestamp()
    await corp.identify(issuer.token(iat=now + 10, nbf=now + 10))
    assert await refusal(corp, issuer.token(iat=now + 11)) == "bad_issue_time"
    assert await refusal(corp, issuer.token(nbf=now + 11)) == "not_yet_valid"


@pytest.mark.parametrize("claim", ["exp", "iat"])
async def test_EV_6_times_must_be_numbers(corp: Provider, issuer: Issuer, claim: str) -> None:
    values: list[Any] = [..., None, "9999999999", True, [], {}, float("nan"), float("inf")]
    for value in values:
        reason = await refusal(corp, issuer.token(**{claim: value}))
        assert reason in ("claim_missing", "bad_expiry", "bad_issue_time")


@pytest.mark.parametrize("nonce", ["n-2", "", "n-", "n-11", "N-1", "n\N{NON-BREAKING HYPHEN}1", ..., None, 1])
async def test_EV_10_nonce_that_was_sent_must_be_in_the_token(
    corp: Provider, issuer: Issuer, nonce: object
) -> None:
    assert await refusal(corp, issuer.token(nonce=nonce), nonce="n-1") == "nonce_mismatch"


async def test_EV_10_nonce(corp: Provider, issuer: Issuer) -> None:
    await corp.identify(issuer.token(nonce="n-1"), nonce="n-1")
    await corp.identify(issuer.token(nonce="ünï"), nonce="ünï")
    await corp.identify(issuer.token(nonce="n-1"))  # none was sent, none is compared
    assert await refusal(corp, issuer.token(), nonce="") == "nonce_mismatch"


@pytest.mark.parametrize(
    "sub", ["", "a" * 256, "a\x00b", "a\nb", "\x7f", "\ud800", None, 1, ["a"], {"a": 1}, ..., True]
)
async def test_ID_1_subject_must_be_usable(corp: Provider, issuer: Issuer, sub: object) -> None:
    assert await refusal(corp, issuer.token(sub=sub)) == "bad_subject"


@pytest.mark.parametrize("sub", ["a", "a" * 255, "Ä ö/|:@", "0"])
async def test_ID_1_subject_is_kept_unchanged(corp: Provider, issuer: Issuer, sub: str) -> None:
    identity = await corp.identify(issuer.token(sub=sub))
    assert identity.subject == identity.idp_sub == sub


# ── sizes and forms ──


async def test_VR_6_token_above_8192_characters_is_refused_before_decoding(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    room = 8192 - len(issuer.token(pad=""))
    token = issuer.token(pad="x" * (room * 3 // 4 - 3))
    assert 8180 < len(token) <= 8192
    await corp.identify(token)
    assert await refusal(corp, issuer.token(pad="x" * (room * 3 // 4 + 3))) == "token_too_long"
    assert await refusal(corp, "x" * 8193) == "token_too_long"


MALFORMED = [
    "",
    ".",
    "..",
    "...",
    "a.b.c",
    "a.b.c.d.e",
    "e30.e30.",
    "e30.e30",
    "W10.e30.AA",
    "bnVsbA.e30.AA",
    "ImFsZyI.e30.AA",
    "\x00.\x00.\x00",
    "ä.ö.ü",
    "\ud800.e30.AA",
    b64('["alg"]') + ".e30.AA",
    b64("[" * 5000) + ".e30.AA",
    b64('{"alg":' * 700) + ".e30.AA",
    b64('{"alg":"RS256","kid":' + "1" * 5000 + "}") + ".e30.AA",
    b64(b"\xff\xfe") + ".e30.AA",
    "{}",
]


async def test_L05_and_L29_garbage_is_refused(corp: Provider, issuer: Issuer) -> None:
    for token in MALFORMED:
        assert await refusal(corp, token) in ("token_malformed", "algorithm_not_allowed"), token


PAYLOADS = [b"", b"[]", b"null", b'"x"', b"[" * 4000, b"\xff", b'{"iss":' + b"1" * 4500 + b"}", b"{" * 4000]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
async def test_L29_signed_garbage_is_refused(corp: Provider, rsa_keys: list[RSAKey], payload: bytes) -> None:
    signed = f"{b64({'alg': 'RS256', 'kid': 'k1'})}.{b64(payload)}"
    assert await refusal(corp, f"{signed}.{_rs256(signed, rsa_keys[0])}") == "token_malformed"


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(
    header=st.one_of(
        st.text(max_size=40),
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "zip"]),
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just("RS256")),
        ),
    ),
    rest=st.text(max_size=60),
)
async def test_L05_any_text_is_refused_and_nothing_breaks(corp: Provider, header: Any, rest: str) -> None:
    token = f"{b64(header) if isinstance(header, dict) else header}.{rest}"
    with pytest.raises(TokenRejected):
        await corp.identify(token)


async def test_L05_signed_claims_of_any_type_are_refused(
    corp: Provider, issuer: Issuer, rsa_keys: list[RSAKey]
) -> None:
    for value in (None, True, 1, -1.5, "x", [], ["x"], {}, {"x": 1}):
        for claim in ("iss", "aud", "exp", "iat", "nbf", "sub"):
            claims = issuer.claims(**{claim: value})
            if claim in ("aud", "sub", "iss") and value == "x":
                continue
            token = sign(claims, rsa_keys[0], {"alg": "RS256", "kid": "k1"})
            if claim in ("nbf", "iat") and value in (1, -1.5) and value is not True:
                await corp.identify(token)  # long ago is fine
            elif claim == "nbf" and value is None:
                await refusal(corp, token)
            else:
                await refusal(corp, token)
