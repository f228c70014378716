"""A generic OIDC issuer: the whole flow, and how it can fail. The issuer is played by a real server."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sentinel.core.outbound import Outbound
from sentinel.providers import ExchangeFailed, Identity, IdentityRefused, Provider, ProviderUnavailable

from .issuer import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Issuer
from .stage import SILENCE, Reply, Stage

pytestmark = pytest.mark.anyio

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # of RFC 7636, appendix B, as is the challenge below


async def start(provider: Provider, **changes: Any) -> str:
    asked = {"redirect_uri": REDIRECT_URI, "state": "st", "nonce": "n-1", "code_verifier": VERIFIER}
    return await provider.authorization_url(**{**asked, **changes})


async def finish(provider: Provider, code: str, **changes: Any) -> Identity:
    asked = {"redirect_uri": REDIRECT_URI, "nonce": "n-1", "code_verifier": VERIFIER}
    return await provider.exchange(code=code, **{**asked, **changes})


async def test_A2_authorization_url_carries_state_nonce_and_s256_challenge(corp: Provider) -> None:
    url = urlsplit(await start(corp, state="a state&with=odd#signs"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://idp.example.com/realms/corp/authorize"
    assert parse_qs(url.query) == {
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [REDIRECT_URI],
        "scope": ["openid email profile"],
        "state": ["a state&with=odd#signs"],
        "nonce": ["n-1"],
        "code_challenge": ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"],
        "code_challenge_method": ["S256"],
    }


async def test_A2_prompt_is_passed_on_when_given(corp: Provider) -> None:
    url = await corp.authorization_url(
        redirect_uri=REDIRECT_URI, state="st", nonce="n", code_verifier=VERIFIER, prompt="select_account"
    )
    assert parse_qs(urlsplit(url).query)["prompt"] == ["select_account"]


async def test_RO_3_and_RO_9_the_verifier_never_leaves_with_the_browser(corp: Provider) -> None:
    assert VERIFIER not in await start(corp)


@pytest.mark.parametrize("missing", ["nonce", "code_verifier"])
@pytest.mark.parametrize("empty", [None, ""])
async def test_A2_a_flow_without_nonce_or_pkce_is_a_mistake(
    corp: Provider, missing: str, empty: str | None
) -> None:
    with pytest.raises(ValueError, match="nonce and a PKCE verifier"):
        await start(corp, **{missing: empty})
    with pytest.raises(ValueError, match="nonce and a PKCE verifier"):
        await finish(corp, "code", **{missing: empty})


async def test_RO_3_a_flow_without_state_is_a_mistake(corp: Provider) -> None:
    with pytest.raises(ValueError, match="state must not be empty"):
        await start(corp, state="")


async def test_A3_discovery_authorize_exchange_identity(corp: Provider, issuer: Issuer) -> None:
    identity = await finish(corp, issuer.sign_in(await start(corp), locale="en", groups=["x"], at_hash="y"))
    assert identity == Identity(
        provider="corp",
        subject="248289761001",
        idp_sub="248289761001",
        email="ada@example.com",
        name="Ada Lovelace",
        avatar_url="https://cdn.example.com/ada.png",
        profile={"locale": "en"},
    )


async def test_A3_client_credentials_are_form_encoded_for_basic(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    await finish(corp, issuer.sign_in(await start(corp)))
    (asked,) = stage.asked("/token")
    assert asked.headers["authorization"].startswith("Basic ")
    assert CLIENT_SECRET not in asked.body.decode()
    assert "client_secret" not in asked.form


async def test_A3_issuer_that_wants_the_client_in_the_form(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    issuer.document["token_endpoint_auth_methods_supported"] = ["client_secret_post", "private_key_jwt"]
    issuer.accepted_method = "client_secret_post"
    await finish(corp, issuer.sign_in(await start(corp)))
    assert len(stage.asked("/token")) == 1


async def test_A3_client_registered_for_the_other_method_is_found_out_once(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    issuer.accepted_method = "client_secret_post"
    await finish(corp, issuer.sign_in(await start(corp)))
    await finish(corp, issuer.sign_in(await start(corp)))
    assert len(stage.asked("/token")) == 3


async def test_A3_wrong_client_secret(corp: Provider, issuer: Issuer) -> None:
    issuer.accepted_method = "private_key_jwt"
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, issuer.sign_in(await start(corp)))
    assert failure.value.reason == "provider_invalid_client"
    assert CLIENT_SECRET not in repr(failure.value) + str(failure.value.__cause__)


async def test_A3_code_works_once(corp: Provider, issuer: Issuer) -> None:
    code = issuer.sign_in(await start(corp))
    await finish(corp, code)
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, code)
    assert failure.value.reason == "provider_invalid_grant"


async def test_A3_another_verifier_is_refused_by_the_issuer(corp: Provider, issuer: Issuer) -> None:
    code = issuer.sign_in(await start(corp))
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, code, code_verifier=VERIFIER[::-1])
    assert failure.value.reason == "provider_invalid_grant"


async def test_A3_empty_code_is_not_sent(corp: Provider, stage: Stage, issuer: Issuer) -> None:
    with pytest.raises(ExchangeFailed):
        await finish(corp, "")
    assert not stage.asked("/token")


@pytest.mark.parametrize("nonce", ["n-2", "", "N-1", ..., None, 1, ["n-1"]])
async def test_EV_10_nonce_of_another_browser_is_refused_at_the_callback(
    corp: Provider, issuer: Issuer, nonce: object
) -> None:
    code = issuer.sign_in(await start(corp), nonce=nonce)
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, code)
    assert failure.value.reason == "nonce_mismatch"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://idp.example.com/realms/other"}, "wrong_issuer"),
        ({"aud": "another-client"}, "wrong_audience"),
        ({"exp": 1}, "token_expired"),
        ({"sub": ""}, "bad_subject"),
    ],
)
async def test_EV_6_bad_id_token_in_the_exchange_is_a_failed_exchange(
    corp: Provider, issuer: Issuer, changes: dict[str, Any], reason: str
) -> None:
    code = issuer.sign_in(await start(corp), **changes)
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, code)
    assert failure.value.reason == reason


async def test_EV_1_login_refuses_an_unverified_address(corp: Provider, issuer: Issuer) -> None:
    code = issuer.sign_in(await start(corp), email_verified=False)
    with pytest.raises(IdentityRefused) as refusal:
        await finish(corp, code)
    assert refusal.value.reason == "email_not_verified"


MALFORMED = [
    Reply(body="<html>busy</html>"),
    Reply(body="[1]"),
    Reply(body="null"),
    Reply(body=b"\xff\xfe{}"),
    Reply(body="[" * 100_000),
    Reply(body='{"id_token": "x", "expires_in": {}}'),
    Reply(body='{"id_token": "x", "expires_in": Infinity}'),
    Reply(body='{"id_token": ' + "1" * 6000 + "}"),
    Reply(400, "{}"),
    Reply(403, '{"id_token": "x"}'),
    Reply(404, "not here"),
    Reply(body={"access_token": "at", "token_type": "Bearer"}),
    Reply(body={"id_token": None}),
    Reply(body={"id_token": {"a": 1}}),
    Reply(body={"id_token": "not.a.jwt"}),
    Reply(400, {"error": {"code": "x"}}),
    Reply(400, {"error": "made_up \n error"}),
    Reply(body={"error": "invalid_grant"}),
    Reply(302, b"", {"location": "https://idp.example.com/realms/corp/token2"}),
    Reply(body=b"x", headers={"content-encoding": "gzip"}),
    Reply(then="more"),
]


@pytest.mark.parametrize("answer", MALFORMED, ids=range(len(MALFORMED)))
async def test_A3_token_answers_that_are_none(
    corp: Provider, issuer: Issuer, stage: Stage, answer: Reply
) -> None:
    code = issuer.sign_in(await start(corp))
    stage.on(f"{issuer.base}/token", answer, method="POST")
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, code)
    assert failure.value.reason.replace("_", "").isalnum()
    assert not stage.asked("/token2")


@pytest.mark.parametrize("status", [400, 403, 418])
async def test_A3_good_tokens_with_a_status_of_refusal_are_no_tokens(
    corp: Provider, issuer: Issuer, stage: Stage, status: int
) -> None:
    code = issuer.sign_in(await start(corp))
    tokens = {"access_token": "at", "token_type": "Bearer", "id_token": issuer.token(nonce="n-1")}
    stage.on(f"{issuer.base}/token", Reply(status, tokens), method="POST")
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, code)
    assert failure.value.reason == "token_answer_malformed"
    stage.on(f"{issuer.base}/token", Reply(200, tokens), method="POST")
    await finish(corp, code)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_A3_token_endpoint_that_is_busy(
    corp: Provider, issuer: Issuer, stage: Stage, status: int
) -> None:
    code = issuer.sign_in(await start(corp))
    stage.on(f"{issuer.base}/token", Reply(status, "{}", {"retry-after": "17"}), method="POST")
    with pytest.raises(ProviderUnavailable) as failure:
        await finish(corp, code)
    assert failure.value.retry_after == 17


@pytest.mark.parametrize("endpoint", ["/token", "/jwks", "/.well-known/openid-configuration"])
async def test_EV_12_silent_issuer(
    corp: Provider, issuer: Issuer, stage: Stage, outbound: Outbound, endpoint: str
) -> None:
    code = issuer.sign_in(f"https://x/?redirect_uri={REDIRECT_URI}&nonce=n-1")
    outbound._timeout = 0.2
    stage.on(issuer.base + endpoint, SILENCE, method="POST" if endpoint == "/token" else "GET")
    if endpoint == "/jwks":
        with pytest.raises(ProviderUnavailable) as failure:
            await corp.identify(issuer.token())
    else:
        with pytest.raises(ProviderUnavailable) as failure:
            await finish(corp, code)
    assert failure.value.reason == "outbound_timeout"


# ── userinfo: only at login, only without an address in the ID token ──


async def test_EV_4_userinfo_is_not_asked_when_the_token_has_an_address(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    await finish(corp, issuer.sign_in(await start(corp)))
    assert not stage.asked("/userinfo")


async def test_EV_4_address_from_userinfo_at_login(corp: Provider, issuer: Issuer) -> None:
    issuer.userinfo = {
        "sub": "248289761001",
        "email": "From@Userinfo.example",
        "email_verified": True,
        "name": "N",
    }
    identity = await finish(
        corp, issuer.sign_in(await start(corp), email=..., email_verified=..., name="Signed")
    )
    assert (identity.email, identity.name) == ("from@userinfo.example", "Signed")


@pytest.mark.parametrize("verified", [False, "true", None, ...])
async def test_EV_1_userinfo_address_needs_its_own_verification(
    corp: Provider, issuer: Issuer, verified: object
) -> None:
    """The token's ``email_verified`` says nothing about an address from elsewhere."""
    issuer.userinfo = {"sub": "248289761001", "email": "from@userinfo.example", "email_verified": verified}
    issuer.userinfo = {key: value for key, value in issuer.userinfo.items() if value is not ...}
    code = issuer.sign_in(await start(corp), email=..., email_verified=True)
    with pytest.raises(IdentityRefused) as refusal:
        await finish(corp, code)
    assert refusal.value.reason == "email_not_verified"


