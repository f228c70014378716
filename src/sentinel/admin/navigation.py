"""Where things are in the panel: the side bar's groups and the trail of bread crumbs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the side bar: its label, its path below ``/admin`` and its icon."""

    label: str
    path: str
    icon: str


SIDE_BAR: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Overview",
        (
            Place("Dashboard", "/", "layout-dashboard"),
            Place("Activity", "/activity", "activity"),
            Place("Insights", "/insights", "chart-bar"),
            Place("Usage", "/usage", "calendar-stats"),
        ),
    ),
    (
        "People",
        (Place("Users", "/users", "users"), Place("Organizations", "/organizations", "building")),
    ),
    ("Tenants", (Place("Workspaces", "/workspaces", "folder"),)),
    (
        "Access",
        (Place("Permissions", "/permissions", "shield-lock"), Place("Actions", "/actions", "list-check")),
    ),
    (
        "Applications",
        (
            Place("Login apps", "/client-apps", "login-2"),
            Place("Services", "/service-apps", "server-2"),
            Place("Realms", "/realms", "world"),
        ),
    ),
    ("System", (Place("System", "/system", "heartbeat"), Place("Settings", "/settings", "settings"))),
)
"""The six groups, in their order."""


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the trail; the last one has no path."""

    label: str
    path: str | None = None


def is_here(place: Place, path: str) -> bool:
    """Whether the page at ``path`` (below ``/admin``) belongs to ``place``."""
    if place.path == "/":
        return path in ("", "/")
    return path == place.path or path.startswith(f"{place.path}/")
