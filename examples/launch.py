"""Starts an example beside a running ``make run``: ``launch.py notes``, ``realm`` or ``script``.

An operator registers services and applications once, in the panel or with ``sentinel apps``. Here that is done each
time, in the database of the development server, so that one command is enough.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar
from uuid import UUID

import httpx
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

import sentinel.migrations.tables  # noqa: F401 - a write to one table needs to know those that it refers to
from sentinel.apps import login_apps, realms, service_apps
from sentinel.apps.authentication import ServiceCaller
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.logging import configure_logging
from sentinel.devmode.client import SignInFailed, sign_in
from sentinel.devmode.installation import PROVIDER, Notes, read_notes
from sentinel.identity.models import User
from sentinel.roles import actions, bindings, roles
from sentinel.roles.actions import ActionWish
from sentinel.workspaces.models import Workspace

HERE = Path(__file__).parent
SDK = HERE.parent / "sdk" / "python" / "src"
START_SECONDS = 60

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """The development server that the examples stand beside."""

    folder: Path
    notes: Notes

    @property
    def environment(self) -> dict[str, str]:
        """What a program of an example is started with: Sentinel's address, and the way to the client library."""
        path = [str(SDK), *filter(None, [os.environ.get("PYTHONPATH")])]
        own = {"SENTINEL_URL": self.notes.base_url, "PYTHONPATH": os.pathsep.join(path)}
        return dict(os.environ) | own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("example", choices=("notes", "realm", "script"))
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder of 'sentinel dev'")
    parser.add_argument("--mode", choices=("proxy", "authz"), default="proxy", help="of the notes")
    parser.add_argument("--port", type=int, help="8000 for the notes; 8010 and the next for the realm")
    wanted = parser.parse_args()
    configure_logging(level="WARNING")
    server = find_server(wanted.data)
    if wanted.example == "notes":
        start_notes(server, wanted.mode, wanted.port or 8000)
    elif wanted.example == "realm":
        start_realm(server, wanted.port or 8010)
    else:
        start_script(server)


def find_server(folder: Path) -> Server:
    notes = read_notes(folder)
    if notes is None:
        stop(f"There is no development server in {folder}/. Start one in another terminal: make run")
    if not answers(f"{notes.base_url}/health"):
        stop(f"The development server does not answer at {notes.base_url}. Start it: make run")
    return Server(folder.absolute(), notes)


# --- the three examples --------------------------------------------------------------------------------------------


def start_notes(server: Server, mode: str, port: int) -> None:
    """The sample service "team-notes" as an application: its key exists already, and its client at the provider."""
    address, provider = f"http://localhost:{port}", f"{server.notes.base_url}/dev/idp"
    environment = {
        "SENTINEL_KEY": server.notes.service_key,
        "SENTINEL_MODE": mode,
        "SENTINEL_PROVIDER": PROVIDER,
        "NOTES_DATABASE": f"sqlite+aiosqlite:///{server.folder / 'team-notes.db'}",
    }
    if mode == "proxy":
        environment["CLIENT_ID"] = write(server, lambda session, now: login_app(session, f"{address}/", now))
    else:
        environment |= {
            "CLIENT_ID": server.notes.app_client_id,
            "IDP_ISSUER": provider,
            "IDP_JWKS_URL": f"{provider}/jwks.json",
            "IDP_AUTHORIZE_URL": f"{provider}/authorize",
        }
    write(server, exporter)
    serve(
        [uvicorn(server, "team-notes", "app", port, environment)],
        # The page asks Sentinel from its own origin, which Sentinel lets in within seconds of the registration.
        lambda: answers(address) and (mode == "authz" or lets_in(server, address)),
        f"Team notes in {mode} mode: {address}",
    )


def start_realm(server: Server, port: int) -> None:
    """Two services of the realm "office" that call each other."""
    keys = write(server, lambda session, now: realm(session, "office", ("reports", "archive"), now))
    reports, archive = f"http://localhost:{port}", f"http://localhost:{port + 1}"
    addresses = {"REPORTS_URL": reports, "ARCHIVE_URL": archive}
    apps = [
        uvicorn(server, "realm", name, port + offset, addresses | {"SENTINEL_KEY": keys[name]})
        for offset, name in enumerate(("reports", "archive"))
    ]
    token = f".venv/bin/sentinel dev token edith@acme.example --data {server.folder}"
    serve(
        apps,
        lambda: answers(f"{reports}/health") and answers(f"{archive}/health"),
        f"""Reports at {reports}, archive at {archive}. Try, in another terminal:

  export TOKEN=$({token})
  curl -s {reports}/reports -H "Authorization: Bearer $TOKEN" --json '{{"text": "All is well"}}'
  curl -s {reports}/statistics -H "Authorization: Bearer $TOKEN"
""",
    )


