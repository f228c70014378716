"""A browser's way to Sentinel through the application's own origin, for the few requests it may make.

The service key is added to ``/authz/resolve`` only, and no header of the caller's reaches that one. The other routes
carry the caller's tokens and no key.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
from fastapi import APIRouter, HTTPException, Request, Response

from sentinel_auth.connection import Connection

__all__ = ["create_proxy_router"]

PASSED = ("User-Agent", "X-Forwarded-For")
TOKENS = ("Authorization", "X-Authz-Token")


def create_proxy_router(
    base_url: str,
    service_key: str,
    timeout: float = 10.0,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    connection: Connection | None = None,
) -> APIRouter:
    """Routes for ``/authz/resolve``, ``/users/me`` and the directory of a workspace.

    Ids must be UUIDs (422). Sentinel's status, body and content type pass unchanged; 502 when it cannot be reached.
    ``connection`` is a line without a key, in place of one of the router's own.
    """
    upstream = connection or Connection(base_url, timeout=timeout, transport=transport)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        await upstream.close()

    router = APIRouter(lifespan=lifespan)

    async def forward(
        request: Request, path: str, headers: dict[str, str], content: bytes | None
    ) -> Response:
        query = request.url.query
        url = upstream.base_url + path + (f"?{query}" if query else "")
        passed = {name: value for name in PASSED if (value := request.headers.get(name)) is not None}
        try:
            answer = await upstream.http.request(
                request.method, url, headers=passed | headers, content=content
            )
        except httpx.TransportError:
            raise HTTPException(502, "Sentinel is unreachable") from None
        kind = answer.headers.get("content-type")
        return Response(answer.content, answer.status_code, headers={"content-type": kind} if kind else None)

    async def look(request: Request, path: str) -> Response:
        tokens = {name: value for name in TOKENS if (value := request.headers.get(name)) is not None}
        return await forward(request, path, tokens, None)

    @router.post("/authz/resolve")
    async def resolve(request: Request) -> Response:
        headers = {"X-Service-Key": service_key, "Content-Type": "application/json"}
        return await forward(request, "/authz/resolve", headers, await request.body())

    @router.get("/users/me")
    async def me(request: Request) -> Response:
        return await look(request, "/users/me")

    @router.get("/workspaces/{workspace_id}/members")
    async def members(request: Request, workspace_id: UUID) -> Response:
        return await look(request, f"/workspaces/{workspace_id}/members")

    @router.get("/workspaces/{workspace_id}/groups")
    async def groups(request: Request, workspace_id: UUID) -> Response:
        return await look(request, f"/workspaces/{workspace_id}/groups")

    @router.get("/workspaces/{workspace_id}/groups/{group_id}/members")
    async def group_members(request: Request, workspace_id: UUID, group_id: UUID) -> Response:
        return await look(request, f"/workspaces/{workspace_id}/groups/{group_id}/members")

    return router
