"""Login apps: who may start a sign-in and where it may end (RO-1, RO-5, ``admin.md`` §7)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.addresses import check_redirect_uris, origin_of
from sentinel.apps.models import LoginApp
from sentinel.audit import activity
from sentinel.core import listing
from sentinel.core.database import contains_folded
from sentinel.core.errors import NotFound
from sentinel.core.listing import Listing
from sentinel.identity.text import label
from sentinel.tokens.models import RefreshFamily, RefreshToken
from sentinel.tokens.revocation import revoke_login_app

_NEWEST_FIRST = sa.select(LoginApp).order_by(LoginApp.created_at.desc(), LoginApp.id)


async def create(
    session: AsyncSession,
    *,
    name: str,
    redirect_uris: Sequence[str],
    allow_plain_http: bool,
    actor_id: UUID | None,
    now: datetime,
) -> LoginApp:
    """Register an application that people sign in to; the new id is its ``client_id``.

    ``allow_plain_http`` permits http to any host (development). Raises :class:`Unprocessable`.
    """
    app = LoginApp(
        id=uuid4(),
        name=label(name),
        redirect_uris=check_redirect_uris(list(redirect_uris), allow_plain_http=allow_plain_http),
        is_active=True,
        created_by=actor_id,
        created_at=now,
        updated_at=now,
    )
    session.add(app)
    await session.flush()
    await _record(session, "client_app_created", app, actor_id, now)
    return app


async def get(session: AsyncSession, app_id: UUID) -> LoginApp:
    """The login app of that id. Raises :class:`NotFound`."""
    app = await session.get(LoginApp, app_id)
    if app is None:
        raise _not_found()
    return app


async def list_all(session: AsyncSession) -> Sequence[LoginApp]:
    """Every login app, newest first."""
    return (await session.execute(_NEWEST_FIRST)).scalars().all()


async def browse(session: AsyncSession, text: str | None = None, *, page: int = 1) -> Listing[LoginApp]:
    """A page of login apps, newest first; ``text`` is a part of the name, whatever the case, or a whole client id."""
    statement = _NEWEST_FIRST
    if text:
        fits: sa.ColumnElement[bool] = contains_folded(LoginApp.name, text)
        with suppress(ValueError):
            fits = sa.or_(fits, LoginApp.id == UUID(text))
        statement = statement.where(fits)
    return await listing.objects(session, lambda app: app, statement, page=page)


async def count_sessions(session: AsyncSession, app_id: UUID, *, now: datetime) -> int:
    """How many sessions that were opened through an app could still be renewed."""
    alive = sa.exists().where(
        RefreshToken.family_id == RefreshFamily.id,
        RefreshToken.consumed_at.is_(None),
        RefreshToken.expires_at > now,
    )
    found = await session.scalar(
        sa.select(sa.func.count())
        .select_from(RefreshFamily)
        .where(RefreshFamily.client_app_id == app_id, RefreshFamily.revoked_at.is_(None), alive)
    )
    return found or 0


async def redirect_allowed(session: AsyncSession, app_id: UUID, redirect_uri: str) -> bool:
    """Whether ``redirect_uri`` is registered, character for character, on that active app (RO-1)."""
    app = await session.get(LoginApp, app_id)
    return app is not None and app.is_active and redirect_uri in app.redirect_uris


async def change(
    session: AsyncSession,
    app_id: UUID,
    *,
    name: str | None = None,
    redirect_uris: Sequence[str] | None = None,
    is_active: bool | None = None,
    revoke_sessions: bool = False,
    allow_plain_http: bool,
    actor_id: UUID | None,
    now: datetime,
) -> tuple[LoginApp, int]:
    """Change a login app; returns it with the number of refresh tokens revoked.

    Sessions end only when the app is switched off together with ``revoke_sessions`` (DL-9). Writes one activity, and
    none when everything is so already and no session has ended. Raises :class:`NotFound`, :class:`Unprocessable`.
    """
    app = await _locked(session, app_id)
    wishes: dict[str, object] = {}
    if name is not None:
        wishes["name"] = label(name)
    if redirect_uris is not None:
        wishes["redirect_uris"] = check_redirect_uris(list(redirect_uris), allow_plain_http=allow_plain_http)
    if is_active is not None:
        wishes["is_active"] = is_active
    changes = {field: value for field, value in wishes.items() if getattr(app, field) != value}
    revoked = 0
    # Also when it was off already: whoever left the sessions alone then may think better of it.
    if is_active is False and revoke_sessions:
        revoked = await revoke_login_app(session, app.id, reason="client_app_deactivated", now=now)
    if not changes and not revoked:
        return app, 0
    for field, value in changes.items():
        setattr(app, field, value)
    app.updated_at = now
    await session.flush()
    await _record(session, "client_app_updated", app, actor_id, now, tokens_revoked=revoked)
    return app, revoked


async def delete(session: AsyncSession, app_id: UUID, *, actor_id: UUID | None, now: datetime) -> int:
    """Delete a login app and end its sessions (DL-9); returns the refresh tokens revoked."""
    app = await _locked(session, app_id)
    revoked = await revoke_login_app(session, app.id, reason="client_app_deleted", now=now)
    await session.execute(sa.delete(LoginApp).where(LoginApp.id == app.id))
    await _record(session, "client_app_deleted", app, actor_id, now, tokens_revoked=revoked)
    return revoked


async def active_origins(session: AsyncSession) -> frozenset[str]:
    """The origin of every redirect URI of every active login app (``http-api.md`` §0.5)."""
    rows = await session.execute(sa.select(LoginApp.redirect_uris).where(LoginApp.is_active))
    return frozenset(origin_of(uri) for uris in rows.scalars() for uri in uris)


async def _locked(session: AsyncSession, app_id: UUID) -> LoginApp:
    """The app for a change: from here on no new session can refer to it until the change is committed (DL-11)."""
    app = (
        await session.execute(
            sa.select(LoginApp)
            .where(LoginApp.id == app_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).scalar_one_or_none()
    if app is None:
        raise _not_found()
    return app


def _not_found() -> NotFound:
    return NotFound("Login app not found", reason="client_app_not_found")


async def _record(
    session: AsyncSession, action: str, app: LoginApp, actor_id: UUID | None, now: datetime, **detail: object
) -> None:
    await activity.record(
        session,
        action,
        target_type="client_app",
        target_id=app.id,
        actor_id=actor_id,
        detail={"app": app.name, **detail},
        now=now,
    )
