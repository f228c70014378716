"""What commands print: results on stdout, remarks on stderr; tables for people, tab-separated lines for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn, TextIO


def say(text: str) -> None:
    """Print a result."""
    _put(text, sys.stdout)


def remark(text: str) -> None:
    """Print something about the result, where it cannot be taken for the result itself."""
    _put(text, sys.stderr)


def _put(text: str, where: TextIO) -> None:
    where.write(f"{text}\n")
    where.flush()


def stop(text: str, *, status: int = 1) -> NoReturn:
    """Say why the command ends here, and end it with ``status``."""
    remark(text)
    raise SystemExit(status)


def print_json(value: Any) -> None:
    """Print ``value`` as JSON; times, ids and paths become text."""
    say(json.dumps(value, indent=2, default=_json_value, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """Print a table: drawn on a terminal, otherwise tab-separated lines below a line with the column names."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not sys.stdout.isatty():
        for line in (columns, *cells):
            say("\t".join(line))
        return
    # Every command loads this module, and few draw a table.
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left")
    for row in cells:
        table.add_row(*row)
    Console(markup=False, highlight=False, emoji=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return _time(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_cell, value)) or "-"
    # Names and addresses come from elsewhere: none of them may speak to the terminal or open a second line.
    return "".join(char if char.isprintable() else "?" for char in str(value))


def _json_value(value: Any) -> str:
    return _time(value) if isinstance(value, datetime) else str(value)


def _time(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
