"""Wiring: the one place that knows every room and joins it to its neighbours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sentinel import __version__
from sentinel.admin import sign_in as admin_sign_in
from sentinel.admin.session import add_handlers as add_panel_handlers
from sentinel.api import (
    auth,
    authz,
    explain,
    groups,
    health,
    organizations,
    permissions,
    realm,
    reference,
    roles,
    users,
    workspaces,
)
from sentinel.api.errors import add_handlers
from sentinel.api.hot import HotCall, HotCalls, hot_route
from sentinel.api.json_text import JsonIsUtf8
from sentinel.api.middleware import wrap
from sentinel.api.middleware.cors import Origins
from sentinel.api.rate_limit import RateLimits
from sentinel.api.registered_origins import refresh_origins
from sentinel.api.route_index import LateRoutes, RouteIndex
from sentinel.api.schemas.permissions import AccessibleIn, PlainCheckIn
from sentinel.api.schemas.roles import CheckActionIn, UserActionsIn
from sentinel.api.state import State
from sentinel.apps.key_use import KeyUse
from sentinel.audit import sign_in_memory
from sentinel.audit.buffer import ActivityBuffer
from sentinel.audit.geo import BundledCountries
from sentinel.audit.signals import Signals
from sentinel.audit.stuffing import StuffingPolicy, StuffingWatch
from sentinel.core import metrics, tasks, tracing
from sentinel.core.clock import Clock
from sentinel.core.database import POOL_OVERFLOW, POOL_SIZE, Database
from sentinel.core.direct import CONNECTIONS, PostgresReads
from sentinel.core.errors import Unavailable
from sentinel.core.logging import app_event
from sentinel.core.outbound import Outbound
from sentinel.core.redis import connect
from sentinel.login.admin import AdminLogin
from sentinel.login.github_authz import GitHubLogin
from sentinel.login.proxy import ProxyLogin
from sentinel.login.resolve import Resolver
from sentinel.login.sessions import RefreshPolicy
from sentinel.login.state import LoginCookie
from sentinel.migrations import upgrade
from sentinel.providers import Providers
from sentinel.roles.usage import UsageCounter
from sentinel.settings import Settings
from sentinel.tokens.issue import Issuer, Lifetimes
from sentinel.tokens.keyring import FileKeyring, KeyProblem
from sentinel.tokens.sweep import sweep
from sentinel.tokens.verify import Verifier

DIRECTORY = (users.directory_router, groups.directory_router, workspaces.directory_router)
PUBLIC = (
    auth.router,
    admin_sign_in.router,
    authz.browser_router,
    users.router,
    groups.router,
    workspaces.router,
)
HOT = (permissions.hot_router, explain.hot_router, roles.hot_router)
INTERNAL = (*HOT, permissions.router, explain.router, roles.router, realm.router, organizations.router)
HOT_CALLS = tuple(
    HotCall(hot_route(router.routes, path), question, endpoint)
    for router, path, question, endpoint in (
        (permissions.hot_router, "/permissions/check", PlainCheckIn, permissions.check_plain),
        (permissions.hot_router, "/permissions/accessible", AccessibleIn, permissions.accessible_plain),
        (roles.hot_router, "/roles/check-action", CheckActionIn, None),
        (roles.hot_router, "/roles/user-actions", UserActionsIn, None),
    )
)
ROOMS = {
    "all": (health.router, authz.router, *DIRECTORY, *PUBLIC, *INTERNAL),
    "public": (health.router, authz.router, *DIRECTORY, *PUBLIC),
    "internal": (health.router, authz.router, *DIRECTORY, *INTERNAL),
}
"""Which routes each ``TIER`` serves (``http-api.md`` §0.6), beside those of the panel."""
PANEL = "/admin"
"""Everything below this path is :func:`panel`'s, and nothing of :data:`ROOMS` is."""

ORIGINS_EVERY = 4.0
"""Seconds between two looks at the registered origins; every worker has to see a change within 5 (§0.5)."""
KEYS_EVERY = 10.0
BOOKS_EVERY = 5.0
SWEEP_EVERY = 300.0
END_WITHIN = 5.0
"""Seconds that each part of the service may take to end."""


def panel() -> tuple[APIRouter, ...]:
    """The routers of the panel, which every tier but the internal one serves. The first call takes a moment."""
    # Its modules are a quarter of all the code, which a worker that is only asked for permissions never needs:
    # docs/decisions/panel-when-asked-for.md.
    from sentinel.admin.rooms import PANEL as ROUTERS

    return ROUTERS


