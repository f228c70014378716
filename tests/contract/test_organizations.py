"""Organizations: who may sign in and where (``authorization.md`` §7)."""

import json
from base64 import urlsafe_b64decode
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from sentinel.apps.models import LoginApp
from sentinel.identity import organizations
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, OrganizationDomain, User
from sentinel.identity.organizations import (
    DomainMalformed,
    DomainRule,
    choose,
    email_domain,
    normalise_domain,
)
from sentinel.login.codes import issue_code
from sentinel.tokens.claims import TokenType
from sentinel.workspaces.models import Workspace
from tests.stage import Pkce, Stage

pytestmark = pytest.mark.anyio

CANNOT = {"detail": "Cannot issue tokens for this workspace"}


async def signed_in(stage: Stage, app: LoginApp, email: str, *, sub: str | None = None) -> httpx.Response:
    """A complete sign-in of somebody with that address."""
    return await stage.sign_in(stage.person(email, sub=sub or email), app, Pkce())


async def stored(stage: Stage, email: str) -> User:
    (user,) = await stage.all(User, User.email == email)
    assert isinstance(user, User)
    return user


def enable(organization_id: UUID, enabled: bool) -> Any:
    return sa.update(Organization).where(Organization.id == organization_id).values(enabled=enabled)


# ── rule 2: the domain of an address ──

DOMAINS: list[tuple[str, str | None]] = [
    ("example.com", "example.com"),
    ("  Example.COM\t", "example.com"),
    ("sub.example.co.uk", "sub.example.co.uk"),
    ("a-b.example.com", "a-b.example.com"),
    ("1.2", "1.2"),
    ("127.0.0.1", "127.0.0.1"),
    ("bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.example", "xn--bcher-kva.example"),
    ("bu\u0308cher.example", "xn--bcher-kva.example"),
    ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("faß.example", "xn--fa-hia.example"),
    ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ("ｅｘａｍｐｌｅ.com", "example.com"),
    ("exam\u00adple.com", "example.com"),
    (f"{'a' * 63}.example", f"{'a' * 63}.example"),
    (".".join(["a" * 61] * 4), ".".join(["a" * 61] * 4)),
    ("", None),
    (" ", None),
    (".", None),
    ("..", None),
    ("localhost", None),
    ("bücher", None),
    (".example.com", None),
    ("example.com.", None),
    ("example..com", None),
    ("user@example.com", None),
    ("@example.com", None),
    ("example.com\x00", None),
    ("exam\x00ple.com", None),
    ("exam ple.com", None),
    ("example.com\nevil.example.net", None),
    ("example。com", None),
    ("sub.example。com", None),
    ("sub.example．com", None),
    ("sub.example｡com", None),
    ("example.com。", None),
    ("a.b⒈com", None),
    ("-example.com", None),
    ("example-.com", None),
    ("exam_ple.com", None),
    ("*.example.com", None),
    ("example.com/path", None),
    ("example.com:443", None),
    ("[127.0.0.1]", None),
    ("ex\u200bample\u200f.com", None),
    ("\u202eexample.com", None),
    ("xn--\u2603.example", None),
    (f"{'a' * 64}.example", None),
    ("a." * 126 + "aa", None),
    ("ü" * 60 + ".example", None),
    ("\ud800.example", None),
    ("💩.example", None),
]


@pytest.mark.parametrize(("text", "expected"), DOMAINS, ids=lambda value: ascii(value)[:40])
def test_domain_normalisation(text: str, expected: str | None) -> None:
    """Rule 2, and that a normalised domain stays as it is.

    Rules: authorization-7.2.
    """
    if expected is None:
        with pytest.raises(DomainMalformed):
            normalise_domain(text)
        with pytest.raises(DomainMalformed):
            email_domain(f"ada@{text}")
    else:
        assert normalise_domain(text) == expected
        assert normalise_domain(expected) == expected
        assert email_domain(f"ada@{text}") == expected


