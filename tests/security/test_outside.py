"""What the service asks of others, and what others tell it (L09, L20, L34 to L36).

The rows in full: ``providers/test_outbound.py``, ``test_metadata.py``, ``test_keys.py`` and ``test_google_entra.py``.
"""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpcore
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import (
    NotAllowed,
    Outbound,
    PinnedBackend,
    PinnedTransport,
    Unreachable,
    UnusableAnswer,
)
from sentinel.providers import IdentityRefused, Provider, ProviderNotConfigured, Providers, TokenRejected
from sentinel.settings import Settings, SettingsError
from sentinel.tokens.keyring import FileKeyring, generate_pair
from tests.providers import conftest as furniture
from tests.providers.issuer import Issuer, public
from tests.providers.stage import Reply, Stage
from tests.security.test_tokens import near_misses

pytestmark = pytest.mark.anyio

server, rsa_keys, clock, outbound = furniture.server, furniture.rsa_keys, furniture.clock, furniture.outbound
stage, issuer, make_corp, corp = furniture.stage, furniture.issuer, furniture.make_corp, furniture.corp


async def test_L09_near_misses_of_a_providers_issuer_are_refused(corp: Provider, issuer: Issuer) -> None:
    await corp.identify(issuer.token())
    for wrong in near_misses(issuer.document["issuer"]):
        with pytest.raises(TokenRejected):
            await corp.identify(issuer.token(iss=wrong))


# ── L20: where a request may go ──


class Wire(httpcore.AsyncNetworkBackend):
    """A wire that is dead at the other end, and notes whom it was laid to."""

    def __init__(self) -> None:
        self.tried: list[str] = []

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.tried.append(host)
        raise httpcore.ConnectError("dead")


async def test_L20_no_redirect_no_other_host_and_the_judged_address_is_the_one_connected_to(
    corp: Provider, issuer: Issuer, stage: Stage
) -> None:
    await corp.identify(issuer.token())
    # 1. Redirects of the issuer lead nowhere, into the machine least of all.
    here = Outbound()
    here.allow("test", [stage.url])
    for target in (
        f"{stage.url}/secret",
        "http://169.254.169.254/latest/meta-data/",
        "//localhost/",
        "file:///etc",
    ):
        stage.on(f"{stage.url}/start", Reply(302, b"", {"location": target}))
        with pytest.raises(UnusableAnswer):
            await here.request("GET", f"{stage.url}/start")
    assert not stage.asked("/secret")
    # 2. Nobody is asked who is not configured.
    for url in ("https://evil.example/", f"http://127.0.0.1:{stage.port}@evil.example/", "https://10.0.0.1/"):
        with pytest.raises(NotAllowed):
            await here.request("GET", url)
    await here.aclose()
    # 3. DNS rebinding: the name is looked up once, and that answer is judged and connected to.
    wire, looked_up = (
        Wire(),
        [["203.0.113.7"], ["127.0.0.1"], ["203.0.113.8", "169.254.169.254"], ["::ffff:7f00:1"]],
    )

    async def resolver(_host: str, _port: int) -> list[str]:
        return looked_up.pop(0)

    outside = Outbound(PinnedTransport(PinnedBackend(resolver, wire)))
    outside.allow("test", ["https://idp.example.com"])
    with pytest.raises(Unreachable):
        await outside.request("GET", "https://idp.example.com/")
    assert (wire.tried, len(looked_up)) == (["203.0.113.7"], 3)
    for _ in range(3):
        with pytest.raises(NotAllowed):
            await outside.request("GET", "https://idp.example.com/")
    assert wire.tried == ["203.0.113.7"]
    await outside.aclose()


# ── L34, L35: what a provider says, and what is said to it ──

TENANT = "9f1c2b34-0000-4000-8000-5a6b7c8d9e0f"


@pytest.fixture
def entra(
    stage: Stage, outbound: Outbound, rsa_keys: list[RSAKey], clock: ManualClock
) -> tuple[Provider, Issuer]:
    """Microsoft's endpoint of one tenant."""
    microsoft = Issuer(stage, f"https://login.microsoftonline.com/{TENANT}/v2.0", rsa_keys, clock)
    settings = Settings(
        entra_client_id=microsoft.client_id, entra_client_secret=SecretStr("s"), entra_tenant_id=TENANT
    )
    return Providers(settings, outbound, clock).get("entra_id"), microsoft


