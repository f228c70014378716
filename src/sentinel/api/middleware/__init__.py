"""The layers between the server and the application: pure ASGI, one file each."""

from starlette.types import ASGIApp

from sentinel.api.hot import HotCalls
from sentinel.api.middleware.access_log import AccessLog
from sentinel.api.middleware.body_size import BodySize
from sentinel.api.middleware.client import ClientAddress
from sentinel.api.middleware.cors import Cors, Origins, Preflight
from sentinel.api.middleware.express import Express
from sentinel.api.middleware.guard import Guard
from sentinel.api.middleware.headers import SecurityHeaders
from sentinel.api.middleware.hop_headers import HopHeaders
from sentinel.api.middleware.host import AllowedHosts
from sentinel.api.middleware.measure import Measure
from sentinel.api.middleware.path import PlainPath
from sentinel.api.middleware.request_id import RequestId
from sentinel.api.middleware.trace import Trace
from sentinel.core import tracing
from sentinel.settings import Settings


def wrap(app: ASGIApp, *, settings: Settings, origins: Origins, hot: HotCalls | None = None) -> ASGIApp:
    """``app`` inside all layers. This is the one place that knows their order.

    Everything that refuses lies inside everything that adds headers, so that a 400, 413, 429 or 500 carries
    them too (http-api.md §0.8 rule 5). Preflights come after the host check, which spares no path (T4). The
    internal tier has no CORS (§0.6). Calls of ``hot`` with a plain head pass all layers in one step.
    """
    cors: Cors | None = None
    # Innermost first.
    app = BodySize(app)
    app = HopHeaders(app)
    app = PlainPath(app)
    if settings.tier != "internal":
        app = Preflight(app, origins=origins)
    app = hosts = AllowedHosts(app, hosts=settings.effective_allowed_hosts)
    app = Guard(app)
    if settings.tier != "internal":
        app = cors = Cors(app, origins=origins)
    app = security = SecurityHeaders(app, hsts=settings.cookie_secure)
    app = AccessLog(app)
    if settings.metrics_port:
        app = Measure(app)
    if tracing.enabled():
        app = Trace(app)
    app = RequestId(app)
    app = ClientAddress(
        app, behind_proxy=settings.behind_proxy, trusted_proxy_count=settings.trusted_proxy_count
    )
    if hot is None or tracing.enabled():
        return app
    return Express(
        app,
        hot,
        hosts=hosts,
        cors=cors,
        security=security,
        behind_proxy=settings.behind_proxy,
        trusted_proxy_count=settings.trusted_proxy_count,
    )
