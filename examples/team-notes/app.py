"""Team notes: people of a workspace write notes, keep them to themselves, and share them with colleagues."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from store import Note, Session, create_tables, engine

from sentinel_auth import RequestAuth, Sentinel, SentinelError
from sentinel_auth.sqlalchemy import accessible_where

STATIC = Path(__file__).parent / "static"
PROXY_MODE = os.environ.get("SENTINEL_MODE", "proxy") == "proxy"

sentinel = Sentinel(
    base_url=os.environ["SENTINEL_URL"],
    service_name="team-notes",
    service_key=os.environ["SENTINEL_KEY"],
    mode="proxy" if PROXY_MODE else "authz",
    actions=[{"action": "notes:export", "description": "Download the notes of the workspace"}],
    # Authz mode: whose identity tokens count, and for which application they must have been made.
    idp_jwks_url=os.environ.get("IDP_JWKS_URL"),
    idp_issuer=os.environ.get("IDP_ISSUER"),
    idp_audience=os.environ.get("CLIENT_ID"),
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    await create_tables()
    async with sentinel.lifespan(app):
        yield
    await engine.dispose()


app = FastAPI(title="Team notes", lifespan=lifespan)
sentinel.protect(app, exclude_paths=["/", "/config", "/static", "/sentinel", "/health"])
Caller = Annotated[RequestAuth, Depends(sentinel.get_auth)]


class Draft(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=20_000)


class NewNote(Draft):
    visibility: Literal["private", "workspace"] = "private"


class Share(BaseModel):
    permission: Literal["view", "edit"] = "view"


class Visibility(BaseModel):
    visibility: Literal["private", "workspace"]


# --- notes ---------------------------------------------------------------------------------------------------------


@app.get("/notes")
async def list_notes(auth: Caller) -> list[dict[str, Any]]:
    visible = await accessible_where(auth, "note", "view", id=Note.id, workspace=Note.workspace_id)
    async with Session() as db:
        notes = (await db.scalars(select(Note).where(visible).order_by(Note.title))).all()
    # However many notes: questions of one moment travel in one request.
    return await asyncio.gather(*(shown(note, auth) for note in notes))


@app.post("/notes", status_code=201)
async def create_note(new: NewNote, auth: Caller) -> dict[str, Any]:
    note = Note(
        workspace_id=auth.workspace_id,
        author_id=auth.user_id,
        author=auth.name,
        title=new.title,
        text=new.text,
    )
    async with Session() as db:
        db.add(note)
        await db.flush()
        # Before the commit: a note that Sentinel does not know of is never seen by anybody.
        await auth.register_resource("note", note.id, visibility=new.visibility)
        await db.commit()
    return await shown(note, auth)


@app.put("/notes/{id}")
async def change_note(id: UUID, draft: Draft, auth: Caller) -> dict[str, Any]:
    async with Session() as db:
        note = await find(db, id, auth, "edit")
        note.title, note.text = draft.title, draft.text
        await db.commit()
    return await shown(note, auth)


@app.delete("/notes/{id}", status_code=204)
async def delete_note(id: UUID, auth: Caller) -> None:
    async with Session() as db:
        note = await find(db, id, auth, "edit")
        if not may_manage(note, auth):
            raise HTTPException(403, "Only its author and admins delete a note")
        await db.delete(note)
        await db.flush()
        await sentinel.permissions.deregister_resource("note", id)
        await db.commit()


# --- who sees them -------------------------------------------------------------------------------------------------


@app.get("/notes/{id}/access")
async def access(id: UUID, auth: Caller) -> dict[str, Any]:
    async with Session() as db:
        note = await find(db, id, auth, "view")
    if not may_manage(note, auth):
        raise HTTPException(403, "Only its author and admins see who a note is shared with")
    acl = await auth.get_enriched_resource_acl("note", id)
    return {"visibility": acl["visibility"], "shares": acl["shares"]}


@app.put("/notes/{id}/visibility", status_code=204)
async def set_visibility(id: UUID, wanted: Visibility, auth: Caller) -> None:
    await auth.update_visibility("note", id, wanted.visibility)  # Sentinel refuses whoever may not


@app.put("/notes/{id}/shares/{user_id}", status_code=204)
async def share(id: UUID, user_id: UUID, wanted: Share, auth: Caller) -> None:
    await auth.share("note", id, "user", user_id, wanted.permission)


@app.delete("/notes/{id}/shares/{user_id}", status_code=204)
async def unshare(id: UUID, user_id: UUID, auth: Caller) -> None:
    await auth.unshare("note", id, "user", user_id)


@app.get("/colleagues")
async def colleagues(auth: Caller) -> list[dict[str, Any]]:
    return await auth.list_members()


# --- the person, and what his roles allow --------------------------------------------------------------------------


@app.get("/me")
async def me(auth: Caller) -> dict[str, Any]:
    return {
        "id": auth.user_id,
        "name": auth.name,
        "workspace": auth.user.workspace_slug,
        "role": auth.workspace_role,
        "may_export": await auth.check_action("notes:export"),
    }


@app.get("/export", dependencies=[Depends(sentinel.require_action("notes:export"))])
async def export(auth: Caller) -> list[dict[str, Any]]:
    return await list_notes(auth)


async def find(db: AsyncSession, id: UUID, auth: RequestAuth, action: str) -> Note:
    """The note, if the caller may ``view`` or ``edit`` it; for anybody else it does not exist."""
    note = await db.get(Note, id)
    if note is None or not await auth.can("note", id, action):
        raise HTTPException(404, f"There is no such note, or you may not {action} it")
    return note


def may_manage(note: Note, auth: RequestAuth) -> bool:
    return note.author_id == auth.user_id or auth.is_admin


async def shown(note: Note, auth: RequestAuth) -> dict[str, Any]:
    return {
        "id": note.id,
        "title": note.title,
        "text": note.text,
        "author": note.author,
        "may_edit": await auth.can("note", note.id, "edit"),
        "may_manage": may_manage(note, auth),
    }


@app.exception_handler(SentinelError)
async def refused(_: Request, error: SentinelError) -> JSONResponse:
    return JSONResponse({"detail": error.detail or str(error)}, error.status_code or 502)


@app.exception_handler(httpx.TransportError)
async def unreachable(_: Request, __: httpx.TransportError) -> JSONResponse:
    return JSONResponse({"detail": "Sentinel cannot be reached"}, 503)


# --- the page ------------------------------------------------------------------------------------------------------

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    f"connect-src 'self' {sentinel.base_url}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@app.get("/")
async def page() -> FileResponse:
    headers = {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return FileResponse(STATIC / "index.html", headers=headers)


@app.get("/config")
async def config() -> dict[str, Any]:
    """What the page must know to sign people in. Nothing of it is secret."""
    return {
        "mode": sentinel.mode,
        "sentinel": sentinel.base_url,
        "provider": os.environ["SENTINEL_PROVIDER"],
        "client_id": os.environ["CLIENT_ID"],
        "authorize_url": os.environ.get("IDP_AUTHORIZE_URL"),
    }


app.mount("/static", StaticFiles(directory=STATIC), name="static")
if not PROXY_MODE:
    # The page exchanges identity tokens through here; the service key is added on the way.
    app.include_router(sentinel.proxy_router(), prefix="/sentinel")
