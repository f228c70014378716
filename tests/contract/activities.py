"""Rows of the activity log as tests compare them."""

from typing import Any

from sentinel.audit.models import Activity


def told(entry: Activity) -> tuple[Any, ...]:
    """An activity without its id and time."""
    return (
        entry.action,
        entry.actor_id,
        entry.target_type,
        entry.target_id,
        entry.workspace_id,
        entry.detail,
    )
