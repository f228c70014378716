import logging as standard_logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel.core import logging
from sentinel.settings import Settings
from tests.cli.terminal import Terminal


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty folder, without whatever the caller's environment says."""
    monkeypatch.chdir(tmp_path)
    known = {*Settings.model_fields, *(f"{name}_file" for name in Settings.model_fields)}
    for name in list(os.environ):
        if name.lower() in known:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Commands set up logging for the process that they usually are; other tests share this one."""
    root = standard_logging.getLogger()
    output, handlers, level = logging._output, list(root.handlers), root.level
    yield
    root.handlers, root.level = handlers, level
    logging._output = output
    logging._configure_structlog()


@pytest.fixture
def terminal(tmp_path: Path, database_url: str) -> Terminal:
    """A terminal whose database is migrated; the test runs on both databases."""
    return Terminal(tmp_path, database_url)


@pytest.fixture
def bare_terminal(tmp_path: Path, empty_database_url: str) -> Terminal:
    """A terminal whose database has no tables (on SQLite: no file)."""
    return Terminal(tmp_path, empty_database_url)


@pytest.fixture
def key_terminal(tmp_path: Path) -> Terminal:
    """A terminal for commands that need no database."""
    return Terminal(tmp_path, "sqlite+aiosqlite:///data/none.db")
