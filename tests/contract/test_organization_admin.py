"""Organizations as the panel manages them: ``admin.md`` §8, ``authorization.md`` §7."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import Conflict, DomainError, Invalid, NotFound, Unprocessable
from sentinel.identity import organization_admin as organizations
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, OrganizationDomain, User
from sentinel.login import subjects
from sentinel.login.sign_in import sign_in
from sentinel.providers import Identity
from sentinel.tokens.families import ClientContext, TokenPair, open_family
from sentinel.workspaces import allow_list, people
from sentinel.workspaces.models import AllowedOrganization, Workspace
from tests.races import at_once, in_a_row, outcome, read, use
from tests.stage import PROVIDER, Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


async def refusal(call: Any) -> DomainError:
    refused = await outcome(call)
    assert isinstance(refused, DomainError), refused
    return refused


async def written(stage: Stage) -> list[tuple[str, Any]]:
    """Action and detail of every activity of an organization."""
    return [(row.action, row.detail) for row in await stage.activities() if row.target_type == "organization"]


# ── make, list, look at ──


async def test_admin_8_an_organization_is_made_enabled_and_listed_after_the_public_one(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    made = await use(stage, organizations.create, name=" <b>Zeta</b> ", slug="zeta", actor_id=admin.id)
    assert (made.name, made.slug, made.is_public, made.enabled) == ("Zeta", "zeta", False, True)
    assert (made.user_count, made.domains) == (0, ())
    acme = await use(stage, organizations.create, name="Acme", slug="a1", actor_id=admin.id)
    for domain in ("b.example", "a.example"):
        await use(stage, organizations.add_domain, acme.id, domain=domain)
    for _ in range(3):
        await stage.user(organization_id=acme.id)
    with stage.statements() as seen:
        listed = await read(stage, organizations.list_all)
    assert len(seen) == 1
    assert [(one.name, one.is_public, one.enabled, one.domain_count, one.user_count) for one in listed] == [
        ("Public", True, True, 0, 1),
        ("Acme", False, True, 2, 3),
        ("Zeta", False, True, 0, 0),
    ]
    with stage.statements() as seen:
        detail = await read(stage, organizations.get, acme.id)
    assert len(seen) == 1
    assert (detail.user_count, [one.domain for one in detail.domains]) == (3, ["a.example", "b.example"])
    assert isinstance(await refusal(read(stage, organizations.get, uuid4())), NotFound)
    (row,) = await stage.all(Organization, Organization.id == made.id)
    assert row.created_by == admin.id
    first = (await written(stage))[0]
    assert first == ("org_create", {"slug": "zeta", "name": "Zeta"})
    assert {row.actor_id for row in await stage.activities("org_create")} == {admin.id}


@pytest.mark.parametrize(
    ("name", "slug", "field"),
    [
        ("", "acme", "name"),
        (" \t ", "acme", "name"),
        ("<b></b>", "acme", "name"),
        ("n" * 256, "acme", "name"),
        ("Acme", "", "slug"),
        ("Acme", "a", "slug"),
        ("Acme", "-acme", "slug"),
        ("Acme", "acme-", "slug"),
        ("Acme", "Acme", "slug"),
        ("Acme", "ac me", "slug"),
        ("Acme", "acme\n", "slug"),
        ("Acme", "ä-b", "slug"),
        ("Acme", "a" * 64, "slug"),
    ],
)
async def test_admin_8_malformed_names_and_slugs_are_refused(
    stage: Stage, name: str, slug: str, field: str
) -> None:
    refused = await refusal(use(stage, organizations.create, name=name, slug=slug))
    assert isinstance(refused, Unprocessable)
    assert refused.field == field
    assert await stage.count(Organization) == 1


async def test_admin_8_of_many_creations_with_one_slug_one_wins(stage: Stage) -> None:
    assert (await refusal(use(stage, organizations.create, name="x", slug="public"))).reason == "slug_taken"
    tries = [use(stage, organizations.create, name=f"Acme {n}", slug="acme") for n in range(50)]
    assert await at_once(tries) == {"done": 1, "slug_taken": 49}
    assert len(await stage.activities("org_create")) == 1


# ── change ──


async def test_admin_8_the_toggle_is_written_only_when_the_public_switch_changes(stage: Stage) -> None:
    acme = await stage.organization()

    async def change(organization_id: Any, **values: Any) -> tuple[str, Any]:
        await use(stage, organizations.change, organization_id, **values)
        stage.clock.advance(1)
        action, detail = (await written(stage))[-1]
        return action, {key: value for key, value in detail.items() if key != "slug"}

    public = PUBLIC_ORGANIZATION_ID
    assert await change(public, enabled=True) == ("org_update", {"fields": []})
    assert await change(public, name="Everybody") == ("org_update", {"fields": ["name"]})
    toggled = {"fields": ["enabled"], "enabled": False}
    assert await change(public, enabled=False) == ("org_public_toggle", toggled)
    assert await change(public, enabled=False) == ("org_update", {"fields": []})
    assert await change(public, name="Public", enabled=True) == (
        "org_public_toggle",
        {"fields": ["name", "enabled"], "enabled": True},
    )
    assert await change(acme.id, enabled=False) == ("org_update", {**toggled, "tokens_revoked": 0})
    assert await change(acme.id, enabled=True) == ("org_update", {"fields": ["enabled"], "enabled": True})
    detail = await use(stage, organizations.change, acme.id, name="New")
    assert (detail.name, detail.enabled) == ("New", True)
    assert isinstance(await refusal(use(stage, organizations.change, uuid4(), enabled=False)), NotFound)
    assert isinstance(await refusal(use(stage, organizations.change, acme.id, name=" ")), Unprocessable)


async def test_authorization_7_6_the_public_switch_touches_no_session(stage: Stage) -> None:
    ada = await stage.user()
    pair = await stage.session(ada, await stage.workspace(ada))
    await use(stage, organizations.change, PUBLIC_ORGANIZATION_ID, enabled=False)
    answer = await stage.client.get("/users/me", headers=bearer(pair.access.token))
    assert answer.status_code == 200
    refreshed = await stage.client.post("/auth/refresh", json={"refresh_token": pair.refresh.token})
    assert refreshed.status_code == 200


async def test_DL_10_and_DL_11_disabling_an_organization_revokes_every_user_of_it(stage: Stage) -> None:
    """authorization.md §7 rules 7 and 10: by the stored organization, else by the address.

    Rules: authorization-7.7, authorization-7.10.
    """
    acme = await stage.organization("acme.example", "bücher.example", subdomains=True)
    acme_idn = await stage.organization("xn--bcher-kva.test", subdomains=True)
    other = await stage.organization("lab.acme.example")
    closed = await stage.organization("sub.off.example", enabled=False)
    # Claims the addresses below "acme.example", and is disabled: the enabled organization has them.
    await stage.add(
        OrganizationDomain(organization_id=closed.id, domain="deep.acme.example", include_subdomains=True)
    )
    belongs = {
        "stored": ("eve@elsewhere.example", acme.id),
        "prepared": ("prepared@acme.example", None),
        "below": ("below@x.acme.example", None),
        "deep": ("deep@deep.acme.example", None),
    }
    others = {
        "public": ("someone@example.com", PUBLIC_ORGANIZATION_ID),
        # The stored organization counts, whatever the address says.
        "moved": ("moved@acme.example", other.id),
        "lab": ("lab@lab.acme.example", None),
        "lookalike": ("x@notacme.example", None),
        "nowhere": ("x@nowhere.example", None),
        "idn": ("x@bücher.test", None),
    }
    tokens: dict[str, TokenPair] = {}
    for label, (email, organization_id) in (belongs | others).items():
        user = await stage.user(email=email, organization_id=organization_id)
        tokens[label] = await stage.session(user, await stage.workspace(user))

    async def dead() -> set[str]:
        found = set()
        for label, pair in tokens.items():
            answer = await stage.client.get("/users/me", headers=bearer(pair.access.token))
            if answer.status_code != 200:
                assert answer.status_code == 401
                found.add(label)
        return found

    detail = await use(stage, organizations.change, acme.id, enabled=False)
    assert detail.enabled is False
    assert await dead() == set(belongs)
    ((_, written_detail),) = await written(stage)
    assert written_detail["tokens_revoked"] == len(belongs)
    # An address that is written in letters belongs to the rule in its encoded form.
    await use(stage, organizations.change, acme_idn.id, enabled=False)
    assert await dead() == {*belongs, "idn"}
    # Nothing comes back with the switch.
    for organization in (acme, acme_idn):
        await use(stage, organizations.change, organization.id, enabled=True)
    assert await dead() == {*belongs, "idn"}
    for label in belongs:
        answer = await stage.client.post("/auth/refresh", json={"refresh_token": tokens[label].refresh.token})
        assert answer.status_code == 401, label
    # Switched off twice is once.
    epochs = {user.id: user.token_epoch for user in await stage.all(User)}
    for _ in range(2):
        await use(stage, organizations.change, other.id, enabled=False)
    after = {user.id: user.token_epoch for user in await stage.all(User)}
    assert sorted(after[one] - epochs[one] for one in after) == [0] * (len(after) - 2) + [1, 1]


# ── delete ──


async def test_admin_8_deleting_an_organization(stage: Stage) -> None:
    """Rules: authorization-7.6."""
    acme = await stage.organization("acme.example")
    ada = await stage.user(organization_id=acme.id)
    pair = await stage.session(ada, await stage.workspace(ada))
    assert (await refusal(use(stage, organizations.delete, PUBLIC_ORGANIZATION_ID))).reason == (
        "organization_public"
    )
    await use(stage, organizations.delete, acme.id)
    assert await stage.count(Organization) == 1
    assert await stage.count(OrganizationDomain) == 0
    (ada,) = await stage.all(User)
    assert ada.organization_id is None
    assert (await stage.client.get("/users/me", headers=bearer(pair.access.token))).status_code == 200
    assert isinstance(await refusal(use(stage, organizations.delete, acme.id)), NotFound)
    assert [action for action, _ in await written(stage)] == ["org_delete"]


async def test_authorization_7_11_an_organization_on_a_list_is_not_deleted(stage: Stage) -> None:
    acme = await stage.organization()
    ada = await stage.user(organization_id=acme.id)
    workspace = await stage.workspace(ada)
    await stage.restrict(workspace, acme)
    refused = await refusal(use(stage, organizations.delete, acme.id))
    assert isinstance(refused, Invalid)
    assert refused.reason == "organization_in_use"
    (ada,) = await stage.all(User)
    assert ada.organization_id == acme.id
    assert await written(stage) == []
    await use(stage, allow_list.replace, workspace.id, [])
    await use(stage, organizations.delete, acme.id)


async def test_authorization_7_11_a_list_never_empties_while_it_is_being_set(stage: Stage) -> None:
    """Deleting an organization against naming it: either it is gone and not on the list, or it is on the list."""
    workspaces = [await stage.workspace() for _ in range(10)]
    for turn in range(5):
        acme = await stage.organization()
        tries = [use(stage, allow_list.replace, one.id, [acme.id]) for one in workspaces]
        tries.insert(turn * 2, use(stage, organizations.delete, acme.id))
        came = await at_once(tries)
        assert set(came) <= {"done", "organization_in_use", "unknown_organization"}, came
        named = await stage.count(AllowedOrganization, AllowedOrganization.organization_id == acme.id)
        exists = await stage.count(Organization, Organization.id == acme.id)
        assert (named > 0) == bool(exists)
        for one in workspaces:
            await use(stage, allow_list.replace, one.id, [])


async def test_admin_8_of_many_deletions_one_wins(stage: Stage) -> None:
    acme = await stage.organization("acme.example")
    tries = [use(stage, organizations.delete, acme.id) for _ in range(50)]
    assert await at_once(tries) == {"done": 1, "organization_not_found": 49}
    assert len(await stage.activities("org_delete")) == 1


# ── domains ──


async def test_admin_8_domains_are_claimed_once(stage: Stage) -> None:
    acme, other = await stage.organization(), await stage.organization()
    added = await use(
        stage, organizations.add_domain, acme.id, domain=" BÜCHER.example ", include_subdomains=True
    )
    assert (added.domain, added.include_subdomains) == ("xn--bcher-kva.example", True)
    detail = await read(stage, organizations.get, acme.id)
    assert [(one.id, one.domain) for one in detail.domains] == [(added.id, added.domain)]
    for organization in (acme, other):
        refused = await refusal(
            use(stage, organizations.add_domain, organization.id, domain="xn--bcher-kva.EXAMPLE")
        )
        assert isinstance(refused, Conflict)
    for domain in ("", "localhost", "a@b.example", ".example", "a b.example", "*.example", "a." * 130):
        refused = await refusal(use(stage, organizations.add_domain, acme.id, domain=domain))
        assert isinstance(refused, Invalid), domain
    refused = await refusal(
        use(stage, organizations.add_domain, PUBLIC_ORGANIZATION_ID, domain="fine.example")
    )
    assert (type(refused), refused.reason) == (Invalid, "organization_public")
    assert isinstance(
        await refusal(use(stage, organizations.add_domain, uuid4(), domain="fine.example")), NotFound
    )
    assert await stage.count(OrganizationDomain) == 1
    assert [action for action, _ in await written(stage)] == ["org_domain_add"]


async def test_admin_8_of_many_claims_of_one_domain_one_wins(stage: Stage) -> None:
    both = [await stage.organization() for _ in range(2)]
    tries = [use(stage, organizations.add_domain, both[n % 2].id, domain="acme.example") for n in range(50)]
    assert await at_once(tries) == {"done": 1, "domain_claimed": 49}
    assert await stage.count(OrganizationDomain) == 1


async def test_admin_8_a_domain_is_given_up_by_its_own_organization(stage: Stage) -> None:
    """And nobody is assigned anew before his next sign-in."""
    acme, other = await stage.organization("acme.example"), await stage.organization()
    ada = await stage.user(email="ada@acme.example", organization_id=acme.id)
    (domain,) = await stage.all(OrganizationDomain)
    for organization_id, domain_id in ((other.id, domain.id), (acme.id, uuid4()), (uuid4(), domain.id)):
        refused = await refusal(use(stage, organizations.remove_domain, organization_id, domain_id))
        assert isinstance(refused, NotFound)
    await use(stage, organizations.remove_domain, acme.id, domain.id)
    assert await stage.count(OrganizationDomain) == 0
    assert (await stage.all(User, User.id == ada.id))[0].organization_id == acme.id
    assert (await written(stage))[-1] == (
        "org_domain_remove",
        {"slug": acme.slug, "domain": "acme.example"},
    )


# ── people ──


async def test_admin_8_users_of_an_organization_by_address(stage: Stage) -> None:
    acme = await stage.organization()
    for name in "cabd":
        await stage.user(name, email=f"{name}@acme.example", organization_id=acme.id)
    await stage.user(email="aa@acme.example")
    page = await read(stage, people.of_organization, acme.id, page=2, page_size=3)
    assert ([one.email for one in page.items], page.total) == (["d@acme.example"], 4)
    first = await read(stage, people.of_organization, acme.id, page=1, page_size=3)
    assert [one.name for one in first.items] == ["a", "b", "c"]
    assert (await read(stage, people.of_organization, acme.id, page=1, page_size=200)).total == 4
    too_long = await refusal(read(stage, people.of_organization, acme.id, page=1, page_size=201))
    assert (type(too_long), too_long.detail) == (Unprocessable, "A page has 1 to 200 entries")
    empty = await read(stage, people.of_organization, (await stage.organization()).id, page=1, page_size=3)
    assert (empty.items, empty.total) == ((), 0)
    assert isinstance(
        await refusal(read(stage, people.of_organization, uuid4(), page=1, page_size=3)), NotFound
    )


# ── two in a row ──


@pytest.fixture
async def postgres_stage(anyio_backend: Any, postgresql_url: str, stage_keys: Keys) -> AsyncIterator[Stage]:
    async with open_stage(postgresql_url, stage_keys) as opened:
        yield opened


class SigningIn:
    """Somebody of another organization whose domain has just been claimed: his next sign-in moves him over."""

    def __init__(self, stage: Stage, user: User, workspace: Workspace, acme: Organization, app: Any) -> None:
        self.stage, self.user, self.workspace, self.acme, self.app = stage, user, workspace, acme, app

    async def sign_in(self, session: AsyncSession) -> TokenPair | None:
        """Sign in and take tokens in one transaction, as authz mode does; None at a closed gate."""
        identity = Identity(
            provider=PROVIDER,
            subject="ada",
            idp_sub="ada",
            email=self.user.email,
            name="Ada",
            avatar_url=None,
            profile={},
        )
        now = self.stage.clock.now()
        user = (await sign_in(session, identity, admin_emails=frozenset(), now=now)).user
        candidate = await subjects.load(session, user.id, self.workspace.id)
        if candidate.refusal is not None:
            return None
        assert candidate.subject is not None
        return await open_family(
            session,
            self.stage.state.issuer,
            candidate.subject,
            client_app_id=self.app.id,
            context=ClientContext.of("127.0.0.1", "x"),
            now=now,
        )

    async def in_one(self) -> TokenPair | None:
        async with self.stage.state.database.transaction() as session:
            return await self.sign_in(session)

    def disable(self, enabled: bool = False) -> Any:
        return use(self.stage, organizations.change, self.acme.id, enabled=enabled)

    async def disabling(self, session: AsyncSession) -> None:
        now = self.stage.clock.now()
        await organizations.change(session, self.acme.id, enabled=False, actor_id=None, now=now)

    async def unusable(self, pair: TokenPair) -> None:
        me = await self.stage.client.get("/users/me", headers=bearer(pair.access.token))
        assert me.status_code == 401
        refresh = {"refresh_token": pair.refresh.token}
        assert (await self.stage.client.post("/auth/refresh", json=refresh)).status_code == 401


async def signing_in(stage: Stage, organization_id: Any, *, linked: bool) -> SigningIn:
    acme = await stage.organization("acme.example")
    user = await stage.user(email="ada@acme.example", organization_id=organization_id)
    if linked:
        await stage.link(user, subject="ada")
    return SigningIn(stage, user, await stage.workspace(user), acme, await stage.login_app())


@pytest.mark.parametrize("organization_id", [PUBLIC_ORGANIZATION_ID, None])
@pytest.mark.parametrize("linked", [True, False])
async def test_DL_10_who_signs_in_while_the_organization_is_disabled_is_revoked(
    postgres_stage: Stage, organization_id: Any, linked: bool
) -> None:
    """He is not one of its users when the switch is pressed, and one before it has acted."""
    world = await signing_in(postgres_stage, organization_id, linked=linked)
    pair, detail = await in_a_row(postgres_stage, world.sign_in, world.disable())
    assert detail.enabled is False
    await world.unusable(pair)
    await world.disable(True)
    await world.unusable(pair)


@pytest.mark.parametrize("organization_id", [PUBLIC_ORGANIZATION_ID, None])
async def test_DL_10_who_signs_in_after_the_organization_is_disabled_gets_nothing(
    postgres_stage: Stage, organization_id: Any
) -> None:
    """The rules had admitted him before he had to wait; the gates are asked afterwards."""
    world = await signing_in(postgres_stage, organization_id, linked=True)
    _, pair = await in_a_row(postgres_stage, world.disabling, world.in_one())
    assert pair is None


async def test_DL_10_a_sign_in_that_has_just_begun_does_not_block_the_switch(postgres_stage: Stage) -> None:
    """Neither waits for the other for ever: both take the person first, and then the organization."""
    world = await signing_in(postgres_stage, None, linked=True)

    async def hold(session: AsyncSession) -> None:
        row = sa.select(User.id).where(User.id == world.user.id)
        await session.execute(row.with_for_update(key_share=True))

    pair, detail = await in_a_row(postgres_stage, hold, world.disable(), then=world.sign_in)
    assert detail.enabled is False
    await world.unusable(pair)


async def test_authorization_7_11_a_deletion_waits_for_the_list_that_names_the_organization(
    postgres_stage: Stage,
) -> None:
    stage, now = postgres_stage, postgres_stage.clock.now()
    acme, workspace = await stage.organization(), await stage.workspace()
    _, refused = await in_a_row(
        stage,
        lambda session: allow_list.replace(session, workspace.id, [acme.id], actor_id=None, now=now),
        use(stage, organizations.delete, acme.id),
    )
    assert isinstance(refused, Invalid)
    assert refused.reason == "organization_in_use"


@pytest.mark.parametrize("change", ["deleted", "disabled"])
async def test_authorization_7_11_a_list_waits_for_the_organization_that_goes(
    postgres_stage: Stage, change: str
) -> None:
    stage, now = postgres_stage, postgres_stage.clock.now()
    acme, workspace = await stage.organization(), await stage.workspace()

    async def first(session: AsyncSession) -> None:
        if change == "deleted":
            await organizations.delete(session, acme.id, actor_id=None, now=now)
        else:
            await organizations.change(session, acme.id, enabled=False, actor_id=None, now=now)

    _, refused = await in_a_row(stage, first, use(stage, allow_list.replace, workspace.id, [acme.id]))
    assert isinstance(refused, Invalid)
    assert await stage.count(AllowedOrganization) == 0


async def test_admin_8_a_domain_is_not_added_to_an_organization_that_goes(postgres_stage: Stage) -> None:
    stage, now = postgres_stage, postgres_stage.clock.now()
    acme = await stage.organization()
    _, refused = await in_a_row(
        stage,
        lambda session: organizations.delete(session, acme.id, actor_id=None, now=now),
        use(stage, organizations.add_domain, acme.id, domain="acme.example"),
    )
    assert isinstance(refused, NotFound)
    other = await stage.organization()
    added, _ = await in_a_row(
        stage,
        lambda session: organizations.add_domain(
            session, other.id, domain="acme.example", actor_id=None, now=now
        ),
        use(stage, organizations.delete, other.id),
    )
    assert await stage.count(OrganizationDomain) == 0
    assert added.domain == "acme.example"
