"""Which providers there are: A1, EV-3, EV-7, EV-13, L10, L35; and the static-key provider."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import Outbound
from sentinel.providers import IdentityRefused, Provider, ProviderNotConfigured, Providers, TokenRejected
from sentinel.providers.oidc import OidcProvider
from sentinel.providers.static_key import StaticKey
from sentinel.settings import Settings

from .conftest import corp_settings, settings_with
from .issuer import PERSON, sign

pytestmark = pytest.mark.anyio

GOOGLE = {"google_client_id": "g", "google_client_secret": SecretStr("s")}
GITHUB = {"github_client_id": "h", "github_client_secret": SecretStr("s")}
ENTRA = {"entra_client_id": "e", "entra_client_secret": SecretStr("s"), "entra_tenant_id": "tenant-1"}


def room(outbound: Outbound, clock: ManualClock, **values: Any) -> Providers:
    return Providers(settings_with(**values), outbound, clock)


async def test_A1_order(outbound: Outbound, clock: ManualClock) -> None:
    issuers = tuple(corp_settings("https://idp.example.com/m", name) for name in ("zeta", "alpha"))
    providers = room(outbound, clock, oidc=issuers, **ENTRA, **GITHUB, **GOOGLE)
    assert providers.names() == ["google", "github", "entra_id", "zeta", "alpha"]
    labels = [providers.get(name).label for name in providers.names()]
    assert labels == ["Google", "GitHub", "Microsoft", "Corp", "Corp"]
    assert [providers.get(name).name for name in providers.names()] == providers.names()


async def test_A1_names_cannot_be_changed_from_outside(outbound: Outbound, clock: ManualClock) -> None:
    providers = room(outbound, clock, **GOOGLE)
    providers.names().append("evil")
    assert providers.names() == ["google"]


async def test_A1_nothing_configured(outbound: Outbound, clock: ManualClock) -> None:
    assert room(outbound, clock).names() == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [(GOOGLE, key) for key in GOOGLE] + [(GITHUB, key) for key in GITHUB] + [(ENTRA, key) for key in ENTRA],
)
async def test_L35_and_EV_7_a_provider_with_a_part_missing_is_not_configured(
    outbound: Outbound, clock: ManualClock, given: dict[str, Any], missing: str
) -> None:
    values = {**given, missing: SecretStr("") if missing.endswith("secret") else ""}
    providers = room(outbound, clock, **values)
    assert providers.names() == []
    for name in ("google", "github", "entra_id"):
        with pytest.raises(ProviderNotConfigured):
            providers.get(name)


@pytest.mark.parametrize(
    "name", ["", "Google", "google ", "test_oidc", "../google", "corp", "\x00", "x" * 999]
)
async def test_EV_7_unknown_provider(outbound: Outbound, clock: ManualClock, name: str) -> None:
    with pytest.raises(ProviderNotConfigured) as caught:
        room(outbound, clock, **GOOGLE).get(name)
    assert caught.value.reason == "provider_not_configured"
    assert not name or name not in caught.value.detail


async def test_L10_no_client_id_no_provider(outbound: Outbound, clock: ManualClock) -> None:
    with pytest.raises(ValueError, match="no client id"):
        OidcProvider(
            name="corp",
            label="Corp",
            client_id="",
            client_secret=SecretStr("s"),
            metadata_url="https://idp.example.com/x",
            outbound=outbound,
            clock=clock,
        )


# ── test_oidc ──

ISSUER = "https://test-issuer.example"


def pem(key: RSAKey) -> str:
    return key.as_pem(private=False).decode()


def trusted(key: RSAKey, **values: Any) -> dict[str, Any]:
    return {
        "test_trusted_issuer_pubkey": pem(key),
        "test_trusted_issuer": ISSUER,
        "test_trusted_audience": "test-audience",
        **values,
    }


@pytest.fixture
def static(outbound: Outbound, clock: ManualClock, rsa_keys: list[RSAKey]) -> Provider:
    return room(outbound, clock, **trusted(rsa_keys[0])).get("test_oidc")


def token(clock: ManualClock, key: RSAKey, header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = clock.timestamp()
    claims = {"iss": ISSUER, "aud": "test-audience", "iat": now, "exp": now + 60, **PERSON, **changes}
    return sign(
        {name: value for name, value in claims.items() if value is not ...},
        key,
        {"alg": "RS256", **(header or {})},
    )


@pytest.mark.parametrize("kid", [..., "anything"])
async def test_EV_13_static_key_provider_accepts_a_good_token(
    static: Provider, clock: ManualClock, rsa_keys: list[RSAKey], kid: object
) -> None:
    identity = await static.identify(token(clock, rsa_keys[0], {"kid": kid}, nonce="n-1"), nonce="n-1")
    assert (identity.provider, identity.subject) == ("test_oidc", "248289761001")
    assert identity.email == "ada@example.com"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": f"{ISSUER}/"}, "wrong_issuer"),
        ({"aud": "other"}, "wrong_audience"),
        ({"exp": 1}, "token_expired"),
        ({"nonce": "n-2"}, "nonce_mismatch"),
        ({"nonce": ...}, "nonce_mismatch"),
        ({"sub": ""}, "bad_subject"),
    ],
)
async def test_EV_13_static_key_provider_checks_like_a_real_one(
    static: Provider, clock: ManualClock, rsa_keys: list[RSAKey], changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TokenRejected) as caught:
        await static.identify(token(clock, rsa_keys[0], **{"nonce": "n-1", **changes}), nonce="n-1")
    assert caught.value.reason == reason


async def test_EV_13_signature_of_another_key(
    static: Provider, clock: ManualClock, rsa_keys: list[RSAKey]
) -> None:
    with pytest.raises(TokenRejected) as caught:
        await static.identify(token(clock, rsa_keys[1]))
    assert caught.value.reason == "bad_signature"
    with pytest.raises(TokenRejected):
        await static.identify(token(clock, rsa_keys[0], {"alg": "RS512"}))


@pytest.mark.parametrize("verified", [False, "true", ...])
async def test_EV_13_and_EV_1_address_must_be_verified(
    static: Provider, clock: ManualClock, rsa_keys: list[RSAKey], verified: object
) -> None:
    with pytest.raises(IdentityRefused):
        await static.identify(token(clock, rsa_keys[0], email_verified=verified))


async def test_EV_13_and_EV_7_audiences_of_the_application(
    static: Provider, clock: ManualClock, rsa_keys: list[RSAKey]
) -> None:
    await static.identify(token(clock, rsa_keys[0], aud="app-1"), audiences=["app-1"])
    with pytest.raises(TokenRejected):
        await static.identify(token(clock, rsa_keys[0]), audiences=["app-1"])


async def test_EV_13_nobody_signs_in_through_it(
    outbound: Outbound, clock: ManualClock, rsa_keys: list[RSAKey]
) -> None:
    providers = room(outbound, clock, **trusted(rsa_keys[0]), **GOOGLE)
    assert providers.names() == ["google"]
    provider = providers.get("test_oidc")
    with pytest.raises(ProviderNotConfigured):
        await provider.authorization_url(redirect_uri="x", state="s", nonce="n", code_verifier="v")
    with pytest.raises(ProviderNotConfigured):
        await provider.exchange(code="c", redirect_uri="x", nonce="n", code_verifier="v")


async def test_EV_13_never_outside_development(
    outbound: Outbound, clock: ManualClock, rsa_keys: list[RSAKey]
) -> None:
    settings = Settings(debug=False, **trusted(rsa_keys[0]))
    with pytest.raises(ProviderNotConfigured):
        Providers(settings, outbound, clock).get("test_oidc")


def test_EV_13_key_that_cannot_verify_rs256(clock: ManualClock) -> None:
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)):  # noqa: S505 - too short is the point
        text = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        with pytest.raises(ValueError, match="2048 bits"):
            StaticKey(public_key=text, issuer="i", audience="a", clock=clock)


@pytest.mark.parametrize(("issuer", "audience"), [("", "a"), ("i", ""), ("", "")])
def test_L10_and_EV_13_nothing_to_compare_with(
    clock: ManualClock, rsa_keys: list[RSAKey], issuer: str, audience: str
) -> None:
    with pytest.raises(ValueError, match="to compare with"):
        StaticKey(public_key=pem(rsa_keys[0]), issuer=issuer, audience=audience, clock=clock)
