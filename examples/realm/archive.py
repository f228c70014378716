"""Keeps documents for the services of its realm, and tells their owner's service when one is stored."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel

from sentinel_auth import RequestAuth, Sentinel, SystemAuth

sentinel = Sentinel(
    base_url=os.environ["SENTINEL_URL"],
    service_name="archive",
    service_key=os.environ["SENTINEL_KEY"],
    mode="proxy",
)
reports = httpx.AsyncClient(base_url=os.environ["REPORTS_URL"])
documents: dict[UUID, str] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with sentinel.lifespan(app), reports:
        yield


app = FastAPI(title="Archive", lifespan=lifespan)
sentinel.protect(app, exclude_paths=["/health", "/internal"])
Caller = Annotated[RequestAuth, Depends(sentinel.get_auth)]
System = Annotated[SystemAuth, Depends(sentinel.require_system)]


class Document(BaseModel):
    text: str


@app.put("/documents/{id}", status_code=204)
async def store(id: UUID, document: Document, auth: Caller) -> None:
    # The reports service has registered it. Services of one realm share one scope, so it is known here too.
    if not await auth.can("report", id, "edit"):
        raise HTTPException(404)
    documents[id] = document.text
    token = await sentinel.mint_m2m_token()
    answer = await reports.post(f"/internal/stored/{id}", headers={"Authorization": f"Bearer {token}"})
    answer.raise_for_status()


@app.get("/documents/{id}")
async def read(id: UUID, auth: Caller) -> str:
    if id not in documents or not await auth.can("report", id, "view"):
        raise HTTPException(404)
    return documents[id]


@app.get("/internal/statistics")
async def statistics(caller: System) -> dict[str, Any]:
    """For services alone: the token of a person is refused here."""
    return {"documents": len(documents), "asked_by": caller.caller}


@app.get("/health")
async def health() -> str:
    return "ok"
