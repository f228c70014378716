"""Roles and actions (``http-api.md`` §7)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sentinel.api.schemas.text import Description, ScopeName

ACTION_PATTERN = r"^[a-z][a-z0-9_.:-]*$"
MAX_ACTIONS = 500

ActionName = Annotated[str, Field(max_length=255, pattern=ACTION_PATTERN)]


class ActionIn(BaseModel):
    action: ActionName
    description: Description | None = None


class RegisterActionsIn(BaseModel):
    service_name: ScopeName
    actions: Annotated[list[ActionIn], Field(max_length=MAX_ACTIONS)]


class ActionOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    service_name: str
    action: str
    description: str | None
    created_at: datetime


class CheckActionIn(BaseModel):
    service_name: ScopeName
    action: ActionName
    workspace_id: UUID


class CheckActionOut(BaseModel):
    allowed: bool
    roles: list[str]


class UserActionsIn(BaseModel):
    service_name: ScopeName
    workspace_id: UUID


class UserActionsOut(BaseModel):
    actions: list[str]
