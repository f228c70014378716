"""The activity log in sentences: who did what to whom, and the few details that say which."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from sentinel.audit.history import Entry
from sentinel.audit.signals import SEVERITIES

Piece = tuple[Literal["text", "actor", "target"], str]

SENTENCES: Mapping[str, str] = {
    "user_login": "{actor} signed in",
    "admin_login": "{actor} signed in to the panel",
    "user_logout": "{actor} signed out",
    "admin_logout": "{actor} signed out of the panel",
    "login_failed": "A sign-in failed",
    "admin_login_failed": "A sign-in to the panel failed",
    "refresh_context_changed": "{actor} went on with a session from another place",
    "refresh_reuse_detected": "A used refresh token of {target} was shown again",
    "token_family_revoked": "A session of {target} was ended",
    "tokens_revoked": "{actor} ended every session of {target}",
    "action_denied": "{actor} was denied an action",
    "authz_token_issued": "{actor} got authorization tokens",
    "login_impossible_travel": "{actor} signed in from too far away",
    "login_new_country": "{actor} signed in from a new country",
    "login_new_device": "{actor} signed in with a new device",
    "credential_stuffing_suspected": "Many sign-ins failed from one address",
    "user_updated": "{actor} changed {target}",
    "user_activated": "{actor} activated {target}",
    "user_deactivated": "{actor} deactivated {target}",
    "user_promoted_admin": "{actor} made {target} an administrator",
    "user_demoted_admin": "{actor} took administration from {target}",
    "bulk_status_change": "{actor} changed the status of several people",
    "batch_import": "{actor} imported people",
    "user_deleted": "{actor} deleted the user {target}",
    "workspace_created": "{actor} created the workspace {target}",
    "workspace_updated": "{actor} changed the workspace {target}",
    "workspace_deleted": "{actor} deleted the workspace {target}",
    "member_invited": "{actor} added {target} as a member",
    "member_role_changed": "{actor} changed the role of {target}",
    "member_removed": "{actor} removed the member {target}",
    "workspace_allowed_orgs_set": "{actor} set the allowed organizations of {target}",
    "group_created": "{actor} created the group {target}",
    "group_updated": "{actor} changed the group {target}",
    "group_deleted": "{actor} deleted the group {target}",
    "group_member_added": "{actor} added {target} to a group",
    "group_member_removed": "{actor} took {target} out of a group",
    "role_created": "{actor} created the role {target}",
    "role_updated": "{actor} changed the role {target}",
    "role_deleted": "{actor} deleted the role {target}",
    "role_action_added": "{actor} added actions to the role {target}",
    "role_action_removed": "{actor} took an action out of the role {target}",
    "role_member_added": "{actor} gave a role to {target}",
    "role_member_removed": "{actor} took a role from {target}",
    "role_group_added": "{actor} gave a role to the group {target}",
    "role_group_removed": "{actor} took a role from the group {target}",
    "service_action_deleted": "{actor} deleted the action {target}",
    "permission_visibility_changed": "{actor} changed who sees {target}",
    "permission_shared": "{actor} shared {target}",
    "permission_revoked": "{actor} took a share of {target} away",
    "permissions_purged": "{actor} deleted every permission of {target}",
    "permission_owner_changed": "{actor} changed the owner of {target}",
    "client_app_created": "{actor} created the login app {target}",
    "client_app_updated": "{actor} changed the login app {target}",
    "client_app_deleted": "{actor} deleted the login app {target}",
    "service_app_created": "{actor} created the service {target}",
    "service_app_updated": "{actor} changed the service {target}",
    "service_app_deleted": "{actor} deleted the service {target}",
    "service_app_key_rotated": "{actor} made a new key for the service {target}",
    "realm_created": "{actor} created the realm {target}",
    "realm_updated": "{actor} changed the realm {target}",
    "realm_deleted": "{actor} deleted the realm {target}",
    "realm_member_added": "{actor} added a service to the realm {target}",
    "realm_member_removed": "{actor} took a service out of the realm {target}",
    "org_create": "{actor} created the organization {target}",
    "org_update": "{actor} changed the organization {target}",
    "org_public_toggle": "{actor} switched public sign-in",
    "org_delete": "{actor} deleted the organization {target}",
    "org_domain_add": "{actor} added a domain to the organization {target}",
    "org_domain_remove": "{actor} removed a domain from the organization {target}",
    "view_system_settings": "{actor} looked at the settings",
    "export_users": "{actor} exported the list of users",
    "export_workspaces": "{actor} exported the list of workspaces",
    "invitation_created": "{actor} invited somebody to {target}",
    "invitation_accepted": "{actor} accepted an invitation to {target}",
    "invitation_revoked": "{actor} withdrew an invitation to {target}",
    "invitation_rejected": "An invitation to {target} was refused",
    "self_serve_denied": "{actor} was refused a workspace",
}
"""One sentence for each action of the vocabulary."""

TARGET_TYPES: Mapping[str, str] = {
    "user": "User",
    "workspace": "Workspace",
    "group": "Group",
    "role": "Role",
    "realm": "Realm",
    "organization": "Organization",
    "client_app": "Login app",
    "service_app": "Service",
    "resource_permission": "Permission",
    "service_action": "Action",
    "service": "Everything of a service",
    "system": "System",
    "export": "Export",
}

SIGNALS: Mapping[str, tuple[str, str]] = {
    "login_impossible_travel": ("Impossible travel", "Two sign-ins farther apart than anybody travels"),
    "credential_stuffing_suspected": (
        "Credential stuffing",
        "Many failures for many people from one address",
    ),
    "login_new_country": ("New country", "A sign-in from a country not seen before"),
    "login_new_device": ("New device", "A sign-in with a browser or system not seen before"),
}
"""Title and meaning of each anomaly signal, the gravest first."""

# Details that name the thing, when it is gone and has no label any more.
_NAMES = ("name", "app", "email", "slug", "domain", "service_name")
# Details that a line has room for, in this order, each with its word.
_TOLD = (
    ("reason", "{}"),
    ("role", "as {}"),
    ("permission", "to {}"),
    ("prev_country", "from {}"),
    ("country", "to {}"),
    ("km", "{} km"),
    ("minutes", "in {} min"),
    ("failures", "{} failures"),
    ("distinct_emails", "{} addresses"),
    ("browser", "{}"),
    ("os", "{}"),
    ("name", "{}"),
    ("service_name", "{}"),
    ("action", "{}"),
    ("domain", "{}"),
    ("fields", "{}"),
    ("affected", "{} people"),
    ("users_created", "{} new people"),
    ("memberships_added", "{} memberships"),
    ("deleted_count", "{} deleted"),
    ("tokens_revoked", "{} ended"),
    ("provider", "through {}"),
    ("count", "{} times"),
    ("ip", "{}"),
)
_MOST_TOLD = 3


def pieces(entry: Entry) -> list[Piece]:
    """The sentence of an entry in pieces, so that a page can make links of the actor and the target."""
    sentence = SENTENCES.get(entry.action, "{actor}: " + entry.action.replace("_", " ") + " {target}")
    found: list[Piece] = []
    for part in re.split(r"(\{actor\}|\{target\})", sentence):
        if part == "{actor}":
            found.append(("actor", actor(entry)))
        elif part == "{target}":
            found.append(("target", target(entry)))
        elif part:
            found.append(("text", part))
    return found


def plain(entry: Entry) -> str:
    """The sentence of an entry as plain text."""
    return "".join(text for _, text in pieces(entry))


def actor(entry: Entry) -> str:
    """Who did it: by name, else by address. Of a command, and of a person who is gone, nobody is left to name."""
    return entry.actor_name or entry.actor_email or "Somebody"


def target(entry: Entry) -> str:
    """What it was done to: as it is called now, else as the entry calls it, else the beginning of its id."""
    if entry.target_label:
        return entry.target_label
    for key in _NAMES:
        value = (entry.detail or {}).get(key)
        if isinstance(value, str) and value:
            return value
    if not entry.target_id.int:
        return TARGET_TYPES.get(entry.target_type, entry.target_type).lower()
    return f"{TARGET_TYPES.get(entry.target_type, entry.target_type).lower()} {str(entry.target_id)[:8]}"


def gist(entry: Entry) -> str:
    """The few details that tell this entry from others of its kind; empty when there are none."""
    detail, told = dict(entry.detail or {}), []
    for what in ("role", "visibility"):
        old, new = detail.pop(f"old_{what}", None), detail.pop(f"new_{what}", None)
        if old and new:
            told.append(f"{old} → {new}")
    for key, words in _TOLD:
        text = _text(detail.get(key))
        if text and text != "0" and text not in target(entry) and (key, text) != ("count", "1"):
            told.append(words.format(text))
    return ", ".join(told[:_MOST_TOLD])


def target_path(entry: Entry) -> str | None:
    """The page of the target below ``/admin``; None when it is gone or has none."""
    if entry.target_label is None:
        return None
    simple = {
        "user": "/users",
        "workspace": "/workspaces",
        "group": "/groups",
        "role": "/roles",
        "realm": "/realms",
        "organization": "/organizations",
        "client_app": "/client-apps",
        "service_app": "/service-apps",
        "resource_permission": "/permissions",
    }
    if entry.target_type in simple:
        return f"{simple[entry.target_type]}/{entry.target_id}"
    return "/actions" if entry.target_type == "service_action" else None


def severity(action: str) -> str | None:
    """How grave a signal is; None for an action that is none."""
    return next((grade for name, grade in SEVERITIES.items() if name == action), None)


def tone(action: str) -> str:
    """The colour of an action in a list: what went wrong stands out, everything else is calm."""
    if grade := severity(action):
        return {"high": "red", "medium": "orange"}.get(grade, "yellow")
    if "failed" in action or "denied" in action or "reuse" in action:
        return "red"
    return "orange" if action.endswith(("_deleted", "_delete", "_purged", "_deactivated")) else "secondary"


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value[:4])
    return "" if value is None or isinstance(value, dict | bool) else str(value)[:80]
