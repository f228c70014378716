"""Real PostgreSQL and Redis for the tests, from wheels: nothing but pip is needed, nothing is installed system-wide.

One run of the tests has one directory, one PostgreSQL and one Redis, shared by all its worker processes. A server
is started by the first worker that asks for it and ended by its keeper (``keeper.py``) when the run is over.
PostgreSQL refuses to run as root, so root lends it the identity of ``nobody``.

Fault tests, which stop and kill, start servers of their own::

    with start_private_postgres() as postgres:
        url = postgres.url_for(postgres.create_database())
        postgres.stop()
        postgres.start()
"""

from tests.servers.courier import migrate
from tests.servers.postgres import (
    APPLICATION_ROLE,
    Postgres,
    PrivatePostgres,
    shared_postgres,
    start_private_postgres,
)
from tests.servers.redis import PrivateRedis, Redis, shared_redis, start_private_redis
from tests.servers.run import RUN_VARIABLE, ServerError, leave, once, open_run, run_directory

__all__ = [
    "APPLICATION_ROLE",
    "RUN_VARIABLE",
    "Postgres",
    "PrivatePostgres",
    "PrivateRedis",
    "Redis",
    "ServerError",
    "leave",
    "migrate",
    "once",
    "open_run",
    "run_directory",
    "shared_postgres",
    "shared_redis",
    "start_private_postgres",
    "start_private_redis",
]
