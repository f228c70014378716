"""``sentinel dev``: a first look in one command, on this machine alone.

One installation, started in a hostile environment, is looked at by most of the tests. What is refused before anything
is served is run in this process.
"""

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from sentinel.devmode.installation import Notes, read_notes
from tests.cli.conftest import _logging_as_before
from tests.cli.terminal import Terminal

__all__ = ["_logging_as_before"]

SENTINEL = Path(sys.executable).with_name("sentinel")
HOSTILE = {
    "DATABASE_URL": "postgresql://identity:secret@db.example.com/production",
    "JWT_PRIVATE_KEY_PATH": "/nowhere/private.pem",
    "BASE_URL": "https://auth.example.com",
}
"""Variables that a development server has to leave alone."""


class Development:
    """An installation in ``folder``, and the server of it that runs just now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.said = ""
        self._running = ExitStack()
        (folder / ".env").write_text("REDIS_URL=redis://redis.example.com:6379\n")

    @property
    def base(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def notes(self) -> Notes:
        notes = read_notes(self.data)
        assert notes is not None
        return notes

    def kid(self) -> str:
        """The id of the key that the server signs with."""
        kid: str = httpx.get(f"{self.base}/.well-known/jwks.json").json()["keys"][0]["kid"]
        return kid

    def me(self, token: str) -> int:
        """What the server answers to the bearer of a token."""
        return httpx.get(f"{self.base}/users/me", headers={"Authorization": f"Bearer {token}"}).status_code

    def start(self, *options: str, port: int | None = None) -> None:
        """Start the server and wait until it has said where to go."""
        self.port = port or self.port
        log = self._running.enter_context(_dev(self.folder, *options, port=self.port, **HOSTILE))
        self.said = log.read_text()

    def stop(self) -> None:
        """Stop it as somebody at a keyboard does."""
        self._running.close()
        self.said = ""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    """Where the server of this module is installed."""
    here = Development(tmp_path_factory.mktemp("dev"))
    yield here
    here.stop()


@pytest.fixture
def here(installation: Development) -> Development:
    """The installation, with its server running."""
    if not installation.said:
        installation.start()
    return installation


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """For commands that are refused: they run in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, "")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _environment(**values: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **values}


@contextmanager
def _dev(folder: Path, *options: str, port: int, **environment: str) -> Iterator[Path]:
    """A development server that answers; yields the file of what it printed."""
    log = folder / f"log-{time.monotonic_ns()}.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(SENTINEL), "dev", "--port", str(port), *options],
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_environment(**environment),
        )
    try:
        deadline = time.monotonic() + 60
        while "Open http" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield log
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def _run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(SENTINEL), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env=_environment(**environment),
        check=False,
    )


def test_dev_prints_where_to_go_who_can_sign_in_and_commands_that_work(here: Development) -> None:
    assert f"Open {here.base}" in here.said
    for person in ("olivia@acme.example", "victor@acme.example", "oscar@globex.example"):
        assert person in here.said
    key = here.notes().service_key
    assert f"export SERVICE_KEY={key}" in here.said
    # The lines as they are printed, in a shell.
    commands = [line.strip() for line in here.said.replace("\\\n", " ").splitlines() if "curl -s" in line]
    assert len(commands) == 2
    token = _run(here.folder, "dev", "token", "edith@acme.example")
    assert token.returncode == 0, token.stderr
    shell = _environment(SERVICE_KEY=key, TOKEN=token.stdout.strip())
    answers = [
        json.loads(subprocess.run(["bash", "-c", line], capture_output=True, env=shell, check=True).stdout)
        for line in commands
    ]
    assert answers[0]["visibility"] == "workspace"
    assert answers[1]["results"][0]["allowed"] is True
    # What is no HTTP is refused in the form of everything else, as by 'sentinel serve' (http-api.md §0.2, §0.3).
    with closing(socket.create_connection(("127.0.0.1", here.port), timeout=10)) as raw:
        raw.sendall(b"NO HTTP AT ALL\r\n\r\n")
        head, _, body = raw.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"x-content-type-options: nosniff" in head
    assert json.loads(body).keys() == {"detail"}


