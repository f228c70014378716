"""A Sentinel in memory for the unit tests of applications: same law, same tokens, same answers, no server."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from sentinel_auth.sentinel import Sentinel
from sentinel_auth.testing.endpoints import Caller, Endpoints
from sentinel_auth.testing.people import Group, Person, Resource, Share, Workspace

BASE_URL = "http://localhost:9003"
IDP_URL = "http://localhost:9103"
IDP_AUDIENCE = "fake-client"
SERVICE_KEY = "sk_fake"
ACCESS_SECONDS, AUTHZ_SECONDS, M2M_SECONDS = 900, 300, 300


@cache
def _key() -> RSAKey:
    # One for all fakes of a process: making one takes longer than most tests.
    return RSAKey.generate_key(2048)


class FakeSentinel:
    """People, workspaces, roles and shares in memory, and the HTTP API over them as ``transport``.

    ``service_name`` is the application under test, ``realm`` the slug of its realm if it has one. ``requests`` holds
    what the application has asked. Rate limits, the audit log and the panel are not there.
    """

    def __init__(
        self,
        service_name: str = "app",
        *,
        realm: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.service_name = service_name
        self.realm = realm
        self.people: list[Person] = []
        self.workspaces: list[Workspace] = []
        self.resources: list[Resource] = []
        self.actions: dict[str, str | None] = {}
        """Actions that the application has registered, with their descriptions."""
        self.requests: list[httpx.Request] = []
        self.is_down = False
        """While true, nothing answers."""
        self.base_url = self.issuer = BASE_URL
        self.idp_issuer = IDP_URL
        self.idp_audience = IDP_AUDIENCE
        self._clock = clock
        self._callers: dict[str, Caller] = {}
        self._endpoints = Endpoints(self)
        self.transport = httpx.MockTransport(self._answer)

    def __repr__(self) -> str:
        return f"FakeSentinel({self.service_name!r})"

    @property
    def scope(self) -> str:
        """What permissions and authz tokens are bound to."""
        return self.realm or self.service_name

    # --- the world ---------------------------------------------------------------------------------------------

    def user(self, name: str = "Ada Example", *, email: str | None = None, id: UUID | None = None) -> Person:
        """A person with an account."""
        number = id or uuid4()
        address = email or f"{name.split(maxsplit=1)[0].lower()}-{number.hex[:6]}@example.com"
        person = Person(name, address, f"sub-{number.hex}", number)
        self.people.append(person)
        return person

    def workspace(self, slug: str = "acme", *, id: UUID | None = None) -> Workspace:
        """A workspace without members; :meth:`join` adds them."""
        workspace = Workspace(slug, slug.title(), id or uuid4())
        self.workspaces.append(workspace)
        return workspace

    def join(self, workspace: Workspace, person: Person, role: str = "viewer") -> None:
        """Make a person a member, or give him another role."""
        workspace.roles[person] = role

    def member(self, workspace: Workspace, role: str = "viewer", name: str = "Ada Example") -> Person:
        """A new person who is a member already."""
        person = self.user(name)
        self.join(workspace, person, role)
        return person

    def group(
        self, workspace: Workspace, *members: Person, name: str = "group", id: UUID | None = None
    ) -> Group:
        """A group with its members."""
        group = Group(name, workspace, list(members), id or uuid4())
        workspace.groups.append(group)
        return group

    def allow(self, workspace: Workspace, person: Person, *actions: str) -> None:
        """Let a person do actions of the application (RBAC), as a role of the workspace would."""
        workspace.actions.update((person, action) for action in actions)

    def resource(
        self,
        workspace: Workspace,
        owner: Person | None,
        resource_type: str = "document",
        resource_id: UUID | None = None,
        visibility: Literal["private", "workspace"] = "workspace",
    ) -> Resource:
        """A registered resource."""
        resource = Resource(self.scope, resource_type, resource_id or uuid4(), workspace, owner, visibility)
        self.resources.append(resource)
        return resource

    def share(
        self, resource: Resource, grantee: Person | Group, permission: Literal["view", "edit"] = "view"
    ) -> None:
        """Share a resource with a person or a group; sharing again changes the level."""
        resource.shares = [share for share in resource.shares if share.grantee is not grantee]
        resource.shares.append(Share(grantee, permission))

    # --- tokens ------------------------------------------------------------------------------------------------

    def access_token(self, person: Person, workspace: Workspace) -> str:
        """An access token of proxy mode, signed, for a member."""
        claims = self._user_claims(person, workspace, "access", ACCESS_SECONDS) | {
            "email": person.email,
            "name": person.name,
            "groups": [str(group.id) for group in workspace.groups if person in group.members],
        }
        return self._issue(claims, Caller(person, workspace, None))

    def authz_token(self, person: Person, workspace: Workspace) -> str:
        """An authz token for the application, signed, for a member."""
        claims = self._user_claims(person, workspace, "authz", AUTHZ_SECONDS) | {
            "idp_sub": person.subject,
            "svc": self.scope,
            "actions": sorted(action for one, action in workspace.actions if one is person),
        }
        return self._issue(claims, Caller(person, workspace, self.scope))

    def idp_token(self, person: Person) -> str:
        """What the person's identity provider says about him."""
        now = int(self._clock())
        claims = {
            "iss": self.idp_issuer,
            "aud": self.idp_audience,
            "sub": person.subject,
            "email": person.email,
            "email_verified": True,
            "name": person.name,
            "iat": now,
            "exp": now + 3600,
        }
        return self._sign(claims)

    def m2m_token(self, caller: str, *, target: str | None = None) -> str:
        """A token of another service of the realm."""
        claims = self._claims("m2m", M2M_SECONDS) | {
            "svc": self.scope,
            "caller": caller,
            "actions": ["*"],
            "aud_target": target,
        }
        return self._sign(claims)

    def headers(
        self, person: Person, workspace: Workspace, mode: Literal["authz", "proxy"] = "proxy"
    ) -> dict[str, str]:
        """What a browser sends when the person is signed in."""
        if mode == "proxy":
            return {"Authorization": f"Bearer {self.access_token(person, workspace)}"}
        return {
            "Authorization": f"Bearer {self.idp_token(person)}",
            "X-Authz-Token": self.authz_token(person, workspace),
        }

    # --- the application ---------------------------------------------------------------------------------------

    def sentinel(self, mode: Literal["authz", "proxy"] = "proxy", **options: Any) -> Sentinel:
        """A Sentinel object that talks to this fake; ``options`` are those of its constructor."""
        idp: dict[str, Any] = {
            "idp_jwks_url": f"{IDP_URL}/jwks.json",
            "idp_audience": IDP_AUDIENCE,
            "idp_issuer": IDP_URL,
            "idp_provider": "fake",
        }
        chosen: dict[str, Any] = {"transport": self.transport, "clock": self._clock, "issuer": self.issuer}
        chosen |= (idp if mode == "authz" else {}) | options
        return Sentinel(BASE_URL, self.service_name, SERVICE_KEY, mode, **chosen)

    @contextmanager
    def replacing(self, sentinel: Sentinel) -> Iterator[None]:
        """Stand in for Sentinel, and for the identity provider, of an application's own Sentinel object.

        Tokens are issued as that object expects them. A provider key that is pinned as PEM cannot be stood in for.
        """
        own = (self.base_url, self.issuer, self.idp_issuer, self.idp_audience)
        audience = sentinel.idp_audience
        self.base_url = sentinel.base_url
        self.issuer = sentinel.issuer or self.issuer
        self.idp_issuer = sentinel.idp_issuer or self.idp_issuer
        self.idp_audience = (
            (audience if isinstance(audience, str) else audience[0]) if audience else self.idp_audience
        )
        before = sentinel.divert(self.transport)
        try:
            yield
        finally:
            sentinel.divert(before)
            self.base_url, self.issuer, self.idp_issuer, self.idp_audience = own

    # --- inside ------------------------------------------------------------------------------------------------

    def jwks(self) -> dict[str, Any]:
        key = _key()
        public = key.as_dict(private=False) | {"use": "sig", "alg": "RS256", "kid": key.thumbprint()}
        return {"keys": [public]}

    def caller(self, token: str) -> Caller | None:
        """Who stands behind a token of ours."""
        return self._callers.get(token)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.is_down:
            raise httpx.ConnectError("the fake is down", request=request)
        if request.url.netloc != httpx.URL(self.base_url).netloc:
            return httpx.Response(200, json=self.jwks())  # the identity provider
        return self._endpoints.answer(request)

    def _user_claims(self, person: Person, workspace: Workspace, kind: str, seconds: int) -> dict[str, Any]:
        return self._claims(kind, seconds) | {
            "sub": str(person.id),
            "wid": str(workspace.id),
            "wslug": workspace.slug,
            "wrole": workspace.roles[person],
            "oid": None,
            "oslug": None,
            "opub": False,
        }

    def _claims(self, kind: str, seconds: int) -> dict[str, Any]:
        now = int(self._clock())
        return {
            "iss": self.issuer,
            "aud": f"sentinel:{kind}",
            "type": kind,
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + seconds,
        }

    def _issue(self, claims: dict[str, Any], caller: Caller) -> str:
        token = self._sign(claims)
        self._callers[token] = caller
        return token

    def _sign(self, claims: dict[str, Any]) -> str:
        key = _key()
        return jwt.encode({"alg": "RS256", "kid": key.thumbprint()}, claims, key)
