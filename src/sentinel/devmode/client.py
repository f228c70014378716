"""Signing a sample person in without a browser: the whole proxy-mode flow over HTTP, as an application does it."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sentinel.devmode.installation import PROVIDER, Notes
from sentinel.devmode.sample import PEOPLE


class SignInFailed(Exception):
    """A step did not end as it should; the text says which and what came instead."""


@dataclass(frozen=True)
class SignedIn:
    """What an application holds after a sign-in."""

    access_token: str
    refresh_token: str
    workspace: dict[str, Any]

    def __repr__(self) -> str:
        return f"SignedIn(workspace={self.workspace['slug']!r})"


def sign_in(notes: Notes, email: str, workspace: str | None = None) -> SignedIn:
    """Sign the person of ``email`` in at the running server and take tokens for ``workspace`` (a slug; not needed
    when there is only one). Raises :class:`SignInFailed`.
    """
    person = next((person for person in PEOPLE if person.email == email.strip().lower()), None)
    if person is None:
        known = ", ".join(person.email for person in PEOPLE)
        raise SignInFailed(f"There is no sample person {email!r}. There are: {known}")
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    try:
        with httpx.Client(base_url=notes.base_url, timeout=10, trust_env=False) as browser:
            at_provider = _location(
                browser.get(
                    f"/auth/login/{PROVIDER}",
                    params={
                        "client_id": notes.login_app_id,
                        "redirect_uri": f"{notes.base_url}/dev/app/callback",
                        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                        "state": state,
                    },
                ),
                "starting the sign-in",
            )
            asked = {name: values[0] for name, values in parse_qs(urlsplit(at_provider).query).items()}
            chosen = browser.post("/dev/idp/authorize", data={**asked, "sub": person.sub})
            back = _location(chosen, "choosing the person")
            answer = parse_qs(urlsplit(_location(browser.get(back), "coming back")).query)
            if answer.get("state") != [state]:
                raise SignInFailed("The state that came back is not the one that was sent")
            proof = {"code": answer["code"][0], "code_verifier": verifier}
            choices = _json(browser.post("/auth/workspaces", json=proof), "listing the workspaces")
            choice = _choose(choices, workspace, email)
            tokens = _json(
                browser.post("/auth/token", json=proof | {"workspace_id": choice["id"]}), "taking the tokens"
            )
    except httpx.HTTPError as error:
        raise SignInFailed(
            f"{notes.base_url} does not answer ({type(error).__name__}); is 'sentinel dev' running?"
        ) from error
    return SignedIn(tokens["access_token"], tokens["refresh_token"], choice)


def _choose(choices: list[dict[str, Any]], slug: str | None, email: str) -> dict[str, Any]:
    fitting = [choice for choice in choices if slug is None or choice["slug"] == slug]
    if len(fitting) == 1:
        return fitting[0]
    slugs = ", ".join(choice["slug"] for choice in choices) or "none"
    raise SignInFailed(f"Choose one workspace of {email} with --workspace; there are: {slugs}")


def _location(answer: httpx.Response, step: str) -> str:
    if answer.status_code not in (302, 303):
        raise SignInFailed(f"{step.capitalize()} answered {answer.status_code} instead of a redirect")
    return answer.headers["location"]


def _json(answer: httpx.Response, step: str) -> Any:
    if answer.status_code != 200:
        raise SignInFailed(f"{step.capitalize()} answered {answer.status_code}: {answer.text[:200]}")
    return answer.json()
