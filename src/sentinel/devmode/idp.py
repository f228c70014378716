"""The endpoints and pages of the development OpenID Provider: real protocol, sample people, no passwords.

``provider.py`` decides; here requests are read, one error table is spoken, and people are shown as buttons.
"""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from sentinel.devmode.pages import LOOPBACK_APPS, origin_of, page
from sentinel.devmode.provider import (
    AuthorizationRequest,
    Client,
    DevIdp,
    Fields,
    OAuthError,
    PageError,
    Person,
    first,
)

__all__ = ["Client", "DevIdp", "Person", "router"]

BODY_BYTES = 64 * 1024
TICKET_COOKIE = "dev_ticket"
_FIELD_COUNT = 100
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def router(idp: DevIdp, sign_in_url: str = "/") -> APIRouter:
    """The provider's endpoints, to be included under the path of its issuer.

    ``sign_in_url`` is where signing in to the panel begins.
    """
    routes = APIRouter(include_in_schema=False)

    @routes.get("/.well-known/openid-configuration")
    async def discovery() -> Response:
        return JSONResponse(idp.metadata())

    @routes.get("/jwks.json")
    async def jwks() -> Response:
        return JSONResponse(idp.jwks())

    @routes.api_route("/authorize", methods=["GET", "POST"])
    async def authorize(request: Request) -> Response:
        try:
            fields = await _form(request) if request.method == "POST" else _query(request)
            destination = idp.destination(fields)
        except PageError as error:
            return page("idp_error.html", status=400, message=str(error))
        # The two answers of the chooser. On a GET they mean nothing: signing someone in takes a POST.
        people, cancel = fields.pop("sub", []), fields.pop("cancel", [])
        try:
            wanted = idp.authorization_request(destination, fields)
            if cancel and request.method == "POST":
                raise OAuthError("access_denied", "the person cancelled the sign-in")
        except OAuthError as error:
            answer = {"error": error.error, "error_description": error.description}
            return RedirectResponse(destination.url(idp.issuer, answer), 303, _NO_STORE)
        if request.method == "GET" and (known := idp.redeem_ticket(request.cookies.get(TICKET_COOKIE, ""))):
            answer_now = RedirectResponse(idp.approve(wanted, known), 303, _NO_STORE)
            answer_now.delete_cookie(TICKET_COOKIE, path=urlsplit(idp.issuer).path)
            return answer_now
        if not people or request.method == "GET":
            return _chooser(idp, wanted, fields)
        person = idp.people.get(people[0]) if len(people) == 1 else None
        if person is None:
            return page("idp_error.html", status=400, message="There is no such person to sign in as.")
        return RedirectResponse(idp.approve(wanted, person), 303, _NO_STORE)

    @routes.get("/panel/{ticket}")
    async def panel(ticket: str) -> Response:
        """The link of the terminal: on to the panel's sign-in, which this browser passes as the ticket's person."""
        answer = RedirectResponse(sign_in_url, 303, _NO_STORE)
        answer.set_cookie(
            TICKET_COOKIE, ticket, max_age=60, path=urlsplit(idp.issuer).path, httponly=True, samesite="lax"
        )
        return answer

    @routes.post("/token")
    async def token(request: Request) -> Response:
        try:
            fields = await _form(request)
            return JSONResponse(_token(idp, request.headers.get("authorization"), fields), headers=_NO_STORE)
        except PageError as error:
            return _json_error(OAuthError("invalid_request", str(error)))
        except OAuthError as error:
            return _json_error(error)

    @routes.api_route("/userinfo", methods=["GET", "POST"])
    async def userinfo(request: Request) -> Response:
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        try:
            return JSONResponse(
                idp.userinfo(credential if scheme.lower() == "bearer" else ""), headers=_NO_STORE
            )
        except OAuthError as error:
            return _json_error(error)

    return routes


def _token(idp: DevIdp, authorization: str | None, fields: Fields) -> dict[str, Any]:
    """The token endpoint (RFC 6749 §4.1.3, client authentication §2.3.1)."""
    if any(len(values) > 1 for values in fields.values()):
        raise OAuthError("invalid_request", "a parameter was sent more than once")
    client_id, secret = first(fields, "client_id"), first(fields, "client_secret")
    if authorization is not None:
        basic_id, basic_secret = _basic(authorization)
        if secret or client_id not in ("", basic_id):
            raise OAuthError("invalid_request", "the client must authenticate in one way only")
        client_id, secret = basic_id, basic_secret
    client = idp.authenticate(client_id, secret)
    grant_type = first(fields, "grant_type")
    if not grant_type:
        raise OAuthError("invalid_request", "grant_type is missing")
    if grant_type != "authorization_code":
        raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code")
    code = first(fields, "code")
    if not code:
        raise OAuthError("invalid_request", "code is missing")
    verifier = first(fields, "code_verifier") or None
    return idp.redeem(client, code, first(fields, "redirect_uri"), verifier)


def _chooser(idp: DevIdp, wanted: AuthorizationRequest, fields: Fields) -> Response:
    """The page that asks who is signing in; the person of ``login_hint`` stands first."""
    hint = first(fields, "login_hint").lower()
    people = sorted(
        idp.people.values(), key=lambda person: hint not in (person.email.lower(), person.sub.lower())
    )
    return page(
        "idp_authorize.html",
        form_action=(origin_of(wanted.destination.redirect_uri), *LOOPBACK_APPS),
        action=f"{urlsplit(idp.issuer).path}/authorize",
        client_id=wanted.destination.client.client_id,
        return_to=origin_of(wanted.destination.redirect_uri),
        fields=[(name, value) for name, values in fields.items() for value in values],
        people=people,
    )


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of an HTTP Basic header, each form-decoded (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, separator, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        separator = ""
    if scheme.lower() != "basic" or not separator:
        raise OAuthError("invalid_client", "the Authorization header is not well-formed Basic", status=401)
    return unquote_plus(client_id), unquote_plus(secret)


def _json_error(error: OAuthError) -> Response:
    """The error answer of the token and userinfo endpoints (RFC 6749 §5.2, RFC 6750 §3)."""
    headers = dict(_NO_STORE)
    if error.status == 401:
        scheme = "Bearer" if error.error == "invalid_token" else "Basic"
        headers["WWW-Authenticate"] = f'{scheme} realm="development provider", error="{error.error}"'
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, error.status, headers)


def _query(request: Request) -> dict[str, list[str]]:
    return _fields(request.scope["query_string"])


async def _form(request: Request) -> dict[str, list[str]]:
    """The fields of a form-encoded body. Raises PageError when it is none, or too long."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise PageError("The request body must be application/x-www-form-urlencoded.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise PageError(f"The request body must not be longer than {BODY_BYTES} bytes.")
    return _fields(bytes(body))


def _fields(encoded: bytes) -> dict[str, list[str]]:
    """Every field with all its values; empty ones count as not sent (RFC 6749 §3.1)."""
    fields: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(encoded.decode("ascii"), errors="strict", max_num_fields=_FIELD_COUNT)
    except ValueError:  # not ASCII, not UTF-8 once decoded, or too many fields
        raise PageError("The request's parameters cannot be read.") from None
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields
