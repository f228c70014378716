"""The start page of the development mode: a small sample application in front of the real endpoints.

The page signs in through proxy mode with PKCE like any single-page application. What needs the service key is
asked by the application's backend, ``POST /dev/app/check``: the key never reaches the browser.
"""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sentinel.devmode.pages import origin_of, page, static_file
from sentinel.devmode.provider import Person

CHECK_SECONDS = 10.0
_BEARER = re.compile(r"Bearer [A-Za-z0-9._~+/-]{1,8192}=*", re.IGNORECASE)


@dataclass(frozen=True)
class SampleDocument:
    """A document of the sample service to ask about. ``note`` says what it is good for trying."""

    id: str
    title: str
    owner_name: str
    workspace_name: str
    visibility: str
    note: str = ""


@dataclass(frozen=True)
class DevContext:
    """What the start page knows: the sample login app, the sample service and its data.

    ``base_url`` is ``BASE_URL``; ``provider`` the development provider's name in ``/auth/login/{provider}``;
    ``client_id`` the id of the login app, on which ``redirect_uri`` is registered.
    """

    base_url: str
    provider: str
    client_id: str
    redirect_uri: str
    service_name: str
    service_key: str = field(repr=False)
    people: Sequence[Person]
    documents: Sequence[SampleDocument]
    resource_type: str = "document"


class Question(BaseModel):
    """May the person of the token do ``action`` to this resource of the sample service?"""

    resource_type: Annotated[str, Field(max_length=255)]
    resource_id: Annotated[str, Field(max_length=255)]
    action: Annotated[str, Field(max_length=255)]


def router(dev: DevContext, http: httpx.AsyncClient | None = None) -> APIRouter:
    """The start page at ``/``, its files, and the sample application's callback and backend.

    ``http``: the client of the backend, closed by whoever made it. Without one the router makes its own at
    the first question and closes it at the end of the application's lifespan, which including it joins.
    """
    own: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def close_own_client(_: Any) -> AsyncIterator[None]:
        yield
        while own:
            await own.pop().aclose()

    def client() -> httpx.AsyncClient:
        if http is not None:
            return http
        if not own:
            # A proxy named in the environment has no business between this process and itself.
            own.append(httpx.AsyncClient(timeout=CHECK_SECONDS, trust_env=False))
        return own[0]

    routes = APIRouter(include_in_schema=False, lifespan=close_own_client)
    home = origin_of(dev.base_url)

    def same_origin(request: Request) -> None:
        """Only our own page may ask: a browser names the asking site in ``Origin`` and ``Sec-Fetch-Site``."""
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        ours = origin == home if origin is not None else site == "same-origin"
        if not ours or site not in (None, "same-origin"):
            raise HTTPException(403, "Only the start page itself may ask here")

    @routes.get("/")
    @routes.get("/dev/app/callback")
    async def start() -> Response:
        return page("start.html", dev=dev)

    @routes.get("/dev/static/{name}")
    async def static(name: str) -> Response:
        response = static_file(name)
        if response is None:
            raise HTTPException(404, "Not Found")
        return response

    @routes.post("/dev/app/check", dependencies=[Depends(same_origin)])
    async def check(request: Request, question: Question) -> Response:
        token = request.headers.get("authorization", "")
        if not _BEARER.fullmatch(token):
            raise HTTPException(401, "Sign in first: the question needs an access token")
        try:
            answer = await client().post(
                f"{dev.base_url.rstrip('/')}/permissions/check",
                headers={"X-Service-Key": dev.service_key, "Authorization": token},
                json={"checks": [{"service_name": dev.service_name, **question.model_dump()}]},
            )
            body = answer.json()
        except (httpx.HTTPError, ValueError):
            raise HTTPException(502, "The permission service gave no usable answer") from None
        headers = {name: answer.headers[name] for name in ("Retry-After",) if name in answer.headers}
        return JSONResponse(body, answer.status_code, {**headers, "Cache-Control": "no-store"})

    return routes
