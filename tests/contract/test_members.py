"""W7 to W9, members: http-api.md §5; authorization.md §2; DL-8. The directory itself: test_member_search.py."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, User
from sentinel.workspaces.models import Membership, Workspace
from tests.contract.activities import told
from tests.stage import Stage

pytestmark = pytest.mark.anyio

CANNOT_ADD = "User cannot be added: no such user, or already a member"
LAST_OWNER = "The last owner cannot be removed or demoted"


async def shape(stage: Stage, workspace: Workspace, user: User) -> dict[str, Any]:
    """M, from the rows."""
    (membership,) = await memberships(stage, workspace, user)
    (person,) = await stage.all(User, User.id == user.id)
    return {
        "user_id": str(person.id),
        "email": person.email,
        "name": person.name,
        "avatar_url": person.avatar_url,
        "role": membership.role,
        "joined_at": membership.joined_at.isoformat().replace("+00:00", "Z"),
    }


async def memberships(stage: Stage, workspace: Workspace, user: User) -> list[Membership]:
    return await stage.all(Membership, Membership.workspace_id == workspace.id, Membership.user_id == user.id)


async def role_of(stage: Stage, workspace: Workspace, user: User) -> str | None:
    found = await memberships(stage, workspace, user)
    return found[0].role if found else None


async def owners(stage: Stage, workspace: Workspace) -> int:
    return await stage.count(Membership, Membership.workspace_id == workspace.id, Membership.role == "owner")


async def epoch(stage: Stage, user: User) -> int:
    (row,) = await stage.all(User, User.id == user.id)
    return int(row.token_epoch)


async def search(
    stage: Stage, headers: Mapping[str, str], workspace: Workspace, **query: Any
) -> httpx.Response:
    return await stage.client.get(f"/workspaces/{workspace.id}/members", headers=headers, params=query)


async def invite(
    stage: Stage, headers: Mapping[str, str], workspace: Workspace, **body: Any
) -> httpx.Response:
    return await stage.client.post(f"/workspaces/{workspace.id}/members/invite", headers=headers, json=body)


async def change(
    stage: Stage, headers: Mapping[str, str], workspace: Workspace, user: User, role: Any
) -> httpx.Response:
    return await stage.client.patch(
        f"/workspaces/{workspace.id}/members/{user.id}", headers=headers, json={"role": role}
    )


async def remove(
    stage: Stage, headers: Mapping[str, str], workspace: Workspace, user: User
) -> httpx.Response:
    return await stage.client.delete(f"/workspaces/{workspace.id}/members/{user.id}", headers=headers)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


# ── W7 ──


async def test_W7_adds_an_existing_user(stage: Stage) -> None:
    ada = await stage.user()
    bob = await stage.user("Bob", email="bob@example.com")
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    before = await stage.snapshot("workspace_memberships", "activity_logs")
    theirs = await stage.as_user(bob, workspace)
    answer = await invite(stage, headers, workspace, email="bob@example.com")
    assert (answer.status_code, answer.json()) == (201, await shape(stage, workspace, bob))
    assert answer.json()["role"] == "viewer"
    (membership,) = await stage.all(Membership, Membership.user_id == bob.id)
    assert (membership.workspace_id, membership.joined_at) == (workspace.id, stage.clock.now())
    assert [told(entry) for entry in await stage.activities()] == [
        (
            "member_invited",
            ada.id,
            "user",
            bob.id,
            workspace.id,
            {"email": "bob@example.com", "role": "viewer"},
        )
    ]
    assert await stage.snapshot("workspace_memberships", "activity_logs") == before
    # Nothing is revoked, and the very next request of his is a member's.
    assert (await search(stage, theirs, workspace)).status_code == 200
    assert refusal(await search(stage, theirs, other))[0] == 403


async def test_W7_every_role_and_the_default(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    for role in ("viewer", "editor", "admin", "owner"):
        person = await stage.user()
        answer = await invite(stage, headers, workspace, email=person.email, role=role)
        assert (answer.status_code, answer.json()["role"]) == (201, role)
        assert await role_of(stage, workspace, person) == role
    person = await stage.user()
    unknown: tuple[Any, ...] = ("", "Owner", "superuser", None, 3, ["owner"])
    for role in unknown:
        answer = await invite(stage, headers, workspace, email=person.email, role=role)
        assert answer.status_code == 422, role
    for email in (
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a b@c",
        "a@b@c",
        " a@b.c",
        "a@b.c\n",
        "a\0@b.c",
        "x@" + "y" * 320,
        None,
        7,
    ):
        answer = await invite(stage, headers, workspace, email=email)
        assert answer.status_code == 422, email
        assert answer.json()["detail"][0]["loc"] == ["body", "email"]
    assert (await invite(stage, headers, workspace)).status_code == 422
    assert await role_of(stage, workspace, person) is None


async def test_W7_does_not_tell_which_addresses_have_an_account(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    bob = await stage.member(workspace, "editor", email="bob@example.com")
    headers = await stage.as_user(ada, workspace)
    before = await stage.snapshot()
    answers = [
        await invite(stage, headers, workspace, email=email)
        for email in ("nobody@example.com", "bob@example.com", "BOB@example.com", ada.email)
    ]
    answers.append(await invite(stage, headers, workspace, email="bob@example.com", role="admin"))
    assert {(answer.status_code, answer.text) for answer in answers} == {(400, answers[0].text)}
    assert answers[0].json() == {"detail": CANNOT_ADD}
    assert await stage.snapshot() == before
    assert await role_of(stage, workspace, bob) == "editor"


async def test_L24_addresses_are_found_in_any_case_and_no_look_alike_is(stage: Stage) -> None:
    """ID-6, on both databases. Rules: W7, ID-6."""
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    for stored, written in (
        ("bob@example.com", "BOB@Example.COM"),
        ("jörg@müller.example", "JÖRG@MÜLLER.example"),
        ("юлия@пример.рф", "ЮЛИЯ@ПРИМЕР.РФ"),
    ):
        person = await stage.user(email=stored)
        answer = await invite(stage, headers, workspace, email=written)
        assert (answer.status_code, answer.json()["email"]) == (201, stored)
        assert answer.json()["user_id"] == str(person.id)
    await stage.user(email="ann@example.com")
    await stage.user(email="ren\u00e9e@example.com")
    for look_alike in (
        "аnn@example.com",  # a Cyrillic letter
        "ａnn@example.com",  # a full-width one
        "ann@example.com.",
        "ann+x@example.com",
        "a_n@example.com",
        "%@example.com",
        "rene\u0301e@example.com",
        "renee@example.com",
    ):
        assert refusal(await invite(stage, headers, workspace, email=look_alike)) == (400, CANNOT_ADD), (
            look_alike
        )


async def test_W7_the_organization_has_to_be_permitted(stage: Stage) -> None:
    """authorization.md §7 rules 7 to 10.

    Rules: authorization-7.7, authorization-7.8, authorization-7.9, authorization-7.10.
    """
    ada = await stage.user()
    open_, closed = await stage.workspace(ada), await stage.workspace(ada)
    good = await stage.organization("good.example")
    bad = await stage.organization("bad.example", enabled=False)
    await stage.restrict(closed, good)
    refused = (400, "The user's organization is not permitted in this workspace")
    for stored, email, anywhere, restricted in (
        (good.id, "a@good.example", True, True),
        (PUBLIC_ORGANIZATION_ID, "b@example.com", True, False),
        (bad.id, "c@bad.example", False, False),
        # The stored organization counts; without one, the address is resolved.
        (good.id, "d@example.com", True, True),
        (None, "e@good.example", True, True),
        (None, "f@bad.example", False, False),
        (None, "g@example.com", True, False),
    ):
        person = await stage.user(email=email, organization_id=stored)
        for workspace, admitted in ((open_, anywhere), (closed, restricted)):
            headers = await stage.as_user(ada, workspace)
            before = await stage.snapshot()
            answer = await invite(stage, headers, workspace, email=email)
            if admitted:
                assert answer.status_code == 201, email
                continue
            assert refusal(answer) == refused, email
            assert await stage.snapshot() == before
            assert await role_of(stage, workspace, person) is None
    # An organization that is disabled later closes the door it opened.
    await stage.execute(sa.update(Organization).where(Organization.id == good.id).values(enabled=False))
    late = await stage.user(email="z@good.example", organization_id=good.id)
    headers = await stage.as_user(ada, closed)
    assert refusal(await invite(stage, headers, closed, email=late.email)) == refused


@pytest.mark.parametrize("stage_settings", [{"self_serve_enabled": True}])
async def test_W7_is_closed_where_people_join_by_invitation(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    before = await stage.snapshot()
    assert refusal(await invite(stage, headers, workspace, email=bob.email)) == (
        403,
        "Members join by invitation here",
    )
    assert await stage.snapshot() == before


async def test_L15_an_invitation_takes_no_protected_field(stage: Stage) -> None:
    """Rules: W7, W8."""
    ada, bob, eve = [await stage.user() for _ in range(3)]
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    extra = {
        "user_id": str(eve.id),
        "workspace_id": str(other.id),
        "joined_at": "2000-01-01T00:00:00Z",
        "is_admin": True,
        "name": "Mallory",
    }
    answer = await invite(stage, headers, workspace, email=bob.email, **extra)
    assert (answer.status_code, answer.json()) == (201, await shape(stage, workspace, bob))
    assert (await memberships(stage, workspace, bob))[0].joined_at == stage.clock.now()
    answer = await stage.client.patch(
        f"/workspaces/{workspace.id}/members/{bob.id}", headers=headers, json=extra | {"role": "editor"}
    )
    assert (answer.status_code, answer.json()) == (200, await shape(stage, workspace, bob))
    (row,) = await stage.all(User, User.id == bob.id)
    assert (row.is_admin, row.name) == (False, bob.name)
    assert await memberships(stage, other, bob) == await memberships(stage, workspace, eve) == []


async def test_W7_twenty_at_once_add_one_person_once(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    answers = await asyncio.gather(
        *(invite(stage, headers, workspace, email=bob.email, role="editor") for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 19
    assert await role_of(stage, workspace, bob) == "editor"
    assert len(await memberships(stage, workspace, bob)) == 1
    assert len(await stage.activities("member_invited")) == 1


# ── W8, W9 ──


async def test_W8_a_change_is_told_written_and_revokes(stage: Stage) -> None:
    ada = await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    bob = await stage.member(workspace, "viewer", name="Bob")
    await stage.join(other, bob, "admin")
    session = await stage.session(bob, other)
    headers = await stage.as_user(ada, workspace)
    with stage.events() as lines:
        answer = await change(stage, headers, workspace, bob, "editor")
    assert (answer.status_code, answer.json()) == (200, await shape(stage, workspace, bob))
    assert await role_of(stage, workspace, bob) == "editor"
    assert [told(entry) for entry in await stage.activities("member_role_changed")] == [
        (
            "member_role_changed",
            ada.id,
            "user",
            bob.id,
            workspace.id,
            {"old_role": "viewer", "new_role": "editor"},
        )
    ]
    # DL-8: everywhere, not only here; and nobody else.
    assert await epoch(stage, bob) == 1
    stale = {"Authorization": f"Bearer {session.access.token}"}
    assert (await stage.client.get("/users/me", headers=stale)).status_code == 401
    answer = await stage.client.post("/auth/refresh", json={"refresh_token": session.refresh.token})
    assert answer.status_code == 401
    assert "auth.token.family_revoked" in [line["event"] for line in lines]
    assert await role_of(stage, other, bob) == "admin"
    assert (await epoch(stage, ada), (await search(stage, headers, workspace)).status_code) == (0, 200)
    # The same once more is no change.
    before = await stage.snapshot()
    answer = await change(stage, headers, workspace, bob, "editor")
    assert (answer.status_code, answer.json()) == (200, await shape(stage, workspace, bob))
    assert await stage.snapshot() == before
    for role in ("", "Owner", None, 1):
        assert (await change(stage, headers, workspace, bob, role)).status_code == 422


async def test_W8_and_L19_nobody_grants_above_his_role(stage: Stage) -> None:
    """The full square of callers, targets and new roles, where the caller is admin or owner.

    Rules: authorization-2.5.
    """
    roles = ("viewer", "editor", "admin", "owner")
    for caller_role in ("admin", "owner"):
        workspace = await stage.workspace(await stage.user())
        caller = await stage.member(workspace, caller_role)
        headers = await stage.as_user(caller, workspace)
        for old in roles:
            for new in roles:
                target = await stage.member(workspace, old)
                answer = await change(stage, headers, workspace, target, new)
                if caller_role == "admin" and old != "owner" and new == "owner":
                    assert refusal(answer) == (403, "Only owners may grant the owner role"), (old, new)
                elif caller_role == "admin" and old == "owner" and new != "owner":
                    assert refusal(answer) == (403, "Only owners may change an owner"), (old, new)
                else:
                    assert answer.status_code == 200, (caller_role, old, new)
                    assert await role_of(stage, workspace, target) == new
                    continue
                assert await role_of(stage, workspace, target) == old
                assert await epoch(stage, target) == 0
        # Nor to himself.
        if caller_role == "admin":
            assert refusal(await change(stage, headers, workspace, caller, "owner"))[0] == 403
            assert (await change(stage, headers, workspace, caller, "viewer")).status_code == 200
            fresh = await stage.as_user(caller, workspace)
            assert refusal(await change(stage, fresh, workspace, caller, "admin")) == (
                403,
                "Insufficient role",
            )


async def test_W9_a_removal_is_written_and_revokes(stage: Stage) -> None:
    """What is purged: test_purge.py."""
    ada = await stage.user()
    workspace, other = await stage.workspace(ada), await stage.workspace(ada)
    bob = await stage.member(workspace, "editor")
    await stage.join(other, bob, "admin")
    headers, theirs = await stage.as_user(ada, workspace), await stage.as_user(bob, other)
    answer = await remove(stage, headers, workspace, bob)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await role_of(stage, workspace, bob) is None
    assert await role_of(stage, other, bob) == "admin"
    assert [told(entry) for entry in await stage.activities()][-1] == (
        "member_removed",
        ada.id,
        "user",
        bob.id,
        workspace.id,
        {"role": "editor"},
    )
    assert await epoch(stage, bob) == 1
    assert (await stage.client.get("/users/me", headers=theirs)).status_code == 401
    before = await stage.snapshot()
    assert refusal(await remove(stage, headers, workspace, bob)) == (404, "Member not found")
    assert refusal(await change(stage, headers, workspace, bob, "admin")) == (404, "Member not found")
    assert await stage.snapshot() == before


async def test_W9_everybody_may_leave_but_the_last_owner(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    for role in ("viewer", "editor", "admin", "owner"):
        person = await stage.member(workspace, role)
        peer = await stage.member(workspace, "viewer")
        headers = await stage.as_user(person, workspace)
        if role in ("viewer", "editor"):
            assert refusal(await remove(stage, headers, workspace, peer)) == (403, "Insufficient role")
        assert (await remove(stage, headers, workspace, person)).status_code == 204, role
        assert await role_of(stage, workspace, person) is None
        entry = (await stage.activities("member_removed"))[-1]
        assert (entry.actor_id, entry.target_id, entry.detail) == (person.id, person.id, {"role": role})
        stage.clock.advance(1)
    headers = await stage.as_user(ada, workspace)
    before = await stage.snapshot()
    assert refusal(await remove(stage, headers, workspace, ada)) == (403, LAST_OWNER)
    for role in ("viewer", "editor", "admin"):
        assert refusal(await change(stage, headers, workspace, ada, role)) == (403, LAST_OWNER)
    # An owner of another workspace is none of this one.
    assert await owners(stage, workspace) == 1
    assert await stage.snapshot() == before


@pytest.mark.parametrize("way", ["demote each other", "remove each other", "leave", "mixed"])
async def test_W8_and_W9_one_owner_remains_whatever_two_do_at_once(stage: Stage, way: str) -> None:
    """authorization.md §2 rule 4.

    Rules: authorization-2.4.
    """
    for turn in range(6):
        ada, bob = await stage.user(), await stage.user()
        workspace = await stage.workspace(ada)
        await stage.join(workspace, bob, "owner")
        hers, his = await stage.as_user(ada, workspace), await stage.as_user(bob, workspace)
        tries = {
            "demote each other": [
                change(stage, hers, workspace, bob, "viewer"),
                change(stage, his, workspace, ada, "viewer"),
            ],
            "remove each other": [remove(stage, hers, workspace, bob), remove(stage, his, workspace, ada)],
            "leave": [remove(stage, hers, workspace, ada), remove(stage, his, workspace, bob)],
            "mixed": [change(stage, hers, workspace, ada, "editor"), remove(stage, his, workspace, bob)],
        }
        for other in set(tries) - {way}:
            for coroutine in tries[other]:
                coroutine.close()
        chosen = tries[way] if turn % 2 else tries[way][::-1]
        answers = await asyncio.gather(*chosen)
        assert await owners(stage, workspace) == 1, way
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] in (200, 204), way
        # Whoever came second was the last owner, or was revoked or no member any more.
        assert statuses[1] in (401, 403), way


async def test_W5_and_W8_and_W9_a_workspace_that_goes_meanwhile(stage: Stage) -> None:
    """Changes of members against the deletion of the workspace: no failure of ours, nothing left behind."""
    for _ in range(5):
        ada, bob, eve, new = [await stage.user() for _ in range(4)]
        workspace = await stage.workspace(ada)
        for person in (bob, eve):
            await stage.join(workspace, person, "admin")
        headers = await stage.as_user(bob, workspace)
        answers = await asyncio.gather(
            invite(stage, headers, workspace, email=new.email),
            change(stage, headers, workspace, eve, "viewer"),
            stage.client.delete(f"/workspaces/{workspace.id}", headers=await stage.as_user(ada, workspace)),
            stage.client.patch(f"/workspaces/{workspace.id}", headers=headers, json={"name": "New"}),
            remove(stage, headers, workspace, bob),
        )
        assert all(answer.status_code in (200, 201, 204, 400, 401, 403, 404, 409) for answer in answers), [
            answer.text for answer in answers
        ]
        assert answers[2].status_code == 204
        left = await stage.all(Membership, Membership.workspace_id == UUID(str(workspace.id)))
        assert left == []
