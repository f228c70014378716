"""What the database says about a resource and a person, as the bits of one number, and what follows from it.

A check needs six facts about a resource. As columns they cost more to carry and to unpack than the decision costs to
make; as one number they come a hundred at a time in an array. There are so few of these numbers that the law
(``decide.py``) is asked once about each, and the answers are kept in a table.
"""

from functools import cache
from uuid import UUID

from sentinel.permissions.decide import Action, Asker, Decision, Level, Record, Visibility, decide

UNKNOWN = 0
"""No such resource in the workspace."""
REGISTERED = 1
OWNED = 2
"""The person owns it."""
SHOWN = 4
"""Its visibility is ``workspace``."""
DIRECT = {Level.VIEW: 8, Level.EDIT: 16}
"""The share to the person."""
THROUGH_GROUP = {Level.VIEW: 32, Level.EDIT: 64}
"""The best of the shares to his groups."""
BITS = 7
KNOWN = 2**BITS - 1
"""All bits; the number of the question stands above them."""

# Whoever and wherever: the law compares, and nothing more.
_HERE, _SELF, _SOMEBODY = UUID(int=1), UUID(int=2), UUID(int=3)


@cache
def decisions(role: str) -> dict[str, tuple[Decision, ...]]:
    """The law for a member of that workspace role: by the name of an action, the decision for each number of facts."""
    asker = Asker(_SELF, _HERE, role)
    return {
        action.value: tuple(decide(asker, record_of(facts), action) for facts in range(KNOWN + 1))
        for action in Action
    }


def record_of(facts: int) -> Record | None:
    """A record of which ``facts`` are true for the asker of :func:`decisions`."""
    if not facts & REGISTERED:
        return None
    return Record(
        workspace_id=_HERE,
        owner_id=_SELF if facts & OWNED else _SOMEBODY,
        visibility=Visibility.WORKSPACE if facts & SHOWN else Visibility.PRIVATE,
        direct_share=_level(facts, DIRECT),
        group_share=_level(facts, THROUGH_GROUP),
    )


def _level(facts: int, bits: dict[Level, int]) -> Level | None:
    return max(
        (level for level, bit in bits.items() if facts & bit), key=lambda level: bits[level], default=None
    )
