"""The pages of the HTTP API, from the OpenAPI document and from the dependencies of the routes."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from sentinel.app import ROOMS, panel

PUBLIC_HEAD = """# HTTP API

Bodies are JSON, ids are UUIDs, times are ISO 8601 in UTC. An error is `{"detail": "…"}`; a body or parameter that
does not fit is 422 with a list of what is wrong. Every answer has an `X-Request-ID`. While the development server runs,
the same is at `/docs` to try out.

Who may call stands beside each request:

| Credential | Header |
|---|---|
| access token | `Authorization: Bearer …`, from proxy mode |
| authz token | `Authorization: Bearer …` beside the service key, or `X-Authz-Token: …` from a browser |
| service key | `X-Service-Key: …`; never in a browser |

A service key opens what stands under its own scope: its service name, or the slug of the realm it belongs to.

| Refusal | Means |
|---|---|
| 400 | the request is understood and cannot be done: the detail says why |
| 401 | the credential is missing, forged, expired or revoked |
| 403 | the credential is good, and not for this: another scope, another workspace, a role that is too low |
| 404 | there is no such thing, or not for you |
| 409 | something else stands in the way: a name that is taken, the last owner |
| 413 | the body is larger than 10 MiB, a CSV file than 5 MiB |
| 422 | a part of the request does not fit |
| 429 | too many requests; `Retry-After` says when to come again |
| 503 | the database does not answer; `Retry-After` says when to come again |
"""
ADMIN_HEAD = """# Admin API

