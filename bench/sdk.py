"""What the client library costs: ``can()`` beside the same question sent by the HTTP client that it is built on."""

import json
import time
from statistics import median

import httpx
import uvloop

from bench.data import World
from bench.stock import Shot, Stock
from sentinel_auth.permissions import PermissionClient


def measure(stock: Stock, port: int, calls: int, rounds: int) -> dict[str, float]:
    """``calls`` questions, one after the other, each way; in turn, in ``rounds`` parts.

    The ratio is the median of the parts' ratios. Raises :class:`AssertionError` for a wrong answer.
    """
    return uvloop.run(_measure(stock, port, calls, rounds))


async def _measure(stock: Stock, port: int, calls: int, rounds: int) -> dict[str, float]:
    shots = [shot for shot in stock.checks(400) if _asks_notes(shot)]
    each = max(1, calls // rounds)
    base = f"http://127.0.0.1:{port}"
    world: World = stock.world
    raw_seconds: list[float] = []
    own_seconds: list[float] = []
    async with (
        httpx.AsyncClient(base_url=base, trust_env=False) as http,
        PermissionClient(base, "notes", world.service_key("notes")) as client,
    ):
        await _raw(http, shots[:20])
        await _own(client, shots[:20])
        for turn in range(rounds):
            part = [shots[(turn * each + at) % len(shots)] for at in range(each)]
            raw_seconds.append(await _raw(http, part))
            own_seconds.append(await _own(client, part))
    ratios = [own / raw for own, raw in zip(own_seconds, raw_seconds, strict=True)]
    return {
        "calls": each * rounds,
        "raw_ms": 1000 * sum(raw_seconds) / (each * rounds),
        "can_ms": 1000 * sum(own_seconds) / (each * rounds),
        "overhead": median(ratios) - 1,
    }


async def _raw(http: httpx.AsyncClient, shots: list[Shot]) -> float:
    found = []
    began = time.perf_counter()
    for shot in shots:
        answer = await http.post(shot.path, json=shot.body, headers=shot.headers)
        answer.raise_for_status()
        found.append(answer.json()["results"][0]["allowed"])
    seconds = time.perf_counter() - began
    _compare(shots, found)
    return seconds


async def _own(client: PermissionClient, shots: list[Shot]) -> float:
    found = []
    began = time.perf_counter()
    for shot in shots:
        item = shot.body["checks"][0]
        token = shot.headers["Authorization"][7:]
        found.append(await client.can(token, item["resource_type"], item["resource_id"], item["action"]))
    seconds = time.perf_counter() - began
    _compare(shots, found)
    return seconds


def _compare(shots: list[Shot], found: list[bool]) -> None:
    """With the clock stopped: every answer is what the law says."""
    for shot, allowed in zip(shots, found, strict=True):
        answer = {"results": [shot.body["checks"][0] | {"allowed": allowed}]}
        assert shot.judge(200, json.dumps(answer).encode()), (shot.body, allowed)


def _asks_notes(shot: Shot) -> bool:
    return bool(shot.body["checks"][0]["service_name"] == "notes")
