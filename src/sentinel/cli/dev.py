"""``sentinel dev``: everything for a first look, on this machine alone."""

import asyncio
import os
import socket
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
import uvicorn
from rich.console import Console

from sentinel.apps.addresses import is_loopback
from sentinel.cli.server import UVICORN

if TYPE_CHECKING:
    from sentinel.devmode.installation import Installation

DataFolder = Annotated[Path, typer.Option("--data", help="Folder of the database, the keys and the notes.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")]


def register(app: typer.Typer) -> None:
    """Add ``sentinel dev`` and its ``token`` sub-command."""
    group = typer.Typer(invoke_without_command=True, no_args_is_help=False)
    group.callback()(dev)
    group.command("token")(token)
    app.add_typer(group, name="dev", help="Run everything for a first look, on this machine alone.")


def dev(
    context: typer.Context,
    data: DataFolder = Path("data"),
    port: Port = 9003,
    host: Annotated[str, typer.Option("--host", help="Loopback address to listen on.")] = "127.0.0.1",
    reset: Annotated[bool, typer.Option("--reset", help="Throw the development data away first.")] = False,
) -> None:
    """Start a development server with sample people, workspaces and applications."""
    if context.invoked_subcommand is not None:
        return
    from sentinel.devmode import installation

    if not is_loopback(host):
        _stop(
            f"sentinel dev listens on loopback only, and {host} is not: anybody may sign in as anybody here. "
            "Use 'sentinel serve' for a machine that others can reach."
        )
    _require_free(host, port)
    if reset:
        try:
            installation.reset(data)
        except installation.NotADevelopmentFolder as problem:
            _stop(str(problem))
    here = installation.open_installation(data, host=host, port=port, environment=dict(os.environ))
    with suppress(KeyboardInterrupt):
        # Ctrl-C is how one stops it; the server has closed everything by then.
        asyncio.run(_serve(here))


def token(
    email: Annotated[str, typer.Argument(help="Address of a sample person, such as edith@acme.example.")],
    workspace: Annotated[
        str | None, typer.Option("--workspace", help="Slug; needed with several workspaces.")
    ] = None,
    data: DataFolder = Path("data"),
) -> None:
    """Sign a sample person in at the running development server and print the access token."""
    from sentinel.devmode import installation
    from sentinel.devmode.client import SignInFailed, sign_in

    notes = installation.read_notes(data)
    if notes is None:
        _stop(f"There is no development installation in {data}; start one with 'sentinel dev'.")
    try:
        typer.echo(sign_in(notes, email, workspace).access_token)
    except SignInFailed as problem:
        _stop(str(problem))


async def _serve(here: "Installation") -> None:
    from sentinel.cli.development import build
    from sentinel.cli.drain import Protocol

    app, panel_link = await build(here)
    options = UVICORN | {"http": Protocol}
    config = uvicorn.Config(app, host=here.settings.service_host, port=here.settings.service_port, **options)
    await _Announcing(config, here, panel_link).serve()


class _Announcing(uvicorn.Server):
    """Prints where to go once the server really answers."""

    def __init__(self, config: uvicorn.Config, here: "Installation", panel_link: str) -> None:
        super().__init__(config)
        self._here = here
        self._panel_link = panel_link

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            from sentinel.cli.development import announcement, start_logging

            Console(soft_wrap=True, highlight=False).print(announcement(self._here, self._panel_link))
            start_logging(self._here.settings, quiet=False)


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            _stop(
                f"Port {port} on {host} is in use. Stop what listens there (perhaps another 'sentinel dev'), or "
                f"choose another port with --port."
            )


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
