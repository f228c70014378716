"""The routers of the panel: pages, their files, and the JSON API behind ``/admin/api``."""

from fastapi import APIRouter

from sentinel.admin import assets
from sentinel.admin.api import activity as activity_api
from sentinel.admin.api import client_apps as client_apps_api
from sentinel.admin.api import exports as exports_api
from sentinel.admin.api import groups as groups_api
from sentinel.admin.api import imports as imports_api
from sentinel.admin.api import insights as insights_api
from sentinel.admin.api import organizations as organizations_api
from sentinel.admin.api import permissions as permissions_api
from sentinel.admin.api import realms as realms_api
from sentinel.admin.api import roles as roles_api
from sentinel.admin.api import service_actions as service_actions_api
from sentinel.admin.api import service_apps as service_apps_api
from sentinel.admin.api import stats as stats_api
from sentinel.admin.api import system as system_api
from sentinel.admin.api import users as users_api
from sentinel.admin.api import workspaces as workspaces_api
from sentinel.admin.pages import (
    access,
    actions,
    activity,
    client_apps,
    dashboard,
    door,
    groups,
    imports,
    inquiries,
    insights,
    members,
    organizations,
    permissions,
    realms,
    roles,
    search,
    service_apps,
    settings,
    system,
    usage,
    user_workspaces,
    users,
    workspace_usage,
    workspaces,
)

PAGES: tuple[APIRouter, ...] = (
    door.router,
    search.router,
    dashboard.router,
    activity.router,
    insights.router,
    usage.router,
    system.router,
    settings.router,
    workspaces.router,
    members.router,
    groups.router,
    roles.router,
    access.router,
    workspace_usage.router,
    imports.router,
    users.router,
    user_workspaces.router,
    organizations.router,
    actions.router,
    client_apps.router,
    inquiries.router,
    permissions.router,
    realms.router,
    service_apps.router,
)
API: tuple[APIRouter, ...] = (
    stats_api.router,
    activity_api.router,
    insights_api.router,
    system_api.router,
    workspaces_api.router,
    groups_api.router,
    roles_api.router,
    users_api.router,
    imports_api.router,
    exports_api.router,
    organizations_api.router,
    client_apps_api.router,
    permissions_api.router,
    realms_api.router,
    service_actions_api.router,
    service_apps_api.router,
)

PANEL: tuple[APIRouter, ...] = (assets.router, *API, *PAGES)
"""All of them, in the order in which paths are tried."""