@pytest.mark.parametrize(
    ("userinfo", "reason"),
    [
        ({"sub": "another", "email": "a@b.example", "email_verified": True}, "userinfo_other_subject"),
        ({"email": "a@b.example", "email_verified": True}, "userinfo_other_subject"),
        (["sub"], "userinfo_malformed"),
    ],
)
async def test_EV_4_userinfo_of_somebody_else_is_refused(
    corp: Provider, issuer: Issuer, userinfo: Any, reason: str
) -> None:
    issuer.userinfo = userinfo
    code = issuer.sign_in(await start(corp), email=...)
    with pytest.raises(ExchangeFailed) as failure:
        await finish(corp, code)
    assert failure.value.reason == reason


async def test_EV_4_userinfo_without_an_address(corp: Provider, issuer: Issuer) -> None:
    issuer.userinfo = {"sub": "248289761001"}
    code = issuer.sign_in(await start(corp), email=...)
    with pytest.raises(IdentityRefused) as refusal:
        await finish(corp, code)
    assert refusal.value.reason == "no_email_claim"


async def test_EV_4_userinfo_is_never_asked_for_a_token_of_an_application(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    with pytest.raises(IdentityRefused):
        await corp.identify(issuer.token(email=...))
    assert not stage.asked("/userinfo")


async def test_L27_no_secret_in_the_repr_of_anything(
    make_corp: Callable[[str], Provider], issuer: Issuer
) -> None:
    corp = make_corp(issuer.metadata_url)
    code = issuer.sign_in(await start(corp))
    identity = await finish(corp, code)
    shown = repr(identity) + repr(corp) + repr(vars(corp))
    assert CLIENT_SECRET not in shown
    assert "at-" not in shown