def start_script(server: Server) -> None:
    """The script, for machines that Edith owns, with questions in Victor's name."""

    async def prepare(session: AsyncSession, now: datetime) -> dict[str, str]:
        return {
            "SENTINEL_KEY": await service_key(session, "inventory", now),
            "WORKSPACE_ID": str(await workspace_id(session, "acme")),
            "OWNER_ID": str(await user_id(session, "edith@acme.example")),
        }

    environment = server.environment | write(server, prepare)
    try:
        environment["TOKEN"] = sign_in(server.notes, "victor@acme.example").access_token
    except SignInFailed as problem:
        stop(str(problem))
    sys.exit(subprocess.call([sys.executable, HERE / "script" / "inventory.py"], env=environment))


# --- what an operator does once ------------------------------------------------------------------------------------


async def login_app(session: AsyncSession, redirect_uri: str, now: datetime) -> str:
    """The client id of the application that people are sent back to at ``redirect_uri``."""
    for app in await login_apps.list_all(session):
        if app.is_active and redirect_uri in app.redirect_uris:
            return str(app.id)
    made = await login_apps.create(
        session,
        name="Team notes",
        redirect_uris=[redirect_uri],
        allow_plain_http=True,
        actor_id=None,
        now=now,
    )
    return str(made.id)


async def exporter(session: AsyncSession, now: datetime) -> None:
    """The role "Exporter" in Acme, which Adam holds: no workspace role brings an action with it."""
    acme = await workspace_id(session, "acme")
    if any(entry.role.name == "Exporter" for entry in await roles.list_roles(session, acme)):
        return
    everything, wish = ServiceCaller(None, None, None), ActionWish("notes:export")
    [action] = await actions.register(session, everything, "team-notes", [wish], now=now)
    role = await roles.create(session, acme, name="Exporter", actor_id=None, now=now)
    await roles.add_actions(session, role.id, [action.id], actor_id=None, now=now)
    adam = await user_id(session, "adam@acme.example")
    await bindings.bind_member(session, role.id, adam, actor_id=None, now=now)


async def service_key(session: AsyncSession, name: str, now: datetime) -> str:
    """A key of the service, which is registered if need be. A key is shown once, so this is a new one each time."""
    app = await service_apps.find(session, name)
    if app is None:
        _, key = await service_apps.create(
            session, name=name.title(), service_name=name, actor_id=None, now=now
        )
    else:
        _, key = await service_apps.rotate_key(session, app.id, overlap=timedelta(), actor_id=None, now=now)
    return key.plaintext


async def realm(session: AsyncSession, slug: str, services: Sequence[str], now: datetime) -> dict[str, str]:
    """The keys of services that are members of one realm."""
    found = next((one for one in await realms.list_all(session) if one.slug == slug), None)
    if found is None:
        found = await realms.create(session, name=slug.title(), slug=slug, actor_id=None, now=now)
    keys = {}
    for name in services:
        keys[name] = await service_key(session, name, now)
        app = await service_apps.find(session, name)
        assert app is not None
        await realms.add_member(session, found.id, app.id, actor_id=None, now=now)
    return keys


async def workspace_id(session: AsyncSession, slug: str) -> UUID:
    return (await session.execute(sa.select(Workspace.id).where(Workspace.slug == slug))).scalar_one()


async def user_id(session: AsyncSession, email: str) -> UUID:
    return (await session.execute(sa.select(User.id).where(User.email == email))).scalar_one()


def write(server: Server, work: Callable[[AsyncSession, datetime], Awaitable[T]]) -> T:
    """Do ``work`` in one transaction in the development server's database."""

    async def inside() -> T:
        database = Database(f"sqlite+aiosqlite:///{server.folder / 'sentinel.db'}")
        try:
            async with database.transaction() as session:
                return await work(session, Clock().now())
        finally:
            await database.close()

    return asyncio.run(inside())


# --- processes -----------------------------------------------------------------------------------------------------


def uvicorn(
    server: Server, folder: str, module: str, port: int, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "uvicorn", f"{module}:app", "--app-dir", str(HERE / folder)),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"),
    ]
    return subprocess.Popen(command, env=server.environment | dict(environment))


def serve(apps: Sequence[subprocess.Popen[bytes]], ready: Callable[[], bool], announcement: str) -> None:
    """Say where to go once it is ``ready``; then wait for Ctrl-C, or for one of the programs to end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        wait_for("the programs answer", lambda: ready() or any(app.poll() is not None for app in apps))
        if all(app.poll() is None for app in apps):
            print(f"{announcement}\nStop with Ctrl-C.", flush=True)
            os.wait()
        stop("A program has ended; what it said stands above.")
    except KeyboardInterrupt:
        print()
    finally:
        for app in apps:
            app.terminate()
        for app in apps:
            app.wait()


def answers(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> bool:
    try:
        return httpx.request(method, url, headers=headers, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def lets_in(server: Server, origin: str) -> bool:
    """Whether a page of that origin may ask Sentinel."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return answers(f"{server.notes.base_url}/auth/token", "OPTIONS", asked)


def wait_for(what: str, happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            stop(f"Waited in vain for this: {what}.")
        time.sleep(0.1)


def stop(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