def test_the_secrets_of_development_are_readable_by_their_owner_alone(here: Development) -> None:
    for name in ("dev.json", "keys/private.pem", "keys/idp.pem"):
        assert stat.S_IMODE((here.data / name).stat().st_mode) == 0o600, name


def test_dev_takes_no_database_and_no_key_from_the_environment(here: Development) -> None:
    assert (here.data / "sentinel.db").exists()
    assert (here.data / "keys" / "private.pem").exists()


def test_T10_a_development_key_is_marked_so_that_production_refuses_it(
    here: Development, tmp_path: Path
) -> None:
    keys = here.data / "keys"
    done = _run(
        tmp_path,
        "check",
        "--deploy",
        "--json",
        JWT_PRIVATE_KEY_PATH=str(keys / "private.pem"),
        JWT_PUBLIC_KEY_PATH=str(keys / "public.pem"),
    )
    assert done.returncode == 2
    assert "dev_jwt_key" in done.stdout


def test_the_last_line_opens_the_panel_signed_in_and_works_once(here: Development) -> None:
    link = here.said.strip().splitlines()[-1].strip()
    assert link.startswith(f"{here.base}/dev/idp/panel/")
    with httpx.Client(follow_redirects=True, timeout=20) as browser:
        page = browser.get(link)
        assert page.url.path.rstrip("/") == "/admin" and "Adam Admin" in page.text
    for again in (link, f"{link[:-5]}wrong"):
        with httpx.Client(follow_redirects=True, timeout=20) as browser:
            chooser = browser.get(again)
            assert chooser.url.path == "/dev/idp/authorize" and "admin_token" not in browser.cookies


def test_a_token_can_only_be_had_from_a_running_server_for_a_sample_person(
    here: Development, terminal: Terminal
) -> None:
    ask = ("dev", "token", "olivia@acme.example")
    assert "no development installation" in terminal.refused(*ask, status=2)
    data = ("--data", str(here.data))
    unknown = terminal.refused("dev", "token", "nobody@acme.example", *data, status=2)
    assert "olivia@acme.example" in unknown
    assert "403" in terminal.refused("dev", "token", "una@nowhere.example", *data, status=2)
    here.stop()
    assert "is 'sentinel dev' running?" in terminal.refused(*ask, *data, status=2)


def test_restarting_keeps_data_and_keys_and_reset_starts_anew(here: Development, terminal: Terminal) -> None:
    ask = ("dev", "token", "olivia@acme.example", "--data", str(here.data))
    first, kid, token = here.notes(), here.kid(), terminal.ok(*ask).strip()
    here.stop()
    port = here.port
    # Another port, the same data: the application's address follows.
    here.start(port=_free_port())
    assert here.notes() == replace(first, base_url=here.base)
    assert terminal.ok(*ask).strip()
    here.stop()
    here.start(port=port)
    assert here.notes() == first
    assert here.kid() == kid
    assert here.me(token) == 200
    here.stop()
    here.start("--reset")
    assert here.notes().service_key != first.service_key
    assert here.kid() != kid
    assert here.me(token) == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.com"])  # noqa: S104
def test_dev_refuses_an_address_that_others_can_reach(terminal: Terminal, host: str) -> None:
    said = terminal.refused("dev", "--host", host, "--port", str(_free_port()), status=2)
    assert "loopback only" in said
    assert "sentinel serve" in said
    assert not (terminal.folder / "data").exists()


def test_dev_says_when_its_port_is_in_use(terminal: Terminal) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = terminal.refused("dev", "--port", str(taken.getsockname()[1]), status=2)
    assert "in use" in said
    assert "--port" in said


def test_reset_does_not_delete_a_database_that_is_not_its_own(terminal: Terminal) -> None:
    (terminal.folder / "data").mkdir()
    database = terminal.folder / "data" / "sentinel.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE precious (id INTEGER)")
    terminal.refused("dev", "--reset", "--port", str(_free_port()), status=2)
    assert database.exists()
