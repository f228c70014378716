"""The examples as their readers start them: beside one ``sentinel dev``, each by its own command."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest

from sentinel.devmode.installation import Notes, read_notes
from tests.browser.conftest import browser, dev_folder, dev_url

__all__ = ["browser", "dev_folder", "dev_url"]

LAUNCH = Path(__file__).parents[2] / "examples" / "launch.py"


@dataclass(frozen=True)
class Examples:
    """Where the examples answer, and the server beside which they stand."""

    notes: Notes
    data: Path
    proxy: str
    authz: str
    reports: str
    archive: str


@pytest.fixture(scope="module")
def examples(dev_url: str, dev_folder: Path) -> Iterator[Examples]:
    """The notes application in both modes, and the realm, started at once."""
    data = dev_folder / "data"
    notes = read_notes(data)
    assert notes is not None and notes.base_url == dev_url
    proxy, authz, realm = (_free_ports() for _ in range(3))
    with ExitStack() as stack:
        started = [
            stack.enter_context(_started(dev_folder, name, str(port), *options))
            for name, port, options in (
                ("notes", proxy, ()),
                ("notes", authz, ("--mode", "authz")),
                ("realm", realm, ()),
            )
        ]
        for process, log in started:
            _wait(process, log)
        yield Examples(notes, data, *(f"http://localhost:{n}" for n in (proxy, authz, realm, realm + 1)))
        for process, _ in started:  # all at once; the stack waits for each
            process.terminate()


class _started:  # noqa: N801 - a context manager, used like a function
    def __init__(self, folder: Path, name: str, port: str, *options: str) -> None:
        self._log = folder / f"example-{name}-{port}.txt"
        self._command = [sys.executable, str(LAUNCH), name, "--port", port, *options]
        self._folder = folder

    def __enter__(self) -> tuple[Popen[bytes], Path]:
        with self._log.open("w") as out:
            self._process = Popen(self._command, cwd=self._folder, stdout=out, stderr=subprocess.STDOUT)
        return self._process, self._log

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(20) in (0, -signal.SIGTERM), self._log.read_text()


def _wait(process: Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while "Stop with Ctrl-C" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def _free_ports() -> int:
    """A free port whose next one is free, too: the realm takes both."""
    while True:
        with closing(socket.socket()) as one, closing(socket.socket()) as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
