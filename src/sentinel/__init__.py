"""Sentinel Auth: a self-hosted authentication proxy and authorization service."""

import os
from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    """The version this process reports: ``APP_VERSION`` of a release build, else the installed package's."""
    if baked := os.environ.get("APP_VERSION"):
        return baked
    try:
        return version("sentinel-auth")
    except PackageNotFoundError:
        return "0.0.0+dev"


__version__ = _version()
