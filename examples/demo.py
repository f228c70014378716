"""The main job from end to end, on the terminal: ``make demo``.

Starts a real development server in an empty folder on a free port, signs people in through its OpenID provider,
and asks for decisions as a backend would; then the same in authz mode, where an application signs people in by
itself. Every answer is compared with what it must be; one wrong answer ends the demo with status 1.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from joserfc.jws import extract_compact
from rich.console import Console

from sentinel.devmode.client import SignedIn, identify, sign_in
from sentinel.devmode.installation import PROVIDER, Notes, read_notes

SERVICE = "team-notes"
SENTINEL = str(Path(sys.executable).with_name("sentinel"))
START_SECONDS = 30

out = Console(highlight=False, soft_wrap=True)


class WrongAnswer(Exception):
    """The service answered something else than it must."""


def expect(what: str, seen: Any, wanted: Any) -> None:
    """Show one answer, and stop when it is not the right one."""
    if seen != wanted:
        out.print(f"    [red]✗[/red] {what}: {seen!r}, but it must be {wanted!r}")
        raise WrongAnswer(what)
    out.print(f"    [green]✓[/green] {what}: [bold]{seen}[/bold]")


def step(number: int, text: str) -> None:
    out.print(f"\n[bold]{number}. {text}[/bold]")


@contextmanager
def server(folder: Path) -> Iterator[Notes]:
    """A development server in ``folder``, ended at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [SENTINEL, "dev", "--port", str(port), "--data", str(folder)]
    log = (folder / "server.log").open("w")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=_environment())
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise WrongAnswer("the server does not start:\n" + (folder / "server.log").read_text())
            time.sleep(0.1)
        notes = read_notes(folder)
        if notes is None:
            raise WrongAnswer("the server left no notes in its folder")
        yield notes
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def register_service(folder: Path, service_name: str) -> str:
    """Register one more service, as its operator would on the command line; its key."""
    command = [
        *(SENTINEL, "apps", "create", "--quiet"),
        *("--name", service_name.title(), "--service-name", service_name),
    ]
    database = {"DATABASE_URL": f"sqlite+aiosqlite:///{(folder / 'sentinel.db').absolute()}"}
    done = subprocess.run(
        command, cwd=folder, env=_environment() | database, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise WrongAnswer(f"the service cannot be registered: {done.stderr}")
    return done.stdout.strip()


def _environment() -> dict[str, str]:
    """An environment of its own: a .env or variables of the caller have no business in a demonstration."""
    return {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://localhost:{port}/health", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


class Backend:
    """What the demo's document service does with its service key."""

    def __init__(self, http: httpx.Client, key: str) -> None:
        self._http = http
        self._key = {"X-Service-Key": key}

    def resolve(self, **brought: str) -> httpx.Response:
        """Ask about an identity token of the provider: whose it is, or with a workspace, for an authz token."""
        return self._http.post("/authz/resolve", json={"provider": PROVIDER, **brought}, headers=self._key)

    def check_action(self, token: str, workspace: str, action: str) -> dict[str, Any]:
        body = {"service_name": SERVICE, "action": action, "workspace_id": workspace}
        return _body(self._http.post("/roles/check-action", json=body, headers=self._with(token)), 200)

    def get(self, token: str, path: str) -> httpx.Response:
        return self._http.get(path, headers=self._with(token))

    def post(self, token: str, path: str, body: dict[str, Any]) -> int:
        """The status of a question that may well be refused."""
        return self._http.post(path, json=body, headers=self._with(token)).status_code

    def register(self, document: str, workspace: str, owner: str) -> dict[str, Any]:
        body = {
            "service_name": SERVICE,
            "resource_type": "document",
            "resource_id": document,
            "workspace_id": workspace,
            "owner_id": owner,
            "visibility": "private",
        }
        return _body(self._http.post("/permissions/register", json=body, headers=self._key), 201)

    def check(self, token: str, document: str) -> str:
        """What the person of ``token`` may do with the document, in words."""
        item = {"service_name": SERVICE, "resource_type": "document", "resource_id": document}
        body = {"checks": [item | {"action": "view"}, item | {"action": "edit"}]}
        answer = _body(self._http.post("/permissions/check", json=body, headers=self._with(token)), 200)
        granted = [result["action"] for result in answer["results"] if result["allowed"]]
        return " and ".join(granted) or "nothing"

    def share(self, token: str, permission_id: str, group_id: str, permission: str) -> None:
        body = {"grantee_type": "group", "grantee_id": group_id, "permission": permission}
        path = f"/permissions/{permission_id}/share"
        _body(self._http.post(path, json=body, headers=self._with(token)), 201)

    def accessible(self, token: str, workspace: str) -> tuple[set[str], bool]:
        body = {
            "service_name": SERVICE,
            "resource_type": "document",
            "action": "view",
            "workspace_id": workspace,
        }
        answer = _body(self._http.post("/permissions/accessible", json=body, headers=self._with(token)), 200)
        return set(answer["resource_ids"]), answer["has_full_access"]

    def _with(self, token: str) -> dict[str, str]:
        return self._key | _bearer(token)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _body(answer: httpx.Response, status: int) -> Any:
    if answer.status_code != status:
        raise WrongAnswer(f"{answer.request.url.path} answered {answer.status_code}: {answer.text}")
    return answer.json()


def _claims(token: str) -> dict[str, Any]:
    """What stands in a token. Only to show it: a real backend verifies, or asks."""
    claims: dict[str, Any] = json.loads(extract_compact(token.encode()).payload)
    return claims


def walk(notes: Notes) -> None:
    """Proxy mode: Sentinel signs people in and gives the application its tokens."""
    with httpx.Client(base_url=notes.base_url, timeout=10, trust_env=False) as http:
        backend = Backend(http, notes.service_key)

        step(1, "People sign in through an OpenID provider and choose a workspace")
        people = {
            name: sign_in(notes, f"{name}@{company}.example")
            for name, company in (
                ("olivia", "acme"),
                ("edith", "acme"),
                ("victor", "acme"),
                ("oscar", "globex"),
            )
        }
        for signed_in in people.values():
            claims = _claims(signed_in.access_token)
            out.print(f"    {claims['email']:<22} {claims['wslug']:<8} {claims['wrole']}")
        expect("Edith's role in the token", _claims(people["edith"].access_token)["wrole"], "editor")

        step(2, "A backend registers a document: private, owned by Edith")
        workspace, document = people["edith"].workspace["id"], str(uuid4())
        record = backend.register(document, workspace, _claims(people["edith"].access_token)["sub"])
        expect("visibility", record["visibility"], "private")

        step(3, "What may each person do with it?")
        _expect_access(
            backend, people, document, edith="view and edit", olivia="view and edit", victor="nothing"
        )

        step(4, "Edith shares it for viewing with the group Reviewers, which Victor is in")
        groups = _body(
            http.get(f"/workspaces/{workspace}/groups", headers=_bearer(people["edith"].access_token)), 200
        )
        reviewers = next(group["id"] for group in groups if group["name"] == "Reviewers")
        backend.share(people["edith"].access_token, record["id"], reviewers, "view")
        _expect_access(
            backend, people, document, edith="view and edit", olivia="view and edit", victor="view"
        )
        backend.share(people["edith"].access_token, record["id"], reviewers, "edit")
        expect(
            "Victor after it is shared for editing",
            backend.check(people["victor"].access_token, document),
            "view and edit",
        )

        step(5, "Which documents does each person see?")
        seen, everything = backend.accessible(people["victor"].access_token, workspace)
        expect("Victor's list holds the document", document in seen, True)
        expect("Victor sees everything", everything, False)
        expect(
            "Olivia, the owner, sees everything",
            backend.accessible(people["olivia"].access_token, workspace)[1],
            True,
        )

        step(6, "Refresh, then replay the old refresh token: the whole family dies")
        first = people["victor"].refresh_token
        renewed = _body(http.post("/auth/refresh", json={"refresh_token": first}), 200)
        expect("the new access token", backend.check(renewed["access_token"], document), "view and edit")
        expect("replaying the old token", _status(http, first), 401)
        expect("the new refresh token, after the replay", _status(http, renewed["refresh_token"]), 401)
        expect("the new access token, after the replay", _me(http, renewed["access_token"]), 401)

        step(7, "Log out: the access token is refused at once, although it has not expired")
        token = people["edith"].access_token
        expect("before", _me(http, token), 200)
        expect("logging out", http.post("/auth/logout", headers=_bearer(token)).status_code, 200)
        expect("after", _me(http, token), 401)
        expect("the refresh token", _status(http, people["edith"].refresh_token), 401)


def walk_authz(notes: Notes, folder: Path) -> None:
    """Authz mode: the application signs people in by itself, and asks Sentinel only what they may do."""
    with httpx.Client(base_url=notes.base_url, timeout=10, trust_env=False) as http:
        backend = Backend(http, notes.service_key)

        step(8, "Authz mode: an application signs Edith in at the provider itself, without Sentinel")
        edith = identify(notes, "edith@acme.example")
        claims = _claims(edith.id_token)
        expect("the identity token is meant for", claims["aud"], notes.app_client_id)
        expect("it carries the nonce of this sign-in", claims["nonce"] == edith.nonce, True)

        step(9, "Its backend asks whose token that is, and where she may go")
        brought = {"idp_token": edith.id_token, "nonce": edith.nonce}
        found = _body(backend.resolve(**brought), 200)
        expect("the person", found["user"]["email"], "edith@acme.example")
        expect("her workspaces", [each["slug"] for each in found["workspaces"]], ["acme"])
        expect("an authz token so far", found["authz_token"], None)
        expect(
            "the same token with another nonce",
            backend.resolve(**brought | {"nonce": "of-another-sign-in"}).status_code,
            400,
        )

        step(10, "With a workspace it gets an authz token: short, and for this service alone")
        workspace = found["workspaces"][0]["id"]
        minted = _body(backend.resolve(**brought, workspace_id=workspace), 200)
        token = minted["authz_token"]
        claims = _claims(token)
        out.print(
            f"    {minted['user']['email']:<22} {minted['workspace']['slug']:<8} {minted['workspace']['role']}"
        )
        expect("it is good for", claims["svc"], SERVICE)
        expect("with the actions", claims["actions"], ["documents.publish"])
        expect("for seconds", minted["expires_in"], 300)
        oscars = sign_in(notes, "oscar@globex.example").workspace["id"]
        expect(
            "a token for a workspace that she is not in",
            backend.resolve(**brought, workspace_id=oscars).status_code,
            403,
        )

        step(11, "The same questions, asked with it")
        document = str(uuid4())
        backend.register(document, workspace, claims["sub"])
        expect("Edith and a document of hers", backend.check(token, document), "view and edit")
        publish = backend.check_action(token, workspace, "documents.publish")
        expect("may she publish", (publish["allowed"], publish["roles"]), (True, ["Publisher"]))
        expect("may she delete", backend.check_action(token, workspace, "documents.delete")["allowed"], False)
        members, groups = f"/workspaces/{workspace}/members", f"/workspaces/{workspace}/groups"
        seen = _body(backend.get(token, members), 200)
        expect("the backend sees members", len(seen), 4)
        # A browser has no service key: it shows the identity token as bearer, and the authz token beside it.
        browser = _bearer(edith.id_token) | {"X-Authz-Token": token}
        expect("the browser sees as many", len(_body(http.get(members, headers=browser), 200)), 4)
        named = [group["name"] for group in _body(http.get(groups, headers=browser), 200)]
        expect("and the groups", named, ["Reviewers"])
        myself = _body(http.get("/users/me", headers=browser), 200)
        expect("and who she is", myself["email"], "edith@acme.example")

        step(12, "Whoever else gets hold of it gains nothing")
        other = "invoices"
        stranger = Backend(http, register_service(folder, other))
        expect("the members, for another service", stranger.get(token, members).status_code, 403)
        item = {"service_name": other, "resource_type": "document", "resource_id": document}
        asked = {"checks": [item | {"action": "view"}]}
        expect("a check by another service", stranger.post(token, "/permissions/check", asked), 403)
        action = {"service_name": other, "action": "documents.publish", "workspace_id": workspace}
        expect("an action asked by another service", stranger.post(token, "/roles/check-action", action), 403)
        expect("the identity token, handed in by it", stranger.resolve(**brought).status_code, 400)
        expect("the token without a service key", _me(http, token), 401)


def _expect_access(backend: Backend, people: dict[str, SignedIn], document: str, **wanted: str) -> None:
    for name, access in wanted.items():
        expect(name.title(), backend.check(people[name].access_token, document), access)
    expect(
        "Oscar, who is in another workspace",
        backend.check(people["oscar"].access_token, document),
        "nothing",
    )


def _status(http: httpx.Client, refresh_token: str) -> int:
    return http.post("/auth/refresh", json={"refresh_token": refresh_token}).status_code


def _me(http: httpx.Client, token: str) -> int:
    return http.get("/users/me", headers=_bearer(token)).status_code


def main() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sentinel-demo-") as folder:
        out.print("[bold]Sentinel Auth: sign in and ask[/bold]\n\nStarting a server in an empty folder …")
        try:
            with server(Path(folder)) as notes:
                out.print(f"It answers at {notes.base_url}.")
                walk(notes)
                walk_authz(notes, Path(folder))
        except Exception as problem:
            out.print(f"\n[red]The demo failed:[/red] {problem}", markup=True)
            return 1
    out.print(f"\nAll answers were right, in {time.monotonic() - started:.1f} seconds.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
