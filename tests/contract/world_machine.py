"""What the steps of a stateful world stand on: the running stage, calls whose outcome the law foretells, and the
world that each example begins with.
"""

import asyncio
import base64
import functools
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import sqlalchemy as sa
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from joserfc import jwt

from sentinel.apps import realms
from sentinel.apps.models import LoginApp, Realm
from sentinel.core.errors import DomainError
from sentinel.identity import organization_admin
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID
from sentinel.tokens.families import ClientContext, open_family
from tests import logged
from tests.contract.world_furniture import as_rows, furnish
from tests.contract.world_law import RANK, App, Family, Kept, Organization, Person, Workspace, World
from tests.contract.world_watch import Watch
from tests.stage import IDP_URL, PROVIDER, USER_AGENT, Keys, Stage, bearer, open_stage

numbers = st.integers(0, 99)
"""Which one: taken modulo what there is."""
roles = st.sampled_from(list(RANK))
levels = st.sampled_from(("view", "edit"))
MOST = {"people": 7, "groups": 5, "roles": 5, "things": 12, "kept": 15, "families": 6}
"""How many a world may have, so that its parts meet."""


class Ground:
    """A running application with one event loop, for every example of a test."""

    def __init__(
        self, stage: Stage, keys: Keys, login_app: LoginApp, lines: list[Any], run: Callable[[Any], Any]
    ) -> None:
        self.stage = stage
        self.lines = lines
        self.keys = keys
        self.login_app = login_app
        self.run = run


@contextmanager
def open_ground(database_url: str, keys: Keys) -> Iterator[Ground]:
    """Start the application in a loop that stands still between two steps."""
    opened: asyncio.Queue[Stage] = asyncio.Queue()
    closing = asyncio.Event()

    async def keep() -> None:
        # One task opens and closes the stage, as its context managers ask for.
        async with open_stage(database_url, keys) as stage:
            await opened.put(stage)
            await closing.wait()

    async def begin() -> tuple[Stage, asyncio.Task[None], LoginApp]:
        keeper = asyncio.create_task(keep())
        first = asyncio.create_task(opened.get())
        await asyncio.wait({keeper, first}, return_when=asyncio.FIRST_COMPLETED)
        if keeper.done():
            keeper.result()
        stage = await first
        return stage, keeper, await stage.login_app()

    async def end(keeper: asyncio.Task[None]) -> None:
        closing.set()
        await keeper

    # The log of thousands of requests would bury the report of a failure.
    with logged.events() as lines, asyncio.Runner() as runner:
        stage, keeper, login_app = runner.run(begin())
        try:
            yield Ground(stage, keys, login_app, lines, runner.run)
        finally:
            runner.run(end(keeper))


def step(*, when: Callable[[Any], bool] | None = None, **drawn: Any) -> Callable[[Any], Any]:
    """A rule of the machine whose body is a coroutine."""

    def decorate(method: Callable[..., Awaitable[None]]) -> Any:
        @functools.wraps(method)
        def walk(self: "WorldMachine", **values: Any) -> None:
            self.touched = None, None
            self.ground.run(self.one_step(method(self, **values)))

        as_rule: Callable[[Any], Any] = rule(**drawn)
        made = as_rule(walk)
        return precondition(when)(made) if when else made

    return decorate


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def one(choices: Sequence[Any], number: int) -> Any:
    """The one of that number."""
    return choices[number % len(choices)]


