"""The main job from end to end, on the terminal: ``make demo``.

Starts a real development server in an empty folder on a free port, signs people in through its OpenID provider,
and asks for decisions as a backend would. Every answer is compared with what it must be; one wrong answer ends
the demo with status 1.
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

from sentinel.devmode.client import SignedIn, sign_in
from sentinel.devmode.installation import Notes, read_notes

SERVICE = "team-notes"
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
    command = [
        str(Path(sys.executable).with_name("sentinel")),
        "dev",
        "--port",
        str(port),
        "--data",
        str(folder),
    ]
    log = (folder / "server.log").open("w")
    # An environment of its own: a .env or variables of the caller have no business in a demonstration.
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment)
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
    """The whole story, step by step."""
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
        except Exception as problem:
            out.print(f"\n[red]The demo failed:[/red] {problem}", markup=True)
            return 1
    out.print(f"\nAll answers were right, in {time.monotonic() - started:.1f} seconds.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
