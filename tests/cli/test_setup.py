"""``sentinel setup``: what it writes, what it never overwrites, and that the result is safe to start."""

import asyncio
import os
import select
import shutil
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from sentinel import checklist
from sentinel.cli.setup import TEMPLATES, fill
from sentinel.core.clock import Clock
from sentinel.settings import Settings
from sentinel.tokens.keyring import FileKeyring, is_development_key
from tests.cli.terminal import Terminal
from tests.served import SENTINEL

ROOT = Path(__file__).parents[2]
ARGUMENTS = ("setup", "--no-input", "--host", "auth.example.com", "--folder", "prepared")


def prepared(terminal: Terminal, *more: str, **variables: str) -> str:
    return terminal.ok(*ARGUMENTS, "--database-url", terminal.url, *more, **variables)


def settings_of(folder: Path) -> Settings:
    return Settings.load(env={}, env_file=folder / "sentinel.env")


def test_T1c_setup_makes_a_fresh_key_for_every_installation(terminal: Terminal) -> None:
    prepared(terminal)
    terminal.ok(*ARGUMENTS[:-1], "another", "--database-url", terminal.url)
    first, second = settings_of(terminal.folder / "prepared"), settings_of(terminal.folder / "another")
    assert first.session_secret_key != second.session_secret_key
    assert len(first.session_secret_key.get_secret_value()) >= 43
    keys = [
        folder / "keys" / "private.pem"
        for folder in (terminal.folder / "prepared", terminal.folder / "another")
    ]
    assert keys[0].read_bytes() != keys[1].read_bytes()


def test_secrets_are_for_their_owner_alone(terminal: Terminal) -> None:
    previous = os.umask(0)
    try:
        prepared(terminal)
    finally:
        os.umask(previous)
    for name in ("sentinel.env", "keys/private.pem"):
        assert stat.S_IMODE((terminal.folder / "prepared" / name).stat().st_mode) == 0o600, name


def test_no_secret_is_printed(terminal: Terminal) -> None:
    said = terminal.run(
        *ARGUMENTS,
        "--database-url",
        terminal.url,
        GOOGLE_CLIENT_ID="an-id",
        GOOGLE_CLIENT_SECRET="hush-hush-google",
    ).output
    settings = settings_of(terminal.folder / "prepared")
    assert settings.google_client_secret.get_secret_value() == "hush-hush-google"
    assert "hush-hush-google" not in said
    assert settings.session_secret_key.get_secret_value() not in said


def test_T10_the_signing_key_is_no_development_key(terminal: Terminal) -> None:
    prepared(terminal)
    settings = settings_of(terminal.folder / "prepared")
    private, public = settings.jwt_private_key_path, settings.jwt_public_key_path
    assert not is_development_key(private, FileKeyring(private, public, [], clock=Clock()).kid)


def test_what_it_prepares_has_no_refusal(key_terminal: Terminal) -> None:
    key_terminal.ok(*ARGUMENTS, "--database-url", key_terminal.url)
    settings = settings_of(key_terminal.folder / "prepared")
    assert not settings.debug
    findings = asyncio.run(checklist.run(settings, as_production=True))
    assert checklist.refusals(findings) == []


@pytest.mark.parametrize(
    ("variable", "value", "finding"),
    [
        ("SESSION_SECRET_KEY", "dev-only-change-me-in-production", "C-1"),
        ("COOKIE_SECURE", "false", "C-2"),
        ("WEB_CONCURRENCY", "2", "C-3"),
        ("ALLOWED_HOSTS", "'*'", "C-7"),
        ("CORS_ORIGINS", "'*'", "C-8"),
    ],
)
def test_taking_a_value_back_to_its_insecure_default_makes_its_finding_appear(
    key_terminal: Terminal, variable: str, value: str, finding: str
) -> None:
    key_terminal.ok(*ARGUMENTS, "--database-url", key_terminal.url)
    file = key_terminal.folder / "prepared" / "sentinel.env"
    lines = [line for line in file.read_text().splitlines() if not line.startswith(f"{variable}=")]
    file.write_text("\n".join([*lines, f"{variable}={value}"]))
    settings = settings_of(key_terminal.folder / "prepared")
    refused = {one.id for one in checklist.refusals(asyncio.run(checklist.run(settings, as_production=True)))}
    # Two workers on SQLite are wrong for a second reason as well.
    assert refused == ({finding, "C-10"} if finding == "C-3" else {finding})


