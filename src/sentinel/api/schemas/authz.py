"""Authz mode (``http-api.md`` §3)."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sentinel.api.schemas.auth import WorkspaceChoiceOut
from sentinel.api.schemas.text import Text
from sentinel.tokens.claims import MAX_TOKEN_LENGTH


class ResolveIn(BaseModel):
    idp_token: Annotated[Text, Field(min_length=1, max_length=MAX_TOKEN_LENGTH)]
    provider: Annotated[Text, Field(max_length=255)]
    workspace_id: UUID | None = None
    nonce: Annotated[Text, Field(max_length=512)] | None = None


class PersonOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str


class ResolvedWorkspace(BaseModel):
    id: UUID
    slug: str
    role: str


class ResolveOut(BaseModel):
    """Discovery fills ``workspaces``, minting ``workspace``, ``authz_token`` and ``expires_in``."""

    user: PersonOut
    workspaces: list[WorkspaceChoiceOut] | None = None
    workspace: ResolvedWorkspace | None = None
    authz_token: str | None = None
    expires_in: int | None = None
