"""A list of ids as one text."""

import json
from uuid import UUID, uuid4

import pytest

from sentinel.permissions.reach import Ids


@pytest.mark.parametrize("number", [0, 1, 2, 100])
def test_a_text_of_ids_is_a_list_of_them(number: int) -> None:
    wanted = [str(uuid4()) for _ in range(number)]
    ids = Ids(json.dumps(wanted, separators=(",", ":"))[2:-2])
    assert len(ids) == number
    assert list(ids) == wanted
    for some in range(1, number + 1):
        first = ids.first(some)
        assert list(first) == wanted[:some] and len(first) == some
        assert first.last == UUID(wanted[some - 1])


def test_no_ids_have_no_last_one() -> None:
    with pytest.raises(ValueError, match="UUID"):
        _ = Ids("").last
