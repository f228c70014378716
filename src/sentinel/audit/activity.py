"""Writing the activity log: the row is part of the mutation's transaction, the log line follows the commit
(``admin.md`` §9, ``http-api.md`` §0.9).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.models import Activity
from sentinel.core.database import after_commit
from sentinel.core.logging import audit_event

SYSTEM_TARGET = UUID(int=0)

TargetType = Literal[
    "user",
    "workspace",
    "group",
    "role",
    "realm",
    "organization",
    "client_app",
    "service_app",
    "resource_permission",
    "service_action",
    "service",
    "system",
    "export",
]

ACTIONS_BY_AREA: dict[str, tuple[str, ...]] = {
    "Sign-in": (
        "user_login",
        "admin_login",
        "user_logout",
        "admin_logout",
        "login_failed",
        "admin_login_failed",
        "refresh_context_changed",
        "refresh_reuse_detected",
        "token_family_revoked",
        "tokens_revoked",
        "action_denied",
        "authz_token_issued",
    ),
    "Signals": (
        "login_impossible_travel",
        "login_new_country",
        "login_new_device",
        "credential_stuffing_suspected",
    ),
    "Users": (
        "user_updated",
        "user_activated",
        "user_deactivated",
        "user_promoted_admin",
        "user_demoted_admin",
        "bulk_status_change",
        "batch_import",
        "user_deleted",
    ),
    "Workspaces": (
        "workspace_created",
        "workspace_updated",
        "workspace_deleted",
        "member_invited",
        "member_role_changed",
        "member_removed",
        "workspace_allowed_orgs_set",
    ),
    "Groups": (
        "group_created",
        "group_updated",
        "group_deleted",
        "group_member_added",
        "group_member_removed",
    ),
    "Roles": (
        "role_created",
        "role_updated",
        "role_deleted",
        "role_action_added",
        "role_action_removed",
        "role_member_added",
        "role_member_removed",
        "role_group_added",
        "role_group_removed",
        "service_action_deleted",
    ),
    "Permissions": (
        "permission_visibility_changed",
        "permission_shared",
        "permission_revoked",
        "permissions_purged",
        "permission_owner_changed",
    ),
    "Apps": (
        "client_app_created",
        "client_app_updated",
        "client_app_deleted",
        "service_app_created",
        "service_app_updated",
        "service_app_deleted",
        "service_app_key_rotated",
    ),
    "Realms": (
        "realm_created",
        "realm_updated",
        "realm_deleted",
        "realm_member_added",
        "realm_member_removed",
    ),
    "Organizations": (
        "org_create",
        "org_update",
        "org_public_toggle",
        "org_delete",
        "org_domain_add",
        "org_domain_remove",
    ),
    "System": ("view_system_settings", "export_users", "export_workspaces"),
    "Self-serve": (
        "invitation_created",
        "invitation_accepted",
        "invitation_revoked",
        "invitation_rejected",
        "self_serve_denied",
    ),
}
ACTIONS = frozenset(action for actions in ACTIONS_BY_AREA.values() for action in actions)
"""The closed vocabulary of ``admin.md`` §9."""


async def record(
    session: AsyncSession,
    action: str,
    *,
    target_type: TargetType,
    target_id: UUID,
    now: datetime,
    actor_id: UUID | None = None,
    workspace_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one activity row to the transaction of ``session``.

    ``detail`` may hold addresses (administrators read it) but never a secret. Raises :class:`ValueError` for an
    action outside the vocabulary.
    """
    targets = [(target_id, workspace_id, detail)]
    await record_all(session, action, target_type=target_type, targets=targets, now=now, actor_id=actor_id)


async def record_all(
    session: AsyncSession,
    action: str,
    *,
    target_type: TargetType,
    targets: Sequence[tuple[UUID, UUID | None, dict[str, Any] | None]],
    now: datetime,
    actor_id: UUID | None = None,
) -> None:
    """:func:`record` for many in one statement. ``targets`` are target id, workspace id and detail of each row."""
    if action not in ACTIONS:
        raise ValueError(
            f"{action!r} is not an activity; add it to ACTIONS_BY_AREA and to the contract first"
        )
    if not targets:
        # Without any rows the statement would insert one of defaults.
        return
    await session.execute(
        sa.insert(Activity),
        [
            {
                "action": action,
                "actor_id": actor_id,
                "target_type": target_type,
                "target_id": target_id,
                "workspace_id": workspace_id,
                "detail": detail,
                "created_at": now,
            }
            for target_id, workspace_id, detail in targets
        ],
    )
    for target_id, workspace_id, _ in targets:
        _tell(session, action, target_type, target_id, actor_id, workspace_id)


def _tell(
    session: AsyncSession,
    action: str,
    target_type: TargetType,
    target_id: UUID,
    actor_id: UUID | None,
    workspace_id: UUID | None,
) -> None:
    after_commit(
        session,
        lambda: audit_event(
            "audit.activity",
            outcome="success",
            action=action,
            actor=str(actor_id) if actor_id else None,
            target_type=target_type,
            target_id=str(target_id),
            workspace_id=str(workspace_id) if workspace_id else None,
        ),
    )
