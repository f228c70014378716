"""Signing a sample person in without a browser, as an application does it over HTTP: through Sentinel (proxy mode),
or at the provider itself, with a token that Sentinel is then asked about (authz mode).
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sentinel.devmode.installation import PROVIDER, Notes
from sentinel.devmode.provider import Person
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


@dataclass(frozen=True)
class Identified:
    """What an application holds that signed a person in at the provider itself, for ``POST /authz/resolve``."""

    id_token: str = field(repr=False)
    nonce: str = field(repr=False)


def sign_in(notes: Notes, email: str, workspace: str | None = None) -> SignedIn:
    """Sign the person of ``email`` in at the running server and take tokens for ``workspace`` (a slug; not needed
    when there is only one). Raises :class:`SignInFailed`.
    """
    person = _person(email)
    state = secrets.token_urlsafe(16)
    verifier, challenge = _pkce()
    with _browser(notes) as browser:
        at_provider = _location(
            browser.get(
                f"/auth/login/{PROVIDER}",
                params={
                    "client_id": notes.login_app_id,
                    "redirect_uri": f"{notes.base_url}/dev/app/callback",
                    "code_challenge": challenge,
                    "state": state,
                },
            ),
            "starting the sign-in",
        )
        asked = {name: values[0] for name, values in parse_qs(urlsplit(at_provider).query).items()}
        chosen = browser.post("/dev/idp/authorize", data={**asked, "sub": person.sub})
        back = _location(chosen, "choosing the person")
        code = _code(_location(browser.get(back), "coming back"), state=state)
        proof = {"code": code, "code_verifier": verifier}
        choices = _json(browser.post("/auth/workspaces", json=proof), "listing the workspaces")
        choice = _choose(choices, workspace, email)
        tokens = _json(
            browser.post("/auth/token", json=proof | {"workspace_id": choice["id"]}), "taking the tokens"
        )
    return SignedIn(tokens["access_token"], tokens["refresh_token"], choice)


def identify(notes: Notes, email: str) -> Identified:
    """Sign the person of ``email`` in at the development provider as the sample application, which has a client of
    its own there: OpenID Connect's code flow with PKCE and a nonce. Sentinel takes no part in it.

    Raises :class:`SignInFailed`.
    """
    person = _person(email)
    state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    verifier, challenge = _pkce()
    callback = f"{notes.base_url}/dev/app/callback"
    with _browser(notes) as browser:
        provider = _json(
            browser.get("/dev/idp/.well-known/openid-configuration"), "asking what the provider offers"
        )
        asked = {
            "client_id": notes.app_client_id,
            "redirect_uri": callback,
            "response_type": "code",
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        chosen = browser.post(provider["authorization_endpoint"], data={**asked, "sub": person.sub})
        code = _code(_location(chosen, "choosing the person"), state=state)
        tokens = _json(
            browser.post(
                provider["token_endpoint"],
                auth=(notes.app_client_id, notes.app_client_secret),
                data={
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": callback,
                    "code_verifier": verifier,
                },
            ),
            "taking the identity token",
        )
    return Identified(tokens["id_token"], nonce)


def _person(email: str) -> Person:
    person = next((person for person in PEOPLE if person.email == email.strip().lower()), None)
    if person is None:
        known = ", ".join(person.email for person in PEOPLE)
        raise SignInFailed(f"There is no sample person {email!r}. There are: {known}")
    return person


def _pkce() -> tuple[str, str]:
    """A code verifier and its S256 challenge (RFC 7636)."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@contextmanager
def _browser(notes: Notes) -> Iterator[httpx.Client]:
    try:
        with httpx.Client(base_url=notes.base_url, timeout=10, trust_env=False) as browser:
            yield browser
    except httpx.HTTPError as error:
        raise SignInFailed(
            f"{notes.base_url} does not answer ({type(error).__name__}); is 'sentinel dev' running?"
        ) from error


def _code(address: str, *, state: str) -> str:
    """The code in the address that the browser is sent back to."""
    answer = parse_qs(urlsplit(address).query)
    if answer.get("state") != [state]:
        raise SignInFailed("The state that came back is not the one that was sent")
    if "code" not in answer:
        raise SignInFailed(f"No code came back: {answer.get('error', ['no error either'])[0]}")
    return answer["code"][0]


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
