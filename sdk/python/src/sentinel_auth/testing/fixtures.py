"""Fixtures for pytest; they come with the installed package, or with ``pytest_plugins``."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sentinel_auth.testing import FakeSentinel


@pytest.fixture
def fake_sentinel() -> "FakeSentinel":
    """A fresh Sentinel in memory."""
    # Imported here: this module is loaded into every run of pytest on the machine.
    from sentinel_auth.testing import FakeSentinel

    return FakeSentinel()
