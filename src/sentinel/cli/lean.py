"""Loads the libraries of the server without what they load besides, if it happens to be installed.

Each of them looks, as it is loaded, whether some other library is there, for a feature that this service does not use.
Together these are a sixth of the start and eight megabytes of each process. Has to be imported before the rest, and
only in a process that does nothing but serve: what is left out here stays out.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from pydantic import BaseModel, ConfigDict

BESIDES = {
    "httpx": "pygments",  # for its command line
    "redis.asyncio": "opentelemetry.sdk.metrics",  # for metrics of its own
    "structlog": "rich",  # for coloured traces
}
NEVER = "pydantic.v1"
"""FastAPI asks of every annotation whether it is one of these old models, and would load them all to know."""


@contextmanager
def absent(name: str) -> Iterator[None]:
    """As if ``name`` were not installed, for what is imported inside; one that is loaded already stays."""
    if name in sys.modules:
        yield
        return
    # The documented way to make an import fail.
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def put_off() -> Iterator[None]:
    """Models that are defined inside are built when they are first used."""
    before = BaseModel.model_config
    BaseModel.model_config = ConfigDict(defer_build=True)
    try:
        yield
    finally:
        BaseModel.model_config = before


for _library, _other in BESIDES.items():
    with absent(_other):
        import_module(_library)
with put_off():
    # Half of what FastAPI takes to load are the models of OpenAPI, in which it describes an API to developers.
    import_module("fastapi.openapi.models")
sys.modules.setdefault(NEVER, None)  # type: ignore[arg-type]
