"""One call to a provider, with what goes wrong told in the words of this room."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import httpx

from sentinel.core.errors import UpstreamFailed
from sentinel.core.outbound import Outbound, Unreachable
from sentinel.providers.errors import ProviderUnavailable

MAX_RETRY_AFTER_SECONDS = 3600


async def call(
    outbound: Outbound,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: str | None = None,
    json: Any = None,
) -> httpx.Response:
    """The provider's answer, unless it is "not now".

    Raises :class:`ProviderUnavailable` when there is no answer or one with status 429 or 5xx, and
    :class:`UpstreamFailed` for one that the outbound rules refuse.
    """
    try:
        response = await outbound.request(method, url, headers=headers, content=content, json=json)
    except Unreachable as error:
        raise unavailable(error.reason) from error
    if response.status_code == 429 or response.status_code >= 500:
        wait = response.headers.get("retry-after", "")
        raise unavailable(f"provider_status_{response.status_code}", retry_after=wait)
    return response


async def get_document(outbound: Outbound, url: str) -> dict[str, Any]:
    """A JSON object that the provider must publish; every failure is :class:`ProviderUnavailable`."""
    try:
        response = await call(outbound, "GET", url, headers={"accept": "application/json"})
    except UpstreamFailed as error:
        raise unavailable(error.reason) from error
    if response.status_code != 200:
        raise unavailable(f"provider_status_{response.status_code}")
    document = parse_json(response)
    if not isinstance(document, dict):
        raise unavailable("provider_answer_malformed")
    return document


def parse_json(response: httpx.Response) -> Any:
    """The JSON value in an answer; None if it is not JSON that can be read."""
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def unavailable(reason: str, *, retry_after: str = "") -> ProviderUnavailable:
    """The failure to raise; ``retry_after`` is the provider's own header, used if it is a bearable count."""
    text = "The identity provider cannot be reached or used at the moment; try again shortly"
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return ProviderUnavailable(
            text, reason=reason, retry_after=min(max(int(retry_after), 1), MAX_RETRY_AFTER_SECONDS)
        )
    return ProviderUnavailable(text, reason=reason)


def basic_credentials(client_id: str, client_secret: str) -> str:
    """The ``Authorization`` value for client credentials: form-encoded first, as RFC 6749 §2.3.1 demands."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