class Application:
    """The whole service as one ASGI application; ``state`` holds its parts for whoever embeds or tests it."""

    def __init__(self, asgi: ASGIApp, api: FastAPI, state: State) -> None:
        self._asgi = asgi
        self.api = api
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._asgi(scope, receive, send)


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    outbound: Outbound | None = None,
    extensions: Sequence[tuple[str, APIRouter]] = (),
    migrate: bool = True,
    late: bool = False,
) -> Application:
    """Build the service for ``settings``.

    ``clock`` and ``outbound`` stand in for the real ones in tests; ``extensions`` are further routers with their
    prefixes (the development mode brings some); ``migrate`` brings the database up to date when the server
    starts; ``late`` leaves the panel out until it is first asked for, except in development, whose description of
    the API is to be whole. Raises :class:`~sentinel.tokens.keyring.KeyProblem` for unusable key files.
    """
    state = _state(settings, clock or Clock(), outbound or Outbound())
    api = FastAPI(
        title="Sentinel Auth",
        version=__version__,
        lifespan=partial(_lifespan, state=state, migrate=migrate),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # Its own would tell paths, error texts and log records; core/tracing.py tells less.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    api.state.sentinel = state
    api.state.limits = state.limits
    add_handlers(api)
    add_panel_handlers(api)
    has_panel, late = settings.tier != "internal", late and not settings.debug
    for room in (*ROOMS[settings.tier], *(panel() if has_panel and not late else ())):
        # Including a router would build each of its routes once more for this application; they are whole as they are.
        api.router.routes.extend(room.routes)
    _add_pages(api, settings)
    for prefix, router in extensions:
        api.include_router(router, prefix=prefix)
    index = RouteIndex(api.router, late=LateRoutes(PANEL, panel) if has_panel and late else None)
    api.router.middleware_stack = JsonIsUtf8(index)
    hot = HotCalls(api, HOT_CALLS if settings.tier != "public" else ())
    return Application(wrap(hot, settings=settings, origins=state.origins, hot=hot), api, state)


def _state(settings: Settings, clock: Clock, outbound: Outbound) -> State:
    database = Database(settings.database_url.get_secret_value())
    if settings.metrics_port:
        metrics.enable()
        metrics.watch_pool(database.engine.sync_engine, size=POOL_SIZE + POOL_OVERFLOW)
        if isinstance(reads := database.direct, PostgresReads):
            metrics.watch_direct(lambda: reads.in_use, size=CONNECTIONS)
    if tracing.enabled():
        tracing.watch_database(database)
    keyring = FileKeyring(
        settings.jwt_private_key_path,
        settings.jwt_public_key_path,
        list(settings.jwt_previous_public_key_paths),
        clock=clock,
    )
    providers = Providers(settings, outbound, clock)
    lifetimes = Lifetimes(
        access=timedelta(minutes=settings.access_token_expire_minutes),
        refresh=timedelta(days=settings.refresh_token_expire_days),
        authz=timedelta(minutes=settings.authz_token_expire_minutes),
        admin=timedelta(minutes=settings.admin_token_expire_minutes),
    )
    issuer = Issuer(keyring, settings.base_url, lifetimes, clock)
    activity_buffer = ActivityBuffer(database, clock)
    signals = _signals(settings, database, clock)
    family_days = settings.refresh_family_max_days
    return State(
        settings=settings,
        clock=clock,
        database=database,
        keyring=keyring,
        issuer=issuer,
        verifier=Verifier(keyring, settings.base_url, clock),
        outbound=outbound,
        providers=providers,
        limits=RateLimits(settings, clock),
        origins=Origins(settings.cors_origins),
        proxy_login=ProxyLogin(
            database,
            providers,
            base_url=settings.base_url,
            admin_emails=settings.admin_emails,
            signals=signals,
            clock=clock,
        ),
        admin_login=AdminLogin(
            database,
            providers,
            issuer,
            base_url=settings.base_url,
            admin_emails=settings.admin_emails,
            signals=signals,
            clock=clock,
        ),
        login_cookie=LoginCookie(settings.session_keys, clock),
        resolver=Resolver(
            database,
            providers,
            issuer,
            activity_buffer,
            admin_emails=settings.admin_emails,
            clock=clock,
        ),
        github_login=GitHubLogin(database, providers, base_url=settings.base_url, clock=clock),
        refresh_policy=RefreshPolicy(
            grace=timedelta(seconds=settings.refresh_reuse_grace_seconds),
            family_age=timedelta(days=family_days) if family_days else None,
        ),
        key_use=KeyUse(database, clock),
        usage=UsageCounter(database, clock),
        activity=activity_buffer,
        signals=signals,
        started_at=clock.now(),
    )


def _signals(settings: Settings, database: Database, clock: Clock) -> Signals:
    policy = StuffingPolicy(
        failures=settings.signal_stuffing_failures,
        distinct_emails=settings.signal_stuffing_distinct_emails,
        window=timedelta(minutes=settings.signal_stuffing_window_minutes),
    )
    stuffing = StuffingWatch(
        policy,
        clock,
        secret=settings.session_secret_key.get_secret_value(),
        redis=connect(settings) if settings.signals_enabled else None,
    )
    return Signals(
        database,
        clock,
        BundledCountries(),
        stuffing,
        travel_kmh=settings.signal_impossible_travel_kmh,
        enabled=settings.signals_enabled,
    )


@asynccontextmanager
async def _lifespan(_: FastAPI, *, state: State, migrate: bool) -> AsyncIterator[None]:
    if migrate and state.settings.tier != "internal":
        before = await upgrade(state.settings.database_url.get_secret_value())
        if not before.up_to_date:
            app_event("app.db.migrated", from_revision=before.current, to_revision=before.head)
    await refresh_origins(state)
    await state.limits.start()
    jobs = [
        asyncio.create_task(_every(ORIGINS_EVERY, partial(refresh_origins, state)), name="origins"),
        asyncio.create_task(_every(KEYS_EVERY, partial(_reload_keys, state)), name="keys"),
        asyncio.create_task(_every(BOOKS_EVERY, partial(flush_books, state)), name="books"),
        asyncio.create_task(_every(SWEEP_EVERY, partial(_sweep, state)), name="sweep"),
    ]
    app_event("app.startup", tier=state.settings.tier, kid=state.keyring.kid)
    try:
        yield
    finally:
        for job in await tasks.end(jobs, END_WITHIN):
            app_event("app.log", level="warning", message=f"The job {job.get_name()} did not end.")
        await _at_most("books", flush_books(state))
        await _at_most("limits", state.limits.aclose())
        await _at_most("signals", state.signals.aclose())
        await _at_most("outbound", state.outbound.aclose())
        await _at_most("database", state.database.close())
        if tracing.enabled():
            await asyncio.to_thread(tracing.flush)
        app_event("app.shutdown")


async def _at_most(name: str, ending: Awaitable[object]) -> None:
    """Let go of something, but do not wait for it for ever: a service that was told to end ends."""
    try:
        async with asyncio.timeout(END_WITHIN):
            await ending
    except TimeoutError:
        app_event("app.log", level="warning", message=f"The end of {name} took too long and was cut short.")


async def flush_books(state: State) -> None:
    """Write the bookkeeping that requests have left: last use of keys, usage counts, frequent activity."""
    await state.key_use.flush()
    await state.usage.flush()
    await state.activity.flush()


def reload_keys(state: State) -> None:
    """Read the key files now, whether they have changed or not (K-11: on SIGHUP). Unusable files change nothing."""
    if _keys_read(state.keyring.reload):
        app_event("app.log", message="The signing keys have been read again.", kid=state.keyring.kid)


async def _reload_keys(state: State) -> None:
    _keys_read(state.keyring.refresh)


def _keys_read(read: Callable[[], object]) -> bool:
    try:
        read()
    except KeyProblem as problem:
        app_event(
            "app.config.insecure",
            outcome="error",
            level="critical",
            reason="jwt_key_invalid",
            seen=str(problem),
        )
        return False
    return True


async def _sweep(state: State) -> None:
    with suppress(Unavailable):
        async with state.database.transaction() as session:
            await sweep(session, refresh_lifetime=state.issuer.lifetimes.refresh, now=state.now())
            await sign_in_memory.forget(session, now=state.now())


async def _every(seconds: float, job: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await job()
        except Exception as error:
            # One bad round must not end the job for good.
            app_event("app.error.unhandled", outcome="error", level="error", exc_info=error)


def _add_pages(api: FastAPI, settings: Settings) -> None:
    if settings.tier != "internal":

        @api.get("/favicon.ico", include_in_schema=False)
        async def icon() -> Response:
            """Browsers ask for it beside every page; there is none."""
            return Response(status_code=204)

    if settings.debug:
        api.router.routes.extend(reference.router.routes)
