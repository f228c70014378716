"""What people are not, and what they may not make of themselves (L15, L17, L19)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from joserfc import jwt

from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.identity.models import Organization, User
from sentinel.login import codes
from sentinel.permissions.models import Resource, Share
from sentinel.tokens.models import RefreshFamily
from sentinel.workspaces.models import AllowedOrganization, Group, Membership, Workspace
from tests.security.conftest import Town
from tests.stage import IDP_URL, PROVIDER, Keys, Pkce, Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio


# ── L15: fields that nobody sets ──

PROTECTED: Mapping[str, Any] = {
    "id": str(UUID(int=7)),
    "is_admin": True,
    "is_active": False,
    "email": "root@example.com",
    "email_verified": True,
    "token_epoch": 99,
    "organization_id": str(UUID(int=7)),
    "created_by": str(UUID(int=7)),
    "created_at": "2001-01-01T00:00:00Z",
    "workspace_id": str(UUID(int=7)),
    "user_id": str(UUID(int=7)),
    "role": "owner",
    "wrole": "owner",
    "admin": True,
    "owner_id": str(UUID(int=7)),
    "service_name": "wiki",
    "resource_type": "other",
    "resource_id": str(UUID(int=7)),
    "granted_by": str(UUID(int=7)),
    "granted_at": "2001-01-01T00:00:00Z",
    "added_by": str(UUID(int=7)),
    "slug": "taken-over",
    "key_hash": "0" * 64,
    "key_prefix": "sk_mine",
    "realm_id": str(UUID(int=7)),
    "token": "x",
    "svc": "wiki",
    "caller": "wiki",
    "__proto__": {"is_admin": True},
}


def columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).columns}


async def test_L15_fields_that_nobody_may_set_change_nothing(town: Town) -> None:
    stage, client = town.stage, town.stage.client
    headers = await town.as_owner()

    async def sent(
        method: str, path: str, body: dict[str, Any], without: tuple[str, ...] = ()
    ) -> httpx.Response:
        extra = {name: value for name, value in PROTECTED.items() if name not in {*body, *without}}
        answer = await client.request(method, path, json=body | extra, headers=headers)
        assert answer.status_code < 300, (path, answer.text)
        return answer

    async def only(model: type[Any], id: UUID, **changed: Any) -> None:
        (row,) = await stage.all(model, model.id == id)
        assert columns(row) == before[id] | changed, path

    before = {row.id: columns(row) for row in (town.owner, town.viewer, town.workspace, town.resource)}
    for row in (town.owner, town.viewer, town.workspace):
        (fresh,) = await stage.all(type(row), type(row).id == row.id)
        before[row.id] = columns(fresh)
    (fresh,) = await stage.all(Resource, Resource.id == town.resource.id)
    before[town.resource.id] = columns(fresh)

    path = f"/workspaces/{town.workspace.id}"
    await sent("PATCH", path, {"name": "Renamed"})
    await only(Workspace, town.workspace.id, name="Renamed")
    path = "/users/me"
    await sent("PATCH", path, {"name": "Olive Other"})
    (me,) = await stage.all(User, User.id == town.owner.id)
    assert columns(me) == before[town.owner.id] | {"name": "Olive Other", "updated_at": me.updated_at}
    path = "/workspaces"
    made = (await sent("POST", path, {"name": "Fresh", "slug": "fresh-l15"})).json()
    (workspace,) = await stage.all(Workspace, Workspace.slug == "fresh-l15")
    assert str(workspace.id) == made["id"] != PROTECTED["id"]
    assert workspace.created_by == town.owner.id and workspace.created_at.year > 2001
    path = f"/workspaces/{town.workspace.id}/groups"
    made = (await sent("POST", path, {"name": "Crew"})).json()
    (group,) = await stage.all(Group, Group.name == "Crew")
    assert (str(group.id), group.workspace_id) == (made["id"], town.workspace.id)
    assert group.created_by == town.owner.id and group.created_at.year > 2001
    before[group.id] = columns(group)
    path = f"{path}/{group.id}"
    await sent("PATCH", path, {"name": "Other crew"})
    await only(Group, group.id, name="Other crew")
    path = f"/permissions/{town.resource.id}/visibility"
    await sent("PATCH", path, {"visibility": "workspace"})
    await only(Resource, town.resource.id, visibility="workspace")
    await sent("PATCH", path, {"visibility": "private"})
    path = "/permissions/register"
    wish = {**town.question(), "workspace_id": str(town.workspace.id), "owner_id": str(town.owner.id)}
    del wish["action"]
    again = (await sent("POST", path, wish)).json()
    assert (again["id"], again["owner_id"]) == (str(town.resource.id), str(town.owner.id))
    await only(Resource, town.resource.id)
    path = f"/permissions/{town.resource.id}/share"
    share = {"grantee_type": "user", "grantee_id": str(town.viewer.id), "permission": "edit"}
    await sent("POST", path, share)
    (stored,) = await stage.all(Share, Share.resource_permission_id == town.resource.id)
    assert stored.granted_by == town.owner.id and stored.granted_at.year > 2001
    await only(Resource, town.resource.id)
    await sent("DELETE", path, share)
    # A person stays who he is whatever is written beside the one word that may be changed.
    path = f"/workspaces/{town.workspace.id}/members/{town.viewer.id}"
    await sent("PATCH", path, {"role": "editor"})
    await only(User, town.viewer.id, token_epoch=1)
    await sent("PATCH", path, {"role": "viewer"})
    assert not await stage.all(User, User.is_admin)


# ── L17: the matrix of state and grant ──


@dataclass(frozen=True)
class Scene:
    """A person with everything that can be shown for a token, before something is switched off."""

    stage: Stage
    keys: Keys
    user: User
    workspace: Workspace
    organization: Organization
    login_app: LoginApp
    realm: Realm
    service: Service
    code: str
    pkce: Pkce
    refresh: str
    access: str
    authz: str
    panel: str

    def id_token(self) -> str:
        now = self.stage.clock.timestamp()
        claims = {"iss": IDP_URL, "sub": "sub-ada", "aud": "sentinel", "iat": now, "exp": now + 600}
        claims |= {"email": "ada@corp.example", "email_verified": True, "name": "Ada"}
        header = {"alg": "RS256", "kid": self.keys.idp.thumbprint()}
        return jwt.encode(header, claims, self.keys.idp, algorithms=["RS256"])

    async def update(self, model: type[Any], id: UUID, **values: Any) -> None:
        await self.stage.execute(sa.update(model).where(model.id == id).values(**values))


async def scene(stage: Stage, keys: Keys) -> Scene:
    organization = await stage.organization("corp.example")
    user = await stage.user(email="ada@corp.example", organization_id=organization.id, is_admin=True)
    await stage.link(user, subject="sub-ada")
    workspace = await stage.workspace(user)
    await stage.restrict(workspace, organization)
    realm, login_app, pkce = await stage.realm("suite"), await stage.login_app(), Pkce()
    service = await stage.service("notes", realm=realm)
    async with stage.state.database.transaction() as session:
        code = await codes.issue_code(
            session,
            user_id=user.id,
            client_app_id=login_app.id,
            provider=PROVIDER,
            code_challenge=pkce.challenge,
            now=stage.clock.now(),
        )
    pair = await stage.session(user, workspace, login_app)
    stage.clock.advance(1)
    return Scene(
        stage,
        keys,
        user,
        workspace,
        organization,
        login_app,
        realm,
        service,
        code,
        pkce,
        pair.refresh.token,
        pair.access.token,
        await stage.authz_token(user, workspace, "suite"),
        stage.state.issuer.admin(user_id=user.id, email=user.email, name=user.name, epoch=0).token,
    )


Grant = Callable[[Scene], Awaitable[httpx.Response]]


async def by_code(s: Scene) -> httpx.Response:
    body = {"code": s.code, "code_verifier": s.pkce.verifier, "workspace_id": str(s.workspace.id)}
    return await s.stage.client.post("/auth/token", json=body)


async def by_refresh(s: Scene) -> httpx.Response:
    return await s.stage.client.post("/auth/refresh", json={"refresh_token": s.refresh})


async def by_mint(s: Scene) -> httpx.Response:
    body = {"idp_token": s.id_token(), "provider": PROVIDER, "workspace_id": str(s.workspace.id)}
    return await s.stage.client.post("/authz/resolve", json=body, headers=s.service.headers)


async def by_m2m(s: Scene) -> httpx.Response:
    return await s.stage.client.post("/realm/m2m-token", json={}, headers=s.service.headers)


async def by_login(s: Scene) -> httpx.Response:
    """Signing in at the provider again."""
    person = s.stage.person("ada@corp.example", sub="sub-ada")
    started = await s.stage.start(s.login_app, Pkce())
    if started.status_code != 302:
        return started
    return await s.stage.client.get(await s.stage.at_provider(started, person))


async def use_of_access(s: Scene) -> httpx.Response:
    return await s.stage.client.get(f"/workspaces/{s.workspace.id}/members", headers=bearer(s.access))


async def use_of_authz(s: Scene) -> httpx.Response:
    body: dict[str, Any] = {"checks": []}
    return await s.stage.client.post(
        "/permissions/check", json=body, headers=s.service.headers | bearer(s.authz)
    )


async def use_of_panel(s: Scene) -> httpx.Response:
    async with s.stage.browser() as http:
        http.cookies.set("admin_token", s.panel)
        return await http.get("/admin/api/users", headers={"X-Requested-With": "XMLHttpRequest"})


GRANTS: dict[str, Grant] = {
    "access": use_of_access,
    "authz": use_of_authz,
    "panel": use_of_panel,
    "mint": by_mint,
    "m2m": by_m2m,
    "code": by_code,
    "login": by_login,
    # Last: a refusal ends the whole session, with its access tokens (RF-7).
    "refresh": by_refresh,
}
GRANTED = {"login": 302}
"""What a grant answers when it gives; 200 where nothing else is said."""


async def user_disabled(s: Scene) -> None:
    await s.update(User, s.user.id, is_active=False)


async def user_deleted(s: Scene) -> None:
    await s.stage.execute(sa.delete(RefreshFamily).where(RefreshFamily.user_id == s.user.id))
    await s.stage.execute(sa.delete(User).where(User.id == s.user.id))


async def user_revoked(s: Scene) -> None:
    await s.update(User, s.user.id, token_epoch=1)


async def app_disabled(s: Scene) -> None:
    await s.update(LoginApp, s.login_app.id, is_active=False)


async def service_disabled(s: Scene) -> None:
    await s.update(ServiceApp, s.service.app.id, is_active=False)


async def realm_disabled(s: Scene) -> None:
    await s.update(Realm, s.realm.id, is_active=False)


async def organization_disabled(s: Scene) -> None:
    await s.update(Organization, s.organization.id, enabled=False)


async def not_on_the_list(s: Scene) -> None:
    other = await s.stage.organization("other.example")
    await s.stage.execute(sa.update(AllowedOrganization).values(organization_id=other.id))


async def membership_gone(s: Scene) -> None:
    await s.stage.execute(sa.delete(Membership).where(Membership.user_id == s.user.id))


async def workspace_gone(s: Scene) -> None:
    await s.stage.execute(sa.delete(Workspace).where(Workspace.id == s.workspace.id))


async def nothing(_: Scene) -> None:
    pass


STATES: dict[Callable[[Scene], Awaitable[None]], set[str]] = {
    nothing: set(),
    user_disabled: {"code", "refresh", "mint", "login", "access", "authz", "panel"},
    user_deleted: {"code", "refresh", "mint", "access", "authz", "panel"},
    user_revoked: {"refresh", "access", "authz", "panel"},
    # Its sessions go on, unless the administrator ends them too (DL-9).
    app_disabled: {"code", "login"},
    service_disabled: {"mint", "m2m", "authz"},
    realm_disabled: {"m2m"},
    organization_disabled: {"code", "refresh", "mint", "login"},
    not_on_the_list: {"code", "refresh", "mint"},
    membership_gone: {"code", "refresh", "mint", "access", "authz"},
    workspace_gone: {"code", "refresh", "mint", "access", "authz"},
}
"""What is switched off -> the grants that give nothing from the next request on."""


@pytest.mark.parametrize("change", STATES, ids=lambda change: change.__name__)
async def test_L17_nothing_is_granted_in_this_state(
    sqlite_url: str, stage_keys: Keys, change: Callable[[Scene], Awaitable[None]]
) -> None:
    """On PostgreSQL each grant is tried in ``contract/``, state by state."""
    async with open_stage(sqlite_url, stage_keys) as stage:
        await _only_these_grants_are_refused(await scene(stage, stage_keys), change)


async def _only_these_grants_are_refused(made: Scene, change: Callable[[Scene], Awaitable[None]]) -> None:
    await change(made)
    refused = {}
    for name, grant in GRANTS.items():
        answer = await grant(made)
        assert answer.status_code < 500, (name, answer.text)
        if answer.status_code != GRANTED.get(name, 200):
            refused[name] = answer.status_code
            assert "token" not in answer.headers.get("location", ""), name
            assert "eyJ" not in answer.text, name
    assert set(refused) == STATES[change], refused


# ── L19: a delegated administrator ──


async def test_L19_nobody_grants_above_his_own_role(town: Town) -> None:
    stage, client = town.stage, town.stage.client
    rank = {"viewer": 0, "editor": 1, "admin": 2, "owner": 3}
    owner = await stage.user()
    workspace = await stage.workspace(owner)
    people = {role: await stage.member(workspace, role) for role in rank if role != "owner"} | {
        "owner": owner
    }
    members = f"/workspaces/{workspace.id}/members"
    for actor_role, actor in people.items():
        headers = await stage.as_user(actor, workspace)
        for role, height in rank.items():
            target = await stage.member(workspace, "viewer")
            guest = await stage.user()
            tries = [
                await client.patch(f"{members}/{target.id}", json={"role": role}, headers=headers),
                await client.post(
                    f"{members}/invite", json={"email": guest.email, "role": role}, headers=headers
                ),
                # Himself, by any name.
                await client.patch(f"{members}/{actor.id}", json={"role": role}, headers=headers)
                if height > rank[actor_role]
                else None,
            ]
            rows = await stage.all(Membership, Membership.workspace_id == workspace.id)
            roles = {row.user_id: row.role for row in rows}
            granted = {roles[target.id], roles.get(guest.id, "viewer"), roles[actor.id]}
            assert max(rank[one] for one in granted) <= rank[actor_role], (actor_role, role)
            if rank[actor_role] < rank["admin"]:
                assert all(answer.status_code == 403 for answer in tries if answer is not None)
            # Nor is somebody above him made smaller.
            for higher in (one for one in people if rank[one] > rank[actor_role]):
                for answer in (
                    await client.patch(
                        f"{members}/{people[higher].id}", json={"role": "viewer"}, headers=headers
                    ),
                    await client.delete(f"{members}/{people[higher].id}", headers=headers),
                ):
                    assert answer.status_code == 403, (actor_role, higher)