async def test_L34_a_tenant_that_edits_its_addresses_becomes_nobody_else(
    entra: tuple[Provider, Issuer],
) -> None:
    provider, microsoft = entra

    def token(**claims: Any) -> str:
        return microsoft.token(
            **{"email_verified": ..., "tid": TENANT, "email": "ceo@victim.example", **claims}
        )

    assert (await provider.identify(token(xms_edov=True))).subject
    # The address is not known to be verified by its domain's owner, or the tenant is another one.
    for claims in (
        {"xms_edov": False},
        {"xms_edov": "0"},
        {"xms_edov": 0},
        {"tid": str(uuid4())},
        {"tid": ...},
        {"iss": f"https://login.microsoftonline.com/{uuid4()}/v2.0"},
        {"email_verified": False},
    ):
        with pytest.raises((IdentityRefused, TokenRejected)):
            await provider.identify(token(**claims))
    for shared in ("common", "organizations", "consumers"):
        environment = {"ENTRA_CLIENT_ID": "i", "ENTRA_CLIENT_SECRET": "s", "ENTRA_TENANT_ID": shared}
        with pytest.raises(SettingsError, match="ENTRA_TENANT_ID"):
            Settings.load(environment, env_file=None)


async def test_L35_id_secret_and_address_of_a_provider_come_together(
    outbound: Outbound, clock: ManualClock
) -> None:
    """None of them can be changed while the service runs, and none of them is taken from what is there without the
    others.
    """
    parts: dict[str, dict[str, Any]] = {
        "google": {"google_client_id": "i", "google_client_secret": SecretStr("s")},
        "github": {"github_client_id": "i", "github_client_secret": SecretStr("s")},
        "entra_id": {
            "entra_client_id": "i",
            "entra_client_secret": SecretStr("s"),
            "entra_tenant_id": TENANT,
        },
    }
    for name, whole in parts.items():
        assert Providers(Settings(**whole), outbound, clock).names() == [name]
        for missing in whole:
            rest = Settings(**{part: value for part, value in whole.items() if part != missing})
            assert Providers(rest, outbound, clock).names() == []
            with pytest.raises(ProviderNotConfigured):
                Providers(rest, outbound, clock).get(name)
    settings = Settings(**parts["google"])
    with pytest.raises((TypeError, ValueError)):
        settings.google_client_id = "another"  # type: ignore[misc]


# ── L36: keys ──


async def test_L36_an_unknown_kid_is_looked_for_once_a_minute_and_a_removed_key_is_dropped(
    corp: Provider, issuer: Issuer, stage: Stage, clock: ManualClock, rsa_keys: list[RSAKey], tmp_path: Path
) -> None:
    await corp.identify(issuer.token())
    asked = len(stage.asked("/jwks"))
    for number in range(50):
        with pytest.raises(TokenRejected):
            await corp.identify(issuer.token(header={"kid": f"unknown-{number}-{uuid4()}"}))
    assert len(stage.asked("/jwks")) == asked + 1
    old = issuer.token()
    issuer.jwks[:] = [public(rsa_keys[1], "k2")]
    clock.advance(61)
    await corp.identify(issuer.token(key=rsa_keys[1], header={"kid": "k2"}))
    with pytest.raises(TokenRejected):
        await corp.identify(old)
    # The same for our own: a public key that is taken out of the list verifies nothing any more.
    pairs = [(tmp_path / f"{n}.pem", tmp_path / f"{n}.pub") for n in range(2)]
    for pair in pairs:
        generate_pair(*pair, bits=2048)
    kid = FileKeyring(*pairs[0], [], clock=clock).kid
    assert FileKeyring(*pairs[1], [pairs[0][1]], clock=clock).verification_key(kid) is not None
    assert FileKeyring(*pairs[1], [], clock=clock).verification_key(kid) is None
