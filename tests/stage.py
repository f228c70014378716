"""The stage of the contract tests: the real application on a real database, a world builder, and a clock.

Nothing of the service is replaced. Time stands still until a test moves it, and the identity provider is the
development provider, reached through the application's ordinary OIDC code over an in-process transport.
"""

import asyncio
import base64
import hashlib
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import event

from sentinel.app import Application, create_app
from sentinel.apps import login_apps, service_apps
from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.audit.models import Activity
from sentinel.core.clock import ManualClock
from sentinel.core.database import Base
from sentinel.core.direct import Query, SqliteReads
from sentinel.core.outbound import Outbound
from sentinel.devmode import idp as idp_endpoints
from sentinel.devmode.provider import Client, DevIdp, Person
from sentinel.identity.models import (
    PUBLIC_ORGANIZATION_ID,
    Organization,
    OrganizationDomain,
    SocialAccount,
    User,
)
from sentinel.permissions.models import Resource, Share
from sentinel.settings import OidcProviderSettings, Settings
from sentinel.tokens.claims import OrganizationClaims, TokenSubject
from sentinel.tokens.families import ClientContext, TokenPair, open_family
from sentinel.tokens.keyring import generate_pair
from sentinel.workspaces.models import AllowedOrganization, Group, GroupMembership, Membership, Workspace
from tests import logged

BASE_URL = "http://localhost:9003"
IDP_URL = "http://localhost:9103/idp"
REDIRECT_URI = "https://notes.example.com/callback"
PROVIDER = "corp"
JOBS = frozenset({"origins", "keys", "books", "sweep"})
"""The tasks of the application's own, which come when they like."""


@dataclass(frozen=True)
class Keys:
    """One RSA pair for the whole run: making one takes longer than most tests."""

    private: Path
    public: Path
    idp: RSAKey


@dataclass(frozen=True)
class Service:
    """A registered service app with its key."""

    app: ServiceApp
    key: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Service-Key": self.key}


