"""Health and keys (``http-api.md`` §1)."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from sentinel.api.state import CurrentState
from sentinel.core.errors import Unavailable
from sentinel.migrations import status

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> dict[str, str]:
    """H1: the process answers. Says nothing of what it depends on."""
    return {"status": "ok"}


@router.get("/health/ready")
async def ready(state: CurrentState) -> Response:
    """H2: the database is reachable and migrated."""
    try:
        found = await status(state.database)
    except Unavailable:
        return JSONResponse({"status": "unavailable"}, 503, {"Retry-After": "5"})
    if not found.serves:
        return JSONResponse({"status": "unavailable"}, 503, {"Retry-After": "5"})
    return JSONResponse({"status": "ok"})


@router.get("/.well-known/jwks.json")
async def jwks(state: CurrentState, response: Response) -> dict[str, list[dict[str, Any]]]:
    """H3: the public keys, the current one first (K-7)."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return state.keyring.jwks()
