"""Organizations over the panel's JSON API (``admin.md`` §8)."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization, OrganizationDomain, User
from tests.stage import Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

API = "/admin/api/organizations"


def every_call(organization_id: UUID) -> list[tuple[str, str, Any]]:
    one = f"{API}/{organization_id}"
    return [
        ("GET", API, None),
        ("POST", API, {"name": "New", "slug": "new"}),
        ("GET", one, None),
        ("PATCH", one, {"name": "Other"}),
        ("DELETE", one, None),
        ("POST", f"{one}/domains", {"domain": "new.example"}),
        ("DELETE", f"{one}/domains/{uuid4()}", None),
        ("GET", f"{one}/users", None),
    ]


async def test_AD_5_and_AD_6_organizations_are_for_administrators(stage: Stage) -> None:
    organization = await stage.organization("acme.example")
    async with stage.panel() as http:
        before = await stage.snapshot()
        for method, path, body in every_call(organization.id):
            assert (await stage.client.request(method, path, json=body)).status_code == 401, path
            foreign = {"Origin": "https://evil.example"}
            assert (await http.request(method, path, json=body, headers=foreign)).status_code == 403
            if method != "GET":
                bare = {"X-Requested-With": ""}
                assert (await http.request(method, path, json=body, headers=bare)).status_code == 403
    assert await stage.snapshot() == before


async def test_an_unknown_organization_is_404(stage: Stage) -> None:
    async with stage.panel() as http:
        before = await stage.snapshot()
        for method, path, body in every_call(uuid4())[2:]:
            assert (await http.request(method, path, json=body)).status_code == 404, path
        assert (await http.get(f"{API}/x")).status_code == 422
    assert await stage.snapshot() == before


async def test_list_has_the_public_one_first_and_counts(stage: Stage) -> None:
    acme = await stage.organization("acme.example", "acme.test", slug="acme", enabled=False)
    await stage.user(organization_id=acme.id)
    async with stage.panel() as http:
        with stage.statements() as seen:
            answer = await http.get(API)
    assert len(seen) == 2
    assert answer.json() == [
        {
            "id": str(PUBLIC_ORGANIZATION_ID),
            "name": "Public",
            "slug": "public",
            "is_public": True,
            "enabled": True,
            "domain_count": 0,
            "user_count": 1,
        },
        {
            "id": str(acme.id),
            "name": "Org",
            "slug": "acme",
            "is_public": False,
            "enabled": False,
            "domain_count": 2,
            "user_count": 1,
        },
    ]


async def test_an_organization_is_made_changed_and_deleted(stage: Stage) -> None:
    async with stage.panel() as http:
        made = await http.post(API, json={"name": " Acme <i>Corp</i> ", "slug": "acme"})
        assert made.status_code == 201
        one = made.json()
        assert one == {
            "id": one["id"],
            "name": "Acme Corp",
            "slug": "acme",
            "is_public": False,
            "enabled": True,
            "user_count": 0,
            "domains": [],
        }
        path = f"{API}/{one['id']}"
        assert (await http.post(API, json={"name": "Other", "slug": "acme"})).status_code == 409
        added = await http.post(
            f"{path}/domains", json={"domain": "ACME.example", "include_subdomains": True}
        )
        assert added.status_code == 201
        domain = added.json()
        assert domain == {"id": domain["id"], "domain": "acme.example", "include_subdomains": True}
        assert (await http.get(path)).json() == one | {"domains": [domain]}
        changed = await http.patch(path, json={"name": "Acme", "slug": "other", "is_public": True})
        assert changed.json() == one | {"name": "Acme", "domains": [domain]}
        assert (await http.delete(f"{path}/domains/{domain['id']}")).status_code == 204
        assert (await http.delete(f"{path}/domains/{domain['id']}")).status_code == 404
        gone = await http.delete(path)
        assert (gone.status_code, gone.content) == (204, b"")
    assert [row.action for row in await stage.activities()] == [
        "org_create",
        "org_domain_add",
        "org_update",
        "org_domain_remove",
        "org_delete",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "  ", "slug": "ok"},
        {"name": "<b></b>", "slug": "ok"},
        {"name": "x" * 256, "slug": "ok"},
        {"name": "Ok", "slug": "a" * 64},
        {"name": "Ok", "slug": "Upper"},
        {"name": "Ok", "slug": "-a"},
        {"name": "Ok", "slug": ""},
        {"name": "Ok\x00", "slug": "ok"},
        {"name": "Ok"},
        {"slug": "ok"},
    ],
)
async def test_a_malformed_organization_is_422(stage: Stage, body: dict[str, str]) -> None:
    async with stage.panel() as http:
        before = await stage.snapshot()
        assert (await http.post(API, json=body)).status_code == 422
        if "name" in body and body.get("slug") == "ok":
            renamed = await http.patch(f"{API}/{PUBLIC_ORGANIZATION_ID}", json={"name": body["name"]})
            assert renamed.status_code == 422
    assert await stage.snapshot() == before


async def test_domains_that_cannot_be_claimed(stage: Stage) -> None:
    acme = await stage.organization("acme.example")
    other = await stage.organization()
    async with stage.panel() as http:
        before = await stage.snapshot()
        for organization_id, domain, status in (
            (other.id, "acme.example", 409),
            (acme.id, "acme.example", 409),
            (other.id, "localhost", 400),
            (other.id, "a@b.example", 400),
            (other.id, "*.example", 400),
            (PUBLIC_ORGANIZATION_ID, "free.example", 400),
            (other.id, "", 422),
            (other.id, "a" * 254, 422),
        ):
            answer = await http.post(f"{API}/{organization_id}/domains", json={"domain": domain})
            assert answer.status_code == status, domain
        # A domain is removed through its own organization only.
        (rule,) = await stage.all(OrganizationDomain)
        assert (await http.delete(f"{API}/{other.id}/domains/{rule.id}")).status_code == 404
    assert await stage.snapshot() == before


async def test_DL_10_disabling_ends_sessions_at_once_and_public_sign_in_ends_none(stage: Stage) -> None:
    acme = await stage.organization("acme.example", slug="acme")
    ada = await stage.user(email="ada@acme.example", organization_id=acme.id)
    out = await stage.user(email="out@else.example")
    workspace = await stage.workspace(ada)
    await stage.join(workspace, out)
    his, hers = [(await stage.session(user, workspace)).access.token for user in (out, ada)]
    async with stage.panel() as http:
        off = await http.patch(f"{API}/{acme.id}", json={"enabled": False})
        assert off.json()["enabled"] is False
        assert (await stage.client.get("/users/me", headers=bearer(hers))).status_code == 401
        closed = await http.patch(f"{API}/{PUBLIC_ORGANIZATION_ID}", json={"enabled": False})
        assert closed.status_code == 200
        await http.patch(f"{API}/{PUBLIC_ORGANIZATION_ID}", json={"enabled": False, "name": "Everybody"})
    assert (await stage.client.get("/users/me", headers=bearer(his))).status_code == 200
    rows = [row for row in await stage.activities() if row.action.startswith("org_")]
    # The last one switched nothing, so it is an update.
    assert [row.action for row in rows] == ["org_update", "org_public_toggle", "org_update"]
    assert rows[0].detail is not None and rows[0].detail["tokens_revoked"] == 1


async def test_the_public_one_and_a_listed_one_cannot_be_deleted(stage: Stage) -> None:
    acme = await stage.organization()
    await stage.restrict(await stage.workspace(), acme)
    async with stage.panel() as http:
        before = await stage.snapshot()
        assert (await http.delete(f"{API}/{PUBLIC_ORGANIZATION_ID}")).status_code == 400
        listed = await http.delete(f"{API}/{acme.id}")
        assert listed.status_code == 400 and "allowed" in listed.json()["detail"]
    assert await stage.snapshot() == before


async def test_users_of_an_organization_by_address(stage: Stage) -> None:
    acme = await stage.organization()
    for letter in "cab":
        await stage.user(email=f"{letter}@acme.example", organization_id=acme.id)
    async with stage.panel() as http:
        path = f"{API}/{acme.id}/users"
        found = (await http.get(path)).json()
        assert [item["email"][0] for item in found["items"]] == ["a", "b", "c"]
        assert (found["total"], found["page"], found["page_size"]) == (3, 1, 50)
        assert set(found["items"][0]) == {
            "id",
            "email",
            "name",
            "avatar_url",
            "is_active",
            "is_admin",
            "created_at",
            "workspace_count",
        }
        second = (await http.get(path, params={"page": 2, "page_size": 2})).json()
        assert [item["email"][0] for item in second["items"]] == ["c"]
        assert (await http.get(path, params={"page_size": 200})).status_code == 200
        for wrong in ({"page": 0}, {"page_size": 201}, {"page_size": 0}):
            assert (await http.get(path, params=wrong)).status_code == 422


@pytest.mark.parametrize("call", [1, 3, 4, 5])
async def test_a_change_whose_activity_cannot_be_written_does_not_happen(stage: Stage, call: int) -> None:
    acme = await stage.organization()
    method, path, body = every_call(acme.id)[call]
    async with stage.panel() as http:
        before = await stage.snapshot()
        await stage.forbid_inserts("activity_logs")
        assert (await http.request(method, path, json=body)).status_code >= 400
    assert await stage.snapshot() == before


async def test_limits_of_organizations(anyio_backend: Any, database_url: str, stage_keys: Keys) -> None:
    async with (
        open_stage(database_url, stage_keys, rate_limit_enabled=True) as stage,
        stage.panel() as http,
    ):
        made = [
            (await http.post(API, json={"name": "N", "slug": f"s{number}"})).status_code
            for number in range(6)
        ]
        assert made == [201] * 5 + [429]
        assert await stage.count(Organization) == 6
        writes = stage.settings.rate_limit_admin_write.count
        path = f"{API}/{uuid4()}/domains"
        claimed = [
            (await http.post(path, json={"domain": "a.example"})).status_code for _ in range(writes + 1)
        ]
        assert claimed == [404] * writes + [429]
        assert await stage.count(User) == 1
