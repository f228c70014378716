"""Running uvicorn as this product needs it."""

from typing import Any

UVICORN: dict[str, Any] = {
    # Our own pipeline writes the log, and our own middlewares the access line, the Server header and the address.
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "date_header": True,
    "proxy_headers": False,
    "loop": "uvloop",
    "http": "httptools",
    "ws": "none",
    "lifespan": "on",
    "timeout_graceful_shutdown": 20,
}


class PortProblem(Exception):
    """The port of ``/metrics`` cannot be opened."""