def test_on_a_terminal_what_no_flag_says_is_asked_for_and_no_secret_is_shown(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path / 'a-database.db'}"
    dialogue = {
        "Host name that people will see": "Auth.Example.com",
        "Database URL (empty: embedded SQLite)": database,
        "Your e-mail address, to become administrator": "ada@example.com",
        "Sign-in providers, separated by commas (google, github, entra)": "github",
        "GITHUB_CLIENT_ID": "an-id",
        "GITHUB_CLIENT_SECRET": "hush-hush-github",
    }
    leader, follower = os.openpty()
    process = subprocess.Popen(
        [SENTINEL, "setup", "--folder", "prepared"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb", "COLUMNS": "200"},
        start_new_session=True,
    )
    os.close(follower)
    shown = ""
    with open(leader, "r+b", buffering=0) as screen:

        def read() -> str:
            assert select.select([screen], [], [], 60)[0], shown
            return screen.read(4096).decode()

        for question, answer in dialogue.items():
            # The space comes when the answer is waited for; whatever is typed before it is thrown away.
            while not shown.endswith(f"{question}: "):
                shown += read()
            screen.write(f"{answer}\n".encode())
        # A terminal without a process at its other end answers with an error instead of an end.
        with suppress(OSError):
            while piece := read():
                shown += piece
        assert process.wait(30) == 0, shown
    assert list(dialogue) == sorted(dialogue, key=shown.index)
    settings = settings_of(tmp_path / "prepared")
    assert (settings.base_url, settings.admin_emails) == ("https://auth.example.com", ("ada@example.com",))
    assert settings.database_url.get_secret_value() == database
    assert settings.github_client_id == "an-id"
    assert settings.github_client_secret.get_secret_value() == "hush-hush-github"
    for secret in ("hush-hush-github", "a-database", settings.session_secret_key.get_secret_value()):
        assert secret not in shown.partition("Prepared")[0]


def test_nothing_is_overwritten_and_nothing_is_half_done(key_terminal: Terminal) -> None:
    folder = key_terminal.folder / "prepared"
    folder.mkdir()
    (folder / "Caddyfile").write_text("mine")
    said = key_terminal.refused(*ARGUMENTS)
    assert "Caddyfile" in said and "never overwritten" in said
    assert [path.name for path in folder.iterdir()] == ["Caddyfile"]
    assert (folder / "Caddyfile").read_text() == "mine"


@pytest.mark.parametrize(
    "host",
    ["https://auth.example.com", "auth.example.com/path", "auth.example.com:8443", "", "a b", "*", "x;y{}"],
)
def test_a_host_is_a_bare_name(key_terminal: Terminal, host: str) -> None:
    said = key_terminal.refused("setup", "--no-input", "--folder", "prepared", "--host", host)
    assert "--host auth.example.com" in said
    assert not (key_terminal.folder / "prepared").exists()


def test_a_provider_that_nobody_knows_is_named(key_terminal: Terminal) -> None:
    said = key_terminal.refused(*ARGUMENTS, "--provider", "myspace", status=2)
    assert "myspace" in said and "google" in said


@pytest.mark.parametrize(
    "secret", ["it's", 'a "quoted" one', "back\\slash", "dollar $HOME", "hash # mark", "ünï"]
)
def test_values_come_back_as_they_were_given(key_terminal: Terminal, secret: str) -> None:
    key_terminal.ok(*ARGUMENTS, GITHUB_CLIENT_ID="an-id", GITHUB_CLIENT_SECRET=secret)
    assert settings_of(key_terminal.folder / "prepared").github_client_secret.get_secret_value() == secret


@pytest.mark.parametrize(("proxy", "file"), [("caddy", "Caddyfile"), ("nginx", "nginx.conf"), ("none", None)])
def test_the_proxy_of_ones_choice_gets_the_host_and_the_port(
    key_terminal: Terminal, proxy: str, file: str | None
) -> None:
    key_terminal.ok(*ARGUMENTS, "--proxy", proxy, "--port", "9777")
    written = {path.name for path in (key_terminal.folder / "prepared").iterdir()} - {"keys"}
    assert written == {"sentinel.env", "sentinel.service"} | ({file} if file else set())
    if file:
        text = (key_terminal.folder / "prepared" / file).read_text()
        assert "auth.example.com" in text and "127.0.0.1:9777" in text and "@@" not in text
    unit = (key_terminal.folder / "prepared" / "sentinel.service").read_text()
    assert f"EnvironmentFile={key_terminal.folder / 'prepared'}/sentinel.env" in unit and "@@" not in unit


def test_systemd_takes_the_unit(key_terminal: Terminal) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze here: install systemd; the unit itself is written all the same")
    key_terminal.ok(*ARGUMENTS)
    unit = key_terminal.folder / "prepared" / "sentinel.service"
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    # It tells of every word that it does not know, and of the other units of this machine.
    said = [line for line in done.stderr.splitlines() if "sentinel.service" in line]
    assert (done.returncode, said) == (0, [])


@pytest.mark.parametrize("name", [path.name for path in TEMPLATES.iterdir()])
def test_the_shipped_examples_are_what_setup_writes(name: str) -> None:
    marks = {
        "HOST": "auth.example.com",
        "PORT": "9003",
        "FOLDER": "/etc/sentinel",
        "PROGRAM": "/opt/sentinel/bin/sentinel",
    }
    assert (ROOT / "deploy" / name).read_text() == fill(name, marks)
