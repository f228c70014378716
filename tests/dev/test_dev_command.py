"""``sentinel dev``: a first look in one command, on this machine alone."""

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
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

SENTINEL = Path(sys.executable).with_name("sentinel")


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


def _notes(folder: Path) -> dict[str, Any]:
    notes: dict[str, Any] = json.loads((folder / "data" / "dev.json").read_text())
    return notes


def test_dev_prints_where_to_go_who_can_sign_in_and_commands_that_work(tmp_path: Path) -> None:
    port = _free_port()
    with _dev(tmp_path, port=port) as log:
        said = log.read_text()
        assert f"Open http://localhost:{port}" in said
        for person in ("olivia@acme.example", "victor@acme.example", "oscar@globex.example"):
            assert person in said
        key = _notes(tmp_path)["service_key"]
        assert f"export SERVICE_KEY={key}" in said
        # The lines as they are printed, in a shell.
        commands = [line.strip() for line in said.replace("\\\n", " ").splitlines() if "curl -s" in line]
        assert len(commands) == 2
        token = _run(tmp_path, "dev", "token", "edith@acme.example")
        assert token.returncode == 0, token.stderr
        shell = _environment(SERVICE_KEY=key, TOKEN=token.stdout.strip())
        answers = [
            json.loads(
                subprocess.run(["bash", "-c", line], capture_output=True, env=shell, check=True).stdout
            )
            for line in commands
        ]
        assert answers[0]["visibility"] == "workspace"
        assert answers[1]["results"][0]["allowed"] is True


def test_restarting_keeps_data_and_keys_and_reset_starts_anew(tmp_path: Path) -> None:
    port = _free_port()
    base = f"http://localhost:{port}"
    with _dev(tmp_path, port=port):
        first, kid = _notes(tmp_path), httpx.get(f"{base}/.well-known/jwks.json").json()["keys"][0]["kid"]
        token = _run(tmp_path, "dev", "token", "olivia@acme.example").stdout.strip()
    with _dev(tmp_path, port=port):
        assert _notes(tmp_path) == first
        assert httpx.get(f"{base}/.well-known/jwks.json").json()["keys"][0]["kid"] == kid
        assert httpx.get(f"{base}/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    # Another port, the same data: the application's address follows.
    other = _free_port()
    with _dev(tmp_path, port=other):
        assert _run(tmp_path, "dev", "token", "olivia@acme.example").returncode == 0
    with _dev(tmp_path, "--reset", port=port):
        assert _notes(tmp_path)["service_key"] != first["service_key"]
        assert httpx.get(f"{base}/.well-known/jwks.json").json()["keys"][0]["kid"] != kid
        assert httpx.get(f"{base}/users/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_the_secrets_of_development_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    with _dev(tmp_path, port=_free_port()):
        pass
    for name in ("dev.json", "keys/private.pem", "keys/idp.pem"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600, name


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.10", "::", "example.com"])  # noqa: S104
def test_dev_refuses_an_address_that_others_can_reach(tmp_path: Path, host: str) -> None:
    done = _run(tmp_path, "dev", "--host", host, "--port", str(_free_port()))
    assert done.returncode == 2
    assert "loopback only" in done.stderr
    assert "sentinel serve" in done.stderr
    assert not (tmp_path / "data").exists()


def test_dev_says_when_its_port_is_in_use(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = _run(tmp_path, "dev", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "in use" in done.stderr
    assert "--port" in done.stderr


def test_reset_does_not_delete_a_database_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    database = tmp_path / "data" / "sentinel.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE precious (id INTEGER)")
    done = _run(tmp_path, "dev", "--reset", "--port", str(_free_port()))
    assert done.returncode == 2
    assert database.exists()


def test_dev_takes_no_database_and_no_key_from_the_environment(tmp_path: Path) -> None:
    hostile = {
        "DATABASE_URL": "postgresql://identity:secret@db.example.com/production",
        "JWT_PRIVATE_KEY_PATH": "/nowhere/private.pem",
        "BASE_URL": "https://auth.example.com",
    }
    (tmp_path / ".env").write_text("REDIS_URL=redis://redis.example.com:6379\n")
    with _dev(tmp_path, port=_free_port(), **hostile):
        assert (tmp_path / "data" / "sentinel.db").exists()


def test_T10_a_development_key_is_marked_so_that_production_refuses_it(tmp_path: Path) -> None:
    with _dev(tmp_path, port=_free_port()):
        pass
    keys = tmp_path / "data" / "keys"
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


def test_a_token_can_only_be_had_from_a_running_server_for_a_sample_person(tmp_path: Path) -> None:
    assert "no development installation" in _run(tmp_path, "dev", "token", "olivia@acme.example").stderr
    port = _free_port()
    with _dev(tmp_path, port=port):
        unknown = _run(tmp_path, "dev", "token", "nobody@acme.example")
        assert unknown.returncode == 2
        assert "olivia@acme.example" in unknown.stderr
        refused = _run(tmp_path, "dev", "token", "una@nowhere.example")
        assert refused.returncode == 2
        assert "403" in refused.stderr
    stopped = _run(tmp_path, "dev", "token", "olivia@acme.example")
    assert "is 'sentinel dev' running?" in stopped.stderr


def test_the_last_line_opens_the_panel_signed_in_and_works_once(tmp_path: Path) -> None:
    port = _free_port()
    with _dev(tmp_path, port=port) as log:
        link = log.read_text().strip().splitlines()[-1].strip()
        assert link.startswith(f"http://localhost:{port}/dev/idp/panel/")
        with httpx.Client(follow_redirects=True, timeout=20) as browser:
            page = browser.get(link)
            assert page.url.path.rstrip("/") == "/admin" and "Adam Admin" in page.text
        for again in (link, f"{link[:-5]}wrong"):
            with httpx.Client(follow_redirects=True, timeout=20) as browser:
                chooser = browser.get(again)
                assert chooser.url.path == "/dev/idp/authorize" and "admin_token" not in browser.cookies