@dataclass(frozen=True)
class Pkce:
    """A PKCE pair (RFC 7636)."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Network(httpx.AsyncBaseTransport):
    """The way out of the application: the hosts that are up, as ``host`` or ``host:port``; no other answers."""

    def __init__(self) -> None:
        self.hosts: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = self.hosts.get(request.url.netloc.decode())
        if host is None:
            raise httpx.ConnectError("no such host", request=request)
        return await host.handle_async_request(request)


@dataclass
class Statements:
    """SQL statements that the application has sent while it was watched."""

    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)


@contextmanager
def watch_direct(database: Any, note: Callable[[str, Any], object]) -> Iterator[None]:
    """Tell ``note`` every statement, with its values, that goes past the engine to the driver."""
    direct: Any = database.direct
    fetch = direct.fetch

    async def noted(query: Query, values: Mapping[str, Any], *, long: bool = False) -> list[Any]:
        if not (long and isinstance(direct, SqliteReads)):  # which goes through the engine
            compiled = query.compiled(database.engine.dialect)
            note(compiled.text, compiled.arguments(values))
        rows: list[Any] = await fetch(query, values, long=long)
        return rows

    direct.fetch = noted
    try:
        yield
    finally:
        direct.fetch = fetch


def _number() -> str:
    """Digits that nobody else has got: a letter might be what some test searches for."""
    return f"{secrets.randbelow(10**10):010}"


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


@dataclass
class Stage:
    """One running application and everything to furnish its world. Times of creation are a second apart."""

    app: Application
    client: httpx.AsyncClient
    clock: ManualClock
    idp: DevIdp
    network: Network

    # ── the application ──

    @property
    def settings(self) -> Settings:
        return self.app.state.settings

    @property
    def state(self) -> Any:
        return self.app.state

    def browser(self) -> httpx.AsyncClient:
        """Another client with cookies of its own; close it with ``async with``."""
        return _client(self.app)

    @contextmanager
    def statements(self) -> Iterator[Statements]:
        """Watch the SQL statements (savepoints and transaction control are not statements), other than those of the
        jobs that the application runs by itself.
        """
        seen = Statements()
        engine = self.app.state.database.engine.sync_engine

        def note(_c: Any, _cur: Any, text: str, _p: Any, _x: Any, _m: Any) -> None:
            task = asyncio.current_task()
            if task is not None and task.get_name() in JOBS:
                return
            if not text.lstrip().upper().startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT")):
                seen.texts.append(text)

        event.listen(engine, "before_cursor_execute", note)
        try:
            with watch_direct(self.app.state.database, lambda text, _: seen.texts.append(text)):
                yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    @asynccontextmanager
    async def without_database(self) -> AsyncIterator[None]:
        """The database is out of reach for a while: open connections are gone, new ones are refused."""
        database = self.app.state.database
        engine: Any = database.engine
        direct: Any = database.direct
        connect = direct._connect

        def refuse(*_: Any) -> None:
            raise ConnectionRefusedError

        def refuse_directly() -> None:
            # Each driver has its own way of saying it.
            raise sqlite3.OperationalError if database.is_sqlite else ConnectionRefusedError

        event.listen(engine.sync_engine, "do_connect", refuse)
        direct._connect = refuse_directly
        try:
            await direct.close()
            await engine.dispose()
            yield
        finally:
            direct._connect = connect
            event.remove(engine.sync_engine, "do_connect", refuse)

    @contextmanager
    def events(self) -> Iterator[list[Any]]:
        """The log events of a block, as dictionaries (``event``, ``category``, ``outcome``, ``reason``, …)."""
        with logged.events() as lines:
            yield lines

    async def forbid_inserts(self, table: str) -> None:
        """From now on the database refuses every new row of a table, as no outage would."""
        if self.app.state.database.is_sqlite:
            await self.execute(
                sa.text(
                    f"CREATE TRIGGER forbidden_{table} BEFORE INSERT ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the stage forbids it'); END"
                )
            )
            return
        await self.execute(
            sa.text(
                f"CREATE FUNCTION forbidden_{table}() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN RAISE EXCEPTION 'the stage forbids it'; END$$"
            )
        )
        await self.execute(
            sa.text(
                f"CREATE TRIGGER forbidden_{table} BEFORE INSERT ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION forbidden_{table}()"
            )
        )

    # ── rows ──

    async def add(self, *rows: Base) -> None:
        """Store ORM rows, each flushed before the next."""
        async with self.app.state.database.transaction() as session:
            for row in rows:
                session.add(row)
                await session.flush()
        self.clock.advance(1)

    async def execute(self, statement: Any) -> Any:
        """Run one statement in a transaction of its own; returns all rows if it gives rows."""
        async with self.app.state.database.transaction() as session:
            result: Any = await session.execute(statement)
            return result.all() if result.returns_rows else None

    async def all(self, model: type[Any], *conditions: Any) -> list[Any]:
        """Every row of a table that fits."""
        async with self.app.state.database.reading() as session:
            return list((await session.execute(sa.select(model).where(*conditions))).scalars())

    async def count(self, model: type[Any], *conditions: Any) -> int:
        return len(await self.all(model, *conditions))

    async def snapshot(self, *without: str) -> dict[str, list[str]]:
        """Every row of every table but those named: the same before and after when nothing was written."""
        tables = [table for table in Base.metadata.sorted_tables if table.name not in without]
        async with self.app.state.database.reading() as session:
            return {
                table.name: sorted(map(repr, (await session.execute(sa.select(table))).all()))
                for table in tables
            }

    async def activities(self, action: str | None = None) -> list[Activity]:
        """The activity log, oldest first, of one action or all; rows of one moment as they were written."""
        written = sa.text("rowid" if self.app.state.database.is_sqlite else "ctid")
        statement = sa.select(Activity).order_by(Activity.created_at, written)
        if action:
            statement = statement.where(Activity.action == action)
        async with self.app.state.database.reading() as session:
            return list((await session.execute(statement)).scalars())

    # ── people and tenants ──

    async def user(
        self,
        name: str = "Ada Example",
        *,
        email: str | None = None,
        is_active: bool = True,
        is_admin: bool = False,
        organization_id: UUID | None = PUBLIC_ORGANIZATION_ID,
    ) -> User:
        """A person with an account and no identity yet."""
        user = User(
            id=uuid4(),
            email=email or f"{_number()}@example.com",
            name=name,
            is_active=is_active,
            is_admin=is_admin,
            organization_id=organization_id,
            token_epoch=0,
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        await self.add(user)
        return user

    async def link(
        self, user: User, *, provider: str = PROVIDER, subject: str | None = None
    ) -> SocialAccount:
        """Give a person an identity at a provider."""
        account = SocialAccount(
            id=uuid4(), user_id=user.id, provider=provider, provider_user_id=subject or str(user.id)
        )
        await self.add(account)
        return account

    async def workspace(
        self, owner: User | None = None, *, slug: str | None = None, name: str = "Acme"
    ) -> Workspace:
        """A workspace, with its owner as member if one is given."""
        workspace = Workspace(
            id=uuid4(),
            slug=slug or f"w-{_number()}",
            name=name,
            created_by=owner.id if owner else None,
            created_at=self.clock.now(),
        )
        await self.add(workspace)
        if owner:
            await self.join(workspace, owner, "owner")
        return workspace

    async def join(self, workspace: Workspace, user: User, role: str = "viewer") -> Membership:
        """Make a person a member."""
        membership = Membership(
            id=uuid4(), workspace_id=workspace.id, user_id=user.id, role=role, joined_at=self.clock.now()
        )
        await self.add(membership)
        return membership

    async def member(self, workspace: Workspace, role: str = "viewer", **person: Any) -> User:
        """A new person who is a member already."""
        user = await self.user(**person)
        await self.join(workspace, user, role)
        return user

    async def group(self, workspace: Workspace, *members: User, name: str | None = None) -> Group:
        """A group with its members."""
        group = Group(
            id=uuid4(),
            workspace_id=workspace.id,
            name=name or f"g-{_number()}",
            created_at=self.clock.now(),
        )
        await self.add(group)
        for user in members:
            await self.add(
                GroupMembership(id=uuid4(), group_id=group.id, user_id=user.id, added_at=self.clock.now())
            )
        return group

    async def organization(
        self,
        *domains: str,
        slug: str | None = None,
        name: str = "Org",
        enabled: bool = True,
        subdomains: bool = False,
    ) -> Organization:
        """An organization with its mail domains."""
        organization = Organization(
            id=uuid4(),
            slug=slug or f"o-{_number()}",
            name=name,
            is_public=False,
            enabled=enabled,
            created_at=self.clock.now(),
        )
        await self.add(organization)
        for domain in domains:
            await self.add(
                OrganizationDomain(
                    id=uuid4(),
                    organization_id=organization.id,
                    domain=domain,
                    include_subdomains=subdomains,
                    created_at=self.clock.now(),
                )
            )
        return organization

    async def restrict(self, workspace: Workspace, *organizations: Organization) -> None:
        """Put organizations on the allow-list of a workspace."""
        await self.add(
            *(
                AllowedOrganization(id=uuid4(), workspace_id=workspace.id, organization_id=organization.id)
                for organization in organizations
            )
        )

    # ── applications ──

    async def service(
        self, service_name: str = "notes", *, realm: Realm | None = None, **options: Any
    ) -> Service:
        """A service app with its key."""
        async with self.app.state.database.transaction() as session:
            app, key = await service_apps.create(
                session,
                name=service_name.title(),
                service_name=service_name,
                actor_id=None,
                now=self.clock.now(),
                **options,
            )
            if realm:
                app.realm_id = realm.id
        self.clock.advance(1)
        return Service(app, key.plaintext)

    async def realm(self, slug: str = "suite", *, is_active: bool = True) -> Realm:
        """A realm without members."""
        realm = Realm(
            id=uuid4(),
            slug=slug,
            name=slug.title(),
            m2m_ttl_s=300,
            is_active=is_active,
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )
        await self.add(realm)
        return realm

    async def login_app(self, *redirect_uris: str, name: str = "Notes") -> LoginApp:
        """A login app; its redirect URI is ``REDIRECT_URI`` unless others are given."""
        async with self.app.state.database.transaction() as session:
            app = await login_apps.create(
                session,
                name=name,
                redirect_uris=list(redirect_uris) or [REDIRECT_URI],
                allow_plain_http=False,
                actor_id=None,
                now=self.clock.now(),
            )
        self.clock.advance(1)
        return app

    async def resource(
        self,
        workspace: Workspace,
        owner: User | None,
        *,
        service_name: str = "notes",
        resource_type: str = "document",
        resource_id: UUID | None = None,
        visibility: str = "workspace",
    ) -> Resource:
        """A registered resource, with a random resource id unless one is given."""
        resource = Resource(
            id=uuid4(),
            service_name=service_name,
            resource_type=resource_type,
            resource_id=resource_id or uuid4(),
            workspace_id=workspace.id,
            owner_id=owner.id if owner else None,
            visibility=visibility,
            created_at=self.clock.now(),
        )
        await self.add(resource)
        return resource

    async def share(self, resource: Resource, grantee: User | Group, permission: str = "view") -> Share:
        """A share of a resource with a person or a group."""
        share = Share(
            id=uuid4(),
            resource_permission_id=resource.id,
            grantee_type="group" if isinstance(grantee, Group) else "user",
            grantee_id=grantee.id,
            permission=permission,
            granted_at=self.clock.now(),
        )
        await self.add(share)
        return share

    # ── tokens ──

    async def subject(self, user: User, workspace: Workspace, role: str | None = None) -> TokenSubject:
        """What a token of this person in this workspace would say now."""
        fresh = (await self.all(User, User.id == user.id))[0]
        if role is None:
            memberships = await self.all(
                Membership, Membership.user_id == user.id, Membership.workspace_id == workspace.id
            )
            role = memberships[0].role if memberships else "viewer"
        organizations = await self.all(Organization, Organization.id == fresh.organization_id)
        organization = organizations[0] if organizations else None
        return TokenSubject(
            user_id=user.id,
            email=fresh.email,
            name=fresh.name,
            epoch=fresh.token_epoch,
            workspace_id=workspace.id,
            workspace_slug=workspace.slug,
            workspace_role=role,
            organization=OrganizationClaims(organization.id, organization.slug, organization.is_public)
            if organization
            else None,
        )

    async def access_token(self, user: User, workspace: Workspace, role: str | None = None) -> str:
        """An access token signed by the application's own key; ``role`` overrides the claim only."""
        subject = await self.subject(user, workspace, role)
        token: str = self.app.state.issuer.access(subject).token
        return token

    async def authz_token(
        self, user: User, workspace: Workspace, scope: str, *, idp_subject: str = "sub-1"
    ) -> str:
        """An authz token bound to a scope."""
        subject = await self.subject(user, workspace)
        token: str = self.app.state.issuer.authz(
            subject, idp_subject=idp_subject, scope=scope, actions=[]
        ).token
        return token

    async def as_user(self, user: User, workspace: Workspace) -> dict[str, str]:
        """The header of a fresh access token."""
        return bearer(await self.access_token(user, workspace))

    async def session(self, user: User, workspace: Workspace, app: LoginApp | None = None) -> TokenPair:
        """A refresh family with its first token pair, as a token exchange opens it."""
        app = app or await self.login_app()
        subject = await self.subject(user, workspace)
        async with self.app.state.database.transaction() as session:
            return await open_family(
                session,
                self.app.state.issuer,
                subject,
                client_app_id=app.id,
                context=ClientContext.of("127.0.0.1", USER_AGENT),
                now=self.clock.now(),
            )

    # ── the panel ──

    @asynccontextmanager
    async def panel(self, admin: User | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """A browser in which an administrator (a new one if None is given) is signed in to the panel.

        Its header ``X-Requested-With`` is what the JSON API asks for; :meth:`form` adds what pages ask for.
        """
        admin = admin or await self.user("Ingrid Admin", is_admin=True)
        fresh = (await self.all(User, User.id == admin.id))[0]
        token = self.app.state.issuer.admin(
            user_id=admin.id, email=fresh.email, name=fresh.name, epoch=fresh.token_epoch
        ).token
        async with self.browser() as http:
            http.cookies.set("admin_token", token)
            http.headers["X-Requested-With"] = "XMLHttpRequest"
            yield http

    async def form(
        self, http: httpx.AsyncClient, path: str, fields: Mapping[str, Any] | None = None, **more: Any
    ) -> httpx.Response:
        """Send a form of the panel as a browser does, with the token of its session; redirects are not followed."""
        token = (await http.get("/auth/admin/me")).headers["X-CSRF-Token"]
        return await http.post(path, data={"csrf_token": token, **(fields or {})}, **more)

    # ── signing in through the provider ──

    def person(
        self, email: str, *, sub: str | None = None, name: str = "Ada Example", email_verified: bool = True
    ) -> Person:
        """Somebody whom the identity provider knows."""
        person = Person(sub or f"sub-{email}", email, name, email_verified=email_verified)
        self.idp.people[person.sub] = person
        return person

    async def start(
        self,
        app: LoginApp,
        pkce: Pkce,
        *,
        http: httpx.AsyncClient | None = None,
        provider: str = PROVIDER,
        **query: str,
    ) -> httpx.Response:
        """A2 for a login app."""
        asked = {
            "client_id": str(app.id),
            "redirect_uri": app.redirect_uris[0],
            "code_challenge": pkce.challenge,
            "code_challenge_method": "S256",
        }
        return await (http or self.client).get(f"/auth/login/{provider}", params=asked | query)

    async def at_provider(self, started: httpx.Response, person: Person) -> str:
        """Choose a person at the provider; the callback URL that the browser is sent to."""
        asked = {
            name: values[0] for name, values in parse_qs(urlsplit(started.headers["location"]).query).items()
        }
        async with httpx.AsyncClient(transport=self.network, base_url=IDP_URL) as http:
            chosen = await http.post("/authorize", data={**asked, "sub": person.sub})
        location: str = chosen.headers["location"]
        return location.removeprefix(self.settings.base_url)

    async def sign_in(
        self,
        person: Person,
        app: LoginApp,
        pkce: Pkce,
        *,
        http: httpx.AsyncClient | None = None,
        provider: str = PROVIDER,
        **query: str,
    ) -> httpx.Response:
        """A2, the provider, A3: the answer that sends the browser back to the application."""
        started = await self.start(app, pkce, http=http, provider=provider, **query)
        assert started.status_code == 302, started.text
        return await (http or self.client).get(await self.at_provider(started, person))

    async def code(self, person: Person, app: LoginApp, pkce: Pkce, *, provider: str = PROVIDER) -> str:
        """An authorization code of a complete sign-in."""
        answer = await self.sign_in(person, app, pkce, provider=provider)
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


USER_AGENT = "stage/1.0"


def settings_for(
    database_url: str, keys: Keys, *, providers: Sequence[str] = (PROVIDER,), **values: Any
) -> Settings:
    """Settings of a stage: development off, limits off unless a test asks for them."""
    chosen: dict[str, Any] = {
        "base_url": BASE_URL,
        "database_url": database_url,
        "jwt_private_key_path": keys.private,
        "jwt_public_key_path": keys.public,
        "session_secret_key": "stage-session-key-of-more-than-32-letters",
        "rate_limit_enabled": False,
        "oidc": tuple(
            OidcProviderSettings(
                name=name,
                client_id="sentinel",
                client_secret=SecretStr("idp-secret"),
                metadata_url=f"{IDP_URL}/.well-known/openid-configuration",
                label=name.title(),
            )
            for name in providers
        ),
    }
    return Settings(**(chosen | values))


@asynccontextmanager
async def open_stage(
    database_url: str,
    keys: Keys,
    *,
    clock: ManualClock | None = None,
    providers: Sequence[str] = (PROVIDER,),
    **values: Any,
) -> AsyncIterator[Stage]:
    """Start the application for ``database_url``; ``values`` are settings that differ from the stage's own.

    Each of ``providers`` is an OIDC provider of its own to the application, though one issuer stands behind all.
    """
    clock = clock or ManualClock()
    settings = settings_for(database_url, keys, providers=providers, **values)
    callbacks = frozenset(
        f"{settings.base_url}/auth/{face}callback/{name}" for name in providers for face in ("", "admin/")
    )
    idp = DevIdp(
        issuer=IDP_URL,
        key=keys.idp,
        clients=[Client("sentinel", "idp-secret", callbacks)],
        people=[],
        clock=clock,
    )
    network = Network()
    network.hosts[urlsplit(IDP_URL).netloc] = _Issuer(idp)
    app = create_app(settings, clock=clock, outbound=Outbound(network), migrate=False)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.api.router.lifespan_context(app.api))
        client = await stack.enter_async_context(_client(app))
        yield Stage(app, client, clock, idp, network)


