"""One JSON object a line on stdout, redacted on the way out: ``configuration.md`` §4.

Our own events and the lines of the libraries' standard loggers take the same way. Nothing here raises into
its caller (§4.6), except :class:`UnknownEvent` while ``STRICT`` is set, which only tests do.
"""

import json
import logging
import math
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

import structlog
from pydantic_core import to_json
from structlog.typing import EventDict, FilteringBoundLogger

from sentinel.core import metrics
from sentinel.core.clock import Clock

Outcome = Literal["success", "failure", "denied", "error", "anomaly"]
Level = Literal["debug", "info", "warning", "error", "critical"]

VOCABULARY: Mapping[str, frozenset[str]] = {
    "access": frozenset({"http.access"}),
    "security": frozenset(
        {
            "auth.login.succeeded",
            "auth.login.failed",
            "auth.login.rejected",
            "auth.token.issued",
            "auth.token.refreshed",
            "auth.token.refresh_rejected",
            "auth.token.rejected",
            "auth.token.reuse_detected",
            "auth.token.family_revoked",
            "auth.token.revoked",
            "auth.guard.rejected",
            "auth.idp.exchange_failed",
            "auth.signal.*",
            "authz.token.issued",
            "authz.token.denied",
            "authz.idp.validation_failed",
            "authz.idp.email_conflict",
            "authz.idp.redirect_rejected",
            "authz.idp.callback_rejected",
            "permission.check.denied",
            "realm.m2m.minted",
            "realm.m2m.denied",
            "realm.whoami.orphan_realm",
            "ratelimit.exceeded",
            "audit.write_failed",
            "invitation.*",
            "workspace.self_serve.*",
        }
    ),
    "audit": frozenset(
        {
            "audit.activity",
            "permission.resource.registered",
            "permission.resource.shared",
            "permission.resource.share_revoked",
            "permission.resource.visibility_updated",
            "permission.resource.deregistered",
        }
    ),
    "app": frozenset(
        {
            "app.startup",
            "app.shutdown",
            "app.db.migrated",
            "app.cors.refreshed",
            "app.config.insecure",
            "app.error.unhandled",
            "app.log",
            "signal.evaluate_failed",
        }
    ),
}
"""The closed vocabulary by category; ``.*`` stands for one last word. ``app.log`` is a library's own line."""

STRICT = False
"""Whether an event that is not in the vocabulary, or under another category, raises. Only tests set it."""

REDACTED = "[redacted]"
MAX_TEXT = 16_384
"""Longest string that is logged, in characters; the rest is cut off, which also bounds the search below."""
MAX_DEPTH = 8
_ID_LETTERS = "0123456789abcdef-"
MAX_BITS = 1024
MAX_REMEMBERED = 64
"""Longest string, in characters, that is remembered as one with nothing to redact."""

_CONTEXT = ("request_id", "actor", "workspace_id", "caller_service", "source_ip")

# Libraries whose lines below WARNING hold statements, parameters or whole URLs, or repeat our access line.
_QUIET = ("sqlalchemy", "aiosqlite", "asyncio", "httpx", "httpcore", "uvicorn.access")

_PERSONAL_KEYS = frozenset({"name", "full_name"})
_SECRET_KEYS = frozenset(
    {
        "api_key",
        "authorization",
        "code",
        "code_verifier",
        "cookie",
        "cookies",
        "credentials",
        "dsn",
        "jwt",
        "nonce",
        "passwd",
        "password",
        "private_key",
        "proxy_authorization",
        "secret",
        "secret_key",
        "service_key",
        "set_cookie",
        "state",
        "token",
        "x_api_key",
        "x_service_key",
    }
)
_SECRET_SUFFIXES = ("_token", "_secret", "_password", "_secret_key", "_private_key", "_cookie")

