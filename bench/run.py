"""One run of the benchmark: everything is started, loaded, measured in turn, and written down."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import anyio
from sqlalchemy.engine import make_url

from bench import export, quota, sdk
from bench.data import Size, World
from bench.driver import Measured, Once, Repeating, capacity, cpu_seconds, drive, resident
from bench.issuer import BenchIssuer
from bench.load import load
from bench.scenarios import SCENARIOS, Load, Scenario, Setting
from bench.servers import BenchPostgres, all_cores, pin, run_on_disk
from bench.stand import ROOT, Cores, Stand, answers, issuer_variables, on_cores, stand, variables
from bench.stock import Shot, Stock
from bench.wire import PostgresCounter, RedisCounter, Tap
from sentinel.tokens.keyring import generate_pair
from tests.served import free_port, starting, wait_until
from tests.servers import start_private_redis

SETUPS = {"postgresql-1": 1, "postgresql-2": 2, "sqlite-1": 1}
"""Database and number of worker processes."""
FRESH_EACH = 2_500
FRESH_MOST = 7_000
"""Tokens that were never shown before, for each second of a slot: so many for each connection, so many at most."""

WARMING = 400
"""Requests before anything is measured."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    size: Size
    setups: tuple[str, ...] = tuple(SETUPS)
    scenarios: tuple[str, ...] = tuple(scenario.name for scenario in SCENARIOS)
    connections: tuple[int, ...] = (1, 16, 64)
    rounds: int = 5
    seconds: float = 1.5
    comparisons: bool = True
    small: int = 10_000
    """Resources of the smaller world of the comparison of sizes."""
    large: int = 0
    """Resources of the larger one; 0 takes the world of the run."""
    soak_minutes: float = 0
    panel: bool = True
    """Whether the pages of the panel and an export are measured, too."""
    sdk_calls: int = 1_000


WORKED_BY_TWO = (64, 16)
"""Connections over which two workers are compared with one. Of 16, each of two has eight: so little at a time that an
answer costs more."""
WHOLE_CORES = 4
"""With fewer, two workers, the database and the driver cannot have one each."""


