"""What ``sentinel setup`` prepares, held against the production checklist (``configuration.md`` §3 and §5).

The first half: one deployment on the real servers of this run has nothing to refuse, and each value that is taken back
to what is insecure makes exactly its finding appear. The second half: each requirement R of the checklist.
"""

import asyncio
import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from sentinel import checklist
from sentinel.checklist.storage import DEV_REDIS_PASSWORDS
from sentinel.cli.main import app
from sentinel.core.database import Database
from sentinel.settings import DEV_SESSION_SECRET, Settings, SettingsError
from sentinel.tokens.keyring import is_development_key
from tests import servers
from tests.stage import Keys, Pkce, open_stage

from .conftest import Pair, add, judged, make_pair, person, service_app

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
HOST = "auth.example.com"
PROVIDER = {"GITHUB_CLIENT_ID": "an-id", "GITHUB_CLIENT_SECRET": "a-secret-of-github"}
Found = set[tuple[str, str]]


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory,
    postgres: servers.Postgres,
    postgresql_template: str,
    redis_server: servers.Redis,
) -> Iterator[Path]:
    """The folder that ``sentinel setup`` has filled for two workers on PostgreSQL and Redis; the database has its
    first service app and administrator.
    """
    folder = tmp_path_factory.mktemp("production")
    name = postgres.create_database(postgresql_template)
    url = postgres.url_for(name)
    done = CliRunner().invoke(
        app,
        [
            *("setup", "--no-input", "--host", HOST, "--folder", str(folder / "prepared"), "--workers", "2"),
            *("--proxy", "nginx", "--database-url", url, "--redis-url", redis_server.url(0)),
            *("--admin-email", "ada@example.com"),
        ],
        env=PROVIDER,
    )
    assert done.exit_code == 0, done.output
    asyncio.run(add(url, service_app(), person()))
    yield folder / "prepared"
    postgres.drop(name)


def variables(prepared: Path) -> dict[str, str]:
    """The variables of the written file, as systemd or a shell takes them."""
    text = (prepared / "sentinel.env").read_text()
    return dict(re.findall(r"^([A-Z_]+)='?(.*?)'?$", text, re.MULTILINE))


def short(findings: list[checklist.Finding]) -> Found:
    return {(one.id, one.reason) for one in findings}


async def run(given: dict[str, str], **changes: str) -> Found:
    """What the whole checklist finds, servers and files looked at."""
    try:
        settings = Settings.load(given | changes, env_file=None)
    except SettingsError as error:
        return short(checklist.from_settings_error(error))
    return short(await checklist.run(settings))


