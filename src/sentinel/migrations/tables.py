"""Every table of the product in one metadata: what the migrations have to arrive at."""

import sentinel.apps.models
import sentinel.audit.models
import sentinel.identity.models
import sentinel.permissions.models
import sentinel.roles.models
import sentinel.tokens.models
import sentinel.workspaces.models  # noqa: F401 - importing a room's models registers its tables
from sentinel.core.database import Base

METADATA = Base.metadata
