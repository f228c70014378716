"""W6, the directory of members: http-api.md §5."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, User
from sentinel.workspaces.models import Membership, Workspace
from tests.stage import Stage

pytestmark = pytest.mark.anyio


async def shape(stage: Stage, workspace: Workspace, user: User) -> dict[str, Any]:
    """M, from the rows."""
    (membership,) = await stage.all(
        Membership, Membership.workspace_id == workspace.id, Membership.user_id == user.id
    )
    (person,) = await stage.all(User, User.id == user.id)
    return {
        "user_id": str(person.id),
        "email": person.email,
        "name": person.name,
        "avatar_url": person.avatar_url,
        "role": membership.role,
        "joined_at": membership.joined_at.isoformat().replace("+00:00", "Z"),
    }


async def search(
    stage: Stage, headers: Mapping[str, str], workspace: Workspace, **query: Any
) -> httpx.Response:
    return await stage.client.get(f"/workspaces/{workspace.id}/members", headers=headers, params=query)


async def test_W6_members_by_the_time_they_joined(stage: Stage) -> None:
    early, ada, late = [await stage.user(name) for name in ("Zoe", "Ada", "Bob")]
    workspace, other = await stage.workspace(ada), await stage.workspace(early)
    await stage.join(workspace, late, "editor")
    await stage.join(workspace, early, "viewer")
    await stage.member(other, name="Elsewhere")
    await stage.execute(
        sa.update(User).where(User.id == late.id).values(avatar_url="https://example.com/b.png")
    )
    headers = await stage.as_user(early, workspace)
    with stage.statements() as statements:
        answer = await search(stage, headers, workspace)
    assert answer.status_code == 200
    assert answer.json() == [await shape(stage, workspace, one) for one in (ada, late, early)]
    assert list(answer.json()[0]) == ["user_id", "email", "name", "avatar_url", "role", "joined_at"]
    assert answer.json()[1]["avatar_url"] == "https://example.com/b.png"
    assert len(statements) <= 2


async def test_W6_limit_is_brought_into_1_to_50_and_absent_means_all(stage: Stage) -> None:
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    people = [
        User(email=f"p{n}@example.com", name="P", is_active=True, is_admin=False, token_epoch=0)
        for n in range(59)
    ]
    for person in people:
        person.organization_id = PUBLIC_ORGANIZATION_ID
        person.created_at = person.updated_at = stage.clock.now()
    await stage.add(*people)
    # All joined in one instant: the order is stable nevertheless.
    await stage.add(
        *(
            Membership(workspace_id=workspace.id, user_id=one.id, role="viewer", joined_at=stage.clock.now())
            for one in people
        )
    )
    headers = await stage.as_user(ada, workspace)
    everybody = (await search(stage, headers, workspace)).json()
    assert len(everybody) == 60
    for asked, given in ((1, 1), (7, 7), (50, 50), (51, 50), (10**30, 50), (0, 1), (-1, 1), (-(10**30), 1)):
        answer = await search(stage, headers, workspace, limit=asked)
        assert answer.status_code == 200, asked
        assert answer.json() == everybody[:given], asked
    found = (await search(stage, headers, workspace, q="p1", limit=3)).json()
    assert found == [one for one in everybody if one["email"].startswith("p1")][:3]


async def test_L33_malformed_limits_and_searches_are_refused(stage: Stage) -> None:
    """Rules: W6."""
    ada = await stage.user()
    workspace = await stage.workspace(ada)
    headers = await stage.as_user(ada, workspace)
    for query in (
        *({"limit": value} for value in ("", "x", "1.5", "0x10", "1e3", "٣", "1" * 5000, "null", "1;2")),
        *({"q": value} for value in ("a" * 101, "é" * 101, "a\0b")),
    ):
        answer = await search(stage, headers, workspace, **query)
        assert answer.status_code == 422, query
        assert answer.json()["detail"][0]["loc"] == ["query", *query]
    for query in ({"q": "é" * 100}, {"q": ""}, {"cursor": "x", "page": "-1"}, {"offset": "nan"}):
        assert (await search(stage, headers, workspace, **query)).status_code == 200, query
    odd = await stage.client.get(f"/workspaces/{workspace.id}/members?q=%ff%fe&q=%ed%a0%80", headers=headers)
    assert (odd.status_code, odd.json()) == (200, [])


async def test_W6_searches_names_and_addresses(stage: Stage) -> None:
    people = {
        "ada": await stage.user("Ada Lovelace", email="countess@example.com"),
        "bob": await stage.user("Bob", email="bob_100@example.com"),
        "percent": await stage.user("100% Bob", email="percent@example.com"),
        "under": await stage.user("a_b", email="under@example.org"),
        "back": await stage.user("a\\b", email="back@example.org"),
        "slash": await stage.user("a/b", email="slash@example.org"),
        "quote": await stage.user('O\'Hara "Q"', email="quote@example.org"),
    }
    workspace = await stage.workspace(people["ada"])
    for name in list(people)[1:]:
        await stage.join(workspace, people[name])
    elsewhere = await stage.workspace(await stage.user("Ada Elsewhere", email="ada@example.com"))
    headers = await stage.as_user(people["ada"], workspace)
    names = {str(user.id): name for name, user in people.items()}
    for q, expected in (
        ("ada", "ada"),
        ("LOVE", "ada"),
        ("Countess", "ada"),
        ("bob", "bob percent"),
        ("@EXAMPLE.com", "ada bob percent"),
        ("a L", "ada"),
        # Literal, whatever they mean to LIKE.
        ("%", "percent"),
        ("_", "bob under"),
        ("a_b", "under"),
        ("0%", "percent"),
        ("%a%", ""),
        ("\\", "back"),
        ("a\\b", "back"),
        ("/", "slash"),
        ("/%", ""),
        ("//", ""),
        ("'", "quote"),
        ("' OR 1=1 --", ""),
        ('"q"', "quote"),
        ("*", ""),
        ("a?b", ""),
        ("[a-z]", ""),
        ("nobody", ""),
        ("", "ada bob percent under back slash quote"),
    ):
        answer = await search(stage, headers, workspace, q=q)
        assert [names.get(one["user_id"]) for one in answer.json()] == expected.split(), q
    assert elsewhere.id != workspace.id


async def test_L24_search_ignores_the_case_of_every_script_alike(stage: Stage) -> None:
    """The same people are found on SQLite and on PostgreSQL. Rules: W6."""
    people = {
        "umlaut": "Jörg MÜLLER",
        "cyrillic": "Юлия ЖУКОВА",
        "greek": "ΟΔΥΣΣΕΥΣ Ελύτης",
        "turkish": "İpek ILGAZ",
        "sharp": "Max STRAẞE",
        "small": "Eva Straße",
        "armenian": "ԱՐԱՄ",
        "coptic": "Ⲁⲛⲛⲁ",
        "deseret": "𐐔𐐯𐑅",
        "wide": "ＡＤＡ",
        "composed": "Ren\u00e9e",
        "decomposed": "Rene\u0301e",
        "han": "王小明",
        "dollar": "ﬁlip ǅ",
    }
    ada = await stage.user("-")
    workspace = await stage.workspace(ada)
    members = {str((await stage.member(workspace, name=name)).id): key for key, name in people.items()}
    headers = await stage.as_user(ada, workspace)
    for q, expected in (
        ("jörg müller", "umlaut"),
        ("ÖRG MÜ", "umlaut"),
        ("жукова", "cyrillic"),
        ("ЮЛИЯ", "cyrillic"),
        ("δυσ", "greek"),
        ("ΕΛΎΤΗΣ", "greek"),
        ("ilgaz", "turkish"),
        ("straße", "sharp small"),
        ("STRAẞE", "sharp small"),
        ("strasse", ""),
        ("արամ", "armenian"),
        ("ⲀⲚⲚ", "coptic"),
        ("𐐼𐐇𐐝", "deseret"),
        ("ａｄａ", "wide"),
        ("ada", ""),
        ("RENÉE", "composed"),
        ("RENE\u0301E", "decomposed"),
        ("小", "han"),
        ("ǆ", "dollar"),
        ("Ǆ", "dollar"),
        ("fi", ""),
    ):
        answer = await search(stage, headers, workspace, q=q)
        assert [members.get(one["user_id"]) for one in answer.json()] == expected.split(), q


async def test_L24_search_finds_letters_whose_lower_case_is_not_simple(stage: Stage) -> None:
    """Final sigma and dotted I. Rules: W6."""
    ada = await stage.user("-")
    workspace = await stage.workspace(ada)
    greek = await stage.member(workspace, name="ΟΔΥΣΣΕΥΣ Ελύτης")
    turkish = await stage.member(workspace, name="İpek ILGAZ")
    headers = await stage.as_user(ada, workspace)
    for person, queries in (
        (greek, ("οδυσσευς", "οδυσσευσ", "ΟΔΥΣΣΕΥΣ", "ΔΥΣ", "ΔΥΣΣ")),
        (turkish, ("İpek", "İPEK", "ipek", "IPEK", "ilgaz")),
    ):
        for q in queries:
            answer = await search(stage, headers, workspace, q=q)
            assert [one["user_id"] for one in answer.json()] == [str(person.id)], q
