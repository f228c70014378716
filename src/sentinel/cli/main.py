"""The ``sentinel`` command: all its parts under one roof, and one way to refuse."""

import gc
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from sentinel import __version__
from sentinel.cli.refusals import refusing

ROOMS = ("dev", "setup", "serve", "check", "db", "keys", "apps", "users")
"""The modules beside this one; each adds the command of its own name with ``register(app)``."""


class Commands(TyperGroup):
    """Loads the module of a command when it is wanted: making a key needs no web framework.

    Turns whatever escapes a command into lines for people and an exit status, never a stack trace.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return list(ROOMS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in ROOMS and cmd_name not in self.commands:
            room = typer.Typer(rich_markup_mode=None)
            room.callback()(options)
            if cmd_name == "serve":
                import_module("sentinel.cli.lean")
            import_module(f"sentinel.cli.{cmd_name}").register(room)
            gc.freeze()
            gc.enable()
            group = get_command(room)
            assert isinstance(group, TyperGroup)
            self.add_command(group.commands[cmd_name])
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: Any) -> Any:
        with refusing(typer.Abort):
            return super().invoke(ctx)


app = typer.Typer(
    name="sentinel",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Sentinel Auth: sign people in through the identity provider you already have, and decide what they may do.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sentinel {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What stands before the name of a command."""
