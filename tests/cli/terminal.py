"""A terminal in an empty folder: runs commands in this process, and looks at what they left behind."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner, Result

from sentinel.cli.main import app
from sentinel.core.database import Base, Database

Found = TypeVar("Found")


class Terminal:
    """``env`` is all that the commands see of variables; ``url`` is the database that they work with."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.env = {"DATABASE_URL": url}

    def run(self, *words: str, **variables: str) -> Result:
        """Run a command, whatever comes of it; never may it show a stack trace."""
        result = CliRunner().invoke(app, list(words), env=self.env | variables, prog_name="sentinel")
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def ok(self, *words: str, **variables: str) -> str:
        """Run a command that succeeds; what it printed on stdout."""
        result = self.run(*words, **variables)
        assert result.exit_code == 0, result.output
        return result.stdout

    def refused(self, *words: str, status: int = 1, **variables: str) -> str:
        """Run a command that is refused with one clear remark and nothing on stdout; the remark."""
        result = self.run(*words, **variables)
        assert result.exit_code == status, result.output
        assert result.stdout == ""
        assert result.stderr.strip()
        return result.stderr

    def json(self, *words: str) -> Any:
        """What a command prints with ``--json``."""
        return json.loads(self.ok(*words, "--json"))

    def session(self, work: Callable[[AsyncSession], Awaitable[Found]]) -> Found:
        """Do something in a transaction of the database."""

        async def inside() -> Found:
            database = Database(self.url)
            try:
                async with database.transaction() as session:
                    return await work(session)
            finally:
                await database.close()

        return asyncio.run(inside())

    def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """The rows of a query; entities come as themselves."""

        async def work(session: AsyncSession) -> list[Any]:
            found = await session.execute(statement)
            return [row[0] if len(row) == 1 else row for row in found]

        return self.session(work)

    def add(self, *rows: Base) -> None:
        """Put rows straight into the database."""

        async def work(session: AsyncSession) -> None:
            session.add_all(rows)
            await session.flush()

        self.session(work)

    def dump(self) -> str:
        """Everything that stands in any table, as text."""

        async def work(session: AsyncSession) -> str:
            return repr(
                [
                    [tuple(row) for row in await session.execute(sa.select(*table.columns))]
                    for table in Base.metadata.tables.values()
                ]
            )

        return self.session(work)


def keys_in(text: str) -> list[str]:
    """Every whole service key in a text."""
    return re.findall(r"sk_[A-Za-z0-9_-]{43}", text)
