"""The tests that ``configuration.md`` §5 asks for, as far as they are about starting."""

import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import anyio.to_thread
import pytest

from sentinel import checklist
from sentinel.checklist.storage import DEV_REDIS_PASSWORDS
from sentinel.settings import DEV_SESSION_SECRET, Settings
from tests import servers

from .conftest import Pair, found, load, reasons

pytestmark = pytest.mark.anyio

Variables = Mapping[str, str]

SERVE = """
import typer
from sentinel.cli import serve
app = typer.Typer()
app.callback()(lambda: None)
serve.register(app)
app()
"""


async def refused(variables: Variables, **changes: str) -> str:
    """What the start says when it refuses; empty when it does not."""
    findings = checklist.refusals(await found(variables, **changes))
    return checklist.report_text(findings) if findings else ""


async def test_T1_default_empty_and_short_session_keys_do_not_start(production: Variables) -> None:
    for key in (DEV_SESSION_SECRET, "", "short", secrets.token_urlsafe(32)[:31]):
        text = await refused(production, SESSION_SECRET_KEY=key)
        assert "C-1" in text and "SESSION_SECRET_KEY" in text
    assert await refused(production, SESSION_SECRET_KEY=secrets.token_urlsafe(32)) == ""


async def test_T1_the_remedy_makes_a_key_that_starts(production: Variables) -> None:
    [one] = await found(production, SESSION_SECRET_KEY="")
    done = subprocess.run(one.remedy, shell=True, check=True, capture_output=True, text=True)  # noqa: S602, ASYNC221
    name, _, value = done.stdout.strip().partition("=")
    assert await found(production, **{name: value}) == []


async def test_T2d_no_environment_variable_defines_a_service_key(bare: Variables) -> None:
    names = ["SERVICE_KEY", "SERVICE_KEYS", "SERVICE_API_KEY", "SERVICE_API_KEYS", "SENTINEL_SERVICE_KEY"]
    tried = dict.fromkeys(names, "sk_documents_c4nary")
    assert load(bare, **tried) == load(bare)
    assert not [name for name in Settings.model_fields if re.search(r"service.*key|api_key", name)]
    assert "C-18" in {one.id for one in await found(bare, **tried)}


async def test_T3_cookies_without_secure_do_not_start(production: Variables) -> None:
    assert "C-2" in await refused(production, COOKIE_SECURE="false")
    assert await refused(production, COOKIE_SECURE="true") == ""


async def test_T4_any_host_does_not_start(production: Variables) -> None:
    assert "C-7" in await refused(production, ALLOWED_HOSTS="*")


async def test_T5_any_origin_does_not_start(production: Variables) -> None:
    assert "C-8" in await refused(production, CORS_ORIGINS="*")
    assert await refused(production, CORS_ORIGINS="https://a.example.com,https://b.example.com") == ""


async def test_T7b_redis_out_of_reach_and_workers_without_redis_do_not_start(production: Variables) -> None:
    with servers.start_private_redis() as private:
        await anyio.to_thread.run_sync(private.stop)
        assert "redis_down" in await refused(production, REDIS_URL=private.url())
        assert await refused(production, REDIS_URL=private.url(), DEBUG="true") == ""
    assert "redis_missing" in await refused(production, REDIS_URL="", WEB_CONCURRENCY="2")


async def test_T8_values_that_were_ever_published_do_not_start(
    production: Variables, development_pair: Pair, postgres: servers.Postgres, redis_server: servers.Redis
) -> None:
    published = [
        ("C-1", {"SESSION_SECRET_KEY": DEV_SESSION_SECRET}),
        ("C-1", {"SESSION_SECRET_KEY_PREVIOUS": DEV_SESSION_SECRET}),
        *(
            ("C-4", {"REDIS_URL": f"redis://:{password}@127.0.0.1:{redis_server.port}/0"})
            for password in DEV_REDIS_PASSWORDS
        ),
        ("C-9", {"DATABASE_URL": f"postgresql://identity:identity_dev@127.0.0.1:{postgres.port}/identity"}),
        ("C-12", development_pair.variables()),
    ]
    for number, change in published:
        findings = await found(production, **change)
        assert number in {one.id for one in checklist.refusals(findings) if one.published}
        assert (9, False) in [item[::2] for item in checklist.summary(findings, load(production, **change))]


