"""The targets, and what one run says about each."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.panel import REPORTS, TARGET_MS
from bench.run import WHOLE_CORES, Results

CHECKS = ("check-fresh", "check", "check-action", "user-actions", "batch", "accessible", "accessible-all")
BASE = "postgresql-1"
TWO = ("postgresql-2", "half cores")
"""How the names of comparisons of two workers with one begin."""
CONSTANT_MB = 4
"""What a worker may hold more while a file is sent that is larger."""


@dataclass(frozen=True)
class Verdict:
    """One target. ``met`` is None when the run cannot say; then ``found`` tells why."""

    target: str
    wanted: str
    found: str
    met: bool | None

    @property
    def word(self) -> str:
        if self.met is None:
            return "not judged" if self.wanted else "for information"
        return "met" if self.met else "missed"


def verdicts(results: Results) -> list[Verdict]:
    """Every target with its verdict."""
    return list(_verdicts(results))


def rows_of(
    results: Results, setup: str, scenario: str, connections: int | None = None
) -> list[dict[str, Any]]:
    """The slots of a scenario that gave answers."""
    return [
        row
        for row in results.rows
        if row["setup"] == setup
        and row["scenario"] == scenario
        and "rate" in row
        and connections in (None, row["connections"])
    ]


def middle(rows: list[dict[str, Any]], name: str) -> float:
    """The median of a column."""
    values = [row[name] for row in rows if row.get(name) is not None]
    return float(statistics.median(values)) if values else float("nan")


def concurrencies(results: Results, setup: str, scenario: str) -> list[int]:
    """The numbers of connections at which a scenario was measured."""
    return sorted({row["connections"] for row in rows_of(results, setup, scenario)})


def _verdicts(results: Results) -> Iterator[Verdict]:
    yield from _ratio(results, "check-fresh", "single check, a new token each time", 0.55)
    yield from _ratio(results, "check", "single check, tokens repeat", 0.75)
    yield from _tail(results, "check")
    yield from _ratio(results, "check-action", "check-action", 0.75)
    yield from _ratio(results, "accessible", "accessible, limit 100", 0.4)
    yield from _batch(results)
    yield from _whole(results)
    yield from _two(results)
    yield from _pairs(results)
    yield from _once(results)
    yield from _panel(results)
    yield from _registrations(results)
    yield from _answers(results)


def _busy(results: Results, scenario: str) -> list[int]:
    """Concurrencies that keep the server busy; the only one that was measured, if there is no other."""
    there = concurrencies(results, BASE, scenario)
    return [one for one in there if one > 1] or there


def _ratio(results: Results, scenario: str, title: str, least: float) -> Iterator[Verdict]:
    wanted = f"at least {least} of the ceiling"
    found = {
        connections: middle(rows_of(results, BASE, scenario, connections), "ratio")
        for connections in _busy(results, scenario)
    }
    if not found:
        yield Verdict(title, wanted, "not measured", None)
        return
    told = ", ".join(f"{ratio:.2f} with {connections}" for connections, ratio in found.items())
    yield Verdict(title, wanted, f"{told} connections", min(found.values()) >= least)


def _tail(results: Results, scenario: str) -> Iterator[Verdict]:
    found = {
        connections: middle(rows_of(results, BASE, scenario, connections), "ratio_p99")
        for connections in concurrencies(results, BASE, scenario)
    }
    title, wanted = "single check, p99", "under 3 times the ceiling's"
    if not found:
        yield Verdict(title, wanted, "not measured", None)
        return
    told = ", ".join(f"{ratio:.1f} with {connections}" for connections, ratio in found.items())
    yield Verdict(title, wanted, f"{told} connections", max(found.values()) < 3)


def _batch(results: Results) -> Iterator[Verdict]:
    there = _busy(results, "batch")
    if not there:
        yield Verdict("batch of 100", "60,000 decisions/s", "not measured", None)
        return
    rate = max(middle(rows_of(results, BASE, "batch", one), "rate") for one in there) * 100
    yield Verdict(
        "batch of 100", "at least 60,000 decisions/s a worker", f"{rate:,.0f} decisions/s", rate >= 60_000
    )
    for title, chosen in (
        ("batch of 100, its price for one caller", [1]),
        ("batch of 100, its price for a busy server", [one for one in there if one > 1]),
    ):
        checks = concurrencies(results, BASE, "check")
        costs = [
            middle(rows_of(results, BASE, "check", one), "ratio")
            / middle(rows_of(results, BASE, "batch", one), "ratio")
            for one in chosen
            if one in concurrencies(results, BASE, "batch") and one in checks
        ]
        if costs:
            yield Verdict(
                title, "no more than 3 single checks", f"{max(costs):.1f} single checks", max(costs) <= 3
            )


def _whole(results: Results) -> Iterator[Verdict]:
    title, wanted = "accessible, all of 5,000", "within 3 times the bare fetch and its encoding"
    there = concurrencies(results, BASE, "accessible-all")
    if not there:
        yield Verdict(title, wanted, "not measured", None)
        return
    times = max(1 / middle(rows_of(results, BASE, "accessible-all", one), "ratio") for one in there)
    yield Verdict(title, wanted, f"{times:.1f} times", times <= 3)


def _two(results: Results) -> Iterator[Verdict]:
    """What two workers do more than one when there is enough to do for two; with less, for information."""
    cores = results.facts["machine_cores"]
    for begin, title in zip(TWO, ("a core for each", "half a core for each"), strict=True):
        found = {
            name.split()[-2]: middle([row for row in results.pairs if row["pair"] == name], "rate")
            for name in dict.fromkeys(row["pair"] for row in results.pairs)
            if name.startswith(begin)
        }
        if not found:
            continue
        most = max(found, key=int)
        told = ", ".join(f"{rate:.2f} times with {connections}" for connections, rate in found.items())
        met: bool | None = found[most] >= 1.7
        why = f" (judged with {most})"
        if begin == TWO[0] and cores < WHOLE_CORES:
            met, why = None, f"; {cores} cores are too few for two workers, database and driver"
        yield Verdict(f"two workers, {title}", "at least 1.7 times one", f"{told} connections{why}", met)


def _panel(results: Results) -> Iterator[Verdict]:
    """Pages as measured, each the median of its rounds."""
    lists: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for row in results.facts.get("panel", []):
        is_list = not row["page"].startswith("API") and row["page"] not in REPORTS
        (lists if is_list else others).append(row)
    wanted = f"at most {TARGET_MS} ms each"
    for title, rows in (("list pages of the panel", lists), ("reports and JSON API of the panel", others)):
        if not rows:
            continue
        slowest = max(rows, key=lambda row: row["median_ms"])
        quick = sum(row["median_ms"] <= TARGET_MS for row in rows)
        told = f"{quick} of {len(rows)}; the slowest, {slowest['page']}, {slowest['median_ms']:.0f} ms"
        if rows is lists:
            yield Verdict(title, wanted, told, quick == len(rows))
        else:
            yield Verdict(title, "", f"{told} ({wanted})", None)
    if found := results.facts.get("export"):
        told = (
            f"{found['grown']:.1f} MB more while {found['rows']:,} people, {found['megabytes']:.0f} MB, were sent"
            f" in {found['seconds']:.1f} s"
        )
        yield Verdict("export of all people", "in constant memory", told, found["grown"] < CONSTANT_MB)


def _pairs(results: Results) -> Iterator[Verdict]:
    names = list(dict.fromkeys(row["pair"] for row in results.pairs))
    for name in names:
        rows = [row for row in results.pairs if row["pair"] == name]
        rate, p50 = middle(rows, "rate"), middle(rows, "p50")
        if name.startswith(TWO):
            continue
        if name.startswith("sqlite"):
            yield Verdict(
                "SQLite, single check", "at least as fast as PostgreSQL", f"{rate:.2f} times", rate >= 1
            )
        elif name.startswith("a line"):
            told = f"{1 / rate - 1:.0%} more time for a single check, {middle(rows, 'cpu') - 1:.0%} of the processor"
            yield Verdict(name, "", told, None)
        else:
            yield Verdict(f"p50, {name}", "grows by less than 1.3 times", f"{p50:.2f} times", p50 < 1.3)


def _decides(row: dict[str, Any]) -> bool:
    return row["setup"] == BASE and row["scenario"] in CHECKS and "memory" in row


def _once(results: Results) -> Iterator[Verdict]:
    facts = results.facts
    if deciding := [row["memory"] for row in results.rows if _decides(row)]:
        most = max(deciding)
        yield Verdict(
            "memory of a worker that is asked for decisions", "under 120 MB", f"{most:.1f} MB", most < 120
        )
    memory = facts.get("memory", {}).get(BASE)
    if memory and any(row["setup"] == BASE and not _decides(row) for row in results.rows):
        title = "memory of a worker that has done everything"
        yield Verdict(title, "under 120 MB", f"{max(memory):.1f} MB", max(memory) < 120)
    soak = facts.get("soak")
    if soak and soak["minutes"] >= 10:
        kept = soak["memory"][len(soak["memory"]) // 5 :]
        growth = max(kept[-5:]) / kept[0]
        yield Verdict(
            "memory over time", "flat over 10 minutes", f"{growth:.2f} times after the warm-up", growth < 1.05
        )
    else:
        yield Verdict("memory over time", "flat over 10 minutes", "needs --soak-minutes 10", None)
    if starts := facts.get("start_seconds"):
        seconds = statistics.median(starts)
        used = statistics.median(facts["start_cpu"])
        told = f"{seconds:.2f} s, {used:.2f} s of processor time"
        yield Verdict("start to first answer", "under 1.5 s", told, seconds < 1.5)
    if found := facts.get("sdk"):
        yield Verdict(
            "can() of the SDK",
            "less than 25 % over raw HTTP",
            f"{found['overhead']:.0%}",
            found["overhead"] < 0.25,
        )
    counts = facts.get("counts", {})
    for names, most in ((CHECKS, 1), (("register", "share"), 4)):
        there = {name: counts[name]["statements"] for name in names if name in counts}
        if there:
            yield Verdict(
                f"statements of {', '.join(there)}",
                f"at most {most}",
                ", ".join(f"{count:.0f}" for count in there.values()),
                max(there.values()) <= most,
            )


def _registrations(results: Results) -> Iterator[Verdict]:
    """What 10,000 registrations take, sent over as many connections as were fastest."""
    rates = {
        one: middle(rows_of(results, BASE, "register", one), "rate")
        for one in concurrencies(results, BASE, "register")
    }
    if rates:
        best = max(rates, key=lambda one: rates[one])
        told = f"{10_000 / rates[best]:.1f} s over {best} connections"
        yield Verdict("10,000 registrations", "", told, None)


def _answers(results: Results) -> Iterator[Verdict]:
    wrong = sum(row.get("wrong", 0) + row.get("wrong_afterwards", 0) for row in results.rows)
    wrong += sum(row["wrong"] for row in results.pairs) + results.facts.get("soak", {}).get("wrong", 0)
    errors = sum(row.get("errors", 0) for row in results.rows)
    yield Verdict("answers", "as the law says", f"{wrong} wrong, {errors} failed", not wrong and not errors)
