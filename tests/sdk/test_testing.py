"""The fake Sentinel answers as the real one does, and carries an application's own tests."""

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from sentinel.identity.models import User
from sentinel_auth import AuthzClient, PermissionCheck, PermissionClient, RoleClient, SentinelError
from sentinel_auth.testing import FakeSentinel
from sentinel_auth.testing import fixtures as _fixtures
from tests.sdk.furniture import World, application, bearer, browser
from tests.stage import Stage

pytestmark = pytest.mark.anyio

fake_sentinel = _fixtures.fake_sentinel
TYPES = ("document", "note")
Client = PermissionClient
Tokens = dict[UUID, str]


@dataclass
class Twins:
    """The same world twice: the real service and the fake, with the same ids."""

    stage: Stage
    real: PermissionClient
    fake: FakeSentinel
    double: PermissionClient
    real_tokens: dict[UUID, str]
    fake_tokens: dict[UUID, str]
    workspaces: list[UUID]
    people: list[UUID]
    groups: list[UUID]
    resources: list[tuple[str, UUID]]

    async def agree(self, ask: Callable[[PermissionClient, dict[UUID, str]], Awaitable[Any]]) -> Any:
        """Ask both; their answers, or the statuses of their refusals, must be the same."""
        outcomes = []
        for client, tokens in ((self.real, self.real_tokens), (self.double, self.fake_tokens)):
            try:
                outcomes.append(await ask(client, tokens))
            except SentinelError as error:
                outcomes.append(error.status_code)
        assert outcomes[0] == outcomes[1]
        return outcomes[0]


async def twins(world: World, dice: random.Random) -> Twins:
    stage, fake = world.stage, FakeSentinel("notes", clock=world.seconds)
    here, elsewhere = [await stage.workspace(slug=slug) for slug in ("here", "elsewhere")]
    copies = {one.id: fake.workspace(one.slug, id=one.id) for one in (here, elsewhere)}
    people: list[User] = []
    doubles: dict[UUID, Any] = {}
    real_tokens, fake_tokens = {}, {}
    for number in range(6):
        user = await stage.user(f"P{number}")
        doubles[user.id] = fake.user(user.name, email=user.email, id=user.id)
        role = dice.choice(["viewer", "viewer", "editor", "admin"])
        home = here if number < 5 else elsewhere
        await stage.join(home, user, role)
        fake.join(copies[home.id], doubles[user.id], role)
        real_tokens[user.id] = await stage.access_token(user, home)
        fake_tokens[user.id] = fake.access_token(doubles[user.id], copies[home.id])
        people.append(user)
    groups: list[Any] = []
    for number in range(2):
        members = dice.sample(people[:5], 2)
        group = await stage.group(here, *members, name=f"G{number}")
        fake.group(copies[here.id], *(doubles[one.id] for one in members), name=group.name, id=group.id)
        doubles[group.id] = copies[here.id].groups[-1]
        groups.append(group)
    resources = []
    visibilities: list[Literal["private", "workspace"]] = ["private", "workspace"]
    levels: list[Literal["view", "edit"]] = ["view", "edit"]
    for _ in range(8):
        home, crew = dice.choice([(here, people[:5]), (here, people[:5]), (elsewhere, people[5:])])
        owner, kind, visibility = dice.choice([*crew, None]), dice.choice(TYPES), dice.choice(visibilities)
        real = await stage.resource(home, owner, resource_type=kind, visibility=visibility)
        double = fake.resource(
            copies[home.id], doubles[owner.id] if owner else None, kind, real.resource_id, visibility
        )
        if home is here:
            for grantee in dice.sample([*people[:5], *groups], 2):
                level = dice.choice(levels)
                await stage.share(real, grantee, level)
                fake.share(double, doubles[grantee.id], level)
        resources.append((kind, real.resource_id))
    return Twins(
        stage,
        world.permissions(),
        fake,
        fake.sentinel().permissions,
        real_tokens,
        fake_tokens,
        [here.id, elsewhere.id],
        [one.id for one in people],
        [one.id for one in groups],
        resources,
    )


async def everything(pair: Twins) -> list[Any]:
    """Every answer to every question; what checks answer comes last, one list a person."""
    asked = product(pair.people, TYPES, ("view", "edit"), pair.workspaces, (None, 2))
    checks = [
        PermissionCheck("notes", kind, resource, action)
        for kind, resource in [*pair.resources, ("document", uuid4())]
        for action in ("view", "edit")
    ]
    answers = [await pair.agree(partial(_accessible, *one)) for one in asked]
    answers += [await pair.agree(partial(_check, one, checks)) for one in pair.people]
    return answers


async def _accessible(
    person: UUID, kind: str, action: str, place: UUID, limit: int | None, client: Client, tokens: Tokens
) -> Any:
    return await client.accessible(tokens[person], kind, action, place, limit)


