"""Routes whose one statement judges the credentials and answers the question together."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.requests import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from sentinel.api.security import service_and_user
from sentinel.api.state import state_of


class HotRoute(APIRoute):
    """A route of the SVC+USER tier that authenticates inside its use case (design: round-trip budget).

    There a question has to be understood before it is known who asks it. So that a stranger is still told nothing but
    that he is one, a question that makes no sense is only called so after its credentials have been judged by
    themselves; that, too, is one statement, as the other is not sent.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def credentials_first(request: Request) -> Response:
            try:
                return await handler(request)
            except (RequestValidationError, HTTPException):
                state = state_of(request)
                async with state.database.reading() as session:
                    await service_and_user(request, state, session)
                raise

        return credentials_first
