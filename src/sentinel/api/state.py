"""What every request can reach: the parts that :func:`sentinel.app.create_app` has wired together."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from sentinel.api.middleware.cors import Origins
from sentinel.api.rate_limit import RateLimits
from sentinel.apps.key_use import KeyUse
from sentinel.audit.buffer import ActivityBuffer
from sentinel.audit.signals import Signals
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.core.outbound import Outbound
from sentinel.login.admin import AdminLogin
from sentinel.login.github_authz import GitHubLogin
from sentinel.login.proxy import ProxyLogin
from sentinel.login.resolve import Resolver
from sentinel.login.sessions import RefreshPolicy
from sentinel.login.state import LoginCookie
from sentinel.providers import Providers
from sentinel.roles.usage import UsageCounter
from sentinel.settings import Settings
from sentinel.tokens.issue import Issuer
from sentinel.tokens.keyring import FileKeyring
from sentinel.tokens.verify import Verifier


@dataclass(frozen=True)
class State:
    """One installation's working parts, the same for all requests of a process."""

    settings: Settings
    clock: Clock
    database: Database
    keyring: FileKeyring
    issuer: Issuer
    verifier: Verifier
    outbound: Outbound
    providers: Providers
    limits: RateLimits
    origins: Origins
    proxy_login: ProxyLogin
    admin_login: AdminLogin
    login_cookie: LoginCookie
    resolver: Resolver
    github_login: GitHubLogin
    refresh_policy: RefreshPolicy
    key_use: KeyUse
    usage: UsageCounter
    activity: ActivityBuffer
    signals: Signals
    started_at: datetime

    def now(self) -> datetime:
        return self.clock.now()


def state_of(request: Request) -> State:
    """The :class:`State` of the application that serves ``request``."""
    state: State = request.app.state.sentinel
    return state


async def _current_state(request: Request) -> State:
    # Not async, it would be run in a thread, for every request.
    return state_of(request)


CurrentState = Annotated[State, Depends(_current_state)]
