"""``sentinel apps``: backends with a service key, and applications that people sign in to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps import login_apps, scopes, service_apps
from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.apps.service_apps import MAX_OVERLAP_MINUTES
from sentinel.cli.console import print_json, print_table, remark, say, stop
from sentinel.cli.context import load_settings, read, write
from sentinel.core.errors import NotFound

ServiceName = Annotated[str, typer.Argument(metavar="SERVICE_NAME", help="The service name of the app.")]
ClientId = Annotated[UUID, typer.Argument(metavar="CLIENT_ID", help="The client id of the login app.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the value alone, for a script.")]
Yes = Annotated[bool, typer.Option("--yes", help="Really delete.")]

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add ``sentinel apps``."""
    app.add_typer(commands, name="apps", help="Register services and applications, and give them keys.")


# ── service apps ──


@commands.command()
def create(
    name: Annotated[str, typer.Option("--name", help="Name for people.")],
    service_name: Annotated[
        str, typer.Option("--service-name", help="Name in tokens and permissions; final.")
    ],
    origin: Annotated[
        list[str] | None, typer.Option("--origin", help="Browser origin that may call; repeatable.")
    ] = None,
    idp_audience: Annotated[
        list[str] | None,
        typer.Option("--idp-audience", help="Audience of the identity tokens that it hands in; repeatable."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Register a backend and print its service key, which cannot be shown again."""
    settings = load_settings()

    async def work(session: AsyncSession, now: datetime) -> str:
        _, key = await service_apps.create(
            session,
            name=name,
            service_name=service_name,
            allowed_origins=origin or (),
            allowed_idp_audiences=idp_audience or (),
            actor_id=None,
            now=now,
        )
        return key.plaintext

    key = write(settings, work)
    if quiet:
        say(key)
        return
    say(f"The service {service_name} is registered.")
    _show_key(key, settings.base_url)


@commands.command("rotate-key")
def rotate_key(
    service_name: ServiceName,
    overlap_minutes: Annotated[
        int,
        typer.Option(
            "--overlap-minutes", min=0, max=MAX_OVERLAP_MINUTES, help="How long the old key stays valid."
        ),
    ] = 0,
    quiet: Quiet = False,
) -> None:
    """Give a service a new key and print it; the old one ends at once, or after the overlap."""
    settings = load_settings()

    async def work(session: AsyncSession, now: datetime) -> str:
        app = await _service(session, service_name)
        overlap = timedelta(minutes=overlap_minutes)
        _, key = await service_apps.rotate_key(session, app.id, overlap=overlap, actor_id=None, now=now)
        return key.plaintext

    key = write(settings, work)
    if quiet:
        say(key)
        return
    old = f"stays valid for {overlap_minutes} minutes" if overlap_minutes else "is refused from now on"
    say(f"The service {service_name} has a new key; the old one {old}.")
    _show_key(key, settings.base_url)


@commands.command()
def activate(service_name: ServiceName) -> None:
    """Accept the key of a service again."""
    _set_service_active(service_name, True)


@commands.command()
def deactivate(service_name: ServiceName) -> None:
    """Refuse the key of a service from the next request on."""
    _set_service_active(service_name, False)


@commands.command()
def delete(service_name: ServiceName, yes: Yes = False) -> None:
    """Delete a service; unless it is in a realm, all its resources, shares and actions go with it."""

    async def look(session: AsyncSession, _: datetime) -> bool:
        return (await _service(session, service_name)).realm_id is not None

    async def work(session: AsyncSession, now: datetime) -> None:
        app = await _service(session, service_name)
        await service_apps.delete(session, app.id, actor_id=None, now=now)

    settings = load_settings()
    if not yes:
        in_realm = read(settings, look)
        lost = "its key" if in_realm else "its key and every resource, share and action of this service"
        stop(f"This deletes {service_name}, {lost}, and cannot be undone. Add --yes to do it.")
    write(settings, work)
    say(f"The service {service_name} is deleted.")


@commands.command("purge-scope")
def purge_scope(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a deleted service or realm.")],
    confirm: Annotated[
        str, typer.Option("--confirm", metavar="NAME", help="The same name again, to really delete.")
    ] = "",
) -> None:
    """Delete what a deleted service or realm has left behind, which frees its name."""

    async def look(session: AsyncSession, _: datetime) -> scopes.Rows:
        await scopes.require_orphaned(session, name)
        return await scopes.count_rows(session, name)

    async def work(session: AsyncSession, now: datetime) -> scopes.Rows:
        return await scopes.purge_orphaned(session, name, actor_id=None, now=now)

    settings = load_settings()
    if confirm != name:
        found = read(settings, look)
        if not found:
            stop(f"Nothing stands under the name {name!r}.")
        stop(
            f"This deletes {found} of {name!r}, with all shares, and cannot be undone. "
            f"Add --confirm {name} to do it."
        )
    deleted = write(settings, work)
    say(f"Deleted under {name}: {deleted}.")


# ── login apps ──


@commands.command("create-login")
def create_login(
    name: Annotated[str, typer.Option("--name", help="Name for people.")],
    redirect_uri: Annotated[
        list[str], typer.Option("--redirect-uri", help="Where a sign-in may end; repeatable.")
    ],
    quiet: Quiet = False,
) -> None:
    """Register an application that people sign in to and print its client id."""
    settings = load_settings()

    async def work(session: AsyncSession, now: datetime) -> LoginApp:
        return await login_apps.create(
            session,
            name=name,
            redirect_uris=redirect_uri,
            allow_plain_http=settings.debug,
            actor_id=None,
            now=now,
        )

    app = write(settings, work)
    if quiet:
        say(str(app.id))
        return
    say(f"The application {app.name} is registered. Its client id, which is no secret:\n\n  {app.id}")


@commands.command("activate-login")
def activate_login(client_id: ClientId) -> None:
    """Let people sign in to an application again."""
    _set_login_active(client_id, True, revoke_sessions=False)


@commands.command("deactivate-login")
def deactivate_login(
    client_id: ClientId,
    revoke_sessions: Annotated[
        bool, typer.Option("--revoke-sessions", help="End the sessions that were opened through it, too.")
    ] = False,
) -> None:
    """Let nobody sign in to an application; its sessions go on unless --revoke-sessions."""
    _set_login_active(client_id, False, revoke_sessions=revoke_sessions)


@commands.command("delete-login")
def delete_login(client_id: ClientId, yes: Yes = False) -> None:
    """Delete an application and end the sessions that were opened through it."""

    async def look(session: AsyncSession, _: datetime) -> LoginApp:
        return await login_apps.get(session, client_id)

    async def work(session: AsyncSession, now: datetime) -> int:
        return await login_apps.delete(session, client_id, actor_id=None, now=now)

    settings = load_settings()
    app = read(settings, look)
    if not yes:
        stop(f"This deletes the application {app.name} and ends its sessions. Add --yes to do it.")
    revoked = write(settings, work)
    say(f"The application {app.name} is deleted. Refresh tokens revoked: {revoked}.")


# ── both ──


@commands.command("list")
def list_apps(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List services and applications. A service's key is shown by its first characters only."""

    async def work(
        session: AsyncSession, _: datetime
    ) -> tuple[Sequence[ServiceApp], Sequence[LoginApp], dict[UUID, str]]:
        slugs = await session.execute(sa.select(Realm.id, Realm.slug))
        return (
            await service_apps.list_all(session),
            await login_apps.list_all(session),
            {row.id: row.slug for row in slugs},
        )

    services, logins, slugs = read(load_settings(), work)
    service_rows = [_service_row(app, slugs) for app in services]
    login_rows = [_login_row(app) for app in logins]
    if json:
        print_json({"service_apps": service_rows, "login_apps": login_rows})
        return
    _print_rows(
        ("service_name", "name", "realm", "key_prefix", "is_active", "allowed_origins", "last_used_at"),
        service_rows,
        "Services",
    )
    say("")
    _print_rows(("client_id", "name", "is_active", "redirect_uris", "created_at"), login_rows, "Login apps")


def _print_rows(shown: Sequence[str], rows: Sequence[dict[str, Any]], title: str) -> None:
    print_table(shown, [[row[key] for key in shown] for row in rows], title=title)


def _service_row(app: ServiceApp, slugs: dict[UUID, str]) -> dict[str, Any]:
    return {
        "id": app.id,
        "service_name": app.service_name,
        "name": app.name,
        "realm": slugs.get(app.realm_id) if app.realm_id else None,
        "key_prefix": app.key_prefix,
        "previous_key_until": app.previous_key_expires_at,
        "is_active": app.is_active,
        "allowed_origins": app.allowed_origins,
        "allowed_idp_audiences": app.allowed_idp_audiences,
        "last_used_at": app.last_used_at,
        "created_at": app.created_at,
        "updated_at": app.updated_at,
    }


def _login_row(app: LoginApp) -> dict[str, Any]:
    return {
        "client_id": app.id,
        "name": app.name,
        "is_active": app.is_active,
        "redirect_uris": app.redirect_uris,
        "created_at": app.created_at,
        "updated_at": app.updated_at,
    }


async def _service(session: AsyncSession, service_name: str) -> ServiceApp:
    app = await service_apps.find(session, service_name)
    if app is None:
        raise NotFound(f"There is no service named {service_name!r}; 'sentinel apps list' shows them all")
    return app


def _set_service_active(service_name: str, active: bool) -> None:
    async def work(session: AsyncSession, now: datetime) -> None:
        app = await _service(session, service_name)
        await service_apps.set_active(session, app.id, active, actor_id=None, now=now)

    write(load_settings(), work)
    say(f"The service {service_name} is {'active' if active else 'inactive; its key is refused'}.")


def _set_login_active(client_id: UUID, active: bool, *, revoke_sessions: bool) -> None:
    settings = load_settings()

    async def work(session: AsyncSession, now: datetime) -> tuple[LoginApp, int]:
        return await login_apps.change(
            session,
            client_id,
            is_active=active,
            revoke_sessions=revoke_sessions,
            allow_plain_http=settings.debug,
            actor_id=None,
            now=now,
        )

    app, revoked = write(settings, work)
    say(f"The application {app.name} is {'active' if active else 'inactive'}.")
    if revoke_sessions:
        say(f"Refresh tokens revoked: {revoked}.")


def _show_key(key: str, base_url: str) -> None:
    say(f"\nFor the environment of the service:\n\n  SERVICE_KEY={key}\n")
    remark("This is the only time that the key is shown; what is stored is a hash of it.")
    say(
        "To try it, which answers with the name of the service:\n\n"
        f'  curl {base_url}/realm/whoami -H "X-Service-Key: $SERVICE_KEY"'
    )
