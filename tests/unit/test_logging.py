"""``configuration.md`` §4: the form of a line, the vocabulary, redaction, and that logging never breaks."""

import asyncio
import contextvars
import io
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import structlog
from pydantic import SecretStr

from sentinel.core import logging as log

FIELDS = [
    "ts",
    "level",
    "event",
    "category",
    "outcome",
    "reason",
    "service",
    "version",
    "env",
    "request_id",
    "actor",
    "workspace_id",
    "caller_service",
    "source_ip",
]
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl-_x"
SERVICE_KEY = "sk_" + "aB3-_" * 8 + "xyz"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def fresh_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test starts with the production form, and leaves no handler, level or context behind."""
    root = logging.getLogger()
    names = [None, "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", *log._QUIET]
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    output = log._output
    monkeypatch.setattr(log, "STRICT", False)
    log.clear_request()
    log.configure_logging(version="1.2.3")
    yield
    log.clear_request()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, log._LibraryHandler)]
    for logger, level in before:
        logger.setLevel(level)
    log._output = output
    log._configure_structlog()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was written to stdout since the last call; every line must be one JSON object."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# ── form (§4.1) ──


def test_a_line_is_one_json_object_with_every_field(lines: Lines) -> None:
    log.bind_request(request_id="req-1", source_ip="203.0.113.7")
    log.bind_actor(actor=UUID(int=1), workspace_id=UUID(int=2), caller_service="docs")
    log.security_event(
        "auth.login.failed", outcome="failure", reason="bad_state", level="warning", provider="x"
    )
    (line,) = lines()
    assert list(line) == [*FIELDS, "provider"]
    assert datetime.fromisoformat(line.pop("ts")).utcoffset() == UTC.utcoffset(None)
    assert line == {
        "level": "warning",
        "event": "auth.login.failed",
        "category": "security",
        "outcome": "failure",
        "reason": "bad_state",
        "service": "sentinel",
        "version": "1.2.3",
        "env": "prod",
        "request_id": "req-1",
        "actor": "00000000-0000-0000-0000-000000000001",
        "workspace_id": "00000000-0000-0000-0000-000000000002",
        "caller_service": "docs",
        "source_ip": "203.0.113.7",
        "provider": "x",
    }


def test_what_is_unknown_is_null(lines: Lines) -> None:
    log.app_event("app.startup")
    (line,) = lines()
    assert list(line) == FIELDS
    assert [key for key in FIELDS if line[key] is None] == [
        "reason",
        "request_id",
        "actor",
        "workspace_id",
        "caller_service",
        "source_ip",
    ]


@pytest.mark.parametrize(("debug", "env"), [(True, "dev"), (False, "prod")])
def test_env_follows_debug(debug: bool, env: str, lines: Lines) -> None:
    log.configure_logging(debug=debug)
    log.app_event("app.startup")
    assert lines()[0]["env"] == env


@pytest.mark.parametrize(
    ("emit", "event", "category", "outcome"),
    [
        (lambda: log.access_event(status=200), "http.access", "access", "success"),
        (lambda: log.audit_event(action="user_login"), "audit.activity", "audit", "success"),
        (lambda: log.app_event("app.shutdown"), "app.shutdown", "app", "success"),
        (
            lambda: log.security_event("authz.token.denied", outcome="denied"),
            "authz.token.denied",
            "security",
            "denied",
        ),
        (lambda: log.get_logger().info("realm.m2m.minted"), "realm.m2m.minted", "security", None),
        (lambda: log.get_logger().info("whatever"), "whatever", "app", None),
    ],
)
def test_each_function_sets_its_category(
    emit: Callable[[], None], event: str, category: str, outcome: str | None, lines: Lines
) -> None:
    emit()
    (line,) = lines()
    assert (line["event"], line["category"], line["outcome"]) == (event, category, outcome)


def test_fields_cannot_stand_in_for_our_own(lines: Lines) -> None:
    log.app_event("app.startup", ts="x", service="x", version="x", env="x", category="x")
    (line,) = lines()
    assert (line["service"], line["version"], line["env"], line["category"]) == (
        "sentinel",
        "1.2.3",
        "prod",
        "app",
    )
    assert line["ts"] != "x"


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
def test_the_level_is_a_threshold(level: str, lines: Lines) -> None:
    log.configure_logging(level=level)
    for each in ("debug", "info", "warning", "error", "critical"):
        log.app_event("app.log", level=each)
        logging.getLogger("some.library").log(getattr(logging, each.upper()), "text")
    expected = [
        each for each in ("debug", "info", "warning", "error", "critical") if each.upper() in LEVELS[level]
    ]
    assert [line["level"] for line in lines()] == [each for each in expected for _ in range(2)]


LEVELS = {
    level: ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"][index:]
    for index, level in enumerate(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
}


@pytest.mark.parametrize("text", ['a\nb\r\n{"ts":1}', "\x00\x1b[31m", "\ud800", "a\u2028b", "ключ"])
def test_no_value_can_forge_a_second_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    log.app_event("app.startup", value=text)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.isascii()
    assert json.loads(out)["value"] == text


def test_values_of_any_type_become_json(lines: Lines) -> None:
    log.app_event(
        "app.startup",
        uuid=UUID(int=5),
        at=datetime(2026, 1, 2, tzinfo=UTC),
        raw=b"bytes \xff",
        some={"b"},
        infinite=float("inf"),
        nan=float("nan"),
        number=1.5,
        flag=True,
        none=None,
        mapping={1: ("x", [2])},
        error=ValueError("bad"),
        hidden=SecretStr("c4nary"),
    )
    (line,) = lines()
    assert {key: line[key] for key in line if key not in FIELDS} == {
        "uuid": "00000000-0000-0000-0000-000000000005",
        "at": "2026-01-02 00:00:00+00:00",
        "raw": "bytes \ufffd",
        "some": ["b"],
        "infinite": "inf",
        "nan": "nan",
        "number": 1.5,
        "flag": True,
        "none": None,
        "mapping": {"1": ["x", [2]]},
        "error": "bad",
        "hidden": "**********",
    }


def test_console_form_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure_logging(format="console", debug=True)
    log.bind_request(request_id="req-1")
    log.app_event("app.startup", port=9003, email="ann@example.com", token="t", text="a\nb")
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r'\S+Z INFO     app\.startup category="app" .*request_id="req-1" port=9003 '
        r'email_domain="example\.com" token="\[redacted\]" text="a\\nb"',
        line,
    )


def test_console_form_shows_a_trace_below(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure_logging(format="console")
    log.app_event("app.error.unhandled", level="error", exc_info=ValueError(f"bad \x1b[2J {JWT}"))
    first, *below = capsys.readouterr().out.splitlines()
    assert " ERROR    app.error.unhandled " in first
    assert below == ["ValueError: bad [2J [redacted]"]


# ── the request's context ──


def test_context_is_kept_apart_between_tasks_and_forgotten_on_demand(lines: Lines) -> None:
    async def request(number: int) -> None:
        log.bind_request(request_id=f"req-{number}")
        await asyncio.sleep(0)
        log.bind_actor(actor=number)
        await asyncio.sleep(0)
        log.access_event(number=number)

    async def both() -> None:
        await asyncio.gather(request(1), request(2))

    contextvars.copy_context().run(asyncio.run, both())
    log.bind_request(request_id="req-3")
    log.clear_request()
    log.access_event(number=3)
    assert [(line["request_id"], line["actor"], line["number"]) for line in lines()] == [
        ("req-1", "1", 1),
        ("req-2", "2", 2),
        (None, None, 3),
    ]


def test_bind_actor_adds_and_an_event_may_say_otherwise(lines: Lines) -> None:
    log.bind_actor(caller_service="docs")
    log.bind_actor(actor="ann")
    log.access_event()
    log.audit_event(actor="bob", workspace_id=UUID(int=1))
    first, second = lines()
    assert (first["actor"], first["caller_service"]) == ("ann", "docs")
    assert (second["actor"], second["caller_service"]) == ("bob", "docs")


# ── vocabulary (§4.3 to §4.5) ──

KNOWN = [
    ("access", "http.access"),
    *(
        ("security", event)
        for event in (
            "auth.login.succeeded auth.login.failed auth.login.rejected auth.token.issued "
            "auth.token.refreshed auth.token.refresh_rejected auth.token.rejected auth.token.reuse_detected "
            "auth.token.family_revoked auth.token.revoked auth.guard.rejected "
            "auth.idp.exchange_failed auth.signal.login_new_country "
            "auth.signal.credential_stuffing_suspected authz.token.issued authz.token.denied "
            "authz.idp.validation_failed authz.idp.email_conflict authz.idp.redirect_rejected "
            "authz.idp.callback_rejected permission.check.denied realm.m2m.minted realm.m2m.denied "
            "realm.whoami.orphan_realm ratelimit.exceeded audit.write_failed invitation.created "
            "workspace.self_serve.created"
        ).split()
    ),
    *(
        ("audit", event)
        for event in (
            "audit.activity permission.resource.registered permission.resource.shared "
            "permission.resource.share_revoked permission.resource.visibility_updated "
            "permission.resource.deregistered"
        ).split()
    ),
    *(
        ("app", event)
        for event in (
            "app.startup app.shutdown app.db.migrated app.cors.refreshed app.config.insecure "
            "app.error.unhandled signal.evaluate_failed"
        ).split()
    ),
]
EMITTERS: dict[str, Callable[[str], None]] = {
    "access": log.access_event,
    "security": lambda event: log.security_event(event, outcome="success"),
    "audit": log.audit_event,
    "app": log.app_event,
}


@pytest.mark.parametrize(("category", "event"), KNOWN)
def test_every_event_of_the_contract_is_known(
    category: str, event: str, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    monkeypatch.setattr(log, "STRICT", True)
    EMITTERS[category](event)
    log.get_logger().info(event)
    assert [(line["event"], line["category"]) for line in lines()] == [(event, category)] * 2
    for other in EMITTERS.keys() - {category}:
        with pytest.raises(log.UnknownEvent):
            EMITTERS[other](event)


@pytest.mark.parametrize(
    "event",
    ["", "auth", "auth.login", "auth.login.succeeded.twice", "auth.signal", "invitation.a.b", "App.startup"],
)
def test_an_unknown_event_fails_a_test_and_is_logged_in_production(
    event: str, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    for emit in (*EMITTERS.values(), log.get_logger().info):
        emit(event)
    assert [line["event"] for line in lines()] == [event] * 5
    monkeypatch.setattr(log, "STRICT", True)
    log.configure_logging(level="CRITICAL")
    for emit in EMITTERS.values():
        with pytest.raises(AssertionError, match="see VOCABULARY"):
            emit(event)
    with pytest.raises(AssertionError, match="see VOCABULARY"):
        log.get_logger().critical(event)


# ── redaction by key (§4.2) ──

SECRET_KEYS = (
    "password token access_token refresh_token id_token idp_token authz_token admin_token authorization "
    "cookie set_cookie service_key api_key client_secret secret jwt code code_verifier nonce state "
    "x-service-key X-Service-Key Authorization Set-Cookie PASSWORD Client-Secret session_secret_key "
    "private_key new_password csrf_token session_cookie"
).split()


@pytest.mark.parametrize("key", [*SECRET_KEYS, "name", "full_name", "Name", "Full-Name"])
@pytest.mark.parametrize("value", ["c4nary", 12345, None, ["c4nary"], {"inner": "c4nary"}])
def test_L27_keys_of_secrets_and_names_are_redacted(key: str, value: object, lines: Lines) -> None:
    fields: dict[str, Any] = {key: value}
    log.app_event("app.startup", **fields, nested={"list": [{"tuple": (fields,)}]})
    (line,) = lines()
    assert line[key] == "[redacted]"
    assert line["nested"] == {"list": [{"tuple": [{key: "[redacted]"}]}]}


@pytest.mark.parametrize(
    ("key", "renamed"),
    [
        ("email", "email_domain"),
        ("Email", "email_domain"),
        ("actor_email", "actor_email_domain"),
        ("X-Email", "x_email_domain"),
        ("new-email", "new_email_domain"),
    ],
)
@pytest.mark.parametrize(
    ("value", "domain"),
    [
        ("Ann@Example.COM", "example.com"),
        ("a@b@example.com", "example.com"),
        ("no address", "[redacted]"),
        ("", "[redacted]"),
        ("ann@", "[redacted]"),
        ("ann@exa mple.com", "[redacted]"),
        (None, None),
        (["ann@a.example", "bob@b.example"], ["a.example", "b.example"]),
        ({"address": "ann@example.com"}, "[redacted]"),
    ],
)
def test_emails_become_their_domain(
    key: str, renamed: str, value: object, domain: object, lines: Lines
) -> None:
    fields: dict[str, Any] = {key: value}
    log.app_event("app.startup", **fields, nested=[fields])
    (line,) = lines()
    assert line[renamed] == domain
    assert line["nested"] == [{renamed: domain}]
    assert key not in line


@pytest.mark.parametrize(
    "key",
    [
        "status_code",
        "email_verified",
        "emails",
        "token_type",
        "tokens",
        "service_name",
        "filename",
        "names",
        "stateful",
    ],
)
def test_other_keys_are_kept(key: str, lines: Lines) -> None:
    fields: dict[str, Any] = {key: "kept"}
    log.app_event("app.startup", **fields)
    assert lines()[0][key] == "kept"


def test_LOG_PII_REDACTION_off_lets_personal_data_through_but_never_secrets(lines: Lines) -> None:
    log.configure_logging(redact=False)
    log.app_event(
        "app.startup",
        email="ann@example.com",
        name="Ann",
        text=f"ann@example.com {JWT}",
        token="t",
        nested={"code": 1},
    )
    (line,) = lines()
    assert {key: line[key] for key in line if key not in FIELDS} == {
        "email": "ann@example.com",
        "name": "Ann",
        "text": "ann@example.com [redacted]",
        "token": "[redacted]",
        "nested": {"code": "[redacted]"},
    }


# ── redaction by value ──


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (JWT, "[redacted]"),
        (f"got {JWT}, refused", "got [redacted], refused"),
        (f"({JWT})", "([redacted])"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "[redacted]"),
        ("eyJhbGciOiJSU0EifQ.a.b.c.d", "[redacted]"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWI", "[redacted]"),
        (SERVICE_KEY, "[redacted]"),
        (f"key {SERVICE_KEY}!", "key [redacted]!"),
        (f"\\n{SERVICE_KEY}", "\\n[redacted]"),
        ("Bearer abc.def", "Bearer [redacted]"),
        ("bearer   abc", "bearer [redacted]"),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: [redacted]"),
        ("Cookie: a=1; b=2\nHost: x", "Cookie: [redacted]\nHost: x"),
        ("ann@example.com", "[redacted]"),
        ("<ann.lee+x@mail.example.co>", "<[redacted]>"),
        ("mailto:ann@example.com?x=1", "mailto:[redacted]?x=1"),
        ("Key (email)=(ann@example.com) already exists.", "Key (email)=([redacted]) already exists."),
        ("/users?email=ann%40example.com&x=1", "/users?email=[redacted]&x=1"),
        ("анна@пример.рф", "[redacted]"),
        ("ann@localhost", "[redacted]"),
        ('"ann lee"@example.com', "[redacted]"),
        ("postgresql+asyncpg://user:pass@db:5432/n", "postgresql+asyncpg://[redacted]@db:5432/n"),
        ("redis://:p@ss@cache/0", "redis://[redacted]@cache/0"),
        ("https://h/cb?code=c4nary&state=c4nary", "https://h/cb?code=[redacted]&state=[redacted]"),
        ("https://h/#access_token=c4nary", "https://h/#access_token=[redacted]"),
        ('{"refresh_token": "c4nary", "expires_in": 5}', '{"refresh_token": "[redacted]", "expires_in": 5}'),
        ("{'client_secret': 'c4nary'}", "{'client_secret': '[redacted]'}"),
        ("password=c4nary", "password=[redacted]"),
        ("X-Service-Key: c4nary", "X-Service-Key: [redacted]"),
        (
            "[SQL: INSERT]\n[parameters: ('c4nary', 'x]')]\n(Background)",
            "[SQL: INSERT]\n[parameters: [redacted]]\n(Background)",
        ),
    ],
)
def test_L27_secrets_are_found_in_any_string(text: str, expected: str, lines: Lines) -> None:
    log.app_event(
        "app.log", reason=text, text=text, deep=[({"x": {text}},)], raw=text.encode(), error=ValueError(text)
    )
    log.get_logger().info(text)
    logging.getLogger("library").warning("%s", text)
    logging.getLogger("library").warning(text, extra={"unused": text})
    ours, event, *library = lines()
    assert (ours["reason"], ours["text"], ours["raw"], ours["error"]) == (expected,) * 4
    assert ours["deep"] == [[{"x": [expected]}]]
    assert event["event"] == expected
    assert [line["message"] for line in library] == [expected] * 2


def test_L27_secrets_are_found_in_keys_and_in_the_context(lines: Lines) -> None:
    log.bind_request(request_id=JWT, source_ip="ann@example.com")
    log.bind_actor(actor=SERVICE_KEY)
    fields: dict[str, Any] = {"ann@example.com": 1}
    log.access_event(**fields)
    (line,) = lines()
    assert (line["request_id"], line["source_ip"], line["actor"]) == ("[redacted]",) * 3
    assert line["[redacted]"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "auth.token.issued",
        "/permissions/check",
        "the task_name_of_this",
        "risk_level_high",
        "sk_short",
        "token_type",
        "Chrome 130 / Linux",
        "2026-01-02T03:04:05Z",
        "status code 200",
        "a @ b",
        "@property",
        "key.pem",
    ],
)
def test_harmless_text_is_kept(text: str, lines: Lines) -> None:
    log.app_event("app.log", text=text)
    assert lines()[0]["text"] == text


def test_long_and_deep_values_are_cut(lines: Lines) -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    log.app_event("app.log", text="x" * 100_000, endless=endless)
    (line,) = lines()
    assert len(line["text"]) == log.MAX_TEXT + 1
    assert "[too deep]" in json.dumps(line["endless"])


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a@",
        "a_",
        "a-",
        "eyJ",
        "://",
        "[parameters: ",
        "cookie",
        "token ",
        '"a',
        "authorization=",
        "a.",
        "sk_",
    ],
)
def test_L29_no_text_makes_the_search_slow(part: str) -> None:
    text = (part * log.MAX_TEXT)[: log.MAX_TEXT - 2] + "@"
    start = time.process_time()
    log._clean_text(text)
    assert time.process_time() - start < 1


# ── exceptions ──


def failing(secret: str) -> None:
    try:
        raise KeyError(secret)
    except KeyError as error:
        raise RuntimeError(f"failed for ann@example.com with password={secret}") from error


def test_L27_a_trace_is_redacted_like_any_text(lines: Lines) -> None:
    try:
        failing(JWT)
    except RuntimeError as error:
        log.app_event("app.error.unhandled", outcome="error", level="error", exc_info=True)
        log.app_event("app.error.unhandled", outcome="error", level="error", exc_info=error)
        log.get_logger().exception("app.error.unhandled")
        logging.getLogger("library").exception("app.error.unhandled")
    for line in lines():
        assert line["level"] == "error"
        trace = line["exception"]
        assert trace.startswith("Traceback (most recent call last):\n")
        assert "in failing\n" in trace
        assert "KeyError: '[redacted]'" in trace
        assert trace.endswith("RuntimeError: failed for [redacted] with password=[redacted]")


def test_a_long_trace_keeps_its_end(lines: Lines) -> None:
    log.app_event("app.error.unhandled", exc_info=ValueError(("x" * 99 + "\n") * 1000 + "the end"))
    trace = lines()[0]["exception"]
    assert len(trace) <= log.MAX_TEXT
    assert trace.startswith("x" * 99 + "\n")
    assert trace.endswith("the end")


@pytest.mark.parametrize("exc_info", [True, None, False, (None, None, None), "yes"])
def test_without_an_exception_there_is_no_trace(exc_info: object, lines: Lines) -> None:
    log.app_event("app.error.unhandled", exc_info=exc_info)
    assert "exception" not in lines()[0]


# ── the libraries' own lines ──


@pytest.mark.parametrize(
    "name", ["uvicorn.error", "sqlalchemy.engine", "alembic.runtime.migration", "anything"]
)
def test_library_lines_take_the_same_way(name: str, lines: Lines) -> None:
    log.bind_request(request_id="req-1")
    logging.getLogger(name).warning("for %s", "ann@example.com")
    logging.getLogger(name).error("failed")
    first, second = lines()
    assert list(first) == [*FIELDS, "logger", "message"]
    assert (first["event"], first["category"], first["level"], first["outcome"]) == (
        "app.log",
        "app",
        "warning",
        None,
    )
    assert (first["logger"], first["message"], first["request_id"]) == (name, "for [redacted]", "req-1")
    assert (second["level"], second["outcome"]) == ("error", "error")


def test_chatty_libraries_are_quiet_at_every_level(lines: Lines) -> None:
    log.configure_logging(level="DEBUG")
    for name in (
        "sqlalchemy.engine.Engine",
        "aiosqlite",
        "httpx",
        "httpcore.connection",
        "uvicorn.access",
        "asyncio",
    ):
        logging.getLogger(name).info("SELECT 'c4nary'")
    assert lines() == []


def test_uvicorns_own_handlers_are_taken_off(lines: Lines) -> None:
    uvicorn = logging.getLogger("uvicorn")
    uvicorn.addHandler(logging.StreamHandler(sys.stdout))
    uvicorn.propagate = False
    log.configure_logging()
    logging.getLogger("uvicorn.error").info("Started")
    assert [line["message"] for line in lines()] == ["Started"]


def test_configuring_again_does_not_double_the_lines(lines: Lines) -> None:
    log.configure_logging(version="2")
    log.configure_logging(version="3")
    log.app_event("app.startup")
    logging.getLogger("library").warning("once")
    assert [line["version"] for line in lines()] == ["3", "3"]


def test_a_logger_follows_later_configuration(lines: Lines) -> None:
    logger = log.get_logger()
    logger.debug("app.log")
    log.configure_logging(level="DEBUG")
    logger.debug("app.log")
    assert [line["level"] for line in lines()] == ["debug"]


def test_tests_may_capture_events() -> None:
    with structlog.testing.capture_logs() as captured:
        log.security_event("ratelimit.exceeded", outcome="denied", level="warning", limit="auth")
    assert captured == [
        {
            "event": "ratelimit.exceeded",
            "category": "security",
            "outcome": "denied",
            "reason": None,
            "limit": "auth",
            "log_level": "warning",
        }
    ]


# ── nothing raises (§4.6) ──


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("c4nary")

    __repr__ = __str__


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


class AsciiOnly(io.StringIO):
    def write(self, text: str) -> int:
        text.encode("ascii")
        return super().write(text)


def everything(value: object) -> None:
    for emit in EMITTERS.values():
        emit("app.log")
    log.security_event("auth.login.failed", outcome="failure", value=value)
    log.get_logger().info("app.log", value=value)
    log.app_event("app.log", level="no such level")  # type: ignore[arg-type]
    log.app_event("app.log", exc_info=value)
    # Apart from the root logger, whose capturing handlers do raise.
    library = logging.Logger("library")  # noqa: LOG001
    library.addHandler(log._LibraryHandler())
    library.warning("%d", value)
    library.warning("%s %s", value)
    library.warning(value)


@pytest.mark.parametrize("value", [Unprintable(), 10**5000, {Unprintable(): 1}, "\ud800"], ids=range(4))
def test_a_value_that_cannot_be_printed_breaks_nothing(value: object, lines: Lines) -> None:
    everything(value)
    written = lines()
    assert len(written) == 11
    assert "c4nary" not in json.dumps(written)
    assert {"log_failed"} <= {line["reason"] for line in written}


@pytest.mark.parametrize("stream", [Broken(), None], ids=["broken", "none"])
def test_a_closed_stdout_breaks_nothing(stream: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    everything("x")


def test_a_stdout_that_cannot_encode_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    log.configure_logging(format="console")
    stream = AsciiOnly()
    monkeypatch.setattr(sys, "stdout", stream)
    log.app_event("app.startup", text="é")
    assert 'text="\\xe9"' in stream.getvalue()


def test_a_broken_clock_breaks_nothing(monkeypatch: pytest.MonkeyPatch, lines: Lines) -> None:
    monkeypatch.setattr(log, "_clock", None)
    log.app_event("app.startup")
    assert lines() == [{"level": "error", "event": "app.log", "category": "app", "reason": "log_failed"}]


def test_a_field_named_event_stands_in_for_nothing(lines: Lines) -> None:
    log._emit("app", "app.startup", "success", None, "info", {"event": "x"})
    (line,) = lines()
    assert (line["event"], line["reason"]) == ("app.startup", None)
