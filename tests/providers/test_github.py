"""GitHub, whose documented endpoints a real server plays."""

import base64
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from sentinel.core.clock import ManualClock
from sentinel.core.outbound import Outbound
from sentinel.providers import (
    AUTHZ_SCOPE,
    ExchangeFailed,
    GitHub,
    Identity,
    IdentityRefused,
    Providers,
    ProviderUnavailable,
    TokenRejected,
)

from .conftest import settings_with
from .stage import SILENCE, Reply, Seen, Stage

pytestmark = pytest.mark.anyio

CLIENT_ID = "Iv1.8a61f9b3a7aba766"
CLIENT_SECRET = "github-client-secret"
REDIRECT_URI = "https://auth.example.com/auth/callback/github"
TOKEN = "gho_16C7e42F292c6912E7710c838347Ae178B4a"  # the example of GitHub's documentation


class Hub:
    """GitHub for one person. Tests change what it says."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.codes = {"good-code": TOKEN}
        self.user: Any = {
            "login": "octo",
            "id": 583231,
            "name": "Mona Lisa Octocat",
            "email": "public@profile.example",
            "avatar_url": "https://avatars.githubusercontent.com/u/583231",
            "html_url": "https://github.com/octo",
            "node_id": "x",
        }
        self.emails: Any = [
            {"email": "other@example.com", "primary": False, "verified": True},
            {"email": "Octo@Example.com", "primary": True, "verified": True, "visibility": None},
        ]
        self.check = Reply(body={"id": 1, "app": {"client_id": CLIENT_ID}, "user": {"id": 583231}})
        stage.on("https://github.com/login/oauth/access_token", self._access_token, method="POST")
        stage.on(
            f"https://api.github.com/applications/{CLIENT_ID}/token", lambda _: self.check, method="POST"
        )
        stage.on("https://api.github.com/user", lambda seen: self._for_token(seen, self.user))
        stage.on("https://api.github.com/user/emails", lambda seen: self._for_token(seen, self.emails))

    def paths(self) -> list[str]:
        return [seen.path for seen in self.stage.calls]

    def _access_token(self, seen: Seen) -> Reply:
        form = seen.form
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(body={"error": "incorrect_client_credentials"})
        token = self.codes.pop(form.get("code", ""), None)
        if token is None or form.get("redirect_uri") != REDIRECT_URI:
            return Reply(body={"error": "bad_verification_code", "error_description": "The code is wrong."})
        return Reply(body={"access_token": token, "token_type": "bearer", "scope": "user:email"})

    def _for_token(self, seen: Seen, answer: Any) -> Reply:
        if seen.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"message": "Bad credentials"})
        return answer if isinstance(answer, Reply) else Reply(body=answer)


@pytest.fixture
def hub(stage: Stage) -> Hub:
    return Hub(stage)


@pytest.fixture
def github(outbound: Outbound, clock: ManualClock) -> GitHub:
    settings = settings_with(github_client_id=CLIENT_ID, github_client_secret=SecretStr(CLIENT_SECRET))
    provider = Providers(settings, outbound, clock).get("github")
    assert isinstance(provider, GitHub)
    return provider


async def exchange(github: GitHub, code: str = "good-code") -> Identity:
    return await github.exchange(code=code, redirect_uri=REDIRECT_URI, nonce=None, code_verifier=None)


# ── proxy mode ──


async def test_A2_authorization_url_has_state_and_nothing_else_to_check(github: GitHub) -> None:
    url = urlsplit(
        await github.authorization_url(
            redirect_uri=REDIRECT_URI, state="a b&c", nonce="unused", code_verifier="unused"
        )
    )
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://github.com/login/oauth/authorize"
    assert parse_qs(url.query) == {
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [REDIRECT_URI],
        "scope": ["user:email"],
        "state": ["a b&c"],
    }
    assert (github.uses_nonce, github.uses_pkce) == (False, False)


async def test_Z2_authz_flow_asks_for_more(github: GitHub) -> None:
    url = await github.authorization_url(redirect_uri=REDIRECT_URI, state="s", scope=AUTHZ_SCOPE)
    assert parse_qs(urlsplit(url).query)["scope"] == ["read:user user:email"]


async def test_A3_and_ID_7_exchange(github: GitHub, hub: Hub) -> None:
    assert await exchange(github) == Identity(
        provider="github",
        subject="583231",
        idp_sub="github|583231",
        email="octo@example.com",
        name="Mona Lisa Octocat",
        avatar_url="https://avatars.githubusercontent.com/u/583231",
        profile={"login": "octo", "html_url": "https://github.com/octo"},
    )
    assert hub.paths() == ["/login/oauth/access_token", "/user", "/user/emails"]


async def test_Z3_access_token_for_the_application(github: GitHub, hub: Hub) -> None:
    assert await github.exchange_token(code="good-code", redirect_uri=REDIRECT_URI) == TOKEN
    with pytest.raises(ExchangeFailed) as failure:
        await github.exchange_token(code="good-code", redirect_uri=REDIRECT_URI)
    assert failure.value.reason == "provider_bad_verification_code"


async def test_A3_wrong_client_secret(outbound: Outbound, hub: Hub) -> None:
    github = GitHub(client_id=CLIENT_ID, client_secret=SecretStr("wrong"), outbound=outbound)
    with pytest.raises(ExchangeFailed) as failure:
        await exchange(github)
    assert failure.value.reason == "provider_incorrect_client_credentials"


@pytest.mark.parametrize("token", [None, 1, "", "a b", "a\r\nx-injected: 1", "ä", ["t"], "x" * 8193])
async def test_A3_access_token_that_is_none(github: GitHub, hub: Hub, token: Any) -> None:
    hub.stage.on("https://github.com/login/oauth/access_token", {"access_token": token}, method="POST")
    with pytest.raises(ExchangeFailed):
        await exchange(github)
    assert hub.paths() == ["/login/oauth/access_token"]


async def test_A3_token_that_dies_at_once_is_a_failed_exchange(github: GitHub, hub: Hub) -> None:
    hub.codes["good-code"] = "gho_revoked"
    with pytest.raises(ExchangeFailed) as failure:
        await exchange(github)
    assert failure.value.reason == "github_token_revoked"


# ── authz mode ──


async def test_EV_9_token_is_checked_then_profile_then_emails(github: GitHub, hub: Hub) -> None:
    identity = await github.identify(TOKEN)
    assert identity.idp_sub == "github|583231"
    assert hub.paths() == [f"/applications/{CLIENT_ID}/token", "/user", "/user/emails"]
    check = hub.stage.calls[0]
    basic = base64.b64decode(check.headers["authorization"].removeprefix("Basic ")).decode()
    assert basic == f"{CLIENT_ID}:{CLIENT_SECRET}"
    assert json.loads(check.body) == {"access_token": TOKEN}


@pytest.mark.parametrize("status", [201, 202, 204, 400, 403, 404, 410, 422])
async def test_EV_9_only_200_confirms_the_token(github: GitHub, hub: Hub, status: int) -> None:
    hub.check = Reply(status, b"" if status == 204 else {"app": {"client_id": CLIENT_ID}})
    with pytest.raises(TokenRejected) as caught:
        await github.identify(TOKEN)
    assert caught.value.reason == "github_token_not_ours"
    assert hub.paths() == [f"/applications/{CLIENT_ID}/token"]  # the token has been sent nowhere else


async def test_EV_9_token_of_another_application_by_githubs_own_word(github: GitHub, hub: Hub) -> None:
    hub.check = Reply(body={"app": {"client_id": "Iv1.another"}})
    with pytest.raises(TokenRejected):
        await github.identify(TOKEN)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Reply(500), "provider_status_500"),
        (Reply(502), "provider_status_502"),
        (Reply(429), "provider_status_429"),
        (Reply(401, {"message": "Bad credentials"}), "github_client_refused"),
        (Reply(403, {}, {"x-ratelimit-remaining": "0"}), "github_rate_limited"),
        (Reply(403, {}, {"retry-after": "60"}), "github_rate_limited"),
        (Reply(302, {}, {"location": "https://api.github.com/elsewhere"}), "outbound_redirect"),
        (Reply(then="more"), "outbound_too_large"),
        (Reply(body=b"x", headers={"content-encoding": "gzip"}), "outbound_compressed"),
    ],
    ids=range(9),
)
async def test_EV_9_check_that_cannot_be_made_is_never_a_pass(
    github: GitHub, hub: Hub, answer: Reply, reason: str
) -> None:
    hub.check = answer
    with pytest.raises(ProviderUnavailable) as failure:
        await github.identify(TOKEN)
    assert failure.value.reason == reason
    assert hub.paths() == [f"/applications/{CLIENT_ID}/token"]


@pytest.mark.parametrize("wait", ["60", "0", "99999", "-1", "soon", "²", "9" * 40])
async def test_EV_9_retry_after_of_github_is_passed_on_if_it_is_bearable(
    github: GitHub, hub: Hub, wait: str
) -> None:
    hub.check = Reply(429, {}, {"retry-after": wait})
    with pytest.raises(ProviderUnavailable) as failure:
        await github.identify(TOKEN)
    assert 1 <= failure.value.retry_after <= 3600
    assert failure.value.retry_after == 60 or wait != "60"


@pytest.mark.parametrize("path", ["/applications/" + CLIENT_ID + "/token", "/user", "/user/emails"])
async def test_EV_12_silent_github(github: GitHub, hub: Hub, outbound: Outbound, path: str) -> None:
    outbound._timeout = 0.1
    hub.stage.on(f"https://api.github.com{path}", SILENCE, method="POST" if path.endswith("n") else "GET")
    with pytest.raises(ProviderUnavailable) as failure:
        await github.identify(TOKEN)
    assert failure.value.reason == "outbound_timeout"


@pytest.mark.parametrize("audiences", [["app-1"], ("a", "b"), [CLIENT_ID], [""]])
async def test_EV_8_application_with_its_own_audiences_is_refused(
    github: GitHub, hub: Hub, audiences: Sequence[str]
) -> None:
    with pytest.raises(TokenRejected) as caught:
        await github.identify(TOKEN, audiences=audiences)
    assert caught.value.reason == "github_audience_unbound"
    assert not hub.stage.calls


@pytest.mark.parametrize("audiences", [None, []])
async def test_EV_8_application_without_audiences(
    github: GitHub, hub: Hub, audiences: Sequence[str] | None
) -> None:
    await github.identify(TOKEN, audiences=audiences)


async def test_EV_10_nonce_is_ignored_for_github(github: GitHub, hub: Hub) -> None:
    await github.identify(TOKEN, nonce="n-1")


@pytest.mark.parametrize(
    "token", ["", " ", "a b", "t\n", "t\r\nx-a: b", "t\x00", "ä", "\ud800", "x" * 8193, "t\x7f"]
)
async def test_L29_token_that_cannot_be_one_is_not_sent(github: GitHub, hub: Hub, token: str) -> None:
    with pytest.raises(TokenRejected):
        await github.identify(token)
    assert not hub.stage.calls


async def test_EV_9_token_revoked_between_two_calls(github: GitHub, hub: Hub) -> None:
    hub.user = Reply(401, {"message": "Bad credentials"})
    with pytest.raises(TokenRejected) as caught:
        await github.identify(TOKEN)
    assert caught.value.reason == "github_token_revoked"


# ── the person ──


@pytest.mark.parametrize(
    ("emails", "reason"),
    [
        ([], "no_email_claim"),
        ([{"email": "a@b.c", "primary": False, "verified": True}], "no_email_claim"),
        ([{"email": "a@b.c", "primary": True, "verified": False}], "email_not_verified"),
        ([{"email": "a@b.c", "primary": True}], "email_not_verified"),
        ([{"email": "a@b.c", "primary": True, "verified": "true"}], "email_not_verified"),
        ([{"email": "a@b.c", "primary": True, "verified": 1}], "email_not_verified"),
        ([{"email": "a@b.c", "primary": "true", "verified": True}], "no_email_claim"),
        ([{"email": "a@b.c", "primary": 1, "verified": True}], "no_email_claim"),
        ([{"primary": True, "verified": True}], "no_email_claim"),
        ([{"email": None, "primary": True, "verified": True}], "no_email_claim"),
        ([{"email": "nobody", "primary": True, "verified": True}], "no_email_claim"),
        (
            [
                {"email": "a@b.c", "primary": True, "verified": False},
                {"email": "d@e.f", "primary": False, "verified": True},
            ],
            "email_not_verified",
        ),
        (["a@b.c"], "no_email_claim"),
        ({"email": "a@b.c", "primary": True, "verified": True}, "no_email_claim"),
        (None, "no_email_claim"),
        (Reply(403, {"message": "Resource not accessible"}), "no_email_claim"),
        (Reply(404, {"message": "Not Found"}), "no_email_claim"),
        (Reply(body="no json"), "no_email_claim"),
    ],
    ids=range(18),
)
async def test_EV_5_address_must_be_primary_and_verified(
    github: GitHub, hub: Hub, emails: Any, reason: str
) -> None:
    """The address of the profile, which is there all the time, is never a substitute."""
    hub.emails = emails
    for attempt in (github.identify(TOKEN), exchange(github)):
        with pytest.raises(IdentityRefused) as refusal:
            await attempt
        assert refusal.value.reason == reason


@pytest.mark.parametrize("number", [None, "583231", 0, -1, True, 1.5, [], {}, "583231|x"])
async def test_ID_7_id_must_be_a_number(github: GitHub, hub: Hub, number: object) -> None:
    hub.user["id"] = number
    with pytest.raises(TokenRejected) as caught:
        await github.identify(TOKEN)
    assert caught.value.reason == "bad_subject"


@pytest.mark.parametrize("user", [[], None, "octo", Reply(404), Reply(body="{"), Reply(body="[" * 50_000)])
async def test_ID_7_profile_that_is_none(github: GitHub, hub: Hub, user: Any) -> None:
    hub.user = user
    with pytest.raises(TokenRejected):
        await github.identify(TOKEN)
    with pytest.raises(ExchangeFailed):
        await exchange(github)


async def test_ID_7_both_modes_give_the_same_subject(github: GitHub, hub: Hub) -> None:
    assert await github.identify(TOKEN) == await exchange(github)


@pytest.mark.parametrize(
    ("name", "login", "kept"),
    [
        (None, "octo", "octo"),
        ("", "octo", "octo"),
        (" ", "octo", "octo"),
        (1, None, "octo"),
        ("\x00", "o", "octo"),
    ],
)
async def test_ID_2_name(github: GitHub, hub: Hub, name: object, login: object, kept: str) -> None:
    hub.user |= {"name": name, "login": login}
    assert (await github.identify(TOKEN)).name == kept


async def test_L27_token_and_secret_appear_nowhere(github: GitHub, hub: Hub) -> None:
    identity = await github.identify(TOKEN)
    hub.check = Reply(404)
    with pytest.raises(TokenRejected) as caught:
        await github.identify(TOKEN)
    shown = repr(identity) + repr(vars(github)) + repr(caught.value) + caught.value.detail
    assert TOKEN not in shown
    assert CLIENT_SECRET not in shown


async def test_L10_without_a_client_id_there_is_no_github(outbound: Outbound) -> None:
    with pytest.raises(ValueError, match="no client id"):
        GitHub(client_id="", client_secret=SecretStr("s"), outbound=outbound)
