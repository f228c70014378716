"""``sentinel serve``: the service for others to use. It starts only when the configuration is safe."""

import asyncio
import gc
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import uvicorn

from sentinel import __version__, checklist
from sentinel.app import Application, create_app
from sentinel.cli import drain
from sentinel.cli.console import stop
from sentinel.cli.refusals import MISCONFIGURED
from sentinel.cli.server import UVICORN, PortProblem
from sentinel.core import tracing
from sentinel.core.errors import Unavailable
from sentinel.core.logging import app_event, configure_logging
from sentinel.migrations import upgrade
from sentinel.settings import Settings
from sentinel.tokens.keyring import KeyProblem

if TYPE_CHECKING:  # what commands are made with stays out of the memory of a server
    import typer


LOOKS = (1400, 0, 0)
"""New objects until the collector looks at them, and how many such looks it lets pass until it looks at older ones, and
at all. With fewer objects the first look comes while most of them are still in use, and finds nothing.
"""


def register(app: "typer.Typer") -> None:
    """Add ``sentinel serve``."""
    app.command("serve")(serve)


def serve() -> None:
    """Serve with the configuration of the environment and of .env; refuse an insecure one.

    With WEB_CONCURRENCY above one, that many worker processes share the port.
    """
    settings = Settings.load()
    _configure_logging(settings)
    findings = asyncio.run(checklist.run(settings))
    refused = checklist.refusals(findings)
    for finding in findings:
        app_event(
            "app.config.insecure",
            outcome="denied" if finding in refused else "anomaly",
            level="critical" if finding in refused else "warning",
            reason=finding.reason,
            finding=finding.id,
            seen=finding.seen,
        )
    if refused:
        stop(checklist.report_text(refused), status=MISCONFIGURED)
    if untraced := tracing.problem():
        app_event("app.log", level="warning", message=untraced)
    try:
        if settings.tier != "internal":
            asyncio.run(upgrade(settings.database_url.get_secret_value()))
        with _counted(settings, findings):
            _run(settings)
    except Unavailable:
        stop(
            "The database cannot be reached; check DATABASE_URL and that the server is running.",
            status=MISCONFIGURED,
        )
    except KeyProblem as problem:
        stop(str(problem), status=MISCONFIGURED)
    except PortProblem as problem:
        stop(str(problem), status=MISCONFIGURED)


def _counted(settings: Settings, findings: Sequence[checklist.Finding]) -> AbstractContextManager[None]:
    if not settings.metrics_port:
        return nullcontext()
    # With all that it counts with, which is not loaded for nothing.
    from sentinel.cli.metrics_port import metrics_port

    return metrics_port(settings, findings)


def _run(settings: Settings) -> None:
    options: dict[str, Any] = {
        **UVICORN,
        **drain.SERVING,
        "host": settings.service_host,
        "port": settings.service_port,
    }
    if settings.web_concurrency == 1:
        tracing.begin(__version__)
        config = uvicorn.Config(_lasting(create_app(settings, late=True)), **options)
    else:
        config = uvicorn.Config(
            "sentinel.cli.serve:application",
            factory=True,
            workers=settings.web_concurrency,
            **options,
        )
    if status := drain.serve(config):
        raise SystemExit(status)


def application() -> Application:
    """The application of one worker process; the parent has already checked the configuration."""
    settings = Settings.load()
    _configure_logging(settings)
    tracing.begin(__version__)
    return _lasting(create_app(settings, late=True))


def _lasting(app: Application) -> Application:
    # All that is there now stays. Looking through it for garbage would stop the answers for a tenth of a second now and
    # then.
    gc.freeze()
    gc.enable()
    # What is left to look through is little, so it is looked at early: requests leave garbage that refers to itself.
    gc.set_threshold(*LOOKS)
    return app


def _configure_logging(settings: Settings) -> None:
    configure_logging(
        level=settings.log_level,
        format=settings.log_format,
        redact=settings.log_pii_redaction,
        version=__version__,
        debug=settings.debug,
    )