@pytest.mark.parametrize("address", ["", "@", "ada", "@example.com", "a@b@example.com", "ada@", "ada @"])
def test_addresses_without_a_domain(address: str) -> None:
    """Rules: authorization-7.2."""
    with pytest.raises(DomainMalformed):
        email_domain(address)


# ── rules 1, 3, 4, 5: which organization ──


async def test_rule_1_the_organization_follows_the_address_at_each_sign_in(stage: Stage) -> None:
    """Rules: authorization-7.1."""
    app = await stage.login_app()
    acme, umbrella = await stage.organization("acme.example.net"), await stage.organization("umb.example.net")
    for email, expected in (
        ("ada@example.com", PUBLIC_ORGANIZATION_ID),
        ("ada@acme.example.net", acme.id),
        ("ada@umb.example.net", umbrella.id),
        ("ada@example.com", PUBLIC_ORGANIZATION_ID),
    ):
        assert (await signed_in(stage, app, email, sub="ada")).status_code == 302
        assert (await stored(stage, "ada@example.com")).organization_id == expected


async def test_rule_3_exact_first_then_the_longest_parent(stage: Stage) -> None:
    """Rules: authorization-7.3, authorization-7.4."""
    exact = await stage.organization("a.corp.example.net")
    near = await stage.organization("b.corp.example.net", subdomains=True)
    far = await stage.organization("corp.example.net", subdomains=True)
    single = await stage.organization("single.example.net")
    unicode = await stage.organization("xn--bcher-kva.example", subdomains=True)

    async def resolve(domain: str) -> UUID | None:
        async with stage.state.database.reading() as session:
            return await organizations.resolve(session, f"ada@{domain}")

    for domain, expected in (
        ("a.corp.example.net", exact.id),
        ("x.a.corp.example.net", far.id),
        ("b.corp.example.net", near.id),
        ("x.b.corp.example.net", near.id),
        ("y.x.b.corp.example.net", near.id),
        ("corp.example.net", far.id),
        ("c.corp.example.net", far.id),
        ("CORP.Example.NET", far.id),
        ("xcorp.example.net", PUBLIC_ORGANIZATION_ID),
        ("corp.example.net.evil.example.org", PUBLIC_ORGANIZATION_ID),
        ("example.net", PUBLIC_ORGANIZATION_ID),
        ("single.example.net", single.id),
        ("x.single.example.net", PUBLIC_ORGANIZATION_ID),
        ("bücher.example", unicode.id),
        ("mail.BÜCHER.example", unicode.id),
        ("bucher.example", PUBLIC_ORGANIZATION_ID),
    ):
        assert await resolve(domain) == expected, domain
    # Only enabled ones are considered first: a switched-off exact rule leaves it to an enabled parent.
    await stage.execute(enable(exact.id, False))
    assert await resolve("a.corp.example.net") == far.id
    await stage.execute(enable(near.id, False))
    assert await resolve("x.b.corp.example.net") == far.id
    await stage.execute(enable(far.id, False))
    for domain in ("a.corp.example.net", "x.b.corp.example.net", "c.corp.example.net"):
        assert await resolve(domain) is None, "rule 4: no fall-through to the public organization"
    await stage.execute(enable(exact.id, True))
    assert await resolve("a.corp.example.net") == exact.id
    assert await resolve("x.a.corp.example.net") is None


def test_rule_3_a_domain_is_compared_label_by_label() -> None:
    """The look-up asks for whole labels only; the choice itself must not be looser.

    Rules: authorization-7.3.
    """
    public = DomainRule(PUBLIC_ORGANIZATION_ID, True, True, None, False)
    parent = DomainRule(uuid4(), True, False, "corp.example.net", True)
    for domain, expected in (
        ("x.corp.example.net", parent.organization_id),
        ("xcorp.example.net", PUBLIC_ORGANIZATION_ID),
        ("corp.example.net.x", PUBLIC_ORGANIZATION_ID),
        ("example.net", PUBLIC_ORGANIZATION_ID),
    ):
        assert choose(domain, [public, parent]) == expected, domain