_SECRET_VALUES = (
    # A JWT, also one that was cut short: everything that begins with the base64 of '{"'.
    (re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]*)*"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9])sk_[\w-]{8,}|sk_[\w-]{40,}"), REDACTED),
    (re.compile(r"\b(bearer)\s+(?!\[redacted)[^\s\"',;]+", re.I), rf"\1 {REDACTED}"),
    # A private key in PEM form, also one that was cut short.
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
        REDACTED,
    ),
    # The credentials of a URL: scheme://user:password@host.
    (re.compile(r"(://)[^/\s\"']+@"), rf"\1{REDACTED}@"),
    # What SQLAlchemy appends to a failed statement.
    (re.compile(r"\[parameters: .*?(?:\](?=\n)|\Z)", re.S), f"[parameters: {REDACTED}]"),
    # Headers, to the end of their line.
    (
        re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie)\b([\"']?\s*[:=]).+", re.I),
        rf"\1\2 {REDACTED}",
    ),
    # key=value and "key": "value".
    (
        re.compile(
            r"(?<![a-z0-9_-])("
            r"(?:[a-z0-9]+[_-])*(?:token|secret|passw(?:or)?d|jwt|(?:api|service|secret)[_-]key)[\"']?\s*[:=]"
            r"|(?:code|state|nonce|code_verifier)[\"']?\s*="
            r")(\s*[\"']?)(?!\[redacted)[^\s\"'&,;)}\]]+",
            re.I,
        ),
        rf"\1\2{REDACTED}",
    ),
)
_EMAIL = re.compile(
    r"(?:[^\s@\"'`<>(),:;=&?/\\\[\]{}|]{1,64}|\"[^\"\n]{1,64}\")(?:@|%40)(?:[\w-]+(?:\.[\w-]+)*|\[[^\]\s]+\])",
    re.I,
)
# One cheap pass that most strings do not survive, before the precise ones.
_SUSPICIOUS = re.compile(
    r"eyJ|sk_|@|%40|private key|bearer|token|secret|passw|jwt|[_-]key|code|state|nonce|authoriz|cookie|\[parameters",
    re.I,
)


class UnknownEvent(AssertionError):
    """An event that the closed vocabulary does not know, or not under this category."""


@dataclass(frozen=True, slots=True)
class _Output:
    level: int = logging.INFO
    console: bool = False
    redact: bool = True
    version: str | None = None
    env: str = "prod"


_output = _Output()
_clock = Clock()
_processors: list[Any] = []
_NOTHING: Mapping[str, Any] = {}
_bound: ContextVar[Mapping[str, Any]] = ContextVar("sentinel_request", default=_NOTHING)
_LEVELS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}


def configure_logging(
    *,
    level: str = "INFO",
    format: Literal["json", "console"] = "json",
    redact: bool = True,
    version: str | None = None,
    debug: bool = False,
) -> None:
    """Set up the process's logging; may be called again.

    ``redact=False`` lets personal data through (``LOG_PII_REDACTION``), never secrets. The standard loggers
    of libraries are led into the same stream, uvicorn's own handlers are taken off.
    """
    global _output
    number = logging.getLevelNamesMapping()[level.upper()]
    _output = _Output(number, format == "console", redact, version, "dev" if debug else "prod")
    _configure_structlog()
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, _LibraryHandler)]
    root.addHandler(_LibraryHandler())
    root.setLevel(number)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.setLevel(logging.NOTSET)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))


def get_logger() -> FilteringBoundLogger:
    """A logger for what the four functions below do not cover; it follows the present configuration."""
    return cast(FilteringBoundLogger, structlog.get_logger())


def bind_request(*, request_id: str, source_ip: str | None = None) -> None:
    """Put the request's id and client address on every further line of this context."""
    _bound.set({**_bound.get(), "request_id": request_id, "source_ip": source_ip})


def bind_actor(*, actor: object = None, workspace_id: object = None, caller_service: object = None) -> None:
    """Put what is known of the caller (ids, name of the service) on every further line of this context."""
    # Whatever they are, they become text in the line, if there is one.
    known = {"actor": actor, "workspace_id": workspace_id, "caller_service": caller_service}
    _bound.set({**_bound.get(), **{key: value for key, value in known.items() if value is not None}})


def clear_request() -> None:
    """Forget what :func:`bind_request` and :func:`bind_actor` have bound."""
    _bound.set(_NOTHING)


def is_logged(level: Level) -> bool:
    """Whether lines of this level are written at all."""
    return _LEVELS[level] >= _output.level


def security_event(
    event: str, *, outcome: Outcome, reason: str | None = None, level: Level = "info", **fields: Any
) -> None:
    """Log a security event of §4.3."""
    _emit("security", event, outcome, reason, level, fields)


def security_events(
    event: str, count: int, lines: Callable[[], Iterable[dict[str, Any]]], *, outcome: Outcome
) -> None:
    """Log ``count`` security events of one kind at info level. ``lines`` gives the fields of each (``reason`` among
    them); it is not called when lines of that level are not written.
    """
    if is_logged("info"):
        for fields in lines():
            _emit("security", event, outcome, fields.pop("reason", None), "info", fields)
    else:
        _check(event, "security")
        metrics.event_happened(event, outcome, count)


