"""The search box: any person, workspace, application, resource or page by a few letters."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from sentinel.admin.navigation import SIDE_BAR
from sentinel.admin.pages.desk import Page
from sentinel.workspaces import finder

router = APIRouter(prefix="/admin", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Found:
    """A line of the result: where it leads, and what it says."""

    path: str
    label: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind under their heading."""

    label: str
    icon: str
    hits: list[Found]


KINDS: tuple[tuple[finder.Kind, str, str, str], ...] = (
    ("user", "People", "user", "/users"),
    ("workspace", "Workspaces", "folder", "/workspaces"),
    ("organization", "Organizations", "building", "/organizations"),
    ("login_app", "Login apps", "login-2", "/client-apps"),
    ("service_app", "Services", "server-2", "/service-apps"),
    ("realm", "Realms", "world", "/realms"),
    ("resource", "Resources", "shield-lock", "/permissions"),
)


@router.get("/search")
async def search(view: Page, q: str = "") -> Response:
    """The results: a page of its own, or the list alone for the box that asks while somebody types."""
    text = q.strip()
    async with view.reading() as session:
        hits = await finder.find(session, text)
    found = [Group("Pages", "arrow-narrow-right", _pages(text))]
    for kind, label, icon, path in KINDS:
        here = [Found(f"{path}/{hit.id}", hit.label, hit.about) for hit in hits if hit.kind == kind]
        found.append(Group(label, icon, here))
    partial = view.request.headers.get("hx-target") == "palette-results"
    return view.page("hits.html" if partial else "search.html", title="Search", q=text, found=found)


def _pages(text: str) -> list[Found]:
    if len(text) < finder.SHORTEST:
        return []
    return [
        Found(place.path, place.label, group)
        for group, places in SIDE_BAR
        for place in places
        if text.lower() in place.label.lower()
    ]