async def test_rules_2_4_and_5_who_may_sign_in(stage: Stage) -> None:
    """Rules: authorization-7.2, authorization-7.4, authorization-7.5."""
    app = await stage.login_app()
    await stage.organization("closed.example.net", enabled=False)
    await stage.organization("tree.example.net", enabled=False, subdomains=True)
    open_one = await stage.organization("open.example.net")
    outside = [
        "x@closed.example.net",
        "x@CLOSED.example.net",
        "x@tree.example.net",
        "x@deep.tree.example.net",
        # Rule 2: what no rule could be written for cannot slip past the rules into the public organization.
        "x@closed.example.net.",
        "x@closed.example。net",
        "x@localhost",
        "x@under_score.example.net",
    ]
    before = await stage.snapshot("activity_logs")
    for email in outside:
        answer = await signed_in(stage, app, email)
        assert answer.status_code == 403, email
        assert "not permitted" in answer.text
    assert await stage.snapshot("activity_logs") == before
    rows = await stage.activities("login_failed")
    assert [(row.detail or {})["reason"] for row in rows] == ["org_not_permitted"] * len(outside)
    assert (await signed_in(stage, app, "x@sub.closed.example.net")).status_code == 302
    await stage.execute(enable(PUBLIC_ORGANIZATION_ID, False))
    assert (await signed_in(stage, app, "x@example.com")).status_code == 403
    assert (await signed_in(stage, app, "x@open.example.net")).status_code == 302
    assert (await stored(stage, "x@open.example.net")).organization_id == open_one.id


async def test_rule_6_there_is_one_public_organization(stage: Stage) -> None:
    """Rules: authorization-7.6."""
    (public,) = await stage.all(Organization)
    assert (public.id, public.slug, public.name) == (PUBLIC_ORGANIZATION_ID, "public", "Public")
    assert str(public.id) == "00000000-0000-0000-0000-000000000001"
    assert (public.is_public, public.enabled) == (True, True)
    assert await stage.count(OrganizationDomain) == 0
    organization = await stage.organization()
    with pytest.raises(IntegrityError):
        await stage.execute(
            sa.update(Organization).where(Organization.id == organization.id).values(is_public=True)
        )


# ── rules 7 to 10: the gates ──


class Visitor:
    """Somebody at the gates: workspace picker, exchange and refresh."""

    def __init__(self, stage: Stage, app: LoginApp, user: User, workspace: Workspace) -> None:
        self.stage, self.app, self.user, self.workspace = stage, app, user, workspace

    async def gates(self) -> tuple[bool, int]:
        """Whether the picker shows the workspace, and the status of an exchange for it."""
        pkce = Pkce()
        async with self.stage.state.database.transaction() as session:
            code = await _issue(session, self, pkce)
        proof = {"code": code, "code_verifier": pkce.verifier}
        picker = await self.stage.client.post("/auth/workspaces", json=proof)
        assert picker.status_code == 200
        exchange = await self.stage.client.post(
            "/auth/token", json=proof | {"workspace_id": str(self.workspace.id)}
        )
        if exchange.status_code != 200:
            assert (exchange.status_code, exchange.json()) == (403, CANNOT)
        return str(self.workspace.id) in {row["id"] for row in picker.json()}, exchange.status_code

    async def refresh(self, token: str) -> int:
        answer = await self.stage.client.post("/auth/refresh", json={"refresh_token": token})
        return answer.status_code


async def _issue(session: Any, visitor: Visitor, pkce: Pkce) -> str:
    return await issue_code(
        session,
        user_id=visitor.user.id,
        client_app_id=visitor.app.id,
        provider="corp",
        code_challenge=pkce.challenge,
        now=visitor.stage.clock.now(),
    )


async def visitor(stage: Stage, email: str, organization_id: UUID | None) -> Visitor:
    """A member of an open workspace, with that address and stored organization."""
    user = await stage.user(email=email, organization_id=organization_id)
    return Visitor(stage, await stage.login_app(), user, await stage.workspace(user))


