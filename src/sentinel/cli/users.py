"""``sentinel users``: the people of this installation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.cli.console import print_json, print_table, say, stop
from sentinel.cli.context import VIA, load_settings, read, write
from sentinel.core.clock import Clock
from sentinel.core.errors import Conflict, NotFound
from sentinel.identity import users
from sentinel.identity.models import User
from sentinel.login.welcome import Welcome
from sentinel.workspaces import people

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Address of the person, in any case.")]

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add ``sentinel users``."""
    app.add_typer(commands, name="users", help="Administrators, and people who may no longer sign in.")


@commands.command("create-admin")
def create_admin(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Address that the person signs in with.")],
    name: Annotated[str | None, typer.Option("--name", help="Name of a new person.")] = None,
) -> None:
    """Make somebody an administrator; a new person is created and linked to a provider at the first sign-in."""
    settings = load_settings()

    async def work(session: AsyncSession, now: datetime) -> tuple[UUID, str, str]:
        user, outcome = await users.create_admin(session, email, name=name, actor_id=None, via=VIA, now=now)
        return user.id, user.email, outcome

    user_id, address, outcome = write(settings, work)
    if outcome == "unchanged":
        say(f"{address} is an administrator already.")
        return
    say(f"{address} is now an administrator.")
    if outcome == "created":
        token = Welcome(settings.session_keys, Clock()).token(user_id)
        say(f"Open {settings.admin_url}/login?welcome={token}")
        say("There is no password: sign in with a provider that confirms this address.")
    else:
        say(f"Open {settings.admin_url}/login")


@commands.command("list")
def list_users(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List everybody, by address."""

    async def work(session: AsyncSession, _: datetime) -> Sequence[User]:
        return (await session.execute(sa.select(User).order_by(User.email))).scalars().all()

    shown = ("email", "name", "is_active", "is_admin", "created_at")
    rows = [
        {"id": user.id} | {key: getattr(user, key) for key in shown} for user in read(load_settings(), work)
    ]
    if json:
        print_json(rows)
    else:
        print_table(shown, [[row[key] for key in shown] for row in rows])


@commands.command()
def deactivate(email: Email) -> None:
    """Keep a person from signing in and end all sessions and tokens at once."""

    async def work(session: AsyncSession, now: datetime) -> tuple[bool, int]:
        user = await _user(session, email)
        was_active = user.is_active
        try:
            return was_active, await users.set_active(session, user.id, False, actor_id=None, now=now)
        except Conflict as refusal:
            raise _with_hint(refusal, user) from refusal

    was_active, revoked = write(load_settings(), work)
    if was_active:
        say(f"{email} is deactivated. Refresh tokens revoked: {revoked}.")
    else:
        say(f"{email} is deactivated already.")


@commands.command()
def activate(email: Email) -> None:
    """Let a person sign in again; old sessions and tokens stay dead."""

    async def work(session: AsyncSession, now: datetime) -> None:
        user = await _user(session, email)
        await users.set_active(session, user.id, True, actor_id=None, now=now)

    write(load_settings(), work)
    say(f"{email} is active.")


@commands.command()
def revoke(email: Email) -> None:
    """End all sessions and tokens of a person, who may sign in again."""

    async def work(session: AsyncSession, now: datetime) -> int:
        user = await _user(session, email)
        return await users.revoke(session, user.id, actor_id=None, now=now)

    say(f"{email} is signed out everywhere. Refresh tokens revoked: {write(load_settings(), work)}.")


@commands.command()
def delete(email: Email, yes: Annotated[bool, typer.Option("--yes", help="Really delete.")] = False) -> None:
    """Delete a person with every membership, role and share; what he made or owns stays, without an owner."""

    async def look(session: AsyncSession, _: datetime) -> None:
        await _user(session, email)

    async def work(session: AsyncSession, now: datetime) -> int:
        user = await _user(session, email)
        try:
            return await people.delete(session, user.id, actor_id=None, now=now)
        except Conflict as refusal:
            raise _with_hint(refusal, user) from refusal

    settings = load_settings()
    if not yes:
        read(settings, look)
        stop(
            f"This deletes {email} with every membership, role and share, and cannot be undone; 'deactivate' "
            "keeps everything. Add --yes to do it."
        )
    say(f"{email} is deleted. Refresh tokens revoked: {write(settings, work)}.")


async def _user(session: AsyncSession, email: str) -> User:
    user = await users.find_by_email(session, email)
    if user is None:
        raise NotFound(f"There is no user {email!r}; 'sentinel users list' shows everybody")
    return user


def _with_hint(refusal: Conflict, user: User) -> Conflict:
    """``refusal`` as it is, or, for the last active administrator (AD-8), with the way out."""
    if refusal.reason != "last_admin":
        return refusal
    return Conflict(
        f"{user.email} is the last active administrator; make another one first with "
        "'sentinel users create-admin'"
    )
