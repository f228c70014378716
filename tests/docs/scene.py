"""A reader at his terminal: a home folder with Sentinel Auth unpacked in it, the server running, and a shell."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.docs.blocks import ROOT, Block

START_SECONDS = 60
BLOCK_SECONDS = 60
PRODUCT = "sentinel-auth"
"""The folder of the product in the reader's home."""
STARTING = "make run"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Scene:
    """The home folder, and the development server that runs in it."""

    home: Path
    port: int
    panel_link: str

    @property
    def product(self) -> Path:
        return self.home / PRODUCT

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def open_scene(folder: Path) -> Iterator[Scene]:
    """Start what ``make run`` starts, in a folder that looks like the project's."""
    product = folder / PRODUCT
    product.mkdir()
    for name in (".venv", "sdk", "examples"):
        (product / name).symlink_to(ROOT / name)
    port, log = free_port(), folder / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [".venv/bin/sentinel", "dev", "--port", str(port)],
            cwd=product,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment(folder),
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (link := re.search(r"http\S+/dev/idp/panel/\S+", log.read_text())):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield Scene(folder, port, link[0])
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)


def environment(home: Path) -> dict[str, str]:
    """The reader's environment: the packages of the page's virtual environment are those of the project."""
    return {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "sdk" / "python" / "src"),
        "LANG": "C.UTF-8",
    }


@dataclass
class Terminal:
    """A shell that remembers its folder, variables and functions from block to block."""

    scene: Scene
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    printed: str = ""
    ran: int = 0
    _functions: str = ""
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = {"9003": self.scene.port, "8000": free_port(), "8001": free_port()}
        self._state = self.folder.with_suffix(".state")
        self._state.write_text(f"cd '{self.folder}'\n")

    def enter(self, folder: Path) -> None:
        """Go to a folder, as ``cd`` does."""
        self._state.write_text(f"cd '{folder}'\n")

    def define(self, name: str, command: str) -> None:
        """Give a function of the shell another meaning."""
        self._functions += f"{name}() {{ {command}; }}\n"

    def close(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)

    def follow(self, blocks: list[Block]) -> None:
        """Do what the blocks say, one after the other."""
        for block in blocks:
            self.do(block)

    def do(self, block: Block) -> None:
        """Write the file, run the commands, or compare the output."""
        text = self.here(block.text)
        if block.is_output:
            expect(text, self.printed, block)
        elif block.title and not block.norun:
            path = self.cwd() / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        elif block.background:
            self._start(text, self.here(block.background), block)
        elif block.runs:
            self.ran += 1
            if block.language == "python":
                script = self.folder.with_suffix(".py")
                script.write_text(text, "utf-8")
                text = f"python '{script}'\n"
            self._run(text, block)

    def here(self, text: str) -> str:
        """``text`` with the ports of this run in the place of those that pages name."""
        for written, port in self.ports.items():
            text = re.sub(rf"(?<=localhost:){written}\b|(?<=--port ){written}\b", str(port), text)
        return text

    def cwd(self) -> Path:
        """The folder that the shell is in."""
        found = re.search(r"^cd '(.*)'$", self._state.read_text(), re.MULTILINE)
        assert found
        return Path(found[1])

    def _run(self, text: str, block: Block) -> None:
        self._functions += "".join(re.findall(r"^\w+\(\) \{.*\}\n", text, re.MULTILINE))
        keep = f"{{ export -p | grep -v ' PWD=\\| OLDPWD='; echo \"cd '$PWD'\"; }} > '{self._state}.new'"
        script = f"set -eu; set -a\n. '{self._state}'\n{self._functions}\n{text}\n{keep}\n"
        done = subprocess.run(
            ["sh", "-c", script],
            cwd=self.folder,
            env=environment(self.scene.home) | self.variables,
            capture_output=True,
            text=True,
            timeout=BLOCK_SECONDS,
            check=False,
        )
        self.printed = done.stdout
        assert done.returncode == 0, f"{block} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        Path(f"{self._state}.new").replace(self._state)

    def _start(self, text: str, address: str, block: Block) -> None:
        if text.strip() == STARTING:  # runs already: the scene does the same
            assert httpx.get(address, trust_env=False).is_success
            return
        self.ran += 1
        log = self.folder.with_suffix(f".{len(self._running)}.log")
        with log.open("w") as out:
            process = subprocess.Popen(
                ["sh", "-c", f"set -eu; set -a\n. '{self._state}'\n{self._functions}\n{text}"],
                cwd=self.folder,
                env=environment(self.scene.home) | self.variables,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None and time.monotonic() < deadline, f"{block}\n{log.read_text()}"
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(address, trust_env=False)
                return
            time.sleep(0.05)


def expect(written: str, printed: str, block: Block) -> None:
    """What the page shows is what was printed; ``…`` stands for anything."""
    if block.language == "json":
        _same(json.loads(written), json.loads(printed), f"{block}")
        return
    for line in filter(None, map(str.strip, written.splitlines())):
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        assert re.search(f"^{pattern}$", printed, re.MULTILINE), f"{block}: {line!r} is not in {printed!r}"


def _same(written: Any, printed: Any, where: str) -> None:
    match written:
        case "…":
            return
        case dict():
            for name, value in written.items():
                assert name in printed, f"{where}: {name!r} is not in {printed!r}"
                _same(value, printed[name], f"{where} {name}")
        case list():
            assert len(written) == len(printed), f"{where}: {printed!r}"
            for number, value in enumerate(written):
                _same(value, printed[number], f"{where}[{number}]")
        case _:
            assert written == printed, f"{where}: {printed!r}"
