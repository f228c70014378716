"""Choosing several at once out of many: a search box, check boxes, and one button (``admin.md`` §2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Form, Query
from fastapi.responses import Response

from sentinel.admin.view import View
from sentinel.admin.words import plural
from sentinel.api.schemas.text import Text
from sentinel.workspaces.batch import MAX_BATCH, Batch

Search = Annotated[Text, Query(max_length=255)]
Chosen = Annotated[list[UUID], Query(max_length=MAX_BATCH)]
"""Boxes that were ticked before the text changed; they stay on the page."""
Picked = Annotated[list[UUID], Form()]
TOLD = 5
"""So many refusals are told one by one."""


@dataclass(frozen=True, slots=True)
class Picker:
    """The words and addresses of one dialog. ``field`` names the check boxes, ``target`` is where they are sent."""

    about: str
    placeholder: str
    field: str
    target: str
    back: str
    button: str
    taken: str
    nothing: str
    roles: tuple[tuple[str, str], ...] = ()


def picked(view: View, batch: Batch, one: str, done: str, *, back: str, again: str) -> Response:
    """Go on after a batch: ``back`` when everybody was added, ``again`` to the dialog when not, with a note of who
    was and the reason for each of the others. ``one`` is what was added ("person"), ``done`` what happened to it.
    """
    many = "people" if one == "person" else None
    if not batch.added and not batch.failures:
        return view.go(again, "Choose at least one first.", kind="bad")
    told = [f"{plural(len(batch.added), one, many)} {done}."] if batch.added else []
    if not batch.failures:
        return view.go(back, told[0])
    told.append("Not added: " + _reasons([(each.label, each.reason) for each in batch.failures]))
    return view.go(again, " ".join(told), kind="bad")


def _reasons(failures: Sequence[tuple[str, str]]) -> str:
    shown = "; ".join(f"{label} ({reason[0].lower()}{reason[1:]})" for label, reason in failures[:TOLD])
    more = len(failures) - TOLD
    return f"{shown}; and {more} more." if more > 0 else f"{shown}."
