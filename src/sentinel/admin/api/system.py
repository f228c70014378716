"""The state and the configuration of the installation over JSON (``admin.md`` §3)."""

from typing import Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from sentinel.admin import settings_sheet
from sentinel.admin.condition import Status, examine
from sentinel.admin.session import Admin
from sentinel.admin.settings_sheet import SettingsSheet
from sentinel.api.rate_limit import limit_default
from sentinel.api.security import Session
from sentinel.api.state import CurrentState

router = APIRouter(prefix="/admin/api", tags=["admin: system"], dependencies=[Depends(limit_default)])


class ServerCheck(BaseModel):
    """``error`` is the kind of error, never its text."""

    model_config = ConfigDict(from_attributes=True)

    status: Status
    latency_ms: float | None
    error: str | None


class ServerChecks(BaseModel):
    database: ServerCheck
    redis: ServerCheck


class ChecklistWarning(BaseModel):
    """One finding of the production checklist, with its remedy."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    reason: str
    verdict: Literal["refuse", "warn"]
    seen: str
    why: str
    remedy: str


class Health(BaseModel):
    status: Literal["healthy", "degraded"]
    checks: ServerChecks
    uptime_seconds: int
    version: str
    warnings: list[ChecklistWarning]


@router.get("/system/health")
async def health(state: CurrentState, _: Admin) -> Health:
    """Database and Redis with their latency, and every finding of the checklist."""
    found = await examine(state)
    return Health(
        status=found.status,
        checks=ServerChecks(
            database=ServerCheck.model_validate(found.database), redis=ServerCheck.model_validate(found.redis)
        ),
        uptime_seconds=found.uptime_seconds,
        version=found.version,
        warnings=[ChecklistWarning.model_validate(finding) for finding in found.findings],
    )


@router.get("/system/settings")
async def settings(state: CurrentState, session: Session, admin: Admin) -> SettingsSheet:
    """The configuration without its secrets; that it was read is an activity."""
    # A GET only reads. The note of it is a transaction of its own, and one connection at a time is enough.
    await session.close()
    async with state.database.transaction() as writing:
        return await settings_sheet.show(writing, state, actor_id=admin.user_id)
