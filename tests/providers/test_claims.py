"""Whose address counts: EV-1 and EV-4 over a real token of a generic issuer; and what is kept of a person."""

from typing import Any

import pytest

from sentinel.providers import IdentityRefused, Provider

from .issuer import Issuer

pytestmark = pytest.mark.anyio


async def refusal(provider: Provider, token: str) -> str:
    with pytest.raises(IdentityRefused) as caught:
        await provider.identify(token)
    return caught.value.reason


@pytest.mark.parametrize(
    "verified",
    ["true", "True", "1", "yes", 1, 1.0, 2, 0, False, None, [], [True], {}, {"value": True}, "", ...],
)
async def test_EV_1_email_verified_must_be_boolean_true(
    corp: Provider, issuer: Issuer, verified: object
) -> None:
    assert await refusal(corp, issuer.token(email_verified=verified)) == "email_not_verified"


@pytest.mark.parametrize("claims", [{"tid": "tenant-1"}, {"tid": "tenant-1", "xms_edov": True}])
async def test_EV_3_generic_issuer_gains_nothing_by_claims_of_entra(
    corp: Provider, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert await refusal(corp, issuer.token(email_verified=..., **claims)) == "email_not_verified"


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "  Ada@Example.COM\t"}, "ada@example.com"),
        ({"email": "ÄDA@example.com"}, "äda@example.com"),
        ({"email": ..., "preferred_username": "Ada@Example.com"}, "ada@example.com"),
        ({"email": None, "preferred_username": "ada@example.com", "upn": "x@y"}, "ada@example.com"),
        ({"email": " ", "preferred_username": "ada", "upn": "ada@example.com"}, "ada@example.com"),
        ({"email": ..., "preferred_username": "a@b@c", "upn": "ada@example.com"}, "ada@example.com"),
        ({"email": ..., "preferred_username": 1, "upn": "ada@example.com"}, "ada@example.com"),
    ],
)
async def test_EV_4_email_claim(corp: Provider, issuer: Issuer, claims: dict[str, Any], email: str) -> None:
    assert (await corp.identify(issuer.token(**claims))).email == email


@pytest.mark.parametrize(
    "claims",
    [
        {"email": ...},
        {"email": ..., "preferred_username": "ada", "upn": "ada"},
        {"email": ..., "preferred_username": "a@b@c", "upn": "@@"},
        {"email": ..., "preferred_username": ["a@b"], "upn": {"a@b": 1}},
        {"email": "ada"},
        {"email": "@"},
        {"email": "ada@"},
        {"email": "@example.com"},
        {"email": "a@b@c"},
        {"email": 1},
        {"email": ["ada@example.com"]},
        {"email": {"ada@example.com": True}},
        {"email": False},
        {"email": "a" * 320 + "@b.c"},
        {"email": "ada@exa\x00mple.com"},
        {"email": "ada@example.com\x00"},
        {"email": "ada\n@example.com"},
        {"email": "ada lovelace@example.com"},
        {"email": "ada@example.com eve"},
        {"email": "a\N{ZERO WIDTH SPACE}da@example.com"},
        {"email": "a\N{RIGHT-TO-LEFT OVERRIDE}da@example.com"},
        {"email": "\ud800@example.com"},
        # What email_verified speaks of is there and unusable: no other claim takes its place.
        {"email": "ada", "preferred_username": "eve@example.com"},
    ],
)
async def test_EV_4_no_email_claim(corp: Provider, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await refusal(corp, issuer.token(**claims)) == "no_email_claim"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        (" <b>Ada</b> ", "<b>Ada</b>"),
        ("", "ada"),
        ("  ", "ada"),
        (..., "ada"),
        (None, "ada"),
        (1, "ada"),
        (["Ada"], "ada"),
        ("A\x00d\x1ba\ud800", "Ada"),
        ("\x00", "ada"),
        ("x" * 300, "x" * 255),
        ("名前", "名前"),
    ],
)
async def test_ID_2_name(corp: Provider, issuer: Issuer, name: object, kept: str) -> None:
    assert (await corp.identify(issuer.token(name=name))).name == kept


@pytest.mark.parametrize(
    "picture",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:image/png;base64,AA",
        "//cdn.example.com/a.png",
        "/a.png",
        "https://",
        "http:a.png",
        "https://cdn.example.com/a b.png",
        "https://cdn.example.com/\n.png",
        "https://[cdn/",
        "https://cdn.example.com/" + "a" * 2048,
        "",
        None,
        1,
        {"data": {"url": "https://cdn.example.com/a.png"}},
        ...,
    ],
)
async def test_ID_2_avatar_that_is_no_web_address(corp: Provider, issuer: Issuer, picture: object) -> None:
    assert (await corp.identify(issuer.token(picture=picture))).avatar_url is None


@pytest.mark.parametrize("picture", ["http://cdn.example.com/a.png?s=1", "https://cdn.example.com/a.png"])
async def test_ID_2_avatar(corp: Provider, issuer: Issuer, picture: str) -> None:
    assert (await corp.identify(issuer.token(picture=picture))).avatar_url == picture


async def test_ID_2_profile_is_an_allow_list_of_short_texts(corp: Provider, issuer: Issuer) -> None:
    claims: dict[str, Any] = {
        "given_name": "Ada\x00",
        "family_name": "L" * 256,
        "preferred_username": "ada",
        "locale": ["en"],
        "hd": "example.com",
        "tid": "tenant",
        "access_token": "secret",
        "phone_number": "1",
        "groups": ["admins"],
    }
    identity = await corp.identify(issuer.token(**claims))
    assert identity.profile == {"given_name": "Ada", "preferred_username": "ada"}
