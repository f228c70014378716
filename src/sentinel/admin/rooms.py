"""The routers of the panel: pages, their files, and the JSON API behind ``/admin/api``."""

from fastapi import APIRouter

from sentinel.admin import assets
from sentinel.admin.api import activity as activity_api
from sentinel.admin.api import groups as groups_api
from sentinel.admin.api import insights as insights_api
from sentinel.admin.api import roles as roles_api
from sentinel.admin.api import stats as stats_api
from sentinel.admin.api import system as system_api
from sentinel.admin.api import workspaces as workspaces_api
from sentinel.admin.pages import (
    access,
    activity,
    dashboard,
    door,
    groups,
    insights,
    members,
    roles,
    search,
    settings,
    system,
    usage,
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
)
API: tuple[APIRouter, ...] = (
    stats_api.router,
    activity_api.router,
    insights_api.router,
    system_api.router,
    workspaces_api.router,
    groups_api.router,
    roles_api.router,
)

PANEL: tuple[APIRouter, ...] = (assets.router, *API, *PAGES)
"""All of them, in the order in which paths are tried."""
