"""The law of the entity ACL: the seven steps and the rules of authorization.md §4, table by table."""

from itertools import product
from uuid import UUID

import pytest

from sentinel.permissions import facts
from sentinel.permissions.decide import (
    Action,
    Asker,
    Decision,
    Level,
    Record,
    Visibility,
    decide,
    has_full_access,
)
from sentinel.permissions.facts import decisions

HOME, ELSEWHERE = UUID(int=1), UUID(int=2)
ME, SOMEBODY = UUID(int=11), UUID(int=12)
OWNERS = {"me": ME, "other": SOMEBODY, "nobody": None}
ROLES = ("viewer", "editor", "admin", "owner")
REASONS = {
    ("no", 7): "no_grant",
    ("yes", 2): "owner",
    ("yes", 3): "workspace_role",
    ("yes", 4): "workspace_visibility",
    ("yes", 5): "direct_share",
    ("yes", 6): "group_share",
}

# The answer, and the step that gives it. A dash stands for "no such share".
#  role      owner     visibility   direct  group   view     edit
TABLE = """
   viewer    me        private      -       -       yes 2    yes 2
   viewer    me        workspace    -       -       yes 2    yes 2
   viewer    me        private      view    view    yes 2    yes 2
   editor    me        private      -       -       yes 2    yes 2
   admin     me        private      -       -       yes 2    yes 2
   owner     me        private      -       -       yes 2    yes 2

   admin     other     private      -       -       yes 3    yes 3
   owner     other     private      -       -       yes 3    yes 3
   admin     nobody    private      -       -       yes 3    yes 3
   owner     nobody    workspace    -       -       yes 3    yes 3
   admin     other     private      view    view    yes 3    yes 3

   editor    other     workspace    -       -       yes 4    yes 4
   viewer    other     workspace    -       -       yes 4    no 7
   editor    nobody    workspace    -       -       yes 4    yes 4
   viewer    nobody    workspace    -       -       yes 4    no 7
   editor    other     workspace    view    view    yes 4    yes 4

   viewer    other     workspace    view    -       yes 4    no 7
   viewer    other     workspace    edit    -       yes 4    yes 5
   viewer    other     workspace    -       view    yes 4    no 7
   viewer    other     workspace    -       edit    yes 4    yes 6
   viewer    other     workspace    view    edit    yes 4    yes 6
   viewer    other     workspace    edit    view    yes 4    yes 5

   viewer    other     private      -       -       no 7     no 7
   viewer    other     private      view    -       yes 5    no 7
   viewer    other     private      edit    -       yes 5    yes 5
   viewer    other     private      -       view    yes 6    no 7
   viewer    other     private      -       edit    yes 6    yes 6
   viewer    other     private      view    view    yes 5    no 7
   viewer    other     private      view    edit    yes 5    yes 6
   viewer    other     private      edit    view    yes 5    yes 5
   viewer    other     private      edit    edit    yes 5    yes 5
   viewer    nobody    private      -       -       no 7     no 7
   viewer    nobody    private      edit    -       yes 5    yes 5

   editor    other     private      -       -       no 7     no 7
   editor    other     private      view    -       yes 5    no 7
   editor    other     private      edit    -       yes 5    yes 5
   editor    other     private      -       view    yes 6    no 7
   editor    other     private      -       edit    yes 6    yes 6
   editor    nobody    private      -       -       no 7     no 7
"""
ROWS = [line.split() for line in TABLE.splitlines() if line.strip()]


