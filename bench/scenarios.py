"""The scenarios: what is asked, over and over, and what makes an answer wrong."""

import base64
import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from bench.data import sessions
from bench.driver import Answer, Feed, Once, Repeating, drive, request
from bench.issuer import BenchIssuer
from bench.stand import Stand
from bench.stock import BASE_URL, Shot, Stock
from sentinel.core.clock import Clock
from sentinel.permissions.decide import Level
from sentinel.tokens.keyring import FileKeyring

MARK = "00000000-0000-4000-8000-000000000000"
"""Stands in a template where an id will be."""


@dataclass
class Setting:
    """What a scenario is made from."""

    stock: Stock
    stand: Stand
    issuer: BenchIssuer
    fresh: int
    """How many tokens that were never shown before are wanted."""
    turn: int = 0
    """How often the scenario was made before in this run: what can be used once is taken from further on."""


class Load(Protocol):
    """A scenario that is ready to be driven."""

    feed: Feed
    ceiling: list[bytes]
    """The same requests for the ceiling."""

    def wrong(self, answers: Sequence[Answer]) -> int:
        """How many of the answers of one slot are wrong. Called once a slot, when the clock has stopped."""
        ...

    def afterwards(self) -> int:
        """Look at what was written; how much of it is not there as it should be."""
        ...


@dataclass(frozen=True)
class Scenario:
    """A name for the table, and how to make it. ``kind`` is the ceiling that it is measured against."""

    name: str
    title: str
    make: Callable[[Setting], Load]
    kind: str = "verified"
    decisions: int = 1


class Asking:
    """Reads: requests that were put together before and can be repeated."""

    def __init__(self, setting: Setting, shots: Sequence[Shot], kind: str, *, once: bool = False) -> None:
        self._shots = shots
        wires = [shot.wire() for shot in shots]
        self.feed: Feed = Once(wires) if once else Repeating(wires)
        world = setting.stock.world
        # Ceilings repeat their requests: they verify every time anyway.
        self.ceiling = [
            shot.ceiling(f"/{kind}/{world.uuid('record', number * 7919 % world.size.resources)}")
            for number, shot in enumerate(shots[:2000])
        ]

    def wrong(self, answers: Sequence[Answer]) -> int:
        """See :class:`Load`."""
        return sum(not self._shots[number].judge(status, body) for number, status, body in answers)

    def afterwards(self) -> int:
        """See :class:`Load`."""
        return 0


def check_fresh(setting: Setting) -> Load:
    """Single checks, each with a token that the service has never seen."""
    stock, chance = setting.stock, setting.stock.chance
    seats = stock.seats(setting.fresh)
    shots = []
    for (person, workspace), token in zip(seats, stock.fresh_tokens(seats), strict=True):
        here = stock.resources_of(workspace)[:200]
        number = chance.choice(here) if here else chance.randrange(stock.world.size.resources)
        shots.append(stock.check(person, workspace, number, token))
    return Asking(setting, shots, "verified", once=True)


