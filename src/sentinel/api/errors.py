"""The one table from what went wrong to the HTTP answer (``http-api.md`` §0.2)."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.exceptions import HTTPException

from sentinel.api.pages import browser_error, is_browser_page, is_panel_page, wants_html
from sentinel.api.rate_limit import RateLimited, rate_limited_handler
from sentinel.core.database import is_outage
from sentinel.core.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    UpstreamFailed,
)

STATUS: tuple[tuple[type[DomainError], int], ...] = (
    (Unprocessable, 422),
    (Invalid, 400),
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooLarge, 413),
    (LimitReached, 429),
    (UpstreamFailed, 502),
    (Unavailable, 503),
)
TITLES = {
    400: "This sign-in cannot go on",
    403: "You cannot sign in here",
    404: "There is nothing here",
    409: "This address is already in use",
    422: "The application asked in a way we do not understand",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Service temporarily unavailable",
}


PANEL_TITLES = TITLES | {
    400: "That cannot be done",
    403: "You may not do this",
    409: "That collides with something that exists",
    422: "Something in the form is not right",
}


def _title(request: Request, status: int, otherwise: int = 500) -> str:
    titles = PANEL_TITLES if is_panel_page(request) else TITLES
    return titles.get(status, titles[otherwise])


def status_of(error: DomainError) -> int:
    """The HTTP status of a domain error; 500 for one that the table does not know."""
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def add_handlers(app: FastAPI) -> None:
    """Let ``app`` answer errors by this table."""
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(RateLimited, _rate_limited)
    app.add_exception_handler(DBAPIError, _database_error)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    status = status_of(error)
    if isinstance(error, Unprocessable):
        if is_panel_page(request) and wants_html(request):
            return browser_error(422, _title(request, 422), f"{error.field}: {error.detail}", request=request)
        return _unprocessable([{"loc": ["body", error.field], "msg": error.detail, "type": "value_error"}])
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Unavailable | LimitReached):
        headers["Retry-After"] = str(error.retry_after)
    detail = "Service temporarily unavailable" if status == 503 else error.detail
    if status == 500:
        detail = "Internal server error"
    if is_browser_page(request) and wants_html(request):
        return browser_error(status, _title(request, status), detail, headers, request=request)
    return JSONResponse({"detail": detail}, status, headers)


async def _http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown paths, wrong methods, unreadable bodies."""
    assert isinstance(error, HTTPException)
    if is_browser_page(request) and wants_html(request):
        title = _title(request, error.status_code, 400)
        return browser_error(error.status_code, title, "Check the address.", error.headers, request=request)
    return await http_exception_handler(request, error)


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Only where, what and which kind: the refused value itself may be a secret, and may not even be encodable.
    problems = [
        {
            "loc": [_printable(part) for part in problem["loc"]],
            "msg": _printable(problem["msg"]),
            "type": problem["type"],
        }
        for problem in error.errors()
    ]
    if is_browser_page(request) and wants_html(request):
        where = ", ".join(str(problem["loc"][-1]) for problem in problems if problem["loc"])
        return browser_error(422, _title(request, 422), f"Missing or malformed: {where}", request=request)
    return _unprocessable(problems)


async def _rate_limited(request: Request, error: Exception) -> Response:
    answer = await rate_limited_handler(request, error)
    if is_browser_page(request) and wants_html(request):
        headers = {"Retry-After": answer.headers["Retry-After"]}
        return browser_error(
            429, _title(request, 429), "Please wait a moment and try again.", headers, request=request
        )
    return answer


async def _database_error(request: Request, error: Exception) -> Response:
    if is_outage(error):
        return await _domain_error(request, Unavailable())
    if isinstance(error, IntegrityError):
        # Two requests met in one row and no use case had a better word for it (admin.md §2: never a 500).
        return await _domain_error(
            request, Conflict("The request collides with a concurrent change; read again and retry")
        )
    raise error


def _unprocessable(problems: list[dict[str, Any]]) -> Response:
    return JSONResponse({"detail": problems}, 422)


def _printable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
