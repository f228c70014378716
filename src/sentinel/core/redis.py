"""The way to Redis. It is fast or it fails: nothing may wait long for a Redis that is away."""

import ssl
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from sentinel.core import tracing
from sentinel.settings import Settings

TIMEOUT = 0.5  # seconds to connect, to wait for a free connection, and for each answer
MAX_CONNECTIONS = 16  # a process; a call takes well under a millisecond, so few are ever in use

FAILURES = (RedisError, OSError)
"""What a call raises while Redis is away. A timeout is an OSError, a refused login a RedisError."""


def connect(settings: Settings) -> Redis | None:
    """A client for `REDIS_URL`, None when it is empty. Opens no connection yet; close it with ``aclose()``.

    Options in the query of the URL are not read: they would override the TLS variables, which the start-up
    checks look at.
    """
    url = settings.redis_url.get_secret_value()
    if not url:
        return None
    options: dict[str, Any] = {
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        # That a pooled connection died with a restart of Redis shows only in its use: one more try, at once.
        "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        # RESP2 and no greeting: a new connection costs no round trip beyond AUTH and SELECT.
        "protocol": 2,
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if url.startswith("rediss://"):
        verify = settings.redis_tls_verify == "required"
        options |= {
            "ssl_cert_reqs": "required" if verify else "none",
            "ssl_check_hostname": verify,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        }
        if settings.redis_tls_ca_cert:
            options["ssl_ca_certs"] = str(settings.redis_tls_ca_cert)
    pool = BlockingConnectionPool.from_url(
        urlsplit(url)._replace(query="", fragment="").geturl(),
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT,
        **options,
    )
    redis = Redis.from_pool(pool)
    if tracing.enabled():
        tracing.watch_redis(redis)
    return redis


async def ping(redis: Redis) -> bool:
    """Whether Redis answers. Never raises for a Redis that does not."""
    try:
        return bool(await redis.ping())
    except FAILURES:
        return False