Everything that the [panel](../panel.md) does, over HTTP. The credential is the cookie of an administrator's session
([how to get one](../guides/panel-api.md)); a request that changes something needs the header `X-Requested-With` too.
The rest is as in the [HTTP API](http.md).
"""
NEEDS: Mapping[str, str] = {
    "user_caller": "an access token",
    "flex_caller": "an access token; or a service key and an access or authz token; or `X-Authz-Token`",
    "service_caller": "a service key",
    "identify_service": "a service key",
    "service_and_user": "a service key and an access or authz token",
    "service_and_maybe_user": "a service key; an access or authz token, if given, must be entitled",
    "admin_caller": "an administrator's session",
}
"""What stands behind the function of a dependency; the first that a route has counts."""
AT_ONE_STATEMENT = "a service key and an access or authz token"
ORIGIN = "a service key; or the `Origin` of a registered front end, for discovery"
BY_PATH = {
    "/authz/resolve": ORIGIN,
    "/auth/admin/me": NEEDS["admin_caller"],
    "/auth/admin/logout": NEEDS["admin_caller"],
}
HOT = ("/permissions/check", "/permissions/accessible", "/permissions/explain", "/roles/check-action")
REDIRECTING = ("/login", "/callback", "/{provider}")
FORM = "Body_"
PLAIN_ERRORS = ("422",)
TITLES = {
    "health": "Health and keys",
    "authz": "Authz mode",
    "users": "The caller",
    "groups": "Groups",
    "workspaces": "Workspaces",
    "auth": "Proxy mode",
    "admin session": "Signing in to the panel",
    "permissions": "Permissions",
    "roles": "Roles and actions",
    "realm": "Realms",
    "organizations": "Organizations",
}
ORDER = (
    "auth",
    "authz",
    "permissions",
    "roles",
    "users",
    "workspaces",
    "groups",
    "organizations",
    "realm",
    "health",
)


@cache
def _api() -> FastAPI:
    api = FastAPI(title="Sentinel Auth")
    for router in (*ROOMS["all"], *panel()):
        api.router.routes.extend(router.routes)
    return api


@cache
def _document() -> dict[str, Any]:
    return _api().openapi()


def public_page() -> str:
    """What applications call."""
    return PUBLIC_HEAD + _page(lambda tag: not tag.startswith("admin"))


def admin_page() -> str:
    """What the panel calls."""
    return ADMIN_HEAD + _page(lambda tag: tag.startswith("admin"))


def _page(wanted: Callable[[str], bool]) -> str:
    sections: dict[str, list[str]] = {}
    shapes: set[str] = set()
    for route in _api().routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in sorted(route.methods or ()):
            operation = _document()["paths"][route.path_format][method.lower()]
            tag = operation["tags"][0]
            if wanted(tag):
                sections.setdefault(tag, []).append(_operation(route, method, operation))
                shapes |= set(_named(operation))
    order = [*(tag for tag in ORDER if tag in sections), *(tag for tag in sections if tag not in ORDER)]
    parts = [f"\n## {_title(tag)}\n{''.join(sections[tag])}" for tag in order]
    text = "".join(parts) + _shapes(shapes)
    headings = [heading.lower() for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    assert len(headings) == len(set(headings)), "two headings would share an anchor"
    return text


def _title(tag: str) -> str:
    return TITLES.get(tag) or tag.removeprefix("admin: ").capitalize()


def _operation(route: APIRoute, method: str, operation: Mapping[str, Any]) -> str:
    lines = [f"\n### {method} {route.path_format}\n", _prose(operation.get("description", "")) + "\n"]
    lines.append(f"Needs: {_needs(route)}.\n")
    if operation.get("parameters"):
        lines.append("| Parameter | Type | Meaning |\n|---|---|---|")
        lines.extend(map(_parameter, operation["parameters"]))
        lines.append("")
    body = next(iter(operation.get("requestBody", {}).get("content", {}).values()), None)
    if body:
        lines.append(f"Body: {_type(body['schema'])}\n")
    redirect = method == "GET" and route.path_format.rpartition("/")[0].endswith(REDIRECTING)
    lines.append(f"Answer: {', '.join(_answers(operation, redirect=redirect))}\n")
    return "\n".join(lines)


def _prose(text: str) -> str:
    text = re.sub(r"\A[A-Z]{1,3}\d*[a-z]?: ", "", text.strip())  # numbers of an internal list
    text = re.sub(r":[a-z]+:`~?\.?([^`]+)`", r"`\1`", text).replace("``", "`")
    text = re.sub(r"\s*\((?:[A-Z]{1,3}-?\d+(?:, )?)+\)", "", text)
    return text[:1].upper() + text[1:]


def _needs(route: APIRoute) -> str:
    if route.path_format in BY_PATH:
        return BY_PATH[route.path_format]
    if route.path_format.startswith(HOT) or route.path_format == "/roles/user-actions":
        return AT_ONE_STATEMENT  # looked at in the statement that answers, so by no dependency
    names = set(_dependencies(route.dependant))
    return next((text for name, text in NEEDS.items() if name in names), "nothing")


def _dependencies(dependant: Any) -> Iterator[str]:
    for part in dependant.dependencies:
        yield getattr(part.call, "__name__", "")
        yield from _dependencies(part)


def _parameter(parameter: Mapping[str, Any]) -> str:
    name = f"`{parameter['name']}`" + ("" if parameter.get("required") else " (optional)")
    place = {"path": "in the path", "header": "header"}.get(parameter["in"], "")
    meaning = _cell(parameter.get("description") or parameter["schema"].get("description") or place)
    return f"| {name} | {_type(parameter['schema'])} | {meaning} |"


def _answers(operation: Mapping[str, Any], *, redirect: bool) -> Iterator[str]:
    for status, answer in operation["responses"].items():
        if status in PLAIN_ERRORS:
            continue
        content: Mapping[str, Any] = answer.get("content", {})
        schema = next((kind.get("schema") for kind in content.values()), None)
        if redirect:
            yield "`302`"
            continue
        yield f"`{status}`" + (f" {_type(schema)}" if schema else "")


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words; names link to their shapes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name.startswith(FORM):
            fields = _document()["components"]["schemas"][name]["properties"]
            return "a form with " + ", ".join(f"`{field}` ({_type(kind)})" for field, kind in fields.items())
        return f"[{_short(name)}](#{_anchor(name)})"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            parts = [part for part in schema[union] if part.get("type") != "null"]
            null = " or null" if len(parts) < len(schema[union]) else ""
            return " or ".join(_type(part) for part in parts) + null
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema.get('items', {}))}" + _bounds(schema, "Items", "entries")
        case "string":
            if "contentMediaType" in schema:
                return "file"
            kind = {"uuid": "UUID", "date-time": "time", "date": "day", "binary": "file"}
            return kind.get(schema.get("format", ""), "text") + _bounds(schema, "Length", "characters")
        case "integer" | "number":
            low, high = schema.get("minimum"), schema.get("maximum")
            return "number" + (f", {low} to {high}" if low is not None and high is not None else "")
        case "boolean":
            return "true or false"
        case "object":
            return "object"
        case _:
            return "anything"


def _bounds(schema: Mapping[str, Any], what: str, unit: str) -> str:
    high = schema.get(f"max{what}")
    return f", at most {high} {unit}" if high else ""


def _named(value: Any) -> Iterator[str]:
    """Every shape that is named in ``value``, and in those shapes in turn."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            if key == "$ref":
                name = part.rpartition("/")[2]
                yield name
                yield from _named(_document()["components"]["schemas"][name])
            else:
                yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)


def _shapes(names: set[str]) -> str:
    parts = ["\n## Shapes\n"]
    for name in sorted(
        names - {"HTTPValidationError", "ValidationError"}, key=lambda name: (_short(name), name)
    ):
        schema = _document()["components"]["schemas"][name]
        parts.append(f"\n### {_short(name)}\n")
        if "properties" not in schema:
            parts.append(f"\n{_type(schema)}\n")
            continue
        needed = schema.get("required", [])
        parts.append("\n| Field | Type | |\n|---|---|---|\n")
        for field, kind in schema["properties"].items():
            notes = [] if field in needed else ["optional" if kind.get("default") is None else _default(kind)]
            if kind.get("description"):
                notes.append(_cell(kind["description"]))
            parts.append(f"| `{field}` | {_type(kind)} | {'; '.join(notes)} |\n")
    return "".join(parts)


def _default(kind: Mapping[str, Any]) -> str:
    value = kind["default"]
    return f"default `{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return _prose(" ".join(text.split())).replace("|", r"\|")


@cache
def _short(name: str) -> str:
    """FastAPI puts the module before a name that two modules have; here its last part stands behind it."""
    module, _, short = name.rpartition("__")
    return f"{short} ({module.rpartition('__')[2]})" if module else short


def _anchor(name: str) -> str:
    """The anchor of a shape's heading, as forges and the site make it."""
    return re.sub(r"[^a-z0-9]+", "-", _short(name).lower()).strip("-")