async def test_rule_7_a_disabled_organization_is_a_kill_switch(stage: Stage) -> None:
    """Rules: authorization-7.7."""
    acme = await stage.organization("acme.example.net")
    member = await visitor(stage, "ada@acme.example.net", acme.id)
    other = await visitor(stage, "eve@example.com", PUBLIC_ORGANIZATION_ID)
    tokens = [await stage.session(one.user, one.workspace) for one in (member, other)]
    assert await member.gates() == (True, 200)
    await stage.execute(enable(acme.id, False))
    assert await member.gates() == (False, 403)
    assert await member.refresh(tokens[0].refresh.token) == 401
    assert await other.gates() == (True, 200)
    assert await other.refresh(tokens[1].refresh.token) == 200
    assert (await signed_in(stage, member.app, "ada@acme.example.net")).status_code == 403
    await stage.execute(enable(acme.id, True))
    assert await member.gates() == (True, 200)
    assert await member.refresh(tokens[0].refresh.token) == 401, "the family is gone for good"


async def test_rule_6_the_public_switch_leaves_sessions_alone(stage: Stage) -> None:
    """Rules: authorization-7.6."""
    member = await visitor(stage, "eve@example.com", PUBLIC_ORGANIZATION_ID)
    tokens = await stage.session(member.user, member.workspace)
    await stage.execute(enable(PUBLIC_ORGANIZATION_ID, False))
    assert await member.gates() == (True, 200)
    assert await member.refresh(tokens.refresh.token) == 200


async def test_rules_8_and_9_the_allow_list_of_a_workspace(stage: Stage) -> None:
    """Rules: authorization-7.8, authorization-7.9."""
    acme, umbrella = await stage.organization("acme.example.net"), await stage.organization("umb.example.net")
    inside = await visitor(stage, "in@acme.example.net", acme.id)
    outside = await visitor(stage, "out@umb.example.net", umbrella.id)
    public = await visitor(stage, "pub@example.com", PUBLIC_ORGANIZATION_ID)
    homeless = await visitor(stage, "nobody@localhost", None)
    people = (inside, outside, public, homeless)
    shared = await stage.workspace(inside.user)
    for one in people[1:]:
        await stage.join(shared, one.user)
    tokens = {}
    for one in people:
        one.workspace = shared
        assert await one.gates() == (True, 200), "no rows: open to all"
        tokens[one] = (await stage.session(one.user, shared)).refresh.token
    await stage.restrict(shared, acme)
    for one in people:
        admitted = one is inside
        assert await one.gates() == ((True, 200) if admitted else (False, 403)), one.user.email
        assert await one.refresh(tokens[one]) == (200 if admitted else 401), one.user.email
    await stage.restrict(shared, umbrella)
    assert await outside.gates() == (True, 200)
    await stage.execute(enable(umbrella.id, False))
    assert await outside.gates() == (False, 403)


async def test_rule_9_memberships_are_gated_too(stage: Stage) -> None:
    """Rules: authorization-7.9."""
    acme = await stage.organization("acme.example.net")
    closed = await stage.organization("closed.example.net", enabled=False)
    owner = await stage.user(organization_id=acme.id)
    workspace = await stage.workspace(owner)
    await stage.restrict(workspace, acme)
    headers = await stage.as_user(owner, workspace)
    for email, organization_id, status in (
        ("in@acme.example.net", acme.id, 201),
        ("early@acme.example.net", None, 201),
        ("out@example.com", PUBLIC_ORGANIZATION_ID, 400),
        ("off@closed.example.net", closed.id, 400),
        ("nobody@localhost", None, 400),
    ):
        await stage.user(email=email, organization_id=organization_id)
        answer = await stage.client.post(
            f"/workspaces/{workspace.id}/members/invite", json={"email": email}, headers=headers
        )
        assert answer.status_code == status, (email, answer.text)