class WorldMachine(RuleBasedStateMachine):
    """A fresh world in a database that earlier examples have filled with theirs."""

    ground: Ground
    """Set by the test, for all the machines that are made of this class."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = self.ground.stage
        self.tag = secrets.token_hex(4)
        self.world = World(realm=f"suite-{self.tag}")
        self.realm: Realm | None = None
        self.touched: tuple[Person | None, Workspace | None] = (None, None)
        """Whom the last step was about, and where."""
        self.removed: list[tuple[Person, Workspace]] = []
        """Who has been taken out of which workspace and is not in it now."""

    # ── the beginning and the end ──

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.watch = Watch(self.stage, self.world, seed)
        self.ground.run(self._furnish(Random(seed)))  # noqa: S311 - a world by lot, nothing secret

    async def _furnish(self, lots: Random) -> None:
        """Services, one of them in the realm, and organizations as the product makes them; the rest is put there."""
        world = self.world
        for number in range(2):
            detail = await self.panel(
                organization_admin.create, name="Org", slug=f"o{number}-{self.tag}", expected=None
            )
            world.organizations.append(Organization(detail.id))
        self.realm = await self.stage.realm(world.realm)
        for name in ("notes", "wiki", "mail"):
            made = await self.stage.service(f"{name}-{self.tag}")
            world.apps.append(App(made.app.id, made.app.service_name, made.key))
        await self.join_realm(world.apps[-1])
        furnish(world, lots, self.tag, self.domains)
        async with self.stage.state.database.transaction() as session:
            for table, rows in as_rows(world, self.stage.clock.now()).items():
                await session.execute(sa.insert(table), rows)
        for person in world.people:
            for workspace in world.workspaces:
                if person in workspace.roles:
                    scope = world.scope(lots.choice(world.apps))
                    either = (
                        self.watch.access(person, workspace),
                        self.watch.authz(person, workspace, scope),
                    )
                    self.keep(lots.choice(either))
        for workspace in world.workspaces:
            await self._open_family(lots.choice(list(workspace.roles)), workspace)

    async def _open_family(self, person: Person, workspace: Workspace) -> None:
        """A session that has been refreshed once, so that there is something to replay."""
        async with self.stage.state.database.transaction() as session:
            pair = await open_family(
                session,
                self.stage.state.issuer,
                self.watch.subject(person, workspace),
                client_app_id=self.ground.login_app.id,
                context=ClientContext.of("127.0.0.1", USER_AGENT),
                now=self.stage.clock.now(),
            )
        family = Family(person, workspace, pair.refresh.token)
        self.world.families.append(family)
        self.keep(Kept(pair.access.token, person, workspace, person.epoch, family=family))
        await self.rotate(family)

    def keep(self, kept: Kept) -> None:
        self.world.kept = [*self.world.kept[-MOST["kept"] :], kept]

    async def rotate(self, family: Family) -> None:
        """Use the refresh token of a family, which ends the family when a gate is closed."""
        person, workspace = family.person, family.workspace
        good = family.alive and self.world.admitted(person, workspace)
        answer = await self.call(
            "POST", "/auth/refresh", 200 if good else 401, {"refresh_token": family.refresh_token}
        )
        if good:
            assert claims_of(answer["access_token"])["wrole"] == workspace.roles[person]
            family.spent.append(family.refresh_token)
            family.refresh_token = answer["refresh_token"]
            self.keep(Kept(answer["access_token"], person, workspace, person.epoch, family=family))
        family.alive = good

    @property
    def domains(self) -> list[str]:
        """Mail domains of this example; one is below another."""
        return [f"corp.{self.tag}.example", f"eu.corp.{self.tag}.example", f"labs.{self.tag}.example"]

    @invariant()
    def answers_are_the_law(self) -> None:
        if self.world.people:
            self.ground.run(self.watch.something(*self.touched))

    def teardown(self) -> None:
        if self.world.people:
            self.ground.run(self._finish())
        self.ground.lines.clear()

    async def _finish(self) -> None:
        if not self.world.public_enabled:
            await self.panel(organization_admin.change, PUBLIC_ORGANIZATION_ID, enabled=True, expected=None)
        await self.watch.everything()

    async def one_step(self, walking: Awaitable[None]) -> None:
        await walking
        self.stage.clock.advance(1)
        note(str(self.world.describe()))

    # ── calls whose outcome is known beforehand ──

    async def call(
        self, method: str, path: str, expected: int, body: Any = None, **headers: dict[str, str]
    ) -> Any:
        """Send a request and read its answer; ``headers`` are sets of headers, by any name."""
        sent: dict[str, str] = {}
        for some in headers.values():
            sent |= some
        answer = await self.stage.client.request(method, path, headers=sent, json=body)
        assert answer.status_code == expected, (method, path, body, answer.status_code, expected, answer.text)
        return answer.json() if answer.content else None

    async def panel(
        self, use_case: Callable[..., Awaitable[Any]], *arguments: Any, expected: str | None, **named: Any
    ) -> Any:
        """Do what an administrator does; ``expected`` is the name of the refusal, if it is to be refused."""
        refused = None
        result = None
        try:
            async with self.stage.state.database.transaction() as session:
                result = await use_case(
                    session, *arguments, actor_id=None, now=self.stage.clock.now(), **named
                )
        except DomainError as error:
            refused = type(error).__name__
        assert refused == expected, (use_case.__name__, arguments, named, refused, expected)
        return result

    async def join_realm(self, app: App) -> None:
        assert self.realm is not None
        change = realms.remove_member if app.in_realm else realms.add_member
        await self.panel(change, self.realm.id, app.id, expected=None)
        app.in_realm = not app.in_realm

    # ── who acts ──

    def actor(self, workspace: Workspace, number: int) -> Person:
        """Mostly an owner who can act, now and then anybody."""
        able = [owner for owner in self.world.owners(workspace) if owner.is_active]
        found: Person = one(self.world.people if number % 4 == 0 or not able else able, number)
        return found

    def as_person(self, person: Person, workspace: Workspace) -> dict[str, str]:
        return bearer(self.watch.access(person, workspace).text)

    def refusal(self, person: Person, workspace: Workspace, role: str | None = None) -> int | None:
        """What a person is answered who may not even ask there, with a fresh token and at least ``role``."""
        if not person.is_active:
            return 401
        if person not in workspace.roles or (role and not self.world.has(person, workspace, role)):
            return 403
        return None

    def id_token(self, person: Person) -> str:
        """What the provider says about a person."""
        now = self.stage.clock.timestamp()
        claims = {
            "iss": IDP_URL,
            "sub": f"sub-{person.email}",
            "aud": "sentinel",
            "iat": now,
            "exp": now + 600,
            "email": person.email,
            "email_verified": True,
            "name": "Ada Example",
        }
        key = self.ground.keys.idp
        return jwt.encode({"alg": "RS256", "kid": key.thumbprint()}, claims, key, algorithms=["RS256"])

    def resolve_body(self, person: Person, **more: Any) -> dict[str, Any]:
        return {"provider": PROVIDER, "idp_token": self.id_token(person), **more}

    def signs_in(self, person: Person) -> bool:
        """Whether the door opens for a person, and if so, the organization that he comes with is stored."""
        organization = self.world.organization_for(person.domain)
        if organization is None or not person.is_active:
            return False
        person.organization = organization
        return True
