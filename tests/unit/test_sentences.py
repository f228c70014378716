"""The activity log in sentences, and the days of a query."""

from datetime import UTC, datetime
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest

from sentinel.admin import sentences
from sentinel.admin.pages.dashboard import GROUP_OF
from sentinel.admin.periods import first_moment, moment_after
from sentinel.audit.activity import ACTIONS, SYSTEM_TARGET, TargetType
from sentinel.audit.history import Entry
from sentinel.audit.signals import SEVERITIES
from sentinel.core.errors import Unprocessable

ADA = UUID(int=1)


def entry(action: str = "user_deactivated", **values: Any) -> Entry:
    known: dict[str, Any] = {
        "id": uuid4(),
        "action": action,
        "actor_id": ADA,
        "actor_name": "Ada",
        "actor_email": "ada@example.com",
        "target_type": "user",
        "target_id": UUID(int=2),
        "target_label": "Bob",
        "workspace_id": None,
        "workspace_name": None,
        "detail": None,
        "created_at": datetime.now(UTC),
    }
    return Entry(**(known | values))


def test_every_action_of_the_vocabulary_has_a_sentence_and_nothing_else_has() -> None:
    assert set(sentences.SENTENCES) == ACTIONS
    assert set(sentences.TARGET_TYPES) == set(get_args(TargetType))
    assert set(sentences.SIGNALS) == set(SEVERITIES)
    assert set(GROUP_OF) == ACTIONS


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_sentences_hold_together_with_and_without_names(action: str) -> None:
    for one in (
        entry(action),
        entry(action, actor_id=None, actor_name=None, actor_email=None),
        entry(action, target_label=None, target_id=SYSTEM_TARGET, target_type="system"),
    ):
        text = sentences.plain(one)
        assert text[0].isupper() and "{" not in text and "  " not in text and not text.endswith(" ")
        assert sentences.tone(action) in {"red", "orange", "yellow", "secondary"}


def test_a_sentence_says_who_did_what_to_whom() -> None:
    assert sentences.plain(entry()) == "Ada deactivated Bob"
    assert sentences.plain(entry(actor_name="")) == "ada@example.com deactivated Bob"
    nobody = entry(actor_id=None, actor_name=None, actor_email=None)
    assert sentences.plain(nobody) == "Somebody deactivated Bob"


def test_what_is_gone_is_called_as_the_entry_calls_it() -> None:
    gone = {"target_label": None, "target_type": "workspace"}
    assert "Acme" in sentences.plain(entry("workspace_deleted", **gone, detail={"name": "Acme"}))
    assert "workspace 00000000" in sentences.plain(entry("workspace_deleted", **gone))
    assert sentences.target_path(entry("workspace_deleted", **gone)) is None


def test_an_action_that_is_not_known_is_told_all_the_same() -> None:
    assert sentences.plain(entry("moon_landed")) == "Ada: moon landed Bob"


@pytest.mark.parametrize(
    ("detail", "gist"),
    [
        (None, ""),
        ({"old_role": "viewer", "new_role": "editor"}, "viewer → editor"),
        ({"reason": "not_admin", "provider": "corp", "ip": "192.0.2.1"}, "not_admin, through corp, 192.0.2.1"),
        ({"prev_country": "DE", "country": "JP", "km": 9050, "minutes": 40}, "from DE, to JP, 9050 km"),
        ({"fields": ["name", "slug"]}, "name, slug"),
        ({"count": 1}, ""),
        ({"count": 7}, "7 times"),
        ({"tokens_revoked": 0}, ""),
        ({"reason": {"deep": 1}, "role": True}, ""),
        ({"reason": "x" * 500}, "x" * 80),
    ],
)  # fmt: skip
def test_gist_is_short_and_never_raises(detail: dict[str, Any] | None, gist: str) -> None:
    assert sentences.gist(entry(detail=detail)) == gist


def test_targets_lead_to_their_pages() -> None:
    target = UUID(int=2)
    for kind, path in (
        ("user", f"/users/{target}"),
        ("workspace", f"/workspaces/{target}"),
        ("group", f"/groups/{target}"),
        ("role", f"/roles/{target}"),
        ("realm", f"/realms/{target}"),
        ("organization", f"/organizations/{target}"),
        ("client_app", f"/client-apps/{target}"),
        ("service_app", f"/service-apps/{target}"),
        ("resource_permission", f"/permissions/{target}"),
        ("service_action", "/actions"),
        ("system", None),
        ("export", None),
        ("service", None),
    ):
        assert sentences.target_path(entry(target_type=kind)) == path


def test_only_signals_have_a_severity() -> None:
    assert {action for action in ACTIONS if sentences.severity(action)} == set(SEVERITIES)
    assert sentences.severity("login_impossible_travel") == "high"


# ── from and to ──


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026-03-01", "2026-03-01T00:00:00+00:00", "2026-03-02T00:00:00+00:00"),
        ("2026-12-31", "2026-12-31T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00+00:00", "2026-03-01T10:00:00.000001+00:00"),
        ("2026-03-01T10:00", "2026-03-01T10:00:00+00:00", "2026-03-01T10:00:00.000001+00:00"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00+00:00", "2026-03-01T08:00:00.000001+00:00"),
        ("2026-03-01T10:00:00 02:00", "2026-03-01T08:00:00+00:00", "2026-03-01T08:00:00.000001+00:00"),
        (" 2026-03-01 ", "2026-03-01T00:00:00+00:00", "2026-03-02T00:00:00+00:00"),
    ],
)
def test_a_day_is_the_whole_day_and_a_moment_is_itself(text: str, first: str, after: str) -> None:
    assert first_moment(text, "from_date") == datetime.fromisoformat(first)
    assert moment_after(text, "to_date") == datetime.fromisoformat(after)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_nothing_is_no_limit(text: str | None) -> None:
    assert first_moment(text, "from_date") is None and moment_after(text, "to_date") is None


@pytest.mark.parametrize(
    "text", ["soon", "2026-13-01", "2026-03-01T99:00", "01.03.2026", "9" * 400, "٢٠٢٦-٠٣-٠١x"]
)
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        first_moment(text, "from_date")
    assert refusal.value.field == "from_date"
