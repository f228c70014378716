"""Forms that are shown again, with all that was typed and the reason beside the field, when they are refused."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Form as FormField
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.admin.view import View
from sentinel.api.errors import status_of
from sentinel.core.errors import DomainError, NotFound, Unavailable, Unprocessable

Typed = Annotated[str, FormField(max_length=20_000)]
"""A text field of a form; what it may hold is judged by the schema that the JSON API uses too."""

Lines = Annotated[str, FormField(max_length=120_000)]
"""A text field with one value on each line; room for the longest list of addresses."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass
class Form:
    """What was typed into the fields of a form. ``problems`` says what is wrong, by field; ``""`` is the whole form.

    ``hints`` are our own words for a field that its schema refuses; ``collides`` is the field that a conflict is
    about.
    """

    values: Mapping[str, Any]
    hints: Mapping[str, str] = field(default_factory=dict)
    collides: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    status: int = 200

    async def submit(
        self, view: View, schema: type[M], work: Callable[[AsyncSession, M], Awaitable[T]]
    ) -> T | None:
        """Judge the values by ``schema`` and run ``work`` in one transaction; None when either refuses.

        Raises :class:`NotFound` and :class:`Unavailable`, for which a form has no field.
        """
        try:
            wish = schema.model_validate(dict(self.values))
        except ValidationError as error:
            self.status = 422
            for problem in error.errors(include_url=False, include_input=False):
                name = str(problem["loc"][0]) if problem["loc"] else ""
                self.problems[name] = self.hints.get(name, problem["msg"])
            return None
        try:
            return await view.do(lambda session: work(session, wish))
        except (NotFound, Unavailable):
            raise
        except DomainError as refusal:
            self.status = status_of(refusal)
            name = refusal.field if isinstance(refusal, Unprocessable) else self.collides
            self.problems[name] = refusal.detail
            return None


def lines_of(text: str) -> list[str]:
    """The values of a field of lines: trimmed, empty ones left out."""
    return [line for line in map(str.strip, text.splitlines()) if line]
