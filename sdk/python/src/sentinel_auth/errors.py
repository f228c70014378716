"""What can go wrong between an application and Sentinel.

A request that was never answered raises the transport's own error (``httpx.TransportError``); every answer that is
no success raises :class:`SentinelError`.
"""

import copy
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx


class SentinelError(Exception):
    """Sentinel answered, and the answer is no success; or the application asked for something it cannot have.

    ``status_code`` is the HTTP status, None when there was no answer to judge. ``detail`` is what the answer says:
    a text, or a list of faults with status 422. ``retry_after`` is the time to wait in seconds, where the answer
    names one. ``request_id`` finds the request in Sentinel's log.
    """

    def __init__(
        self,
        message: str,
        status_code: int | None = None,
        *,
        detail: Any = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.detail = detail
        self.retry_after = retry_after
        self.request_id = request_id


def error_of(response: httpx.Response) -> SentinelError:
    """The error that an unsuccessful answer stands for."""
    try:
        body = response.json()
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    said = f": {detail}" if isinstance(detail, str) else ""
    return SentinelError(
        f"Sentinel answered {response.status_code}{said}",
        response.status_code,
        detail=detail,
        retry_after=retry_after_of(response),
        request_id=request_id_of(response),
    )


def request_id_of(response: httpx.Response) -> str | None:
    """The id under which Sentinel has logged the request."""
    found: str | None = response.headers.get("x-request-id")
    return found


def retry_after_of(response: httpx.Response) -> float | None:
    """``Retry-After`` in seconds (RFC 9110 §10.2.3: a number, or a date); None when absent or unreadable."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def copy_of(error: BaseException) -> BaseException:
    """An error of one's own: an exception that several callers share would collect the tracebacks of all."""
    try:
        return copy.copy(error)
    except Exception:  # an exception class with a constructor of its own making
        return error