def _client(app: Application) -> httpx.AsyncClient:
    # What stands in front has taken the path of BASE_URL away.
    public = urlsplit(app.state.settings.base_url)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=f"{public.scheme}://{public.netloc}",
        headers={"User-Agent": USER_AGENT},
    )


class _Issuer(httpx.AsyncBaseTransport):
    """The provider as an application of its own, which is built when it is asked for the first time."""

    def __init__(self, idp: DevIdp) -> None:
        self._idp = idp

    @cached_property
    def _inner(self) -> httpx.ASGITransport:
        api = FastAPI()
        api.include_router(idp_endpoints.router(self._idp), prefix="/idp")
        return httpx.ASGITransport(api)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._inner.handle_async_request(request)


@pytest.fixture(scope="session")
def stage_keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Signing keys for every stage of this process."""
    folder = tmp_path_factory.mktemp("keys")
    generate_pair(folder / "private.pem", folder / "public.pem", bits=2048)
    return Keys(folder / "private.pem", folder / "public.pem", RSAKey.generate_key(2048))


@pytest.fixture
def stage_settings() -> Mapping[str, Any]:
    """Settings that differ from the stage's own; override or parametrise it in a test module."""
    return {}


@pytest.fixture
async def stage(
    anyio_backend: Any, database_url: str, stage_keys: Keys, stage_settings: Mapping[str, Any]
) -> AsyncIterator[Stage]:
    """The application on a fresh database, once on SQLite and once on PostgreSQL."""
    async with open_stage(database_url, stage_keys, **stage_settings) as opened:
        yield opened