def test_T1_and_T3_and_T4_and_T5_and_T9_what_setup_prepares_has_no_refusal_and_no_warning(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    done = CliRunner().invoke(app, ["check", "--deploy", "--fail-level", "warn"], env=variables(prepared))
    assert done.exit_code == 0, done.output
    assert "Judged for production: 0 refusals, 0 warnings." in done.stdout
    assert re.findall(r"^ +(\d+)  (\w+) ", done.stdout, re.MULTILINE) == [
        (str(n), "ok") for n in range(1, 11)
    ]


TRUSTED = {
    "TEST_TRUSTED_ISSUER": "https://issuer.example",
    "TEST_TRUSTED_AUDIENCE": "sentinel",
    "TEST_TRUSTED_ISSUER_PUBKEY": "@public",
}
TAKEN_BACK: list[tuple[dict[str, str], str, str]] = [
    ({"SESSION_SECRET_KEY": DEV_SESSION_SECRET}, "C-1", "insecure_session"),
    ({"SESSION_SECRET_KEY": ""}, "C-1", "insecure_session"),
    ({"COOKIE_SECURE": "false"}, "C-2", "insecure_cookie"),
    ({"REDIS_URL": ""}, "C-3", "redis_missing"),
    ({"REDIS_URL": "redis://:str0ng-one-1234@127.0.0.1:1/0"}, "C-3", "redis_down"),
    ({"ALLOWED_HOSTS": "*"}, "C-7", "allowed_hosts_wildcard"),
    ({"CORS_ORIGINS": "*"}, "C-8", "cors_invalid"),
    ({"CORS_ORIGINS": "http://app.example.com"}, "C-8", "cors_invalid"),
    ({"DATABASE_URL": "postgresql+asyncpg://sentinel:str0ng-one@127.0.0.1:1/x"}, "C-10", "db_down"),
    ({"JWT_ALGORITHM": "HS256"}, "C-11", "jwt_key_invalid"),
    ({"JWT_PRIVATE_KEY_PATH": "keys/none.pem"}, "C-11", "jwt_key_invalid"),
    ({"JWT_PREVIOUS_PUBLIC_KEY_PATHS": "@private"}, "C-11", "jwt_key_invalid"),
    ({"JWT_PRIVATE_KEY_PATH": "@dev-private", "JWT_PUBLIC_KEY_PATH": "@dev-public"}, "C-12", "dev_jwt_key"),
    (
        {"JWT_PRIVATE_KEY_PATH": "@open-private", "JWT_PUBLIC_KEY_PATH": "@open-public"},
        "C-12",
        "jwt_key_permissions",
    ),
    ({"BASE_URL": "http://auth.example.com"}, "C-13", "base_url_insecure"),
    ({"ADMIN_URL": "https://panel.example.com"}, "C-14", "admin_host_mismatch"),
    ({"BEHIND_PROXY": "false"}, "C-15", "proxy_not_declared"),
    ({"RATE_LIMIT_ENABLED": "false"}, "C-16", "rate_limit_disabled"),
    ({"LOG_PII_REDACTION": "false"}, "C-17", "pii_redaction_disabled"),
    (TRUSTED, "C-19", "test_idp_enabled"),
    ({"TIER": "edge"}, "C-20", "bad_tier"),
    (dict.fromkeys(PROVIDER, ""), "C-21", "no_providers"),
    (
        {"ENTRA_CLIENT_ID": "i", "ENTRA_CLIENT_SECRET": "s", "ENTRA_TENANT_ID": "common"},
        "C-22",
        "entra_multi_tenant",
    ),
]
ELSEWHERE: list[tuple[dict[str, str], str, str]] = [
    ({"REDIS_URL": "rediss://redis.example.com/0", "REDIS_TLS_VERIFY": "required"}, "C-4", "redis_no_auth"),
    ({"REDIS_URL": "redis://:str0ng-one-1234@redis.example.com/0"}, "C-5", "redis_no_tls"),
    (
        {"REDIS_URL": "rediss://:str0ng-one-1234@redis.example.com/0", "REDIS_TLS_VERIFY": "none"},
        "C-6",
        "redis_no_cert_verify",
    ),
    ({"DATABASE_URL": "postgresql://identity:identity_dev@db/identity"}, "C-9", "default_db_credentials"),
    ({"DATABASE_URL": "postgresql://sentinel:@db/sentinel"}, "C-9", "default_db_credentials"),
    ({"DATABASE_URL": "postgresql://sentinel:str0ng-one@db.example.com/sentinel"}, "C-10", "db_no_tls"),
    ({"DATABASE_URL": "", "WEB_CONCURRENCY": "1"}, "C-10", "db_sqlite"),
]
"""Servers that are somewhere else: judged with everything else as it should be."""
HARMLESS = {"SERVICE_HOST", "SERVICE_PORT", "TRUSTED_PROXY_COUNT", "WEB_CONCURRENCY", "ADMIN_EMAILS"}
"""Variables of the written file that have no insecure value of their own; C-3, C-10 and C-23 see two of them."""


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> dict[str, str]:
    """Key files for the table, by the marks that stand for them."""
    development = make_pair(tmp_path_factory.mktemp("dev-keys"), development=True)
    readable = make_pair(tmp_path_factory.mktemp("open-keys"))
    readable.private.chmod(0o644)
    return {
        "@private": str(prepared / "keys" / "private.pem"),
        "@public": (prepared / "keys" / "public.pem").read_text(),
        **{f"@dev-{half}": str(getattr(development, half)) for half in ("private", "public")},
        **{f"@open-{half}": str(getattr(readable, half)) for half in ("private", "public")},
    }


@pytest.mark.parametrize(
    ("changes", "id", "reason"),
    TAKEN_BACK,
    ids=[f"{one[1]}-{one[2]}-{n}" for n, one in enumerate(TAKEN_BACK)],
)
async def test_a_value_that_is_taken_back_makes_exactly_its_finding_appear(
    prepared: Path, pairs: dict[str, str], changes: dict[str, str], id: str, reason: str
) -> None:
    changed = {name: pairs.get(value, value) for name, value in changes.items()}
    assert await run(variables(prepared), **changed) == {(id, reason)}


@pytest.mark.parametrize(
    ("changes", "id", "reason"), ELSEWHERE, ids=[f"{one[1]}-{one[2]}-{n}" for n, one in enumerate(ELSEWHERE)]
)
def test_a_server_elsewhere_that_is_taken_back_makes_exactly_its_finding_appear(
    prepared: Path, changes: dict[str, str], id: str, reason: str
) -> None:
    given = variables(prepared)
    assert short(judged(Settings.load(given, env_file=None))) == set()
    assert short(judged(Settings.load(given | changes, env_file=None))) == {(id, reason)}


async def test_C_4_and_C_18_and_C_23_what_the_servers_themselves_say(prepared: Path) -> None:
    """A Redis that asks for no password or for one that everybody knows, and a database without app and admin."""
    given = variables(prepared)
    with await anyio.to_thread.run_sync(servers.start_private_redis) as private:
        before = None
        for password in (min(DEV_REDIS_PASSWORDS), ""):
            private.command("CONFIG", "SET", "requirepass", password, password=before)
            before = password
            url = f"redis://{f':{password}@' if password else ''}127.0.0.1:{private.port}/0"
            assert await run(given, REDIS_URL=url) == {("C-4", "redis_no_auth")}
    database = Database(given["DATABASE_URL"])

    async def switched(on: bool) -> None:
        async with database.transaction() as session:
            await session.execute(sa.text("UPDATE service_apps SET is_active = :on"), {"on": on})
            await session.execute(sa.text("UPDATE users SET is_admin = :on"), {"on": on})

    await switched(False)
    try:
        assert await run(given) == {("C-18", "no_active_service_app")}
        assert await run(given, ADMIN_EMAILS="") == {("C-18", "no_active_service_app"), ("C-23", "no_admin")}
    finally:
        await switched(True)
        await database.close()
    assert await run(given, ADMIN_EMAILS="") == set()


def test_every_check_and_every_variable_that_setup_writes_is_taken_back_once(prepared: Path) -> None:
    cases = TAKEN_BACK + ELSEWHERE
    judged_elsewhere = {"C-18", "C-23"}
    assert {number for _, number, _ in cases} | judged_elsewhere == {f"C-{n}" for n in range(1, 24)}
    changed = {name for changes, _, _ in cases for name in changes}
    assert set(variables(prepared)) - changed == HARMLESS - {"WEB_CONCURRENCY"}


# ── the requirements ──


async def test_R1_and_R1b_a_random_session_key_signs_the_state_and_the_default_is_refused(
    prepared: Path, sqlite_url: str, stage_keys: Keys
) -> None:
    key = variables(prepared)["SESSION_SECRET_KEY"]
    assert len(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))) >= 32
    assert ("C-1", "insecure_session") in await run(
        variables(prepared), SESSION_SECRET_KEY=DEV_SESSION_SECRET
    )
    # Why: whoever knows the key writes the state himself. A cookie of another key is worth nothing.
    cookies = []
    for secret in (DEV_SESSION_SECRET, key):
        async with open_stage(sqlite_url, stage_keys, session_secret_key=secret) as stage:
            url = await stage.at_provider(
                await stage.start(await stage.login_app(), Pkce()), stage.person("ada@example.com")
            )
            cookies.append((url, dict(stage.client.cookies)))
    async with open_stage(sqlite_url, stage_keys, session_secret_key=key) as stage:
        for (url, jar), status in zip(cookies, (400, None), strict=True):
            async with stage.browser() as http:
                http.cookies.update(jar)
                answer = await http.get(url)
                # The right cookie gets past the check of the state, to a provider that knows no such code any more.
                assert (answer.status_code == 400) is (status == 400), answer.text


