"""The generic provider against an OpenID Connect implementation that is not ours, over production's transport."""

import warnings
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sentinel.core.clock import Clock
from sentinel.core.outbound import Outbound
from sentinel.providers import ExchangeFailed, Identity, IdentityRefused, Provider, Providers, TokenRejected

from .conftest import corp_settings, settings_with

with warnings.catch_warnings():
    # It uses parts of its own libraries that are on their way out.
    warnings.simplefilter("ignore")
    from oidc_provider_mock import User, run_server_in_thread  # type: ignore[import-untyped]

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

REDIRECT_URI = "http://localhost:9003/auth/callback/corp"
VERIFIER = "v" * 43

USERS = [
    User(sub="ada", claims={"email": "Ada@Example.com", "email_verified": True, "name": "Ada Lovelace"}),
    User(sub="eve", claims={"email": "eve@example.com", "email_verified": False}),
]


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    """The address of the foreign issuer."""
    with run_server_in_thread(user_claims=USERS) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def provider(foreign: str) -> AsyncIterator[Provider]:
    outbound = Outbound()
    settings = settings_with(oidc=(corp_settings(f"{foreign}/.well-known/openid-configuration"),))
    yield Providers(settings, outbound, Clock()).get("corp")
    await outbound.aclose()


async def sign_in(provider: Provider, person: str, nonce: str = "n-1") -> str:
    """What the browser does; returns the code that comes back."""
    url = await provider.authorization_url(
        redirect_uri=REDIRECT_URI, state="st-1", nonce=nonce, code_verifier=VERIFIER
    )
    async with httpx.AsyncClient(trust_env=False) as browser:
        response = await browser.post(url, data={"sub": person})
    back = urlsplit(response.headers["location"])
    answer = parse_qs(back.query)
    assert back.geturl().startswith(REDIRECT_URI)
    assert answer["state"] == ["st-1"]
    return answer["code"][0]


async def exchange(provider: Provider, code: str, nonce: str = "n-1") -> Identity:
    return await provider.exchange(code=code, redirect_uri=REDIRECT_URI, nonce=nonce, code_verifier=VERIFIER)


async def test_A3_sign_in(provider: Provider) -> None:
    identity = await exchange(provider, await sign_in(provider, "ada"))
    assert identity == Identity(
        provider="corp",
        subject="ada",
        idp_sub="ada",
        email="ada@example.com",
        name="Ada Lovelace",
        avatar_url=None,
        profile={},
    )


async def test_A3_code_works_once(provider: Provider) -> None:
    code = await sign_in(provider, "ada")
    await exchange(provider, code)
    with pytest.raises(ExchangeFailed) as failure:
        await exchange(provider, code)
    assert failure.value.reason == "provider_invalid_grant"


async def test_EV_10_nonce_of_another_browser(provider: Provider) -> None:
    code = await sign_in(provider, "ada", nonce="n-2")
    with pytest.raises(ExchangeFailed) as failure:
        await exchange(provider, code)
    assert failure.value.reason == "nonce_mismatch"


async def test_EV_1_unverified_address(provider: Provider) -> None:
    code = await sign_in(provider, "eve")
    with pytest.raises(IdentityRefused) as refusal:
        await exchange(provider, code)
    assert refusal.value.reason == "email_not_verified"


async def test_EV_6_token_of_the_foreign_issuer_for_an_application(provider: Provider, foreign: str) -> None:
    code = await sign_in(provider, "ada")
    async with httpx.AsyncClient(trust_env=False) as application:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        response = await application.post(f"{foreign}/oauth2/token", data=form, auth=("our-client", "x"))
    token = response.json()["id_token"]
    assert (await provider.identify(token, nonce="n-1")).subject == "ada"
    for wrong in ({"audiences": ["another"]}, {"nonce": "n-2"}):
        with pytest.raises(TokenRejected):
            await provider.identify(token, **wrong)
