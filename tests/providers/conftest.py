"""What the tests of the providers share: keys, a clock, a server on loopback, issuers and the room itself."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import Outbound
from sentinel.providers import Provider, Providers
from sentinel.settings import OidcProviderSettings, Settings

from .issuer import CLIENT_ID, CLIENT_SECRET, Issuer
from .stage import MappedTransport, Server, Stage


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stage(server: Server) -> Stage:
    """The server's answers for this test."""
    server.stage = Stage(server.port)
    return server.stage


@pytest.fixture(scope="session")
def rsa_keys() -> list[RSAKey]:
    """Three key pairs; making them is what takes time."""
    return [RSAKey.generate_key(2048) for _ in range(3)]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def outbound(stage: Stage) -> AsyncIterator[Outbound]:
    """Outbound HTTP as in production, except that every host is the server on loopback."""
    outbound = Outbound(MappedTransport(stage.port))
    yield outbound
    await outbound.aclose()


@pytest.fixture
def issuer(stage: Stage, rsa_keys: list[RSAKey], clock: ManualClock) -> Issuer:
    """The issuer of the generic provider ``corp``."""
    return Issuer(stage, "https://idp.example.com/realms/corp", rsa_keys, clock)


@pytest.fixture
def make_corp(outbound: Outbound, clock: ManualClock) -> Callable[[str], Provider]:
    """Make the provider ``corp`` with a metadata URL."""

    def make(metadata_url: str) -> Provider:
        settings = settings_with(oidc=(corp_settings(metadata_url),))
        return Providers(settings, outbound, clock).get("corp")

    return make


@pytest.fixture
def corp(make_corp: Callable[[str], Provider], issuer: Issuer) -> Provider:
    """The provider ``corp``, configured for ``issuer``."""
    return make_corp(issuer.metadata_url)


def corp_settings(metadata_url: str, name: str = "corp") -> OidcProviderSettings:
    return OidcProviderSettings(name, CLIENT_ID, SecretStr(CLIENT_SECRET), metadata_url, "Corp")


def settings_with(**values: Any) -> Settings:
    return Settings(debug=True, **values)
