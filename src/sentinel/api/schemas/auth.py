"""Proxy-mode login (``http-api.md`` §2)."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sentinel.api.schemas.text import Text

CodeVerifier = Annotated[Text, Field(min_length=43, max_length=128)]
Code = Annotated[Text, Field(max_length=512)]


class ProviderNames(BaseModel):
    providers: list[str]


class CodeProof(BaseModel):
    code: Code
    code_verifier: CodeVerifier


class CodeExchange(CodeProof):
    workspace_id: UUID


class RefreshRequest(BaseModel):
    refresh_token: Annotated[Text, Field(max_length=4096)]


class TokenAnswer(BaseModel):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - RFC 6749 §7.1, the kind of token
    expires_in: int


class WorkspaceChoiceOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str
    role: str


class Done(BaseModel):
    ok: bool = True
