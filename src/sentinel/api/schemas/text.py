"""Text from outside: what no text of ours may hold is refused before anything else looks at it."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

SCOPE_PATTERN = r"^[a-z][a-z0-9_.-]*$"


def clean(value: str) -> str:
    """``value`` itself. Raises :class:`ValueError` for what no text of ours may hold."""
    # NUL cannot be stored by PostgreSQL, a lone surrogate cannot be encoded by anybody.
    if re.search(r"[\x00\ud800-\udfff]", value):
        raise ValueError("must not hold NUL or unpaired surrogates")
    return value


Text = Annotated[str, AfterValidator(clean)]
Label = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(clean)]
Description = Annotated[str, Field(max_length=4000), AfterValidator(clean)]
# The pattern leaves no room for what clean() refuses.
ScopeName = Annotated[str, Field(max_length=255, pattern=SCOPE_PATTERN)]
"""A service name, realm slug or resource type as it appears in requests."""
