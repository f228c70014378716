"""Google and Microsoft Entra ID, whose documented endpoints a real server plays."""

from typing import Any

import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import Outbound
from sentinel.providers import IdentityRefused, Providers, ProviderUnavailable, TokenRejected
from sentinel.providers.entra import Entra

from .conftest import settings_with
from .issuer import CLIENT_ID, CLIENT_SECRET, Issuer
from .stage import Stage
from .test_oidc import finish, start

pytestmark = pytest.mark.anyio

TENANT = "9f1c2b34-0000-4000-8000-5a6b7c8d9e0f"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"


@pytest.fixture
def google(stage: Stage, rsa_keys: list[RSAKey], clock: ManualClock) -> Issuer:
    """Google: its endpoints live on several hosts."""
    issuer = Issuer(stage, "https://accounts.google.com", rsa_keys, clock)
    issuer.document |= {
        "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
        "token_endpoint": "https://oauth2.googleapis.com/token",
        "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
        "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
    }
    stage.on("https://oauth2.googleapis.com/token", issuer._token, method="POST")
    stage.on("https://www.googleapis.com/oauth2/v3/certs", {"keys": issuer.jwks})
    return issuer


@pytest.fixture
def microsoft(stage: Stage, rsa_keys: list[RSAKey], clock: ManualClock) -> Issuer:
    """Entra's v2.0 endpoint for one tenant."""
    return Issuer(stage, ENTRA, rsa_keys, clock)


@pytest.fixture
def room(outbound: Outbound, clock: ManualClock) -> Providers:
    return Providers(
        settings_with(
            google_client_id=CLIENT_ID,
            google_client_secret=SecretStr(CLIENT_SECRET),
            entra_client_id=CLIENT_ID,
            entra_client_secret=SecretStr(CLIENT_SECRET),
            entra_tenant_id=TENANT,
        ),
        outbound,
        clock,
    )


async def test_A3_google_from_start_to_identity(room: Providers, google: Issuer) -> None:
    provider = room.get("google")
    url = await start(provider)
    assert url.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    identity = await finish(provider, google.sign_in(url, hd="example.com"))
    assert (identity.provider, identity.subject) == ("google", "248289761001")
    assert identity.profile == {"hd": "example.com"}


@pytest.mark.parametrize(
    "iss",
    [
        "accounts.google.com",
        "https://accounts.google.com/",
        "http://accounts.google.com",
        "https://google.com",
    ],
)
async def test_EV_6_and_L09_google_issuer_is_exact(room: Providers, google: Issuer, iss: str) -> None:
    with pytest.raises(TokenRejected) as caught:
        await room.get("google").identify(google.token(iss=iss))
    assert caught.value.reason == "wrong_issuer"


async def test_EV_1_google_address_must_be_verified(room: Providers, google: Issuer) -> None:
    with pytest.raises(IdentityRefused):
        await room.get("google").identify(google.token(email_verified="true"))


def entra_token(issuer: Issuer, **changes: Any) -> str:
    return issuer.token(**{"email_verified": ..., "tid": TENANT, **changes})


async def test_A3_entra_from_start_to_identity(room: Providers, microsoft: Issuer) -> None:
    provider = room.get("entra_id")
    code = microsoft.sign_in(await start(provider), email_verified=..., tid=TENANT, xms_edov=True)
    identity = await finish(provider, code)
    assert (identity.provider, identity.email) == ("entra_id", "ada@example.com")
    assert identity.profile == {"tid": TENANT, "xms_edov": "true"}


@pytest.mark.parametrize("edov", [..., True, 1, "1", "true"])
async def test_EV_2_entra_accepts_what_does_not_deny(
    room: Providers, microsoft: Issuer, edov: object
) -> None:
    identity = await room.get("entra_id").identify(entra_token(microsoft, xms_edov=edov))
    assert identity.profile.get("xms_edov") == ("true" if edov is True else None)


@pytest.mark.parametrize(
    "edov", [False, 0, "0", "false", "False", "True", "TRUE", "", None, 2, 1.0, "yes", [], [True], {}]
)
async def test_EV_2_and_L34_entra_refuses_every_other_xms_edov(
    room: Providers, microsoft: Issuer, edov: object
) -> None:
    with pytest.raises(IdentityRefused) as caught:
        await room.get("entra_id").identify(entra_token(microsoft, xms_edov=edov))
    assert caught.value.reason == "email_not_verified"


@pytest.mark.parametrize("tid", [..., None, "", "another-tenant", TENANT.upper(), f"{TENANT} ", [TENANT], 1])
async def test_EV_2_and_L34_entra_tenant_is_bound(room: Providers, microsoft: Issuer, tid: object) -> None:
    with pytest.raises(IdentityRefused):
        await room.get("entra_id").identify(entra_token(microsoft, tid=tid))


@pytest.mark.parametrize("verified", [False, "true", None, 1])
async def test_EV_2_entra_denial_of_verification_counts(
    room: Providers, microsoft: Issuer, verified: object
) -> None:
    with pytest.raises(IdentityRefused):
        await room.get("entra_id").identify(entra_token(microsoft, email_verified=verified))


@pytest.mark.parametrize(
    "iss",
    [
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/another/v2.0",
        f"https://sts.windows.net/{TENANT}/",
        f"https://login.microsoftonline.com/{TENANT}/",
        f"{ENTRA}/",
    ],
)
async def test_EV_6_and_L09_entra_issuer_is_exact(room: Providers, microsoft: Issuer, iss: str) -> None:
    with pytest.raises(TokenRejected):
        await room.get("entra_id").identify(entra_token(microsoft, iss=iss))


async def test_EV_3_same_tid_from_another_provider_gains_nothing(
    room: Providers, google: Issuer, microsoft: Issuer
) -> None:
    with pytest.raises(IdentityRefused):
        await room.get("google").identify(google.token(email_verified=..., tid=TENANT, xms_edov=True))
    with pytest.raises(TokenRejected):  # and a token of the one is none of the other
        await room.get("google").identify(entra_token(microsoft))


async def test_EV_4_entra_upn_is_the_address_when_there_is_no_other(
    room: Providers, microsoft: Issuer, stage: Stage
) -> None:
    provider = room.get("entra_id")
    changes = {"email": ..., "preferred_username": "Ada@Corp.example", "email_verified": ..., "tid": TENANT}
    identity = await finish(provider, microsoft.sign_in(await start(provider), **changes))
    assert identity.email == "ada@corp.example"
    assert not stage.asked("/userinfo")


@pytest.mark.parametrize(
    "tenant",
    ["common", "organizations", "consumers", "Common", "", "a/b", "..", "a b", "{tenantid}", "a?b", "a#b"],
)
async def test_EV_3_entra_of_all_tenants_is_refused_at_start(
    outbound: Outbound, clock: ManualClock, tenant: str
) -> None:
    with pytest.raises(ValueError, match="ENTRA_TENANT_ID"):
        Entra(client_id="c", client_secret=SecretStr("s"), tenant_id=tenant, outbound=outbound, clock=clock)


async def test_EV_6_entra_document_for_all_tenants_is_not_accepted(
    room: Providers, microsoft: Issuer
) -> None:
    microsoft.document["issuer"] = "https://login.microsoftonline.com/{tenantid}/v2.0"
    with pytest.raises(ProviderUnavailable):
        await room.get("entra_id").identify(entra_token(microsoft))