async def test_T9_the_development_pair_does_not_start(
    production: Variables, postgres: servers.Postgres
) -> None:
    url = f"postgresql+asyncpg://identity:identity_dev@127.0.0.1:{postgres.port}/identity"
    assert "C-9" in await refused(production, DATABASE_URL=url)
    # The database of the tests belongs to a role that owns it and has no other right.
    assert f"{servers.APPLICATION_ROLE}:" in production["DATABASE_URL"]
    assert await refused(production) == ""


async def test_T10_a_development_key_does_not_start(production: Variables, development_pair: Pair) -> None:
    assert "C-12" in await refused(production, **development_pair.variables())
    assert await reasons(production, DEBUG="true", **development_pair.variables()) == [
        ("C-12", "dev_jwt_key", "warn")
    ]


@pytest.mark.parametrize(
    ("change", "id", "variable"),
    [
        ({"SESSION_SECRET_KEY": DEV_SESSION_SECRET}, "C-1", "SESSION_SECRET_KEY"),
        ({"COOKIE_SECURE": "no", "ALLOWED_HOSTS": "*", "CORS_ORIGINS": "*"}, "C-2", "COOKIE_SECURE"),
        ({"DEBUG": "true", "JWT_ALGORITHM": "none"}, "C-11", "JWT_ALGORITHM"),
    ],
)
def test_T1_and_T3_and_T10_serve_ends_before_its_port_is_open(
    production: Variables, tmp_path: Path, change: dict[str, str], id: str, variable: str
) -> None:
    # The port is taken: a process that got as far as opening it would say so.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", SERVE, "serve"],
            env={"PATH": os.environ["PATH"], **production, "SERVICE_PORT": port, **change},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert id in done.stderr and variable in done.stderr
    assert "app.config.insecure" in done.stdout and '"critical"' in done.stdout
    assert "in use" not in done.stdout + done.stderr


# ── the summary ──


async def test_summary_has_ten_items_and_says_which_are_open(bare: Variables) -> None:
    changes = {"ALLOWED_HOSTS": "", "BASE_URL": "http://sentinel:9003"}
    settings = load({name: value for name, value in bare.items() if name != "CORS_ORIGINS"}, **changes)
    findings = await checklist.run(settings)
    assert checklist.refusals(findings) == []
    items = checklist.summary(findings, settings)
    assert [number for number, _, _ in items] == list(range(1, 11))
    # Nothing is refused, and still hosts and origins are not written down, and there is no app and no TLS.
    assert [number for number, _, satisfied in items if not satisfied] == [2, 4, 5, 6]


@pytest.mark.parametrize(
    ("change", "item"),
    [
        ({"SESSION_SECRET_KEY": "short"}, 1),
        ({"COOKIE_SECURE": "false"}, 3),
        ({"ALLOWED_HOSTS": "*"}, 4),
        ({"CORS_ORIGINS": "*"}, 5),
        ({"BEHIND_PROXY": "false"}, 6),
        ({"RATE_LIMIT_ENABLED": "false"}, 7),
        ({"REDIS_URL": "", "WEB_CONCURRENCY": "4"}, 7),
        ({"JWT_PRIVATE_KEY_PATH": "none.pem"}, 8),
    ],
)
async def test_summary_item_by_item(production: Variables, change: dict[str, str], item: int) -> None:
    settings = load(production, **change)
    items = checklist.summary(await checklist.run(settings), settings)
    assert [number for number, _, satisfied in items if not satisfied] == [item]


async def test_report_names_every_finding_with_its_remedy(production: Variables) -> None:
    findings = await found(production, COOKIE_SECURE="false", ALLOWED_HOSTS="*", BEHIND_PROXY="false")
    text = checklist.report_text(findings)
    assert "2 findings must be mended first" in text
    for one in findings:
        assert {one.id, one.reason} < set(text.split())
        assert one.seen in text and one.why in text and one.remedy in text
    assert "nothing wrong" in checklist.report_text([])
    assert "with 1 warning." in checklist.report_text([one for one in findings if one.verdict == "warn"])
