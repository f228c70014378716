"""Explanations of decisions."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class ViaOut(BaseModel):
    type: Literal["user", "group"]
    id: UUID
    name: str | None = None


class ExplanationOut(BaseModel):
    """``step`` is one of the seven steps of ``authorization.md`` §4; ``via`` the share that decided, if one did."""

    allowed: bool
    step: int
    reason: str
    via: ViaOut | None


class SubjectOut(BaseModel):
    user_id: UUID
    name: str
    email: str
    step: int
    reason: str


class SubjectsOut(BaseModel):
    subjects: list[SubjectOut]
    next_cursor: str | None
