"""U1 and U2, a person's own profile: http-api.md §4."""

import asyncio
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, User
from tests.stage import Stage, bearer

pytestmark = pytest.mark.anyio

PICTURE = "https://example.com/ada.png"


async def stored(stage: Stage, user: User) -> User:
    """The row as it is now."""
    rows: list[User] = await stage.all(User, User.id == user.id)
    return rows[0]


def columns(user: User) -> dict[str, Any]:
    return {column.name: getattr(user, column.key) for column in User.__table__.columns}


def shape(user: User) -> dict[str, Any]:
    """The body of U1, from the row."""
    return {
        "id": str(user.id),
        "email": user.email,
        "name": user.name,
        "avatar_url": user.avatar_url,
        "is_active": user.is_active,
        "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
    }


async def change(stage: Stage, headers: dict[str, str], body: Any) -> httpx.Response:
    return await stage.client.patch("/users/me", headers=headers, json=body)


async def test_U1_own_profile(stage: Stage) -> None:
    ada = await stage.user("Ada Lovelace", email="ada@example.com")
    workspace = await stage.workspace(ada)
    await stage.member(workspace, name="Somebody Else")
    headers = await stage.as_user(ada, workspace)
    with stage.statements() as statements:
        answer = await stage.client.get("/users/me", headers=headers)
    assert (answer.status_code, answer.json()) == (200, shape(ada))
    assert list(answer.json()) == ["id", "email", "name", "avatar_url", "is_active", "created_at"]
    assert answer.json()["avatar_url"] is None
    assert len(statements) <= 2
    assert answer.headers["cache-control"] == "no-store"

    await stage.execute(sa.update(User).where(User.id == ada.id).values(avatar_url=PICTURE))
    assert (await stage.client.get("/users/me", headers=headers)).json()["avatar_url"] == PICTURE


async def test_U1_and_U2_need_no_membership(stage: Stage) -> None:
    """§0.7, live membership: ``/users/me`` is exempt."""
    ada = await stage.user()
    workspace = await stage.workspace(await stage.user())
    headers = await stage.as_user(ada, workspace)
    assert (await stage.client.get("/users/me", headers=headers)).status_code == 200
    assert (await change(stage, headers, {"name": "Ada"})).status_code == 200
    refused = await stage.client.get(f"/workspaces/{workspace.id}", headers=headers)
    assert (refused.status_code, refused.json()) == (403, {"detail": "Not a member of this workspace"})


async def test_U1_and_U2_refuse_a_person_who_is_gone_or_deactivated(stage: Stage) -> None:
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    for statement in (sa.update(User).values(is_active=False), sa.delete(User)):
        ada = await stage.member(workspace)
        headers = await stage.as_user(ada, workspace)
        await stage.execute(statement.where(User.id == ada.id))
        for answer in (
            await stage.client.get("/users/me", headers=headers),
            await change(stage, headers, {"name": "New"}),
        ):
            assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid or expired token"})
    assert await stage.activities("user_updated") == []


async def test_U2_changes_name_and_picture(stage: Stage) -> None:
    ada = await stage.user("Ada", email="ada@example.com")
    bob = await stage.user("Bob", email="bob@example.com")
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    untouched = columns(await stored(stage, bob))

    answer = await change(stage, headers, {"name": "Ada Lovelace", "avatar_url": PICTURE})
    now = await stored(stage, ada)
    assert (answer.status_code, answer.json()) == (200, shape(now))
    assert (now.name, now.avatar_url) == ("Ada Lovelace", PICTURE)
    assert now.updated_at == stage.clock.now()
    assert columns(now) == columns(ada) | {
        "name": "Ada Lovelace",
        "avatar_url": PICTURE,
        "updated_at": now.updated_at,
    }
    assert columns(await stored(stage, bob)) == untouched
    (entry,) = await stage.activities()
    assert (entry.action, entry.actor_id, entry.target_type, entry.target_id, entry.workspace_id) == (
        "user_updated",
        ada.id,
        "user",
        ada.id,
        None,
    )
    assert entry.detail == {"fields": ["avatar_url", "name"]}
    # A change of the profile ends no session, and the next answer knows it.
    assert (await stage.client.get("/users/me", headers=headers)).json() == shape(now)


async def test_U2_null_and_sameness_change_nothing(stage: Stage) -> None:
    ada = await stage.user("Ada")
    await stage.execute(sa.update(User).where(User.id == ada.id).values(avatar_url=PICTURE))
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    before = columns(await stored(stage, ada))
    stage.clock.advance(60)
    for body in (
        {},
        {"name": None, "avatar_url": None},
        {"name": "Ada", "avatar_url": PICTURE},
        {"name": " <b>Ada</b> "},
        # Another scheme is treated as null.
        {"avatar_url": "javascript:alert(1)"},
        {"avatar_url": "data:image/png;base64,AAAA"},
        {"avatar_url": "//example.com/a.png"},
        {"avatar_url": ""},
    ):
        answer = await change(stage, headers, body)
        assert (answer.status_code, answer.json()) == (200, shape(await stored(stage, ada))), body
        assert columns(await stored(stage, ada)) == before, body
    assert await stage.activities() == []


