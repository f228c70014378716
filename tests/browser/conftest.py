"""A real development server and a real Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright

ABORTED = "net::ERR_ABORTED"
PATIENCE = 15_000
"""Milliseconds for anything to happen: on a busy machine a page takes its time."""
ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "screenshots"
# Chromium is kept from calling home: this network answers nobody.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _chromium() -> str | None:
    # The first one is Chromium without windows: a third less work for the same pages.
    named = [os.environ.get("CHROMIUM", ""), "chromium-headless-shell"]
    named += ["chromium", "chromium-browser", "google-chrome"]
    return next((path for name in named if name and (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. ``make test`` installs it where it may; elsewhere the browser tests say that it is missing.

    Closed with its module: while it is open an event loop runs in this thread, where other tests start their own.
    """
    executable = _chromium()
    if executable is None:
        assert os.environ.get("CI") != "true", "in CI the browser tests have to run"
        pytest.skip(
            "no Chromium here: install it (Debian: apt-get install chromium-headless-shell) or set CHROMIUM"
        )
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def dev_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the ``sentinel dev`` of a module keeps its data."""
    return tmp_path_factory.mktemp("dev")


@pytest.fixture(scope="module")
def dev_url(dev_folder: Path) -> Iterator[str]:
    """The address of a fresh ``sentinel dev``."""
    folder = dev_folder
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("sentinel")), "dev", "--port", str(port)],
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while "Open http" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Watched:
    """A page whose console and network are watched."""

    page: Page
    faults: list[str] = field(default_factory=list)
    """Errors of the console, where violations of the policy stand, too; of scripts; and of the network."""

    def shoot(self, name: str) -> None:
        """Keep a screenshot of the whole page among the artifacts of the run.

        Hiding the caret would write styles into the page, which the page's policy forbids.
        """
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True, caret="initial")


def sign_in_to_panel(page: Page, dev_url: str) -> None:
    """Sign in to the panel as Adam, who administers the sample world."""
    page.goto(f"{dev_url}/admin")
    page.locator("a[data-provider]").click()
    page.get_by_role("button", name=re.compile("Adam Admin")).click()
    page.wait_for_url(re.compile(r"/admin/?$"))


@pytest.fixture(scope="module")
def panel_session(browser: Browser, dev_url: str) -> StorageState:
    """The cookies of an administrator, signed in once for a module: signing in is limited to a few times a minute."""
    context = browser.new_context()
    page = context.new_page()
    sign_in_to_panel(page, dev_url)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def panel(browser: Browser, panel_session: StorageState, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A fresh browser profile with an administrator's session; parametrise indirectly like ``watched``."""
    yield from _watch(browser, {"storage_state": panel_session} | getattr(request, "param", {}))


@pytest.fixture
def watched(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """A fresh browser profile; parametrise indirectly with context options (size, colour scheme)."""
    yield from _watch(browser, getattr(request, "param", {}))


def _watch(browser: Browser, options: dict[str, Any]) -> Iterator[Watched]:
    context = browser.new_context(**options)
    seen = Watched(context.new_page())
    watch(seen)
    yield seen
    context.close()


def watch(seen: Watched) -> None:
    """Note whatever goes wrong on the page from here on."""
    page = seen.page
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda m: seen.faults.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.faults.append(f"script: {error}"))
    # What a person leaves behind by moving on is aborted by the browser itself, and no fault.
    page.on(
        "requestfailed",
        lambda r: None if r.failure == ABORTED else seen.faults.append(f"failed: {r.url} {r.failure}"),
    )
