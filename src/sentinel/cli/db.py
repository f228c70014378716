"""``sentinel db``: the schema of the database."""

import asyncio
from typing import Annotated

import typer

from sentinel.cli import backup
from sentinel.cli.console import print_json, print_table, say, stop
from sentinel.cli.context import load_settings, out_of_reach, place, standing
from sentinel.core.errors import DomainError
from sentinel.migrations import upgrade as migrate

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add ``sentinel db``."""
    backup.register(commands)
    app.add_typer(
        commands,
        name="db",
        help="Bring the database up to date, see where it stands, back it up, restore it.",
    )


@commands.command()
def upgrade() -> None:
    """Bring the database to the newest revision; a missing SQLite file is created.

    'sentinel serve' does the same when it starts. Several processes may do it at once.
    """
    # With the one command that may need it: it takes a tenth of a second to import.
    from alembic.util.exc import CommandError

    settings = load_settings()
    try:
        before = asyncio.run(migrate(settings.database_url.get_secret_value()))
    except CommandError as error:
        stop(f"The database {place(settings)} was made by a newer version of this program: {error}")
    except DomainError as error:
        raise out_of_reach(settings, error) from error
    except Exception as error:
        raise out_of_reach(settings, error) from error
    if before.up_to_date:
        say(f"The database {place(settings)} is up to date, at revision {before.head}.")
    else:
        origin = f"from revision {before.current}" if before.current else "from an empty database"
        say(f"The database {place(settings)} is now at revision {before.head}, {origin}.")


@commands.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the revision of the database and the newest one; exit with 1 when they differ."""
    found = standing(load_settings())
    if json:
        print_json({"revision": found.current, "head": found.head, "up_to_date": found.up_to_date})
    else:
        print_table(("revision", "head", "up to date"), [(found.current, found.head, found.up_to_date)])
    if not found.up_to_date:
        raise typer.Exit(1)