def level(word: str) -> Level | None:
    return None if word == "-" else Level(word)


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_steps_2_to_7(row: list[str]) -> None:
    """Rules: authorization-4.steps."""
    role, owner, visibility, direct, group, *answers = row
    record = Record(HOME, OWNERS[owner], Visibility(visibility), level(direct), level(group))
    for action, answer, step in zip(Action, answers[::2], answers[1::2], strict=True):
        expected = Decision(answer == "yes", int(step), REASONS[answer, int(step)])
        assert decide(Asker(ME, HOME, role), record, action) == expected, action


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("role", "is_active"), [(None, True), (None, False), *((role, False) for role in ROLES)]
)
def test_step_1_nobody_but_a_current_active_member(role: str | None, is_active: bool, action: Action) -> None:
    """Rules: authorization-4.steps."""
    asker = Asker(ME, HOME, role, is_active)
    everything = Record(HOME, ME, Visibility.WORKSPACE, Level.EDIT, Level.EDIT)
    assert decide(asker, everything, action) == Decision(False, 1, "not_a_member")
    assert decide(asker, None, action) == Decision(False, 1, "not_a_member")


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", ROLES)
def test_step_1_the_record_exists_and_belongs_to_the_workspace(role: str, action: Action) -> None:
    """Rule 1: an unregistered resource is denied, even to administrators; so is another workspace's.

    Rules: authorization-4.1, authorization-4.steps.
    """
    asker = Asker(ME, HOME, role)
    elsewhere = Record(ELSEWHERE, ME, Visibility.WORKSPACE, Level.EDIT, Level.EDIT)
    assert decide(asker, None, action) == Decision(False, 1, "unknown_resource")
    assert decide(asker, elsewhere, action) == Decision(False, 1, "unknown_resource")


def every_record() -> list[Record]:
    shares = (None, *Level)
    return [
        Record(HOME, owner, visibility, direct, group)
        for owner, visibility, direct, group in product(OWNERS.values(), Visibility, shares, shares)
    ]


@pytest.mark.parametrize("role", ROLES)
def test_every_combination_follows_the_rules(role: str) -> None:
    """Rules 2, 3, 4 and 7, said as sets of grants instead of steps.

    Rules: authorization-4.2, authorization-4.3, authorization-4.4, authorization-4.7.
    """
    for record in every_record():
        shares = {record.direct_share, record.group_share}
        standing = record.owner_id == ME or role in {"admin", "owner"}
        open_to_all = record.visibility is Visibility.WORKSPACE
        may = {
            Action.VIEW: standing or open_to_all or shares != {None},
            Action.EDIT: standing or (open_to_all and role == "editor") or Level.EDIT in shares,
        }
        for action, allowed in may.items():
            assert decide(Asker(ME, HOME, role), record, action).allowed is allowed, (record, action)
        assert may[Action.VIEW] or not may[Action.EDIT], "rule 4: who may edit may view"


def test_rule_7_without_an_owner_nobody_owns() -> None:
    """An owner of None is not equal to anything: steps 3 to 6 are left.

    Rules: authorization-4.7.
    """
    orphan = Record(HOME, None, Visibility.PRIVATE)
    assert [decide(Asker(ME, HOME, role), orphan, Action.VIEW).allowed for role in ROLES] == [
        False,
        False,
        True,
        True,
    ]


def test_full_access_is_for_administrators_alone() -> None:
    assert [has_full_access(role) for role in (*ROLES, None, "Admin", "")] == [
        False,
        False,
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", ROLES)
def test_the_table_of_facts_says_what_the_law_says(role: str, action: Action) -> None:
    """What a check is answered from (``permissions/facts.py``): every number that the database can come to."""
    table, asker = decisions(role)[action], Asker(ME, HOME, role)
    assert table[facts.UNKNOWN] == decide(asker, None, action)
    reached = {facts.UNKNOWN}
    for record in every_record():
        number = facts.REGISTERED
        number |= facts.OWNED if record.owner_id == ME else 0
        number |= facts.SHOWN if record.visibility is Visibility.WORKSPACE else 0
        number |= facts.DIRECT[record.direct_share] if record.direct_share else 0
        number |= facts.THROUGH_GROUP[record.group_share] if record.group_share else 0
        assert table[number] == decide(asker, record, action), record
        reached.add(number)
    assert len(reached) == 1 + 2 * 2 * 3 * 3
    # Whatever stands there for a resource that is not registered, nobody may.
    assert not any(
        table[number].allowed for number in range(facts.KNOWN + 1) if not number & facts.REGISTERED
    )