Furnish = Callable[[Stage], Awaitable[Any]]
"""Fills the database of a stage; returns what the tests have to know of it."""
Furnished = Callable[[Furnish], AbstractAsyncContextManager[tuple[Stage, Any]]]

_models: dict[tuple[Furnish, str], tuple[str, Any, datetime]] = {}
"""What was furnished in this process: URL, what was returned, and the time by the clock when it was done."""


@pytest.fixture
def copied_stage(
    anyio_backend: Any,
    database_kind: str,
    stage_keys: Keys,
    stage_settings: Mapping[str, Any],
    lasting: Callable[[], str],
    copy_of: Callable[[str], str],
) -> Furnished:
    """Opens a stage on a copy of a database that is furnished once, for tests that all begin with one large world.

    Only rows are copied: whom the provider knows, and what the application remembers, a test brings itself. What the
    furnishing function returned is the same for every test, which must not change it.
    """

    @asynccontextmanager
    async def opened(furnish: Furnish) -> AsyncIterator[tuple[Stage, Any]]:
        place = furnish, database_kind
        if place not in _models:
            url = lasting()
            async with open_stage(url, stage_keys, **stage_settings) as first:
                _models[place] = url, await furnish(first), first.clock.now()
        url, made, now = _models[place]
        async with open_stage(copy_of(url), stage_keys, clock=ManualClock(now), **stage_settings) as stage:
            yield stage, made

    return opened
