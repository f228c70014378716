"""schemathesis over the OpenAPI document: whatever is sent, the service answers, and never with a 5xx.

Requests are generated from the document, well-formed and malformed ones, and sent with real credentials, so that
they reach the use cases behind the tiers.
"""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation.modes import GenerationMode

from sentinel.workspaces.models import Workspace
from tests.stage import BASE_URL, Keys, Stage, bearer, open_stage

EXAMPLES = 4
ALLOWED = {200, 201, 204, 302, 400, 401, 403, 404, 405, 409, 413, 422}


class Served:
    """The stage behind a portal, for a test that is not asynchronous itself."""

    def __init__(self, portal: BlockingPortal, stage: Stage) -> None:
        self._portal = portal
        self.stage = stage
        self.owner, self.workspace, self.key = portal.call(self._world)
        document = portal.call(stage.client.get, "/openapi.json")
        self.document: dict[str, Any] = document.json()

    async def _world(self) -> tuple[Any, Workspace, str]:
        owner = await self.stage.user("Olivia")
        workspace = await self.stage.workspace(owner)
        service = await self.stage.service()
        resource = await self.stage.resource(workspace, owner)
        await self.stage.share(resource, await self.stage.group(workspace, owner))
        return owner, workspace, service.key

    def token(self) -> str:
        return self._portal.call(self.stage.access_token, self.owner, self.workspace)

    def send(self, prepared: requests.PreparedRequest, token: str) -> httpx.Response:
        sent = {**prepared.headers, "X-Service-Key": self.key, **bearer(token)}
        sent.pop("Content-Length", None)
        # Half of what a header may not hold is for the HTTP parser to refuse, and there is none in this process.
        headers = {name: value for name, value in sent.items() if re.fullmatch(r"[\x20-\x7e]*", str(value))}
        body: Any = prepared.body or b""
        request = httpx.Request(
            prepared.method or "GET", prepared.url or BASE_URL, headers=headers, content=body
        )
        return self._portal.call(self.stage.client.send, request)


@pytest.fixture
def served(postgresql_url: str, stage_keys: Keys) -> Iterator[Served]:
    """The application with its document published, limits off."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_stage(postgresql_url, stage_keys, debug=True)) as stage,
    ):
        yield Served(portal, stage)


def test_no_request_made_from_the_openapi_document_ends_in_a_5xx(served: Served) -> None:
    schema = schemathesis.openapi.from_dict(served.document)
    token = served.token()
    answered: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        label = f"{operation.method.upper()} {operation.path}"
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            answered.setdefault(label, set()).update(_ask(served, operation, mode, token))
    assert len(answered) >= 30
    # The requests were not all turned away at the door.
    assert sum(bool(statuses & {200, 201, 204}) for statuses in answered.values()) >= 5, answered
    assert {404, 422} <= set().union(*answered.values())


def _ask(served: Served, operation: Any, mode: GenerationMode, token: str) -> set[int]:
    """Send examples of one operation; the statuses that came back."""
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        prepared = requests.Request(**case.as_transport_kwargs(base_url=BASE_URL)).prepare()
        answer = served.send(prepared, token)
        assert answer.status_code in ALLOWED, (operation.path, answer.status_code, answer.text)
        statuses.add(answer.status_code)

    try:
        send()
    except Unsatisfiable:
        # An operation without parameters cannot be asked wrongly.
        assert mode is GenerationMode.NEGATIVE
    return statuses