# ── writes ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Registering:
    """New resources of one owner, one after the other."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        stock, world = setting.stock, setting.stock.world
        self.person, self.workspace = stock.seats(1)[0]
        self._ids: list[str] = []
        self._body = {
            "service_name": "notes",
            "resource_type": "draft",
            "resource_id": MARK,
            "workspace_id": str(world.uuid("workspace", self.workspace)),
            "owner_id": str(world.uuid("user", self.person)),
            "visibility": "private",
        }
        headers = stock.both("notes", self.person, self.workspace)
        self._wire = request("POST", "/permissions/register", self._body, headers)
        self.feed: Feed = self
        self.ceiling = [request("POST", f"/verified/{world.uuid('record', 0)}", self._body, headers)]

    def next(self, previous: Answer | None) -> tuple[int, bytes] | None:
        """See :class:`~bench.driver.Feed`."""
        [content] = self.wires(1)
        return len(self._ids) - 1, content

    def wires(self, count: int) -> list[bytes]:
        """Requests for ``count`` more resources."""
        fresh = [str(uuid4()) for _ in range(count)]
        self._ids += fresh
        return [self._wire.replace(MARK.encode(), one.encode()) for one in fresh]

    def wrong(self, answers: Sequence[Answer]) -> int:
        """See :class:`Load`."""
        wrong = 0
        for number, status, body in answers:
            right = self._body | {"resource_id": self._ids[number]}
            wrong += status != 201 or not right.items() <= json.loads(body).items()
        return wrong

    def afterwards(self) -> int:
        """Every tenth of the first thousand is asked for again."""
        key = self._setting.stock.key("notes")
        wires = [
            request("GET", f"/permissions/resource/notes/draft/{found}", None, key)
            for found in self._ids[:1000:10]
        ]
        return sum(status != 200 for _, status, _ in _send(self._setting, wires))


class Sharing:
    """Resources of one owner are shared with one person after the other."""

    RESOURCES = 200

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        stock, world = setting.stock, setting.stock.world
        registering = Registering(setting)
        made = [json.loads(body) for _, _, body in _send(setting, registering.wires(self.RESOURCES))]
        self._records = [(one["id"], one["resource_id"]) for one in made]
        self._workspace, owner = registering.workspace, registering.person
        others = [p for p in world.members[self._workspace] if p != owner and world.is_active(p)] or [owner]
        headers = stock.both("notes", owner, self._workspace)
        self._wishes: list[tuple[str, int, Level]] = []
        requests = []
        for number in range(len(self._records) * min(len(others), 200)):
            record, resource_id = self._records[number % len(self._records)]
            person = others[number // len(self._records) % len(others)]
            level = (Level.VIEW, Level.EDIT)[number % 2]
            self._wishes.append((resource_id, person, level))
            body = {
                "grantee_type": "user",
                "grantee_id": str(world.uuid("user", person)),
                "permission": level.value,
            }
            requests.append(request("POST", f"/permissions/{record}/share", body, headers))
        # A second turn changes nothing and is answered alike.
        self.feed: Feed = Repeating(requests)
        self.ceiling = [
            request("POST", f"/verified/{world.uuid('record', 0)}", {"permission": "view"}, headers)
        ]
        self._done: list[int] = []

    def wrong(self, answers: Sequence[Answer]) -> int:
        """See :class:`Load`."""
        self._done += [number for number, status, _ in answers if status == 201]
        return sum(status != 201 or json.loads(body) != {"status": "ok"} for _, status, body in answers)

    def afterwards(self) -> int:
        """Some of those who were given a share ask whether they may edit."""
        stock = self._setting.stock
        wires, right = [], []
        for number in self._done[:: max(1, len(self._done) // 40)][:40]:
            resource_id, person, level = self._wishes[number]
            item = {
                "service_name": "notes",
                "resource_type": "draft",
                "resource_id": resource_id,
                "action": "edit",
            }
            headers = stock.both("notes", person, self._workspace)
            wires.append(request("POST", "/permissions/check", {"checks": [item]}, headers))
            role = stock.world.roles_of_members[self._workspace][person]
            right.append(level is Level.EDIT or role in ("admin", "owner"))
        answers = sorted(_send(self._setting, wires))
        return sum(
            json.loads(body)["results"][0]["allowed"] is not allowed
            for (_, _, body), allowed in zip(answers, right, strict=True)
        )


class Refreshing:
    """Sessions that are renewed again and again, each with the token of its last answer."""

    SESSIONS = 128

    def __init__(self, setting: Setting) -> None:
        stock, world = setting.stock, setting.stock.world
        keyring = FileKeyring(*stock.keys, [], clock=Clock())
        self._expected: dict[int, tuple[str, str]] = {}
        self._current: dict[int, str] = {}
        now = int(time.time())
        first = setting.turn * self.SESSIONS
        for number in range(first, min(first + self.SESSIONS, sessions(world))):
            if not world.may_sign_in(number):
                continue
            who, where = world.uuid("user", number), world.uuid("workspace", world.home(number))
            self._expected[number] = (str(who), str(where))
            self._current[number] = keyring.sign(
                {
                    "iss": BASE_URL,
                    "aud": "sentinel:refresh",
                    "type": "refresh",
                    "jti": str(world.uuid("refresh", number)),
                    "iat": now - 5,
                    "exp": now + 86_400,
                    "sub": str(who),
                    "fid": str(world.uuid("family", number)),
                    "ep": 0,
                }
            )
        self._waiting = deque(self._current)
        self.feed: Feed = self
        person, workspace = stock.seats(1)[0]
        headers = stock.both("notes", person, workspace)
        body = {"refresh_token": "x" * 800}
        self.ceiling = [request("POST", f"/verified/{world.uuid('record', 0)}", body, headers)]

    def next(self, previous: Answer | None) -> tuple[int, bytes] | None:
        """See :class:`~bench.driver.Feed`."""
        if previous is not None:
            self._take(previous)
        if not self._waiting:
            return None
        number = self._waiting.popleft()
        token = self._current[number]
        return number, request("POST", "/auth/refresh", {"refresh_token": token})

    def _take(self, answer: Answer) -> None:
        number, status, body = answer
        if status == 200:
            self._current[number] = json.loads(body)["refresh_token"]
            self._waiting.append(number)

    def wrong(self, answers: Sequence[Answer]) -> int:
        """See :class:`Load`."""
        # The last answer on each connection was not followed by another request.
        last = {answer[0]: answer for answer in answers}
        for number, answer in last.items():
            if number not in self._waiting:
                self._take(answer)
        return sum(not self._right(answer) for answer in answers)

    def _right(self, answer: Answer) -> bool:
        number, status, body = answer
        if status != 200:
            return False
        payload = json.loads(body)["access_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        return (claims["sub"], claims["wid"]) == self._expected[number]

    def afterwards(self) -> int:
        """See :class:`Load`."""
        return 0


def _send(setting: Setting, wires: Sequence[bytes]) -> list[Answer]:
    """Send each of the requests once."""
    return drive(setting.stand.served.port, Once(wires), connections=4, seconds=120).answers


# ── the list ──────────────────────────────────────────────────────────────────────────────────────────────────────

SCENARIOS = (
    Scenario("check-fresh", "check, a new token each time", check_fresh),
    Scenario("check", "check, tokens repeat", lambda s: Asking(s, s.stock.checks(1500), "verified")),
    Scenario(
        "batch", "check of 100 at once", lambda s: Asking(s, s.stock.batches(60), "verified"), decisions=100
    ),
    Scenario("accessible", "accessible, limit 100", lambda s: Asking(s, s.stock.listings(60), "verified")),
    Scenario(
        "accessible-all",
        "accessible, all of 5,000",
        lambda s: Asking(s, s.stock.whole_showroom(), "rows"),
        kind="rows",
    ),
    Scenario("check-action", "check-action", lambda s: Asking(s, s.stock.action_checks(600), "verified")),
    Scenario("user-actions", "user-actions", lambda s: Asking(s, s.stock.action_lists(600), "verified")),
    Scenario("me", "users/me", lambda s: Asking(s, s.stock.profiles(600), "verified")),
    Scenario(
        "resolve",
        "authz/resolve, minting",
        lambda s: Asking(s, s.stock.resolutions(60, s.issuer.token), "bare"),
        kind="bare",
    ),
    Scenario("refresh", "auth/refresh", Refreshing),
    Scenario("register", "permissions/register", Registering),
    Scenario("share", "permissions/share", Sharing),
    Scenario("jwks", "jwks.json", lambda s: Asking(s, s.stock.key_sets(), "bare"), kind="bare"),
)
