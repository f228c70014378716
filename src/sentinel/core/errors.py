"""What can go wrong, in the words of the domains. ``api/errors.py`` holds the one table that turns it into HTTP."""


class DomainError(Exception):
    """A refusal that the caller may read.

    ``detail`` is shown to the caller; ``reason`` is the snake_case code for logs and audit rows; with ``commit``
    what the use case wrote before it refused is kept (a consumed code stays consumed), otherwise it is undone.
    """

    default_reason = "refused"

    def __init__(self, detail: str, *, reason: str | None = None, commit: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason or self.default_reason
        self.commit = commit


class Invalid(DomainError):
    """The request makes no sense in the present state of things."""

    default_reason = "invalid"


class Unauthenticated(DomainError):
    """No credential, or one that is not accepted."""

    default_reason = "unauthenticated"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    default_reason = "forbidden"


class NotFound(DomainError):
    """The thing does not exist, or not for this caller."""

    default_reason = "not_found"


class Conflict(DomainError):
    """The wish collides with something that exists."""

    default_reason = "conflict"


class Unprocessable(DomainError):
    """One field of the input is malformed; ``field`` names it."""

    default_reason = "unprocessable"

    def __init__(self, detail: str, *, field: str, reason: str | None = None) -> None:
        super().__init__(detail, reason=reason)
        self.field = field


class TooLarge(DomainError):
    """What was sent is larger than what is taken."""

    default_reason = "too_large"


class LimitReached(DomainError):
    """A quota of the installation is used up; the same request may work in ``retry_after`` seconds."""

    default_reason = "limit_reached"

    def __init__(self, detail: str, *, retry_after: int, reason: str | None = None) -> None:
        super().__init__(detail, reason=reason)
        self.retry_after = retry_after


class UpstreamFailed(DomainError):
    """A system that we asked gave an answer we cannot use."""

    default_reason = "upstream_failed"


class Unavailable(DomainError):
    """Something we depend on is out of reach; the same request may work in ``retry_after`` seconds."""

    default_reason = "unavailable"

    def __init__(
        self,
        detail: str = "Service temporarily unavailable",
        *,
        retry_after: int = 5,
        reason: str | None = None,
        commit: bool = False,
    ) -> None:
        super().__init__(detail, reason=reason, commit=commit)
        self.retry_after = retry_after