def audit_event(
    event: str = "audit.activity",
    *,
    outcome: Outcome = "success",
    reason: str | None = None,
    level: Level = "info",
    **fields: Any,
) -> None:
    """Log an audit event of §4.4; call it after the commit."""
    _emit("audit", event, outcome, reason, level, fields)


def app_event(
    event: str,
    *,
    outcome: Outcome = "success",
    reason: str | None = None,
    level: Level = "info",
    **fields: Any,
) -> None:
    """Log an app event of §4.5. ``exc_info`` (True or an exception) adds its redacted trace."""
    _emit("app", event, outcome, reason, level, fields)


def access_event(
    event: str = "http.access",
    *,
    outcome: Outcome = "success",
    reason: str | None = None,
    level: Level = "info",
    **fields: Any,
) -> None:
    """Log one answered request."""
    _emit("access", event, outcome, reason, level, fields)


def _emit(
    category: str, event: str, outcome: str, reason: str | None, level: str, fields: dict[str, Any]
) -> None:
    _check(event, category)
    if category != "access":
        metrics.event_happened(event, outcome)
    try:
        number = _LEVELS[level]
        if number < _output.level:
            return
        fields |= {"category": category, "outcome": outcome, "reason": reason}
        if _processors[-1] is _render:
            # What structlog would do in the end, without its way there: a line is written for every request.
            _write(_render(None, level, {**_bound.get(), **fields, "event": event}))
        else:
            get_logger().log(number, event, **fields)
    except Exception:
        # §4.6: whoever reports an event has better things to do than to care for the reporting.
        _write(_fallback(event))


# ── from an event to a line ──


def _configure_structlog() -> None:
    _processors[:] = [merge_context, _render]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(_output.level),
        context_class=dict,
        logger_factory=lambda *_: _Stdout(),
        cache_logger_on_first_use=False,
    )


def merge_context(_logger: object, _method: str, fields: EventDict) -> EventDict:
    """A processor: what is known of the request, where the event itself says nothing else."""
    return {**_bound.get(), **fields}


class _Stdout:
    """The end of the pipeline: every level method writes the finished line."""

    def msg(self, line: str) -> None:
        _write(line)

    log = debug = info = warn = warning = error = exception = critical = fatal = failure = err = msg


def _write(line: str) -> None:
    try:
        try:
            sys.stdout.write(line + "\n")
        except UnicodeError:
            sys.stdout.write(line.encode("ascii", "backslashreplace").decode() + "\n")
        sys.stdout.flush()
    except Exception:  # noqa: S110 - a closed pipe has nobody left to be told
        pass


def _render(_logger: object, method: str, fields: EventDict) -> str:
    """The one processor: check, complete, redact, print. Falls back to a bare line rather than fail."""
    event = str(fields.get("event", ""))
    try:
        level = {"warn": "warning", "exception": "error", "fatal": "critical"}.get(method, method)
        if "category" not in fields:
            fields["category"] = next(_categories(event), "app")
        _check(event, fields["category"])
        return _finish(level, fields)
    except UnknownEvent:
        raise
    except Exception:
        return _fallback(event)


def _check(event: str, category: str) -> None:
    if STRICT and category not in _categories(event):
        raise UnknownEvent(f"{event!r} is not a {category} event; see VOCABULARY in core/logging.py")


def _categories(event: str) -> Iterator[str]:
    pattern = event.rpartition(".")[0] + ".*"
    return (category for category, events in VOCABULARY.items() if event in events or pattern in events)


def _finish(level: str, fields: EventDict) -> str:
    line: dict[str, Any] = {
        "ts": _clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level,
        "event": _clean(fields.pop("event", "")),
        "category": fields.pop("category", "app"),
        "outcome": fields.pop("outcome", None),
        "reason": _clean(fields.pop("reason", None)),
        "service": "sentinel",
        "version": _output.version,
        "env": _output.env,
    }
    for key in _CONTEXT:
        value = fields.pop(key, None)
        line[key] = None if value is None else _clean_text(str(value))
    fields.pop("stack_info", None)
    if trace := _trace(fields.pop("exc_info", None)):
        fields["exception"] = trace
    # Whatever else an event carries comes behind, and cannot stand in for a field above.
    for name, item in fields.items():
        if type(item) is str and _kind(name) == "plain":  # most of them, without the general way
            key, value = name, _clean_text(item)
        else:
            key, value = _clean_item(str(name), item, 1)
        if key not in line:
            line[key] = value
    return _console(line) if _output.console else _encode(line)


