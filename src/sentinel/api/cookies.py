"""The cookie of logins in progress, as HTTP sees it (RO-9)."""

from fastapi import Request, Response

from sentinel.api.state import State
from sentinel.login.state import COOKIE_NAME, LIFETIME_SECONDS


def login_cookie(request: Request) -> str | None:
    """The cookie's value as the browser sent it; nothing about it is checked yet."""
    return request.cookies.get(COOKIE_NAME)


def set_login_cookie(answer: Response, state: State, value: str | None) -> None:
    """Give the browser the cookie's new value, or take it away when ``value`` is None."""
    secure = state.settings.cookie_secure
    if value is None:
        answer.delete_cookie(COOKIE_NAME, path="/", secure=secure, httponly=True, samesite="lax")
    else:
        answer.set_cookie(
            COOKIE_NAME,
            value,
            max_age=LIFETIME_SECONDS,
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",
        )
