"""Every table of the product in one metadata: what the migrations have to arrive at."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

import sentinel.apps.models
import sentinel.audit.models
import sentinel.identity.models
import sentinel.permissions.models
import sentinel.roles.models
import sentinel.tokens.models
import sentinel.workspaces.models  # noqa: F401 - importing a room's models registers its tables
from sentinel.core.database import Base

METADATA = Base.metadata


def belongs_on(dialect: sa.Dialect) -> Callable[..., bool]:
    """Alembic's ``include_object``: whether a part of a table is there on that database at all. An index that only one
    of them needs says so in its ``info``.
    """

    def belongs(part: Any, *_: Any) -> bool:
        return bool(getattr(part, "info", {}).get("only_on", dialect.name) == dialect.name)

    return belongs