def _encode(line: dict[str, Any]) -> str:
    """As JSON in ASCII, so that nothing in it can play with a terminal."""
    try:
        encoded = to_json(line)
    except ValueError:  # a lone surrogate
        encoded = b"\xff"
    plain = encoded.isascii() and b"\x7f" not in encoded
    return encoded.decode("ascii") if plain else json.dumps(line, allow_nan=False)


def _trace(exc_info: object) -> str:
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if error is True:
        error = sys.exc_info()[1]
    if not isinstance(error, BaseException):
        return ""
    text = "".join(traceback.format_exception(error)).rstrip()
    if len(text) > MAX_TEXT:
        # The end of a trace says most; cut between lines, so that no secret is cut beyond recognition.
        text = text[-MAX_TEXT:].partition("\n")[2]
    return text


def _fallback(event: str) -> str:
    try:
        return _finish(
            "error", {"event": event, "category": "app", "outcome": "error", "reason": "log_failed"}
        )
    except Exception:
        return json.dumps({"level": "error", "event": "app.log", "category": "app", "reason": "log_failed"})


def _console(line: dict[str, Any]) -> str:
    """One line for people; values are quoted, so that none can forge a second line. A trace follows below."""
    trace = str(line.pop("exception", "") or "")
    head = [str(line.pop("ts")), f"{str(line.pop('level')).upper():8}", json.dumps(line.pop("event"))[1:-1]]
    rest = [
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in line.items() if value is not None
    ]
    below = ["".join(char for char in row if char.isprintable()) for row in trace.splitlines()]
    return "\n".join([" ".join(head + rest), *below])


class _LibraryHandler(logging.Handler):
    """Leads a standard log record into the pipeline, as event ``app.log`` with the text as ``message``."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            fields: EventDict = {
                "event": "app.log",
                "category": "app",
                "outcome": "error" if record.levelno >= logging.ERROR else None,
                "logger": record.name,
                "message": record.getMessage(),
                "exc_info": record.exc_info,
            }
            _write(_render(None, record.levelname.lower(), merge_context(None, "", fields)))
        except Exception:
            _write(_fallback("app.log"))


# ── redaction (§4.2) ──


def _clean(value: Any, depth: int = 0) -> Any:
    """``value`` as plain JSON data without secrets and, unless switched off, without personal data."""
    if type(value) is str:
        return _clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise ValueError("a number that nobody could read")
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        if depth >= MAX_DEPTH:
            return "[too deep]"
        if isinstance(value, Mapping):
            return dict(_clean_item(str(key), item, depth + 1) for key, item in value.items())
        return [_clean(item, depth + 1) for item in value]
    return _clean_text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _clean_item(key: str, value: Any, depth: int) -> tuple[str, Any]:
    kind = _kind(key)
    if kind == "secret":
        return key, REDACTED
    if kind == "plain":
        return key, _clean(value, depth)
    if kind is not None and _output.redact:
        if kind == "personal":
            return key, REDACTED
        return f"{_plain(key)}_domain", _domain(value)
    return _clean_text(key), _clean(value, depth)


@lru_cache(maxsize=1024)
def _kind(key: str) -> Literal["secret", "personal", "email", "plain"] | None:
    """What a value is by the name that it has; plain when the name itself has nothing to clean, either."""
    plain = _plain(key)
    if plain in _SECRET_KEYS or plain.endswith(_SECRET_SUFFIXES):
        return "secret"
    if plain in _PERSONAL_KEYS:
        return "personal"
    if plain == "email" or plain.endswith("_email"):
        return "email"
    return "plain" if _clean_text(key) == key else None


def _plain(key: str) -> str:
    return key.lower().replace("-", "_")


def _domain(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list | tuple | set | frozenset):
        return [_domain(item) for item in value]
    _, at, domain = str(value).rpartition("@")
    return domain.lower() if at and re.fullmatch(r"[\w.-]{1,255}", domain) else REDACTED


def _clean_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "…"
    # Most lines have several ids that never come again: nothing of the patterns below has these letters only.
    if not text.strip(_ID_LETTERS):
        return text
    if _is_harmless(text) if len(text) <= MAX_REMEMBERED else not _SUSPICIOUS.search(text):
        return text
    for pattern, replacement in _SECRET_VALUES:
        text = pattern.sub(replacement, text)
    return _EMAIL.sub(REDACTED, text) if _output.redact else text


@lru_cache(maxsize=4096)
def _is_harmless(text: str) -> bool:
    # The same routes, ids and words come again and again.
    return not _SUSPICIOUS.search(text)


# Before configure_logging() is called lines are already redacted JSON, never structlog's own default.
_configure_structlog()