async def _check(person: UUID, checks: list[PermissionCheck], client: Client, tokens: Tokens) -> Any:
    return await client.check(tokens[person], checks)


async def _change(
    what: str,
    person: UUID,
    name: tuple[str, UUID],
    grantee: tuple[str, UUID],
    level: str,
    visibility: str,
    place: UUID,
    client: Client,
    tokens: Tokens,
) -> Any:
    if what == "share":
        return await client.share(tokens[person], *name, *grantee, level)
    if what == "unshare":
        return await client.unshare(tokens[person], *name, *grantee)
    if what == "visibility":
        changed = await client.update_visibility(tokens[person], *name, visibility)
    else:
        changed = await client.register_resource(*name, place, person, visibility)
    return changed["owner_id"], changed["visibility"], changed["workspace_id"], len(changed["shares"])


@pytest.mark.parametrize("seed", range(2))
async def test_the_fake_holds_the_same_law(world: World, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311
    pair = await twins(world, dice)
    answers = await everything(pair)
    allowed = {one.allowed for answer in answers[-len(pair.people) :] for one in answer}
    assert allowed == {True, False}
    for _ in range(40):
        kind, holders = dice.choice([("user", pair.people), ("group", pair.groups)])
        await pair.agree(
            partial(
                _change,
                dice.choice(["share", "unshare", "visibility", "register"]),
                dice.choice(pair.people),
                dice.choice([*pair.resources, ("document", uuid4())]),
                (kind, dice.choice([*holders, uuid4()])),
                dice.choice(["view", "edit"]),
                dice.choice(["private", "workspace"]),
                dice.choice([*pair.workspaces, uuid4()]),
            )
        )
    await everything(pair)
    name = pair.resources[0]
    assert await pair.agree(lambda client, _: client.deregister_resource(*name)) is None
    assert await pair.agree(lambda client, _: client.deregister_resource(*name)) == 404


MALFORMED: list[Callable[[PermissionClient, str, UUID], Awaitable[Any]]] = [
    lambda client, token, some: client.can(token, "Document", some, "view"),
    lambda client, token, some: client.can(token, "document", some, "destroy"),
    lambda client, token, some: client.can(token, "document", "x", "view"),
    lambda client, token, some: client.can("x", "document", some, "view"),
    lambda client, token, some: client.check(token, [PermissionCheck("billing", "document", some, "view")]),
    lambda client, token, some: client.check(
        token, [PermissionCheck("notes", "document", some, "view")] * 101
    ),
    lambda client, token, some: client.accessible(token, "document", "view", uuid4()),
    lambda client, token, some: client.accessible(token, "document", "view", some, 0),
    lambda client, token, some: client.get_resource_acl("document", some),
    lambda client, token, some: client.search_workspace_members(token, uuid4()),
    lambda client, token, some: client.list_groups(token, uuid4()),
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
async def test_the_fake_refuses_the_same(world: World, number: int) -> None:
    pair = await twins(world, random.Random(1))  # noqa: S311
    ask, person, some = MALFORMED[number], pair.people[0], uuid4()
    outcome = await pair.agree(lambda client, tokens: ask(client, tokens[person], some))
    assert isinstance(outcome, int) and outcome >= 400


async def test_both_describe_a_resource_alike(world: World) -> None:
    pair = await twins(world, random.Random(2))  # noqa: S311
    for kind, resource in pair.resources:
        shapes = []
        for client in (pair.real, pair.double):
            acl = await client.get_enriched_resource_acl(kind, resource)
            shapes.append((sorted(acl), [sorted(share) for share in acl["shares"]], acl["owner_email"]))
        assert shapes[0] == shapes[1]


# --- in an application's tests ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["proxy", "authz"])
async def test_an_application_of_its_own_is_tested_with_the_fake(
    fake_sentinel: FakeSentinel, mode: Literal["proxy", "authz"]
) -> None:
    fake = fake_sentinel
    acme = fake.workspace("acme")
    ada, bob = fake.member(acme, "editor", "Ada"), fake.member(acme, "viewer", "Bob")
    secret = fake.resource(acme, ada, visibility="private")
    sentinel = fake.sentinel(mode, actions=[{"action": "reports:export"}])
    app = application(sentinel)
    async with sentinel.lifespan(app), browser(app) as http:
        hers, his = fake.headers(ada, acme, mode), fake.headers(bob, acme, mode)
        assert (await http.get("/me")).status_code == 401
        assert (await http.get("/me", headers=hers)).json()["name"] == "Ada"
        path = f"/may/{secret.resource_id}"
        assert (await http.get(path, headers=hers)).json() is True
        assert (await http.get(path, headers=his)).json() is False
        fake.share(secret, bob)
        assert (await http.get(path, headers=his)).json() is True
        assert (await http.get("/reports", headers=his)).status_code == 403
        fake.allow(acme, bob, "reports:export")
        assert (await http.get("/reports", headers=his)).status_code == 200
        fake.is_down = True
        assert (await http.get("/reports", headers=his)).status_code == 503
    assert fake.actions == {"reports:export": None}


async def test_the_fake_takes_the_place_of_sentinel_in_a_finished_application(
    world: World, fake_sentinel: FakeSentinel, stage_keys: Any
) -> None:
    sentinel = world.authz_sentinel(issuer=world.url, auto_resolve=True, clock=time.time)
    app: FastAPI = application(sentinel)
    fake = FakeSentinel("notes")
    acme = fake.workspace("acme")
    ada = fake.member(acme, "admin", "Ada")
    async with browser(app) as http:
        with fake.replacing(sentinel):
            async with sentinel.lifespan(app):
                headers = fake.headers(ada, acme, "authz")
                assert (await http.get("/me", headers=headers)).json()["role"] == "admin"
                alone = bearer(fake.idp_token(ada)) | {"X-Workspace-Id": str(acme.id)}
                assert (await http.get("/me", headers=alone)).json()["name"] == "Ada"
        assert world.line.requests == []
        assert (await http.get("/me", headers=headers)).status_code == 401


async def test_the_fake_takes_the_place_behind_the_router_and_the_cache_too(world: World) -> None:
    sentinel = world.sentinel(cache_ttl=60)
    app = FastAPI()
    app.include_router(sentinel.proxy_router(), prefix="/sentinel")
    document = (await world.stage.resource(world.workspace, world.owner)).resource_id
    token = world.token(world.viewer)
    assert await sentinel.permissions.can(token, "document", document, "view") is True
    world.line.requests.clear()
    fake = FakeSentinel("notes")
    acme = fake.workspace("acme")
    ada = fake.member(acme, "viewer", "Ada")
    body = {"idp_token": fake.idp_token(ada), "provider": "fake"}
    async with browser(app) as http:
        with fake.replacing(sentinel):
            answer = await http.post("/sentinel/authz/resolve", json=body)
            assert answer.json()["user"]["name"] == "Ada"
            with pytest.raises(SentinelError) as error:
                await sentinel.permissions.can(token, "document", document, "view")
            assert error.value.status_code == 401
            assert world.line.requests == []
        assert (await http.post("/sentinel/authz/resolve", json=body)).status_code == 400
        assert await sentinel.permissions.can(token, "document", document, "view") is True
    assert world.line.asked == ["POST /authz/resolve", "POST /permissions/check"]


async def test_services_of_a_realm_in_tests() -> None:
    fake = FakeSentinel("letters", realm="suite")
    sentinel = fake.sentinel()
    async with sentinel.lifespan(None):
        token = await sentinel.mint_m2m_token()
        assert (await sentinel.averify_m2m_token(token)).caller == "letters"
        assert (await sentinel.averify_m2m_token(fake.m2m_token("search"))).caller == "search"
        with pytest.raises(SentinelError):
            await sentinel.averify_m2m_token(fake.m2m_token("search", target="other"))


async def test_roles_directory_and_resolve_of_the_fake() -> None:
    fake = FakeSentinel("notes")
    acme = fake.workspace("acme")
    ada = fake.member(acme, "viewer", "Ada")
    readers = fake.group(acme, ada, name="readers")
    fake.allow(acme, ada, "b:c", "a:b")
    sentinel = fake.sentinel()
    token = fake.access_token(ada, acme)
    roles: RoleClient = sentinel.roles
    assert await roles.get_user_actions(token, acme.id) == ["a:b", "b:c"]
    assert await roles.check_action(token, "a:b", acme.id)
    assert not await roles.check_action(token, "x:y", acme.id)
    found = await sentinel.permissions.search_workspace_members(token, acme.id, "AD", 5)
    assert [one["user_id"] for one in found] == [str(ada.id)]
    assert [one["id"] for one in await sentinel.permissions.list_groups(token, acme.id)] == [str(readers.id)]
    members = await sentinel.permissions.get_group_members(token, acme.id, readers.id)
    assert [one["name"] for one in members] == ["Ada"]
    client: AuthzClient = sentinel.authz
    discovered = await client.resolve(fake.idp_token(ada), "fake")
    assert [one["slug"] for one in discovered["workspaces"]] == ["acme"]
    assert (await client.resolve(fake.idp_token(ada), "fake", acme.id))["authz_token"]
    for wrong, status in ((("x", "fake"), 400), ((fake.idp_token(fake.user("Eve")), "fake", acme.id), 403)):
        with pytest.raises(SentinelError) as error:
            await client.resolve(*wrong)
        assert error.value.status_code == status
    with pytest.raises(SentinelError):
        await sentinel.permissions.get_group_members(token, acme.id, uuid4())
    fake.is_down = True
    with pytest.raises(httpx.ConnectError):
        await sentinel.mint_m2m_token()
