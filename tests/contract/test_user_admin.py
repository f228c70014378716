"""People as the panel manages them: ``admin.md`` §1 (AD-8) and §4, ``authorization.md`` §8."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps.authentication import Member
from sentinel.core.errors import Conflict, DomainError, Invalid, NotFound, Unprocessable
from sentinel.identity import accounts, users
from sentinel.identity.models import User
from sentinel.permissions.models import Resource, Share
from sentinel.workspaces import groups, members, people
from sentinel.workspaces.models import GroupMembership, Membership, Workspace
from sentinel.workspaces.roles import WorkspaceRole
from tests.races import at_once, in_a_row, outcome, read, use
from tests.stage import Keys, Pkce, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


async def refusal(call: Any) -> DomainError:
    refused = await outcome(call)
    assert isinstance(refused, DomainError), refused
    return refused


async def fresh(stage: Stage, user: User) -> User:
    (found,) = await stage.all(User, User.id == user.id)
    assert isinstance(found, User)
    return found


async def written(stage: Stage) -> list[str]:
    return [row.action for row in await stage.activities()]


# ── AD-8 ──

LOSSES: dict[str, Callable[[Stage, UUID, UUID | None], Awaitable[Any]]] = {
    "deactivated": lambda stage, who, actor: use(stage, users.set_active, who, False, actor_id=actor),
    "demoted": lambda stage, who, actor: use(stage, users.set_admin, who, False, actor_id=actor),
    "deleted": lambda stage, who, actor: use(stage, people.delete, who, actor_id=actor),
    "in bulk": lambda stage, who, actor: use(
        stage, accounts.switch_many, [who, uuid4()], False, actor_id=actor
    ),
    "changed": lambda stage, who, actor: use(stage, accounts.change, who, is_active=False, actor_id=actor),
    "changed otherwise": lambda stage, who, actor: use(
        stage, accounts.change, who, is_admin=False, actor_id=actor
    ),
}


@pytest.mark.parametrize("how", LOSSES)
async def test_admin_AD_8_the_last_active_administrator_stays(stage: Stage, how: str) -> None:
    ada = await stage.user(is_admin=True)
    await stage.user(is_admin=True, is_active=False)
    await stage.user()
    before = await stage.snapshot()
    refused = await refusal(LOSSES[how](stage, ada.id, None))
    assert (type(refused), refused.reason) == (Conflict, "last_admin")
    assert await stage.snapshot() == before
    await stage.user(is_admin=True)
    await LOSSES[how](stage, ada.id, None)


@pytest.mark.parametrize("how", LOSSES)
async def test_admin_AD_8_nobody_shuts_himself_out(stage: Stage, how: str) -> None:
    ada, bob = await stage.user(is_admin=True), await stage.user(is_admin=True)
    before = await stage.snapshot()
    refused = await refusal(LOSSES[how](stage, ada.id, ada.id))
    assert (type(refused), refused.reason) == (Conflict, "own_account")
    assert await stage.snapshot() == before
    await LOSSES[how](stage, ada.id, bob.id)


@pytest.mark.parametrize("how", LOSSES)
async def test_admin_AD_8_of_many_administrators_lost_at_once_one_stays(stage: Stage, how: str) -> None:
    admins = [await stage.user(is_admin=True) for _ in range(50)]
    came = await at_once([LOSSES[how](stage, one.id, None) for one in admins])
    assert came == {"done": 49, "last_admin": 1}
    assert await stage.count(User, User.is_admin, User.is_active) == 1


async def test_admin_AD_8_two_administrators_who_lose_each_other_in_different_ways(stage: Stage) -> None:
    for one, lose in LOSSES.items():
        ada, bob = await stage.user(is_admin=True), await stage.user(is_admin=True)
        came = await at_once([lose(stage, ada.id, bob.id), LOSSES["demoted"](stage, bob.id, ada.id)])
        assert came == {"done": 1, "last_admin": 1}, one
        await stage.execute(sa.update(User).values(is_admin=False))


async def test_admin_AD_8_all_administrators_in_bulk(stage: Stage) -> None:
    """Every one but the last could go; all together cannot, and then nobody goes."""
    admins = [await stage.user(is_admin=True) for _ in range(3)]
    ada = await stage.user()
    before = await stage.snapshot()
    everybody = [one.id for one in (*admins, ada)]
    refused = await refusal(use(stage, accounts.switch_many, everybody, False))
    assert refused.reason == "last_admin"
    assert await stage.snapshot() == before
    assert (await use(stage, accounts.switch_many, everybody[1:], False, actor_id=admins[0].id)).people == 3
    assert await stage.count(User, User.is_active) == 1


async def test_admin_AD_8_somebody_without_office_may_go_when_nobody_holds_it(stage: Stage) -> None:
    ada = await stage.user()
    await use(stage, users.set_active, ada.id, False)
    assert not (await fresh(stage, ada)).is_active


# ── change ──


async def test_admin_4_every_real_change_is_one_activity(stage: Stage) -> None:
    admin, ada = await stage.user(is_admin=True), await stage.user("Ada")
    workspace = await stage.workspace(ada)
    token = await stage.access_token(ada, workspace)
    await use(stage, accounts.change, ada.id, name="Ada", is_active=True, is_admin=False, actor_id=admin.id)
    await use(stage, accounts.change, ada.id, actor_id=admin.id)
    assert await written(stage) == []
    await use(stage, accounts.change, ada.id, name=" <i>Countess</i> ", is_admin=True, actor_id=admin.id)
    found = await fresh(stage, ada)
    assert (found.name, found.is_admin, found.updated_at) == ("Countess", True, stage.clock.now())
    assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 200
    await use(stage, accounts.change, ada.id, name="Ada", is_active=False, is_admin=False, actor_id=admin.id)
    assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 401
    await use(stage, accounts.change, ada.id, is_active=True, actor_id=admin.id)
    assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 401
    assert sorted(await written(stage)) == sorted(
        [
            "user_updated",
            "user_promoted_admin",
            "user_updated",
            "user_deactivated",
            "user_demoted_admin",
            "user_activated",
        ]
    )
    assert {(row.target_id, row.actor_id) for row in await stage.activities()} == {(ada.id, admin.id)}
    assert isinstance(await refusal(use(stage, accounts.change, uuid4(), is_active=False)), NotFound)
    assert isinstance(await refusal(use(stage, accounts.change, uuid4(), name="x")), NotFound)


async def test_admin_4_a_change_is_whole_or_not_at_all(stage: Stage) -> None:
    ada = await stage.user("Ada", is_admin=True)
    before = await stage.snapshot()
    assert (
        await refusal(use(stage, accounts.change, ada.id, name="New", is_admin=False))
    ).reason == "last_admin"
    assert isinstance(
        await refusal(use(stage, accounts.change, ada.id, name="<b></b>", is_active=False)), Unprocessable
    )
    assert await stage.snapshot() == before


async def test_admin_4_many_at_once(stage: Stage) -> None:
    """Rules: DL-5, DL-6, DL-11."""
    admin = await stage.user(is_admin=True)
    ada, bob, gone = await stage.user(), await stage.user(), await stage.user(is_active=False)
    workspace = await stage.workspace(ada)
    await stage.join(workspace, bob)
    tokens = [await stage.access_token(one, workspace) for one in (ada, bob)]
    ids = [ada.id, bob.id, gone.id, uuid4(), ada.id]
    assert (await use(stage, accounts.switch_many, ids, False, actor_id=admin.id)).people == 2
    for token in tokens:
        assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 401
    assert await stage.all(User, User.is_active, User.id != admin.id) == []
    rows = await stage.activities("user_deactivated")
    assert {(row.target_id, row.actor_id) for row in rows} == {(ada.id, admin.id), (bob.id, admin.id)}
    (bulk,) = await stage.activities("bulk_status_change")
    assert (bulk.target_type, bulk.target_id, bulk.actor_id) == ("system", UUID(int=0), admin.id)
    assert bulk.detail == {"is_active": False, "affected": 2}
    assert (await use(stage, accounts.switch_many, ids, True, actor_id=admin.id)).people == 3
    assert len(await stage.activities("user_activated")) == 3
    for token in tokens:
        assert (await stage.client.get("/users/me", headers=bearer(token))).status_code == 401
    assert (await use(stage, accounts.switch_many, [], False, actor_id=admin.id)).people == 0
    assert (await use(stage, accounts.switch_many, [uuid4()] * 500, False, actor_id=admin.id)).people == 0
    too_many = await refusal(use(stage, accounts.switch_many, [uuid4()] * 501, False, actor_id=admin.id))
    assert isinstance(too_many, Unprocessable)


async def test_admin_4_many_cost_as_many_statements_as_one(stage: Stage) -> None:
    """Each still has an activity of his own."""
    many = [(await stage.user()).id for _ in range(5)]
    costs = []
    for ids in (many[:1], many):
        with stage.statements() as seen:
            await use(stage, accounts.switch_many, ids, False)
        costs.append(sum("INSERT INTO activity_logs" in text for text in seen.texts))
    assert costs == [2, 2]
    rows = await stage.activities("user_deactivated")
    assert sorted(row.target_id for row in rows) == sorted(many)
    assert all(row.detail == {"bulk": True} for row in rows)


# ── search and look ──


async def test_admin_4_people_are_found_by_a_part_of_name_or_address(stage: Stage) -> None:
    names = {"Ada": "ada@example.com", "100% Bob": "b_b@example.com", "ΣΊΣΥΦΟΣ": "c@example.com"}
    made = [await stage.user(name, email=email) for name, email in names.items()]
    await stage.workspace(made[0])
    await stage.join(await stage.workspace(made[1]), made[0])

    async def found(text: str | None, **page: int) -> tuple[list[str], int]:
        with stage.statements() as seen:
            answer = await read(stage, people.search, text, **({"page": 1, "page_size": 20} | page))
        assert len(seen) == 1
        return [one.name for one in answer.items], answer.total

    newest = ["ΣΊΣΥΦΟΣ", "100% Bob", "Ada"]
    assert await found(None) == (newest, 3)
    assert await found("") == (newest, 3)
    assert await found("EXAMPLE") == (newest, 3)
    assert await found("%") == (["100% Bob"], 1)
    assert await found("_") == (["100% Bob"], 1)
    assert await found("aDa") == (["Ada"], 1)
    assert await found("σίσυφος") == (["ΣΊΣΥΦΟΣ"], 1)
    assert await found("nobody") == ([], 0)
    assert await found(None, page=2, page_size=2) == (["Ada"], 3)
    assert await found(None, page=3, page_size=2) == ([], 3)
    assert await found(None, page=10**30, page_size=100) == ([], 3)
    for page in ({"page": 0}, {"page_size": 0}, {"page_size": 101}):
        assert isinstance(await refusal(found(None, **page)), Unprocessable)
    (ada,) = (await read(stage, people.search, "ada", page=1, page_size=1)).items
    assert (ada.id, ada.email, ada.is_active, ada.is_admin, ada.created_at, ada.workspace_count) == (
        made[0].id,
        "ada@example.com",
        True,
        False,
        made[0].created_at,
        2,
    )


async def test_admin_4_one_person_with_all_he_has(stage: Stage) -> None:
    ada = await stage.user(organization_id=None)
    with stage.statements() as seen:
        person = await read(stage, people.detail, ada.id)
    assert len(seen) == 1
    assert (person.user.email, person.organization) == (ada.email, None)
    assert (person.social_accounts, person.memberships) == ((), ())
    acme = await stage.organization()
    await stage.execute(sa.update(User).values(organization_id=acme.id))
    for provider in ("other", "corp"):
        await stage.link(ada, provider=provider)
    zoo = await stage.workspace(ada, name="Zoo", slug="zoo")
    bar = await stage.workspace(name="Bar", slug="bar")
    await stage.join(bar, ada, "editor")
    person = await read(stage, people.detail, ada.id)
    assert person.organization is not None
    assert person.organization.slug == acme.slug
    assert [(one.provider, one.provider_user_id) for one in person.social_accounts] == [
        ("corp", str(ada.id)),
        ("other", str(ada.id)),
    ]
    assert [
        (one.workspace_id, one.workspace_name, one.workspace_slug, one.role) for one in person.memberships
    ] == [(bar.id, "Bar", "bar", "editor"), (zoo.id, "Zoo", "zoo", "owner")]
    assert isinstance(await refusal(read(stage, people.detail, uuid4())), NotFound)


async def test_admin_4_a_person_is_added_to_a_workspace(stage: Stage) -> None:
    admin, ada = await stage.user(is_admin=True), await stage.user()
    workspace, acme = await stage.workspace(), await stage.organization("acme.example")

    def add(user_id: UUID, workspace_id: UUID = workspace.id, *role: WorkspaceRole) -> Awaitable[Any]:
        return use(stage, people.add_to_workspace, user_id, workspace_id, *role, actor_id=admin.id)

    entry = await add(ada.id)
    assert (entry.user_id, entry.role) == (ada.id, "viewer")
    (row,) = await stage.activities("member_invited")
    assert (row.target_id, row.workspace_id, row.actor_id) == (ada.id, workspace.id, admin.id)
    assert row.detail == {"email": ada.email, "role": "viewer"}
    for call, kind, reason in (
        (add(ada.id), Conflict, "already_member"),
        (add(ada.id, uuid4()), NotFound, "workspace_not_found"),
        (add(uuid4()), Invalid, "unknown_user"),
    ):
        refused = await refusal(call)
        assert (type(refused), refused.reason) == (kind, reason)
    await stage.restrict(workspace, acme)
    bob = await stage.user()
    refused = await refusal(add(bob.id))
    assert (type(refused), refused.reason) == (Invalid, "org_not_permitted")
    eve = await stage.user(email="eve@acme.example", organization_id=None)
    assert (await add(eve.id, workspace.id, WorkspaceRole.OWNER)).role == "owner"
    zoe = await stage.user(organization_id=acme.id)
    assert await at_once([add(zoe.id) for _ in range(50)]) == {"done": 1, "already_member": 49}


# ── delete ──


async def test_authorization_8_who_is_deleted_is_gone_and_comes_back_as_somebody_new(stage: Stage) -> None:
    """The old tokens stay dead, whoever has the address then. Rules: DL-5, DL-11."""
    admin = await stage.user(is_admin=True)
    app, person = await stage.login_app(), stage.person("ada@example.com", sub="ada")
    ada = await stage.user(email="ada@example.com")
    await stage.link(ada, subject="ada")
    workspace = await stage.workspace(await stage.user())
    await stage.join(workspace, ada)
    pair = await stage.session(ada, workspace, app)
    authz = await stage.authz_token(ada, workspace, "notes")
    assert await use(stage, people.delete, ada.id, actor_id=admin.id) == 1

    async def dead() -> None:
        for header in (bearer(pair.access.token), {"X-Authz-Token": authz}):
            assert (await stage.client.get("/users/me", headers=header)).status_code == 401
        body = {"refresh_token": pair.refresh.token}
        assert (await stage.client.post("/auth/refresh", json=body)).status_code == 401

    await dead()
    (row,) = await stage.activities("user_deleted")
    assert (row.target_id, row.actor_id) == (ada.id, admin.id)
    assert row.detail == {"email": "ada@example.com", "tokens_revoked": 1}
    assert isinstance(await refusal(use(stage, people.delete, ada.id)), NotFound)
    assert (await stage.sign_in(person, app, Pkce())).status_code == 302
    (again,) = await stage.all(User, User.email == "ada@example.com")
    assert again.id != ada.id
    assert await stage.count(Membership, Membership.user_id == again.id) == 0
    await stage.join(workspace, again)
    await dead()


async def test_authorization_8_the_last_owner_of_a_workspace_stays(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    workspace = await stage.workspace(ada, name="Acme")
    await stage.join(workspace, bob, "admin")
    before = await stage.snapshot()
    refused = await refusal(use(stage, people.delete, ada.id))
    assert (type(refused), refused.reason) == (Conflict, "last_owner")
    assert "Acme" in refused.detail
    assert await stage.snapshot() == before
    await stage.execute(sa.update(Membership).values(role="owner"))
    await use(stage, people.delete, ada.id)
    assert (await stage.all(Workspace))[0].created_by is None
    assert (await refusal(use(stage, people.delete, bob.id))).reason == "last_owner"


async def test_authorization_8_of_many_owners_deleted_at_once_one_stays(stage: Stage) -> None:
    """And with owners who are demoted or removed at the same time."""
    first = await stage.user()
    workspace, other = await stage.workspace(first), await stage.workspace(first)
    owners = [first, *[await stage.member(workspace, "owner") for _ in range(49)]]
    for one in owners[1:]:
        await stage.join(other, one, "owner")
    actor = Member((await stage.user()).id, workspace.id, "owner")

    async def remove(user: User) -> None:
        async with stage.state.database.transaction() as session:
            await members.remove(session, actor, user.id, now=stage.clock.now())

    async def demote(user: User) -> None:
        async with stage.state.database.transaction() as session:
            now = stage.clock.now()
            await members.change_role(session, actor, user.id, WorkspaceRole.VIEWER, now=now)

    tries: list[Awaitable[Any]] = []
    for n, one in enumerate(owners):
        tries.append(
            remove(one) if n % 5 == 3 else demote(one) if n % 5 == 4 else use(stage, people.delete, one.id)
        )
    came = await at_once(tries)
    assert came == {"done": 49, "last_owner": 1}
    assert await stage.count(Membership, Membership.workspace_id == other.id, Membership.role == "owner") >= 1
    left = await stage.all(Membership, Membership.workspace_id == workspace.id, Membership.role == "owner")
    assert len(left) == 1


async def test_authorization_8_of_many_deletions_one_wins(stage: Stage) -> None:
    ada = await stage.user()
    came = await at_once([use(stage, people.delete, ada.id) for _ in range(50)])
    assert came == {"done": 1, "user_not_found": 49}
    assert len(await stage.activities("user_deleted")) == 1


# ── two in a row ──


@dataclass(frozen=True)
class Row:
    """On PostgreSQL: an owner, and somebody who is given something while he is deleted."""

    stage: Stage
    ada: User
    bob: User
    workspace: Workspace
    group_id: UUID
    resource: Resource

    @property
    def owner(self) -> Member:
        return Member(self.ada.id, self.workspace.id, "owner")

    async def group(self, session: AsyncSession) -> None:
        now = self.stage.clock.now()
        await groups.add_member(session, self.owner, self.group_id, self.bob.id, now=now)

    async def role(self, session: AsyncSession) -> None:
        now = self.stage.clock.now()
        await members.change_role(session, self.owner, self.bob.id, WorkspaceRole.OWNER, now=now)

    async def another_workspace(self, session: AsyncSession) -> None:
        other = await self.stage.workspace(self.ada)
        await people.add_to_workspace(
            session,
            self.bob.id,
            other.id,
            WorkspaceRole.OWNER,
            actor_id=None,
            now=self.stage.clock.now(),
        )

    async def share(self, session: AsyncSession) -> None:
        # As permissions/resources.py does: the membership is held while the share is written.
        await session.execute(
            sa.select(Membership.id)
            .where(Membership.user_id == self.bob.id)
            .with_for_update(read=True, key_share=True)
        )
        await session.execute(
            sa.insert(Share).values(
                id=uuid4(),
                resource_permission_id=self.resource.id,
                grantee_type="user",
                grantee_id=self.bob.id,
                permission="view",
            )
        )

    def give(self, what: str) -> Callable[[AsyncSession], Awaitable[None]]:
        given: Callable[[AsyncSession], Awaitable[None]] = getattr(self, what)
        return given

    async def in_one(self, what: str) -> None:
        async with self.stage.state.database.transaction() as session:
            await self.give(what)(session)

    async def nothing_left(self) -> None:
        bob = self.bob.id
        assert await self.stage.count(User, User.id == bob) == 0
        assert await self.stage.count(Membership, Membership.user_id == bob) == 0
        assert await self.stage.count(GroupMembership, GroupMembership.user_id == bob) == 0
        assert await self.stage.count(Share, Share.grantee_id == bob) == 0


@pytest.fixture
async def row(anyio_backend: Any, postgresql_url: str, stage_keys: Keys) -> AsyncIterator[Row]:
    async with open_stage(postgresql_url, stage_keys) as stage:
        ada, bob = await stage.user(), await stage.user()
        workspace = await stage.workspace(ada)
        await stage.join(workspace, bob)
        group = await stage.group(workspace)
        resource = await stage.resource(workspace, ada)
        yield Row(stage, ada, bob, workspace, group.id, resource)


@pytest.mark.parametrize("what", ["group", "share", "role", "another_workspace"])
async def test_authorization_8_a_deletion_takes_away_what_is_just_being_given(row: Row, what: str) -> None:
    _, outcome = await in_a_row(row.stage, row.give(what), use(row.stage, people.delete, row.bob.id))
    if what in ("role", "another_workspace"):
        # He became an owner in this moment, and nobody can say whether the other one stays.
        assert isinstance(outcome, Conflict)
        assert outcome.reason == "concurrent_change"
        outcome = await use(row.stage, people.delete, row.bob.id)
    assert outcome == 0
    await row.nothing_left()


@pytest.mark.parametrize("how", ["deleted", "removed", "demoted"])
async def test_authorization_8_who_has_just_become_the_last_owner_stays(row: Row, how: str) -> None:
    stage, now = row.stage, row.stage.clock.now()
    eve = await stage.member(row.workspace, "owner")

    async def first(session: AsyncSession) -> None:
        if how == "deleted":
            await people.delete(session, eve.id, actor_id=None, now=now)
        elif how == "removed":
            await members.remove(session, row.owner, eve.id, now=now)
        else:
            await members.change_role(session, row.owner, eve.id, WorkspaceRole.VIEWER, now=now)

    _, outcome = await in_a_row(stage, first, use(stage, people.delete, row.ada.id))
    assert isinstance(outcome, Conflict)
    assert outcome.reason == "last_owner"
    assert [one.user_id for one in await stage.all(Membership, Membership.role == "owner")] == [row.ada.id]


@pytest.mark.parametrize("what", ["group", "another_workspace"])
async def test_authorization_8_nothing_is_given_to_who_is_just_being_deleted(row: Row, what: str) -> None:
    now = row.stage.clock.now()
    _, outcome = await in_a_row(
        row.stage,
        lambda session: people.delete(session, row.bob.id, actor_id=None, now=now),
        row.in_one(what),
    )
    assert isinstance(outcome, Invalid)
    await row.nothing_left()


async def test_authorization_8_things_given_at_random_while_somebody_is_deleted(stage: Stage) -> None:
    """Nothing hangs, nothing fails for another reason than that he is gone, nothing of him is left."""
    admin = await stage.user(is_admin=True)
    for turn in range(5):
        ada, bob = await stage.user(), await stage.user()
        workspace = await stage.workspace(ada)
        await stage.join(workspace, bob)
        group, resource = await stage.group(workspace), await stage.resource(workspace, ada)
        service = await stage.service(f"notes-{turn}")
        await stage.execute(
            sa.update(Resource)
            .where(Resource.id == resource.id)
            .values(service_name=service.app.service_name)
        )
        headers = await stage.as_user(ada, workspace) | service.headers
        share = {"grantee_type": "user", "grantee_id": str(bob.id), "permission": "view"}
        body = {"email": bob.email, "role": "owner"}
        tries: list[Awaitable[Any]] = [
            stage.client.post(
                f"/workspaces/{workspace.id}/groups/{group.id}/members/{bob.id}", headers=headers
            ),
            stage.client.post(f"/permissions/{resource.id}/share", headers=headers, json=share),
            stage.client.post(
                f"/workspaces/{(await stage.workspace(ada)).id}/members/invite", headers=headers, json=body
            ),
        ]
        tries.insert(turn % 4, outcome(use(stage, people.delete, bob.id, actor_id=admin.id)))
        answers = await asyncio.gather(*tries)
        deleted = answers.pop(turn % 4)
        assert not isinstance(deleted, DomainError) or deleted.reason == "concurrent_change"
        assert {answer.status_code for answer in answers} <= {201, 400, 403, 404, 409}, answers
        if isinstance(deleted, DomainError):
            await use(stage, people.delete, bob.id, actor_id=admin.id)
        for model, column in (
            (Membership, Membership.user_id),
            (GroupMembership, GroupMembership.user_id),
            (Share, Share.grantee_id),
        ):
            assert await stage.count(model, column == bob.id) == 0