@dataclass
class Results:
    """What a run has found: one row for each slot, and what is measured once."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)
    """Comparisons of two stands or questions, slot by slot."""
    facts: dict[str, Any] = field(default_factory=dict)


class Run:
    """A run on servers of its own. ``lines`` takes every row as JSON as soon as it is there."""

    def __init__(self, plan: Plan, say: Say, lines: IO[str], database_url: str | None = None) -> None:
        self.plan = plan
        self.results = Results()
        self._say = say
        self._lines = lines
        self._given_url = database_url
        self._turns: Counter[str] = Counter()
        self._scenarios = [scenario for scenario in SCENARIOS if scenario.name in plan.scenarios]

    def __call__(self) -> Results:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sentinel-bench-")))
            self._folder = folder
            self._keys = (folder / "private.pem", folder / "public.pem")
            generate_pair(*self._keys)
            directory = stack.enter_context(run_on_disk())
            with on_cores(Cores.dealt(1).database):
                self._redis = stack.enter_context(start_private_redis())
                self._postgres = stack.enter_context(BenchPostgres(directory))
            self._world = World(self.plan.size)
            self._stock = Stock(self._world, self._keys)
            self._issuer = stack.enter_context(BenchIssuer(self._world).serving())
            self._urls: dict[str, str] = {}
            self._measure()
        return self.results

    def _measure(self) -> None:
        plan, facts = self.plan, self.results.facts
        facts["size"] = asdict(self._world.size)
        facts["machine_cores"] = len(all_cores())
        facts["driver"] = self._driver()
        for setup in plan.setups:
            with self._stand(setup) as made:
                facts.setdefault("cores", {})[setup] = str(made.cores)
                for scenario in self._scenarios:
                    self._scenario(made, scenario)
                facts.setdefault("memory", {})[setup] = [resident([pid]) for pid in made.product_pids()]
                if setup == plan.setups[0]:
                    facts["sdk"] = self._sdk(made)
                    if plan.soak_minutes:
                        facts["soak"] = self._soak(made)
        if plan.setups[0].startswith("postgresql"):
            facts["counts"] = self._counts()
            facts["start_seconds"] = self._starts(plan.setups[0])
        if plan.panel:
            facts["panel"] = self._panel()
            with self._stand(plan.setups[0]) as made:
                facts["export"] = asdict(export.measure(self._stock, made.served.port, made.product_pids()))
        if plan.comparisons:
            self._compare()

    # ── servers ──

    def _url(self, database: str, world: World) -> str:
        """A loaded database for a world, made when it is first asked for."""
        name = f"{database} {world.size.resources}"
        if name not in self._urls:
            if self._given_url and database in self._given_url and world is self._world:
                self._urls[name] = self._given_url
                return self._given_url
            if database == "sqlite":
                url = f"sqlite+aiosqlite:///{self._folder / f'world-{world.size.resources}.db'}"
            else:
                url = self._postgres.url_for(self._postgres.create_database())
            began = time.monotonic()
            anyio.run(load, url, world)
            self._say(
                f"{database} is loaded: {world.size.resources:,} resources in {time.monotonic() - began:.0f} s"
            )
            self._urls[name] = url
        return self._urls[name]

    @contextmanager
    def _stand(self, setup: str, world: World | None = None, **variables: str) -> Iterator[Stand]:
        world = world or self._world
        url = self._url(setup.partition("-")[0], world)
        with stand(
            setup,
            url,
            world,
            self._keys,
            self._redis.url(),
            self._folder,
            workers=SETUPS[setup],
            more=issuer_variables(self._issuer.port) | variables,
        ) as made:
            yield made

    # ── scenarios ──

    def _setting(self, made: Stand, scenario: Scenario) -> Setting:
        plan = self.plan
        each_second = sum(min(FRESH_EACH * connections, FRESH_MOST) for connections in plan.connections)
        fresh = int(each_second * plan.seconds * plan.rounds) + WARMING
        turn = self._turns[scenario.name]
        self._turns[scenario.name] += 1
        return Setting(self._stock, made, self._issuer, fresh, turn)

    def _scenario(self, made: Stand, scenario: Scenario) -> None:
        """Each round: the ceiling and the product for every concurrency, one right after the other."""
        prepared = scenario.make(self._setting(made, scenario))
        product, ceiling = made.product_pids(), made.ceiling_pids()
        least = self.plan.seconds / 3
        drive(made.served.port, prepared.feed, connections=8, seconds=least, most=WARMING)
        drive(made.ceiling_port, Repeating(prepared.ceiling), connections=8, seconds=least)
        for turn in range(self.plan.rounds):
            for connections in self.plan.connections:
                below: dict[str, Measured] = {}
                # Whichever comes first changes from round to round, as the machine changes its speed.
                for side in ("ceiling", "product")[:: 1 if turn % 2 else -1]:
                    if side == "ceiling":
                        below[side] = drive(
                            made.ceiling_port,
                            Repeating(prepared.ceiling),
                            connections=connections,
                            seconds=self.plan.seconds,
                            server=ceiling,
                        )
                    else:
                        below[side] = drive(
                            made.served.port,
                            prepared.feed,
                            connections=connections,
                            seconds=self.plan.seconds,
                            server=product,
                        )
                self._note(made, scenario, connections, turn, prepared, below["product"], below["ceiling"])
        missing = prepared.afterwards()
        if missing:
            self._row({"setup": made.name, "scenario": scenario.name, "wrong_afterwards": missing})
        self._say(self._told(made.name, scenario))

    def _note(
        self,
        made: Stand,
        scenario: Scenario,
        connections: int,
        turn: int,
        prepared: Load,
        product: Measured,
        ceiling: Measured,
    ) -> None:
        assert all(status == 200 for _, status, _ in ceiling.answers), "the ceiling answers every request"
        # A slot in which there was nothing left to ask has measured how it ends.
        ran_out = isinstance(prepared.feed, Once) and not prepared.feed.left
        if not product.count or not ceiling.count or ran_out:
            row = {"setup": made.name, "scenario": scenario.name, "connections": connections, "empty": True}
            self._row(row | {"wrong": prepared.wrong(product.answers)})
            return
        self._row(
            {
                "setup": made.name,
                "scenario": scenario.name,
                "connections": connections,
                "round": turn,
                "decisions": scenario.decisions,
                **_figures(product),
                "errors": product.broken + sum(status >= 500 for _, status, _ in product.answers),
                "wrong": prepared.wrong(product.answers),
                "memory": round(resident(made.product_pids()), 1),
                "driver_busy": round(product.driver_busy, 3),
                "steal": round(max(product.steal, ceiling.steal), 4),
                "ceiling": {"kind": scenario.kind, **_figures(ceiling)},
                "ratio": product.rate / ceiling.rate,
                "ratio_cpu": ceiling.cpu_each / product.cpu_each if product.cpu_each else None,
                "ratio_p99": product.at(99) / ceiling.at(99),
            }
        )

    def _row(self, row: dict[str, Any]) -> None:
        self.results.rows.append(row)
        self._lines.write(json.dumps(row) + "\n")
        self._lines.flush()

    def _told(self, setup: str, scenario: Scenario) -> str:
        rows = [
            row
            for row in self.results.rows
            if row["setup"] == setup and row["scenario"] == scenario.name and "rate" in row
        ]
        parts = []
        for connections in self.plan.connections:
            chosen = [row for row in rows if row["connections"] == connections]
            if chosen:
                rate, ratio = _median(chosen, "rate"), _median(chosen, "ratio")
                cpu = _median([row for row in chosen if row["ratio_cpu"]], "ratio_cpu")
                parts.append(f"{connections}: {rate:,.0f}/s = {ratio:.2f} of the ceiling ({cpu:.2f} by CPU)")
        wrong = sum(row.get("wrong", 0) for row in rows)
        return f"{setup:13} {scenario.name:15} {'; '.join(parts)}; wrong {wrong}"

    # ── what is measured once ──

    def _driver(self) -> dict[str, float]:
        """What the driver can do at most, against a responder on the server's core that does nothing."""
        port = free_port()
        with on_cores(Cores.dealt(1).server):
            code = f"import uvloop; from bench.driver import respond; uvloop.run(respond({port}))"
            process = subprocess.Popen(
                [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
            )
        wires = [shot.wire() for shot in self._stock.checks(50, 20)]
        with on_cores(Cores.dealt(1).driver):
            try:
                wait_until(lambda: answers(port), "the responder")
                rate = max(capacity(port, wires, connections=16, seconds=self.plan.seconds) for _ in range(3))
            finally:
                process.terminate()
                process.wait()
        self._say(f"driver alone: {rate:,.0f} requests/s against a responder that does nothing")
        return {"rate": rate}

    def _counts(self) -> dict[str, dict[str, int]]:
        """Statements and Redis commands of one call, read off the wire, of some calls one by one.

        The fewest statements and the usual number of commands count: now and then a job of the service's own falls
        among them, or Redis is late. One that writes for seconds what the calls before have left is waited for.
        """
        counts = {}
        texts = self.results.facts["texts"] = {}
        url = self._url("postgresql", self._world)
        with (
            Tap(
                self._postgres.port if url is not self._given_url else _port(url), PostgresCounter
            ).open() as sql,
            Tap(self._redis.port, RedisCounter).open() as redis,
            stand(
                "counted",
                url.replace(f":{_port(url)}/", f":{sql.port}/"),
                self._world,
                self._keys,
                self._redis.url().replace(f":{self._redis.port}/", f":{redis.port}/"),
                self._folder,
                more=issuer_variables(self._issuer.port),
            ) as made,
        ):
            for scenario in self._scenarios:
                setting = self._setting(made, scenario)
                setting.fresh = 100
                feed = scenario.make(setting).feed
                drive(made.served.port, feed, connections=1, seconds=30, most=60)
                seen: list[tuple[int, int]] = []
                for _ in range(15):
                    _wait_for_quiet(sql)
                    before = sql.count, redis.count
                    drive(made.served.port, feed, connections=1, seconds=30, most=1)
                    seen.append((sql.count - before[0], redis.count - before[1]))
                    if seen[-1][0] == min(one for one, _ in seen):
                        texts[scenario.name] = sql.texts[before[0] : sql.count]
                counts[scenario.name] = {
                    "statements": min(one for one, _ in seen),
                    "redis": statistics.mode(one for _, one in seen),
                }
        return counts

    def _starts(self, setup: str) -> list[float]:
        """Seconds from the start of the service on an existing database to its first answer."""
        found, used = [], []
        url = self._url(setup.partition("-")[0], self._world)
        for _ in range(3):
            environ = variables(url, self._keys, self._redis.url(), **issuer_variables(self._issuer.port))
            began = time.perf_counter()
            with on_cores(Cores.dealt(1).server), starting(environ, self._folder) as served:
                wait_until(served.ready, "the first answer")
                found.append(time.perf_counter() - began)
                used.append(cpu_seconds([served.process.pid]))
        self.results.facts["start_cpu"] = used
        return found

    def _panel(self) -> list[dict[str, Any]]:
        """Every list page, asked for by a process on the server's core."""
        url = self._url(self.plan.setups[0].partition("-")[0], self._world)
        command = [sys.executable, "-m", "bench", "panel", "--database-url", url, "--json"]
        with on_cores(Cores.dealt(1).server):
            done = subprocess.run(
                [*command, "--rounds", str(self.plan.rounds)], cwd=ROOT, stdout=subprocess.PIPE, check=True
            )
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        slowest = max(rows, key=lambda row: row["median_ms"])
        self._say(
            f"panel: {len(rows)} pages, the slowest is {slowest['page']}: {slowest['median_ms']:.0f} ms"
        )
        return rows

    def _sdk(self, made: Stand) -> dict[str, float]:
        return sdk.measure(self._stock, made.served.port, self.plan.sdk_calls, self.plan.rounds)

    def _soak(self, made: Stand) -> dict[str, Any]:
        """Memory while single checks and lists go on for minutes."""
        shots = self._stock.checks(1500) + self._stock.listings(20)
        feed, until = (
            Repeating([shot.wire() for shot in shots]),
            time.monotonic() + self.plan.soak_minutes * 60,
        )
        memory, wrong = [], 0
        while time.monotonic() < until:
            measured = drive(made.served.port, feed, connections=16, seconds=10)
            wrong += _wrong(shots, measured)
            memory.append(resident(made.product_pids()))
        return {"minutes": self.plan.soak_minutes, "memory": memory, "wrong": wrong}

    # ── comparisons ──

    def _compare(self) -> None:
        """Two workers with one, SQLite with PostgreSQL, a large world with a small one: slot by slot in turn."""
        plan = self.plan
        if "postgresql-1" not in plan.setups:
            return
        with self._stand("postgresql-1") as base:
            for other in ("postgresql-2", "sqlite-1"):
                if other in plan.setups:
                    with self._stand(other) as second:
                        if other == "postgresql-2":
                            self._two(base, second)
                        else:
                            self._in_turn(f"{other} to postgresql-1", base, second)
            with self._stand("postgresql-1", LOG_LEVEL="INFO") as talking:
                self._in_turn("a line of log for each request", base, talking)
            self._shares(base)
            small = World(_resized(plan.size, plan.small))
            with self._stand("postgresql-1", small) as tiny:
                if not plan.large:
                    self._sizes(tiny, Stock(small, self._keys), base, self._stock)
                else:
                    large = World(_resized(plan.size, plan.large))
                    with self._stand("postgresql-1", large) as huge:
                        self._sizes(tiny, Stock(small, self._keys), huge, Stock(large, self._keys))

    def _in_turn(self, name: str, base: Stand, other: Stand, connections: int = 16) -> None:
        shots = self._stock.checks(1500)
        self._pairs(name, (base, shots), (other, shots), connections)

    def _two(self, base: Stand, second: Stand) -> None:
        """Two workers, with so many connections that each of them has as much to do as the single one, and with no more
        than keep the single one busy.
        """
        for connections in WORKED_BY_TWO:
            name = f"postgresql-2 to postgresql-1, {connections} connections"
            self._in_turn(name, base, second, connections)
        if self.results.facts["machine_cores"] < WHOLE_CORES:
            self._halves(base, second)

    def _halves(self, base: Stand, second: Stand) -> None:
        """One worker and two on the same core, each with half of it: so none goes short because of the other."""
        if not quota.available():
            return
        pids = [*base.product_pids(), *second.product_pids()]
        for pid in pids:
            pin(pid, base.cores.server)
        with quota.part_of_a_core(pids, 0.5):
            for connections in WORKED_BY_TWO:
                self._in_turn(f"half cores, {connections} connections", base, second, connections)

    def _sizes(self, tiny: Stand, few: Stock, huge: Stand, many: Stock) -> None:
        name = f"{few.world.size.resources:,} to {many.world.size.resources:,} resources"
        self._pairs(name, (tiny, few.checks(1500)), (huge, many.checks(1500)), 1)

    def _shares(self, base: Stand) -> None:
        """Somebody who holds 10,000 shares of other resources asks, and somebody who holds hardly any."""
        stock, world = self._stock, self._world
        numbers = stock.resources_of(0)[world.crowd :][:500] or stock.resources_of(0)[:500]
        asking = [
            [stock.check(person, 0, number) for number in numbers]
            for person in (world.bystander(), world.collector())
        ]
        self._pairs(f"few to {world.crowd:,} shares elsewhere", (base, asking[0]), (base, asking[1]), 1)

    def _pairs(
        self, name: str, first: tuple[Stand, list[Shot]], second: tuple[Stand, list[Shot]], connections: int
    ) -> None:
        sides = []
        for made, shots in (first, second):
            feed = Repeating([shot.wire() for shot in shots])
            drive(made.served.port, feed, connections=8, seconds=self.plan.seconds / 2)
            sides.append((made, shots, feed))
        for turn in range(self.plan.rounds):
            found: list[Measured] = []
            for made, _, feed in sides if turn % 2 else reversed(sides):
                found.append(
                    drive(
                        made.served.port,
                        feed,
                        connections=connections,
                        seconds=self.plan.seconds,
                        server=made.product_pids(),
                    )
                )
            one, two = found if turn % 2 else reversed(found)
            row = {
                "pair": name,
                "round": turn,
                "rate": two.rate / one.rate,
                "p50": two.at(50) / one.at(50),
                "cpu": two.cpu_each / one.cpu_each if one.cpu_each else None,
                "wrong": _wrong(first[1], one) + _wrong(second[1], two),
            }
            self.results.pairs.append(row)
            self._lines.write(json.dumps(row) + "\n")
        rows = [row for row in self.results.pairs if row["pair"] == name]
        self._say(f"{name}: rate {_median(rows, 'rate'):.2f}, p50 {_median(rows, 'p50'):.2f}")


def _wait_for_quiet(tap: Tap, still: float = 0.05, patience: float = 20) -> None:
    """Wait until nothing has come by for ``still`` seconds, ``patience`` seconds at most."""
    end, seen = time.monotonic() + patience, -1
    while seen != tap.count and time.monotonic() < end:
        seen = tap.count
        time.sleep(still)


def _figures(measured: Measured) -> dict[str, float]:
    return {
        "rate": measured.rate,
        "p50": measured.at(50) * 1000,
        "p95": measured.at(95) * 1000,
        "p99": measured.at(99) * 1000,
        "cpu_us": measured.cpu_each * 1e6,
    }


def _wrong(shots: Sequence[Shot], measured: Measured) -> int:
    return sum(not shots[number].judge(status, body) for number, status, body in measured.answers)


def _median(rows: Iterable[dict[str, Any]], name: str) -> float:
    values = [row[name] for row in rows]
    return float(statistics.median(values)) if values else float("nan")


def _resized(size: Size, resources: int) -> Size:
    return Size(**(asdict(size) | {"resources": resources}))


def _port(url: str) -> int:
    return make_url(url).port or 5432
