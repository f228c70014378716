"""The template of the route that a request matched: bounded text that is fit for logs, labels and limits."""

from starlette.types import Scope

UNMATCHED = "(unmatched)"


def route_template(scope: Scope) -> str:
    """``/workspaces/{wid}`` and never the raw path; `UNMATCHED` before routing or when no route fits.

    Files below a mount have no template of their own and share ``<mount>/*``.
    """
    # A route inside an included router knows its path without the prefix of the inclusion; FastAPI keeps the
    # whole one beside it.
    included = scope.get("fastapi", {}).get("effective_route_context")
    for route in (included, scope.get("route")):
        path = getattr(route, "path", None)
        if isinstance(path, str) and path:
            return path
    mount = str(scope.get("root_path", ""))[len(str(scope.get("app_root_path", ""))) :]
    # The mount point is raw text when its path has variables, so it is shown only without.
    if "app_root_path" in scope and mount and set(scope.get("path_params", ())) <= {"path"}:
        return f"{mount}/*"
    return UNMATCHED


def is_below_any(path: str, prefixes: tuple[str, ...]) -> bool:
    """:func:`is_below` for one of several."""
    # Most paths are below none, and that takes one look.
    return path.startswith(prefixes) and any(is_below(path, prefix) for prefix in prefixes)


def is_below(path: str, prefix: str) -> bool:
    """Whether ``path`` is ``prefix`` or below it, by whole segments: ``/authx`` is not below ``/auth``."""
    return path == prefix or path.startswith(prefix + "/")
