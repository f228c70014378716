"""Statements are compiled once a run and not once a test.

SQLAlchemy keeps what it has compiled with an engine, by dialect, and every test has an engine of its own. Here all
engines of the same kind of database share one cache, and their dialects count as one; the application knows nothing of
it.
"""

from typing import Any

from sentinel.core.database import Database

_caches: dict[type, Any] = {}
_make = Database.__init__


def begin() -> None:
    """Share from now on, for the whole process."""
    Database.__init__ = _sharing  # type: ignore[method-assign]


def _sharing(self: Database, url: str) -> None:
    _make(self, url)
    engine: Any = self.engine.sync_engine
    reader: Any = self._reader.sync_engine
    kind: Any = type(engine.dialect)
    if kind not in _caches:
        kind.__eq__ = lambda one, other: type(one) is type(other)
        kind.__hash__ = lambda one: hash(type(one))
    engine._compiled_cache = reader._compiled_cache = _caches.setdefault(kind, engine._compiled_cache)
