"""``sentinel check``: its text, its JSON and its exit status; and that no secret is ever in either."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from sentinel import checklist
from sentinel.cli import check
from sentinel.settings import DEV_SESSION_SECRET, Settings

from .conftest import Pair, load

Variables = Mapping[str, str]
Run = Callable[..., Result]

CANARY = "c4nary"
APP = """
import typer
from sentinel.cli import check
app = typer.Typer()
app.callback()(lambda: None)
check.register(app)
app()
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run ``sentinel check`` with the given variables and no others."""
    app = typer.Typer()
    app.callback()(lambda: None)
    check.register(app)
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)

    def invoke(variables: Variables, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["check", *arguments], env=dict(variables))

    return invoke


def document(result: Result) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def test_nothing_found(run: Run, production: Variables) -> None:
    result = run(production, "--deploy", "--fail-level", "warn")
    assert result.exit_code == 0 and result.stderr == ""
    assert "Judged for production: 0 refusals, 0 warnings." in result.stdout
    assert re.findall(r"^ +(\d+)  (\w+) ", result.stdout, re.MULTILINE) == [
        (str(n), "ok") for n in range(1, 11)
    ]


def test_each_finding_is_told_with_its_remedy(run: Run, production: Variables) -> None:
    changes = {"COOKIE_SECURE": "false", "BEHIND_PROXY": "false", "CORS_ORIGINS": ",".join(["*"] * 30)}
    result = run({**production, **changes}, "--deploy")
    assert result.exit_code == 2
    assert "C-2  insecure_cookie  refuse: COOKIE_SECURE is false\n" in result.stdout
    assert "    mend: COOKIE_SECURE=true\n" in result.stdout
    assert "C-15  proxy_not_declared  warn: " in result.stdout
    assert "Judged for production: 2 refusals, 1 warning." in result.stdout
    assert re.search(r"^ +3  open  COOKIE_SECURE=true$", result.stdout, re.MULTILINE)
    # Lines are never broken, so that they can be pasted, and coloured only on a terminal.
    assert max(map(len, result.stdout.splitlines())) > 500
    assert "\x1b" not in result.stdout


def test_json(run: Run, production: Variables) -> None:
    result = run({**production, "COOKIE_SECURE": "false", "BEHIND_PROXY": "false"}, "--deploy", "--json")
    told = document(result)
    assert result.exit_code == 2
    assert [one["id"] for one in told["findings"]] == ["C-2", "C-15"]
    assert set(told["findings"][0]) == {"id", "reason", "verdict", "seen", "why", "remedy"}
    assert told["counts"] == {"refuse": 1, "warn": 1, "silenced": 0}
    assert told["mode"] == "production"
    assert [item["number"] for item in told["summary"] if not item["satisfied"]] == [3, 6]


@pytest.mark.parametrize(
    ("change", "arguments", "status"),
    [
        ({}, [], 0),
        ({}, ["--fail-level", "warn"], 0),
        ({"BEHIND_PROXY": "false"}, [], 0),
        ({"BEHIND_PROXY": "false"}, ["--fail-level", "refuse"], 0),
        ({"BEHIND_PROXY": "false"}, ["--fail-level", "warn"], 1),
        ({"BEHIND_PROXY": "false"}, ["--fail-level", "warn", "--silence", "C-15"], 0),
        ({"COOKIE_SECURE": "false"}, [], 2),
        ({"COOKIE_SECURE": "false"}, ["--fail-level", "warn"], 2),
        ({"COOKIE_SECURE": "false", "DEBUG": "true"}, [], 0),
        ({"COOKIE_SECURE": "false", "DEBUG": "true"}, ["--fail-level", "warn"], 1),
        ({"COOKIE_SECURE": "false", "DEBUG": "true"}, ["--fail-level", "warn", "--silence", "c-2"], 0),
        ({"COOKIE_SECURE": "false", "DEBUG": "true"}, ["--deploy"], 2),
        ({"TIER": "edge"}, [], 2),
        ({"TIER": "edge", "DEBUG": "true"}, [], 2),
    ],
)
def test_exit_status(
    run: Run, production: Variables, change: dict[str, str], arguments: list[str], status: int
) -> None:
    for form in ([], ["--json"]):
        result = run({**production, **change}, *arguments, *form)
        assert (result.exit_code, result.stderr) == (status, "")


def test_without_deploy_debug_decides(run: Run, production: Variables) -> None:
    for debug, mode in (("true", "development"), ("false", "production")):
        assert document(run({**production, "DEBUG": debug}, "--json"))["mode"] == mode
    assert document(run({**production, "DEBUG": "true"}, "--json", "--deploy"))["mode"] == "production"


def test_silenced_warnings_are_counted_and_stay_open_in_the_summary(run: Run, production: Variables) -> None:
    changed = {**production, "BEHIND_PROXY": "false", "AUTHZ_TOKEN_EXPIRE_MINUTES": "30"}
    told = document(run(changed, "--json", "--silence", "C-15", "--silence", "X-1"))
    assert told["findings"] == []
    assert [one["id"] for one in told["silenced"]] == ["C-15", "X-1"]
    assert told["counts"] == {"refuse": 0, "warn": 0, "silenced": 2}
    assert [item["number"] for item in told["summary"] if not item["satisfied"]] == [6]


def test_refusals_cannot_be_silenced(run: Run, production: Variables) -> None:
    changed = {**production, "COOKIE_SECURE": "false", "BEHIND_PROXY": "false"}
    result = run(changed, "--deploy", "--silence", "C-2", "--silence", "C-15")
    assert result.exit_code == 2
    assert "C-2 cannot be silenced" in result.stderr
    assert "C-2  insecure_cookie  refuse" in result.stdout and "C-15  " not in result.stdout
    result = run({**production, "TIER": "edge"}, "--silence", "C-20")
    assert result.exit_code == 2 and "C-20 cannot be silenced" in result.stderr


def test_silencing_a_check_hides_its_warnings_only(run: Run, production: Variables, sqlite_url: str) -> None:
    changed = {**production, "DATABASE_URL": sqlite_url, "WEB_CONCURRENCY": "2"}
    told = document(run(changed, "--json", "--silence", "C-10"))
    assert [one["reason"] for one in told["findings"] if one["id"] == "C-10"] == ["db_sqlite_workers"]
    assert [one["reason"] for one in told["silenced"]] == ["db_sqlite"]


@pytest.mark.parametrize("id", ["C-99", "all", "", "C-2,C-3"])
def test_an_unknown_id_is_a_clear_error(run: Run, production: Variables, id: str) -> None:
    result = run(production, "--silence", id)
    assert result.exit_code == 2 and result.stdout == ""
    assert "is no check" in result.stderr


def test_settings_that_cannot_be_read_are_findings(run: Run, production: Variables) -> None:
    changed = {**production, "TIER": "edge", "ENTRA_TENANT_ID": "common", "RATE_LIMIT_READ": "many"}
    told = document(run(changed, "--json"))
    assert [(one["id"], one["verdict"]) for one in told["findings"]] == [
        ("C-20", "refuse"),
        ("C-22", "refuse"),
        ("X-3", "refuse"),
    ]
    assert told["summary"] == []
    result = run(changed)
    assert "RATE_LIMIT_READ: 'many' is not a rate limit" in result.stdout
    assert "C-20  bad_tier  refuse: TIER: 'edge'" in result.stdout


def test_the_env_file_is_read(run: Run, production: Variables, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("COOKIE_SECURE=false\n")
    without = {name: value for name, value in production.items() if name != "COOKIE_SECURE"}
    assert [one["id"] for one in document(run(without, "--json"))["findings"]] == ["C-2"]


def test_control_characters_of_the_configuration_do_not_reach_the_terminal(
    run: Run, production: Variables
) -> None:
    changed = {**production, "JWT_PRIVATE_KEY_PATH": "\x1b[31mred\n\x07.pem", "JWT_ALGORITHM": "\x1b]0;x\x07"}
    result = run(changed)
    assert result.exit_code == 2 and "\x1b" not in result.stdout and "\x07" not in result.stdout


def test_as_a_process_without_a_terminal(production: Variables, tmp_path: Path) -> None:
    """Colour is asked for by the environment, the output is ASCII only, and still all is well."""
    environment = {"PATH": os.environ["PATH"], "FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", APP, "check", "--deploy"],
        env={**environment, **production, "COOKIE_SECURE": "false"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert "C-2" in done.stdout and "\x1b" not in done.stdout


# ── secrets ──


def planted(production: Variables, pair: Pair) -> dict[str, str]:
    """Every variable that holds a secret, and some that might by mistake, each with a canary in it."""

    def secret(name: str) -> str:
        return f"{CANARY}-{name}-{secrets.token_hex(16)}"

    names = [
        "SESSION_SECRET_KEY",
        "SESSION_SECRET_KEY_PREVIOUS",
        "GOOGLE_CLIENT_SECRET",
        "GITHUB_CLIENT_SECRET",
        "ENTRA_CLIENT_SECRET",
        "OIDC_OKTA_CLIENT_SECRET",
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
    ]
    return {
        **production,
        **{name: secret(name) for name in names},
        "GITHUB_CLIENT_ID": "client",
        "OIDC_PROVIDERS": "okta",
        "OIDC_OKTA_CLIENT_ID": "client",
        "OIDC_OKTA_METADATA_URL": f"https://okta.example/metadata?key={secret('metadata')}",
        "DATABASE_URL": f"postgresql://identity:{secret('db')}@127.0.0.1:1/x?password={secret('query')}",
        "REDIS_URL": f"rediss://user:{secret('redis')}@127.0.0.1:1/0?password={secret('query')}",
        "CORS_ORIGINS": f"https://u:{secret('cors')}@a.example,https://b.example?{secret('q')},{secret('x')},*",
        "TEST_TRUSTED_ISSUER_PUBKEY": pair.public.read_text(),
        "TEST_TRUSTED_ISSUER": "https://test.example",
        "TEST_TRUSTED_AUDIENCE": "tests",
    }


INSECURE = {
    "COOKIE_SECURE": "false",
    "ALLOWED_HOSTS": "*",
    "WEB_CONCURRENCY": "4",
    "BEHIND_PROXY": "false",
    "RATE_LIMIT_ENABLED": "false",
    "LOG_PII_REDACTION": "false",
    "AUTHZ_TOKEN_EXPIRE_MINUTES": "60",
    "ADMIN_URL": "https://panel.example.com",
}
# Passwords with characters that should have been percent-encoded: their ends look like hosts, ports and paths.
UNQUOTED = [
    {"DATABASE_URL": f"postgresql://u:x@{CANARY}@127.0.0.1:1/x"},
    {"DATABASE_URL": f"postgresql://u:x@{CANARY}@db.example.com:1/x"},
    *({"REDIS_URL": f"redis://user:12{mark}{CANARY}@127.0.0.1:1/0"} for mark in "/?#"),
]
BROKEN = {
    "DATABASE_URL": f"mysql://root:{CANARY}-db@127.0.0.1/x",
    "REDIS_URL": f"memcached://:{CANARY}-redis@127.0.0.1",
    "OIDC_OKTA_METADATA_URL": f"https://u:{CANARY}-metadata@okta.example/",
    "BASE_URL": f"https://u:{CANARY}-base@auth.example.com",
    "TEST_TRUSTED_ISSUER_PUBKEY": f"{CANARY}-key",
    "ADMIN_EMAILS": f"{CANARY}-address",
    "TIER": "edge",
}


@pytest.mark.parametrize(
    "change", [{}, INSECURE, BROKEN, *UNQUOTED, *({name: value} for name, value in BROKEN.items())]
)
def test_L27_no_secret_is_ever_in_the_output(
    run: Run, production: Variables, pair: Pair, change: dict[str, str]
) -> None:
    variables = {**planted(production, pair), **change}
    for arguments in (["--deploy"], ["--deploy", "--json"], ["--silence", "C-10", "--silence", "C-5"]):
        result = run(variables, *arguments)
        assert result.exit_code == 2
        assert CANARY not in result.output and "BEGIN" not in result.output


@pytest.mark.parametrize("key", ["c4nary", DEV_SESSION_SECRET])
def test_L27_not_even_a_bad_secret_is_shown(run: Run, production: Variables, key: str) -> None:
    changed = {
        **production,
        "SESSION_SECRET_KEY": key,
        "REDIS_URL": "redis://:sentinel_dev@127.0.0.1:1",
        "DATABASE_URL": "postgresql://identity:identity_dev@127.0.0.1:1/x",
    }
    result = run(changed, "--deploy")
    assert {"C-1", "C-4", "C-9"} <= set(result.output.split())
    for secret in (key, "sentinel_dev", "identity_dev"):
        assert secret not in result.output


@pytest.mark.anyio
async def test_L27_the_report_of_serve_holds_no_secret(production: Variables, pair: Pair) -> None:
    findings = await checklist.run(load({**planted(production, pair), **INSECURE}))
    assert len(checklist.refusals(findings)) > 6
    assert CANARY not in checklist.report_text(findings) + repr(findings)