async def test_U2_names_are_kept_without_markup(stage: Stage) -> None:
    ada = await stage.user("Before")
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    for sent, kept in (
        ("<b>Ada</b> Lovelace", "Ada Lovelace"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Ada", "Ada"),
        ("Ada\u202egnp.", "Ada gnp."),
        ("עדה לאבלייס", "עדה לאבלייס"),
        ("x", "x"),
        ("n" * 255, "n" * 255),
        # The limit is that of what is left.
        ("<b>" * 100 + "n" * 255 + "</b>" * 100, "n" * 255),
    ):
        answer = await change(stage, headers, {"name": sent})
        assert (answer.status_code, answer.json()["name"]) == (200, kept), sent
        assert (await stored(stage, ada)).name == kept


async def test_U2_refuses_what_is_no_name_or_too_long(stage: Stage) -> None:
    ada = await stage.user("Before")
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    before = columns(await stored(stage, ada))
    for field, value in (
        ("name", ""),
        ("name", "   "),
        ("name", "<b></b>"),
        ("name", "&lt;b&gt;"),
        ("name", "\u202e"),
        ("name", "n" * 256),
        ("name", "n" * 10_000),
        ("name", "Ada\0"),
        ("name", 7),
        ("name", ["Ada"]),
        ("avatar_url", "https://example.com/" + "a" * 2048),
        ("avatar_url", "https://example.com/\0"),
        ("avatar_url", {"href": PICTURE}),
    ):
        # A good value beside the bad one is not kept either.
        other = {"avatar_url": PICTURE} if field == "name" else {"name": "After"}
        answer = await change(stage, headers, other | {field: value})
        assert answer.status_code == 422, value
        (problem,) = answer.json()["detail"]
        assert problem["loc"][:2] == ["body", field]
        assert set(problem) == {"loc", "msg", "type"}
        assert columns(await stored(stage, ada)) == before
    surrogate = await stage.client.patch(
        "/users/me", headers=headers | {"Content-Type": "application/json"}, content=b'{"name": "Ada\\ud800"}'
    )
    assert surrogate.status_code == 422
    for content in (b"", b"[]", b'"Ada"', b"{", b'{"name": "Ada"'):
        answer = await stage.client.patch(
            "/users/me", headers=headers | {"Content-Type": "application/json"}, content=content
        )
        assert answer.status_code == 422, content
    assert columns(await stored(stage, ada)) == before
    assert await stage.activities() == []


async def test_L15_a_profile_change_sets_no_protected_field(stage: Stage) -> None:
    """Rules: U2."""
    ada = await stage.user("Ada", email="ada@example.com")
    bob = await stage.user("Bob")
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    before = columns(await stored(stage, ada))
    protected = {
        "id": str(bob.id),
        "user_id": str(bob.id),
        "email": "root@example.com",
        "is_admin": True,
        "is_active": False,
        "organization_id": None,
        "token_epoch": -1,
        "email_verified": True,
        "created_at": "2000-01-01T00:00:00Z",
        "role": "owner",
    }
    assert (await change(stage, headers, protected)).status_code == 200
    assert columns(await stored(stage, ada)) == before
    answer = await stage.client.patch(
        "/users/me", headers=headers, params={"user_id": str(bob.id)}, json=protected | {"name": "New"}
    )
    assert answer.status_code == 200
    after = columns(await stored(stage, ada))
    assert after == before | {"name": "New", "updated_at": after["updated_at"]}
    assert after["organization_id"] == PUBLIC_ORGANIZATION_ID
    assert (await stored(stage, bob)).name == "Bob"


async def test_U2_is_for_access_tokens_alone(stage: Stage) -> None:
    ada = await stage.user("Ada")
    workspace = await stage.workspace(ada)
    service = await stage.service("notes")
    access = await stage.access_token(ada, workspace)
    authz = await stage.authz_token(ada, workspace, "notes")
    for headers in (
        {},
        {"Authorization": access},
        {"Authorization": f"Basic {access}"},
        {"X-Authz-Token": authz},
        bearer(authz),
        bearer(authz) | service.headers,
        service.headers,
        service.headers | {"X-Authz-Token": authz},
    ):
        answer = await change(stage, headers, {"name": "New"})
        assert answer.status_code == 401, list(headers)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert (await stored(stage, ada)).name == "Ada"
    # A person who acts for himself may do so from anywhere: a key beside the token does no harm.
    assert (await change(stage, bearer(access) | service.headers, {"name": "New"})).status_code == 200


async def test_U2_the_log_names_the_person_but_not_the_name(stage: Stage) -> None:
    ada = await stage.user("Ada", email="ada@example.com")
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    with stage.events() as lines:
        await change(stage, headers, {"name": "Countess"})
        await change(stage, headers, {"name": "<b></b>"})
    audit = [line for line in lines if line["event"] == "audit.activity"]
    assert [(line["action"], line["actor"], line["target_id"]) for line in audit] == [
        ("user_updated", str(ada.id), str(ada.id))
    ]
    assert "Countess" not in str(lines)
    assert "ada@example.com" not in str(lines)


async def test_U1_says_what_the_database_says(stage: Stage) -> None:
    """Two tokens of one person for two workspaces show the same profile; what they claim is not read."""
    ada = await stage.user("Ada")
    tokens = [await stage.as_user(ada, await stage.workspace(ada)) for _ in range(2)]
    await stage.execute(sa.update(User).where(User.id == ada.id).values(name="Fresh"))
    profiles = [(await stage.client.get("/users/me", headers=headers)).json() for headers in tokens]
    assert profiles == [shape(await stored(stage, ada))] * 2
    assert profiles[0]["name"] == "Fresh"


async def test_U2_one_change_asked_for_ten_times_at_once_happens_once(stage: Stage) -> None:
    ada = await stage.user("Ada")
    headers = await stage.as_user(ada, await stage.workspace(ada))
    answers = await asyncio.gather(*(change(stage, headers, {"name": "Countess"}) for _ in range(10)))
    assert {(answer.status_code, answer.json()["name"]) for answer in answers} == {(200, "Countess")}
    assert len(await stage.activities("user_updated")) == 1