async def test_R2_and_R2b_service_keys_live_in_the_panel_and_without_an_app_nobody_passes(
    sqlite_url: str, stage_keys: Keys
) -> None:
    async with open_stage(sqlite_url, stage_keys) as stage, stage.panel() as http:
        register = {"service_name": "notes", "actions": []}
        assert (await stage.client.post("/roles/actions/register", json=register)).status_code == 401
        made = await http.post("/admin/api/service-apps", json={"name": "Notes", "service_name": "notes"})
        assert made.status_code == 201, made.text
        key = re.search(r"sk_[\w-]{43}", made.text)
        assert key is not None
        again = await http.get("/admin/api/service-apps")
        assert key[0] not in again.text and f"{key[0][:7]}****" in again.text
        assert key[0] not in repr(await stage.snapshot())
        shown = {"X-Service-Key": key[0]}
        assert (await stage.client.get("/realm/whoami", headers=shown)).status_code == 200


async def test_R3_and_R4_and_R5_and_R6b_cookies_hosts_origins_and_addresses(
    prepared: Path, sqlite_url: str, stage_keys: Keys
) -> None:
    """The values that setup has written, in the application that takes them."""
    given = Settings.load(variables(prepared), env_file=None)
    async with open_stage(
        sqlite_url,
        stage_keys,
        base_url=given.base_url,
        allowed_hosts=given.allowed_hosts,
        cors_origins=given.cors_origins,
        cookie_secure=given.cookie_secure,
        behind_proxy=given.behind_proxy,
    ) as stage:
        forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
        for started in (
            await stage.start(await stage.login_app(), Pkce()),
            await stage.client.get("/auth/admin/login/corp", headers=forged),
        ):
            assert started.status_code == 302
            assert "; secure" in started.headers["set-cookie"].lower()
            assert "https%3A%2F%2Fauth.example.com%2F" in started.headers["location"]
            assert "evil" not in started.headers["location"]
        async with stage.panel() as http:
            http.cookies.clear()
        for host, status in (
            (HOST, 401),
            ("evil.example", 400),
            (f"{HOST}.evil.example", 400),
            ("127.0.0.1", 400),
        ):
            answer = await stage.client.get("/users/me", headers={"Host": host})
            assert answer.status_code == status, host
        for origin, allowed in (
            (f"https://{HOST}", True),
            ("https://evil.example", False),
            (f"https://app.{HOST}", False),
            (f"http://{HOST}", False),
        ):
            answer = await stage.client.get("/users/me", headers={"Origin": origin})
            assert (answer.headers.get("access-control-allow-origin") == origin) is allowed
            assert answer.headers.get("access-control-allow-origin") != "*"


