"""The ``sentinel`` command: all its parts under one roof, and one way to refuse."""

import gc
import traceback
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from sentinel import __version__
from sentinel.cli.console import stop
from sentinel.core.errors import DomainError, Unprocessable
from sentinel.settings import SettingsError
from sentinel.tokens.keyring import KeyProblem

ROOMS = ("dev", "setup", "serve", "check", "db", "keys", "apps", "users")
"""The modules beside this one; each adds the command of its own name with ``register(app)``."""
REFUSED = 1
MISCONFIGURED = 2


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
        try:
            return super().invoke(ctx)
        except SettingsError as problem:
            stop(f"The configuration cannot be used:\n{problem}", status=MISCONFIGURED)
        except Unprocessable as refusal:
            stop(f"{refusal.detail} ({refusal.field})", status=REFUSED)
        except DomainError as refusal:
            stop(refusal.detail, status=REFUSED)
        except KeyProblem as problem:
            stop(str(problem), status=REFUSED)
        except (BrokenPipeError, EOFError, typer.Abort):
            raise
        except OSError as error:
            stop(f"{error.filename or type(error).__name__}: {error.strerror or error}", status=REFUSED)
        except Exception as error:
            # Typer's own: wrong usage and the wish to exit.
            if hasattr(error, "exit_code"):
                raise
            stop(f"This should not have happened. {_whereabouts(error)}", status=REFUSED)


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


def _whereabouts(error: Exception) -> str:
    """Kind, first line and place of an error that nobody foresaw: enough to report it, on one line."""
    text = str(error).partition("\n")[0]
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).parents[1])
    place = next((frame for frame in reversed(frames) if frame.filename.startswith(package)), None)
    where = f" at {Path(place.filename).name}:{place.lineno}" if place else ""
    return f"{type(error).__name__}{where}: {text}" if text else f"{type(error).__name__}{where}"
