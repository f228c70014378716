"""People write reports here; the texts are kept by another service of the same realm, the archive."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel

from sentinel_auth import RequestAuth, Sentinel, SystemAuth, get_token

sentinel = Sentinel(
    base_url=os.environ["SENTINEL_URL"],
    service_name="reports",
    service_key=os.environ["SENTINEL_KEY"],
    mode="proxy",
)
archive = httpx.AsyncClient(base_url=os.environ["ARCHIVE_URL"])
confirmed: dict[UUID, str] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with sentinel.lifespan(app), archive:
        yield


app = FastAPI(title="Reports", lifespan=lifespan)
sentinel.protect(app, exclude_paths=["/health", "/internal"])
Caller = Annotated[RequestAuth, Depends(sentinel.get_auth)]
Token = Annotated[str, Depends(get_token)]


class Report(BaseModel):
    text: str


@app.post("/reports", status_code=201)
async def write(report: Report, auth: Caller, token: Token) -> UUID:
    """With a user: his token travels on, and the archive decides by what he may do."""
    new = uuid4()
    await auth.register_resource("report", new, visibility="private")
    answer = await archive.put(f"/documents/{new}", json=report.model_dump(), headers=bearer(token))
    answer.raise_for_status()
    return new


@app.get("/reports/{id}")
async def read(id: UUID, token: Token) -> dict[str, Any]:
    answer = await archive.get(f"/documents/{id}", headers=bearer(token))
    if answer.status_code == 404:
        raise HTTPException(404)
    answer.raise_for_status()
    return {"text": answer.json(), "confirmed_by": confirmed.get(id)}


@app.get("/statistics", dependencies=[Depends(sentinel.require_user)])
async def statistics() -> dict[str, Any]:
    """Without a user: the archive is asked in this service's own name, with a token for that alone."""
    token = await sentinel.mint_m2m_token()
    answer = await archive.get("/internal/statistics", headers=bearer(token))
    answer.raise_for_status()
    counted: dict[str, Any] = answer.json()
    return counted


@app.post("/internal/stored/{id}", status_code=204)
async def stored(id: UUID, caller: Annotated[SystemAuth, Depends(sentinel.require_system)]) -> None:
    confirmed[id] = caller.caller


@app.get("/health")
async def health() -> str:
    return "ok"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