async def test_rule_10_prepared_people_count_by_their_address(stage: Stage) -> None:
    """Rules: authorization-7.10."""
    acme = await stage.organization("acme.example.net")
    prepared = await visitor(stage, "early@acme.example.net", None)
    stranger = await visitor(stage, "late@example.com", None)
    for one in (prepared, stranger):
        await stage.restrict(one.workspace, acme)
    assert await prepared.gates() == (True, 200)
    assert await stranger.gates() == (False, 403)
    await stage.execute(enable(acme.id, False))
    assert await prepared.gates() == (False, 403)
    # What is stored counts before what the address says.
    await stage.execute(enable(acme.id, True))
    await stage.execute(sa.update(User).where(User.id == stranger.user.id).values(organization_id=acme.id))
    assert await stranger.gates() == (True, 200)


async def test_rule_11_an_organization_on_an_allow_list_stays(stage: Stage) -> None:
    """So that a list never becomes empty, which would open the workspace to all.

    Rules: authorization-7.11.
    """
    acme = await stage.organization("acme.example.net")
    await stage.restrict(await stage.workspace(), acme)
    with pytest.raises(IntegrityError):
        await stage.execute(sa.delete(Organization).where(Organization.id == acme.id))
    spare = await stage.organization("spare.example.net")
    user = await stage.user(organization_id=spare.id)
    await stage.execute(sa.delete(Organization).where(Organization.id == spare.id))
    assert (await stored(stage, user.email)).organization_id is None


async def test_rule_13_tokens_name_the_organization_of_the_person(stage: Stage) -> None:
    """Rules: authorization-7.13."""
    acme, umbrella = await stage.organization("acme.example.net", slug="acme"), await stage.organization()
    for email, organization_id, expected in (
        ("in@acme.example.net", acme.id, (str(acme.id), "acme", False)),
        ("early@acme.example.net", None, (str(acme.id), "acme", False)),
        ("pub@example.com", PUBLIC_ORGANIZATION_ID, (str(PUBLIC_ORGANIZATION_ID), "public", True)),
        ("nobody@localhost", None, (None, None, False)),
    ):
        one = await visitor(stage, email, organization_id)
        if organization_id == acme.id:
            await stage.restrict(one.workspace, acme, umbrella)
        pkce = Pkce()
        async with stage.state.database.transaction() as session:
            code = await _issue(session, one, pkce)
        body = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(one.workspace.id)}
        pair = (await stage.client.post("/auth/token", json=body)).json()
        assert _organization(pair["access_token"]) == expected, email
        fresh = await stage.client.post("/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        assert _organization(fresh.json()["access_token"]) == expected, email
        claims = stage.state.verifier.user(pair["access_token"], allow=frozenset({TokenType.ACCESS}))
        assert claims.workspace_id == one.workspace.id


def _organization(token: str) -> tuple[Any, Any, Any]:
    claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims["oid"], claims["oslug"], claims["opub"]


async def test_a_person_without_a_stored_organization_falls_under_the_kill_switch_of_his_domain(
    stage: Stage,
) -> None:
    """Rules 7 and 10 of ``authorization.md`` §7, for somebody whom an administrator has prepared.

    Rules: authorization-7.7, authorization-7.10.
    """
    away = await stage.organization("off.example", enabled=False)
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    prepared = await stage.member(workspace, email="ada@off.example", organization_id=None)
    pair = await stage.session(prepared, workspace)
    refreshed = await stage.client.post("/auth/refresh", json={"refresh_token": pair.refresh.token})
    assert refreshed.status_code == 401
    other = await stage.user(email="eve@off.example", organization_id=None)
    added = await stage.client.post(
        f"/workspaces/{workspace.id}/members/invite",
        headers=await stage.as_user(owner, workspace),
        json={"email": other.email},
    )
    assert added.status_code == 400
    await stage.execute(enable(away.id, True))
    again = await stage.client.post(
        f"/workspaces/{workspace.id}/members/invite",
        headers=await stage.as_user(owner, workspace),
        json={"email": other.email},
    )
    assert again.status_code == 201