def test_R6_the_proxy_that_setup_prepares_hands_on_who_is_asked_and_who_asks(prepared: Path) -> None:
    """That it works is shown by ``deploy/test_proxies.py``, with the real programs."""
    text = (prepared / "nginx.conf").read_text()
    for header in ("Host", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto"):
        assert re.search(rf"proxy_set_header\s+{header}\s+\$", text), header
    assert f"server 127.0.0.1:{variables(prepared)['SERVICE_PORT']}" in text and "ssl" in text
    caddy = (ROOT / "deploy" / "Caddyfile").read_text()
    assert "reverse_proxy 127.0.0.1:9003" in caddy and HOST in caddy


async def test_R7_workers_share_their_counts_in_redis(
    sqlite_url: str, redis_url: str, stage_keys: Keys
) -> None:
    limits: dict[str, Any] = {"rate_limit_enabled": True, "rate_limit_auth": "3/hour", "redis_url": redis_url}
    async with (
        open_stage(sqlite_url, stage_keys, **limits) as one,
        open_stage(sqlite_url, stage_keys, clock=one.clock, **limits) as two,
    ):
        body = {"refresh_token": "nonsense"}
        order = (one, two, one, two, one)
        statuses = [(await each.client.post("/auth/refresh", json=body)).status_code for each in order]
    assert statuses == [401, 401, 401, 429, 429]


def test_R8_and_R9_what_was_ever_published_is_refused(prepared: Path, development_pair: Pair) -> None:
    given = variables(prepared)
    published = [
        {"SESSION_SECRET_KEY": DEV_SESSION_SECRET},
        {"SESSION_SECRET_KEY_PREVIOUS": DEV_SESSION_SECRET},
        {"DATABASE_URL": "postgresql://identity:identity_dev@127.0.0.1/identity"},
        *({"REDIS_URL": f"redis://:{password}@127.0.0.1/0"} for password in DEV_REDIS_PASSWORDS),
    ]
    for change in published:
        findings = checklist.refusals(judged(Settings.load(given | change, env_file=None)))
        assert [one.published for one in findings] == [True], change
    text = "".join(path.read_text() for path in (prepared / "sentinel.env", prepared / "sentinel.service"))
    for value in (DEV_SESSION_SECRET, "identity_dev", *(f":{password}@" for password in DEV_REDIS_PASSWORDS)):
        assert value not in text


async def test_R9_the_service_runs_with_a_role_that_owns_its_database_and_nothing_else(
    postgresql_url: str,
) -> None:
    database = Database(postgresql_url)
    async with database.reading() as session:
        rights = (
            await session.execute(
                sa.text(
                    "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
                    " FROM pg_roles WHERE rolname = current_user"
                )
            )
        ).one()
        owner = await session.scalar(
            sa.text(
                "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()"
            )
        )
    await database.close()
    assert tuple(rights) == (False,) * 5 and owner is True


PROCEDURES = {
    "Session key": "test_T1b_",
    "Service key": "test_SK_",
    "Signing key, planned": "test_K_9_",
    "Signing key, leaked": "test_K_10_",
    "Password of the database": "test_R8b_",
    "Password of Redis": "test_R8b_",
    "Client secret of a provider": "test_R8b_",
}


def test_R8b_each_secret_has_a_written_procedure_and_a_test_that_follows_it() -> None:
    page = (ROOT / "docs" / "security-rotation.md").read_text()
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    for heading, test in PROCEDURES.items():
        assert f"### {heading}\n" in page, heading
        assert f"def {test}" in tests, test


async def test_R10_and_R10b_the_key_pair_is_fresh_and_a_development_pair_is_refused(
    prepared: Path, development_pair: Pair
) -> None:
    given = variables(prepared)
    private = Path(given["JWT_PRIVATE_KEY_PATH"])
    assert os.stat(private).st_mode & 0o777 == 0o600
    assert {path.name for path in private.parent.iterdir()} == {"private.pem", "public.pem"}
    assert not is_development_key(private, "any")
    assert is_development_key(development_pair.private, development_pair.kid)
    assert await run(given, **development_pair.variables()) == {("C-12", "dev_jwt_key")}
    # Neither the marker beside the files nor the line in them alone is needed.
    for path in development_pair.private.parent.iterdir():
        if path.suffix != ".pem":
            assert development_pair.kid in path.read_text()
