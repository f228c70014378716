"""The page of all commands, from the commands."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from sentinel.cli.main import app

HEAD = """# Commands

Every command prints its help with `--help`. Commands that touch the database or the keys read the configuration as
`sentinel serve` does: from the environment, and from `.env` in the working directory.
"""
OWN_HELP = "help"


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_command(get_command(app), "sentinel", level=1))


def _command(command: Any, name: str, *, level: int) -> Iterator[str]:
    children = _children(command)
    if level > 1:
        yield f"\n{'#' * level} `{name}`\n\n{inspect.cleandoc(command.help or '')}\n"
    shown = [part for part in command.params if part.name != OWN_HELP]
    if level > 1 and shown:
        yield "\n| Option | Default | Meaning |\n|---|---|---|\n"
        yield from map(_row, shown)
    for child, sub in children:
        yield from _command(sub, f"{name} {child}", level=min(level + 1, 3))


def _children(command: Any) -> list[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        return []
    return [(name, command.get_command(None, name)) for name in command.list_commands(None)]


def _row(part: Any) -> str:
    if part.param_type_name == "argument":
        name = f"`{part.metavar or part.name}`"
    else:
        name = ", ".join(f"`{flag}`" for flag in (*part.opts, *part.secondary_opts))
        if not part.is_flag:
            name += f" {_kind(part)}"
    meaning = " ".join((part.help or "").split()).replace("|", r"\|")
    return f"| {name} | {_default(part)} | {meaning} |\n"


def _kind(part: Any) -> str:
    """What a value looks like, as the help of the command shows it."""
    shown = str(part.display_type(None)).strip("<>").removeprefix("list[").rstrip("]")
    words = {"str": "text", "dir": "folder", "int": "number", "int range": "number"}
    return words.get(shown, shown).replace("|", r" \| ")


def _default(part: Any) -> str:
    if part.required:
        return "needed"
    value = part.default() if callable(part.default) else part.default
    if value is None or value is False or value == () or "sentinel" in type(value).__name__.lower():
        return ""
    if value is True:
        return "yes"
    return f"`{getattr(value, 'value', value)}`"
