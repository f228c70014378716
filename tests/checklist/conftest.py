"""What the tests of the checklist share: a configuration that it finds nothing wrong with."""

import asyncio
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sentinel import checklist
from sentinel.apps.models import ServiceApp
from sentinel.checklist import Finding
from sentinel.checklist.facts import DatabaseState, Facts, KeyFiles
from sentinel.core.database import Database
from sentinel.identity.models import User
from sentinel.settings import Settings
from sentinel.tokens.keyring import generate_pair
from tests.cli.conftest import _logging_as_before  # noqa: F401 - commands run in this process here too


class Pair(NamedTuple):
    """The two files of a signing key."""

    private: Path
    public: Path
    kid: str

    def variables(self) -> dict[str, str]:
        return {"JWT_PRIVATE_KEY_PATH": str(self.private), "JWT_PUBLIC_KEY_PATH": str(self.public)}


def make_pair(folder: Path, *, development: bool = False) -> Pair:
    private, public = folder / "private.pem", folder / "public.pem"
    return Pair(private, public, generate_pair(private, public, bits=2048, development=development))


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A production key pair."""
    return make_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def development_pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A pair as the development set-up makes it."""
    return make_pair(tmp_path_factory.mktemp("development-keys"), development=True)


@pytest.fixture
def bare(pair: Pair, postgresql_url: str, redis_url: str) -> dict[str, str]:
    """As ``production``, with nothing in the database."""
    return {
        "BASE_URL": "https://auth.example.com",
        "ALLOWED_HOSTS": "auth.example.com",
        "CORS_ORIGINS": "https://app.example.com",
        "BEHIND_PROXY": "true",
        "COOKIE_SECURE": "true",
        "SESSION_SECRET_KEY": secrets.token_urlsafe(32),
        "DATABASE_URL": postgresql_url,
        "REDIS_URL": redis_url,
        "GOOGLE_CLIENT_ID": "client",
        "GOOGLE_CLIENT_SECRET": secrets.token_urlsafe(24),
        **pair.variables(),
    }


@pytest.fixture
def production(bare: dict[str, str]) -> dict[str, str]:
    """The variables of a deployment that is ready for production, on the real servers of this run."""
    asyncio.run(add(bare["DATABASE_URL"], service_app(), person()))
    return bare


def service_app(*, is_active: bool = True) -> ServiceApp:
    return ServiceApp(
        name="Documents",
        service_name="documents",
        key_hash=secrets.token_hex(32),
        key_prefix="sk_documents",
        is_active=is_active,
    )


def person(*, is_active: bool = True, is_admin: bool = True) -> User:
    return User(email="edith@acme.example", name="Edith", is_active=is_active, is_admin=is_admin)


async def add(url: str, *rows: ServiceApp | User) -> None:
    database = Database(url)
    async with database.transaction() as session:
        session.add_all(rows)
    await database.close()


def load(variables: Mapping[str, str], **changes: str) -> Settings:
    return Settings.load({**variables, **changes}, env_file=None)


async def found(variables: Mapping[str, str], **changes: str) -> list[Finding]:
    """What the checklist finds when ``changes`` are made to ``variables``."""
    return await checklist.run(load(variables, **changes))


async def reasons(variables: Mapping[str, str], **changes: str) -> list[tuple[str, str, str]]:
    """As ``found``, in short: id, reason code and verdict of each."""
    return [(one.id, one.reason, one.verdict) for one in await found(variables, **changes)]


def judged(config: Settings, *, lenient: bool = False, **state: Any) -> list[Finding]:
    """The findings on ``config`` when key files, database and Redis are as they should be, apart from ``state``."""
    facts = {"keys": KeyFiles(), "database": DatabaseState(None, True, True, True), "redis_problem": None}
    return checklist.judge(Facts(settings=config, **{**facts, **state}), lenient=lenient)
