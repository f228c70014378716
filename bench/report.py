"""How a run is shown: on the terminal, in a file, and in the pages that quote it."""

import json
import os
import platform
import re
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.run import Results
from bench.scenarios import SCENARIOS
from bench.servers import all_cores
from bench.verdict import Verdict, concurrencies, middle, rows_of

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
COLUMNS = (
    "scenario",
    "conn.",
    "req/s",
    "p50",
    "p95",
    "p99",
    "of ceiling",
    "by CPU",
    "err",
    "wrong",
    "SQL",
    "Redis",
    "MB",
    "steal",
)


def lines_of(results: Results) -> list[tuple[str, tuple[str, ...]]]:
    """Setup and cells of every line of the table."""
    counts = results.facts.get("counts", {})
    found = []
    for setup in dict.fromkeys(row["setup"] for row in results.rows):
        for scenario in SCENARIOS:
            for connections in concurrencies(results, setup, scenario.name):
                rows = rows_of(results, setup, scenario.name, connections)
                count = counts.get(scenario.name, {})
                cells = (
                    scenario.title,
                    str(connections),
                    f"{middle(rows, 'rate'):,.0f}",
                    *(f"{middle(rows, name):.1f}" for name in ("p50", "p95", "p99")),
                    f"{middle(rows, 'ratio'):.2f}",
                    f"{middle(rows, 'ratio_cpu'):.2f}",
                    str(sum(row["errors"] for row in rows)),
                    str(sum(row["wrong"] for row in rows)),
                    f"{count['statements']:.0f}" if count and setup.startswith("postgresql") else "",
                    f"{count['redis']:.0f}" if count and setup.startswith("postgresql") else "",
                    f"{middle(rows, 'memory'):.0f}",
                    f"{max(row['steal'] for row in rows):.1%}",
                )
                found.append((setup, cells))
    return found


def show(results: Results, verdicts: list[Verdict], console: Console) -> None:
    """Print the tables and the verdict."""
    lines = lines_of(results)
    for setup in dict.fromkeys(setup for setup, _ in lines):
        cores = results.facts.get("cores", {}).get(setup, "")
        table = Table(title=f"{setup} (cores: {cores}); times in ms", title_justify="left")
        for name in COLUMNS:
            table.add_column(name, justify="left" if name == "scenario" else "right")
        for of, cells in lines:
            if of == setup:
                table.add_row(*cells)
        console.print(table)
    verdict = Table(title="Verdict", title_justify="left")
    for name in ("target", "wanted", "found", ""):
        verdict.add_column(name)
    for one in verdicts:
        colour = {"met": "green", "missed": "red"}.get(one.word, "yellow")
        verdict.add_row(one.target, one.wanted, one.found, f"[{colour}]{one.word}[/]")
    console.print(verdict)
    console.print(f"driver alone: {results.facts['driver']['rate']:,.0f} requests/s; {headroom(results)}")
    for word in ("met", "missed", "not judged"):
        names = [one.target for one in verdicts if one.word == word]
        console.print(f"{word}: {len(names)}" + (f" ({'; '.join(names)})" if names else ""))


def headroom(results: Results) -> str:
    """How far the driver was from being the bottleneck."""
    measured = [row for row in results.rows if "rate" in row]
    if not measured:
        return "nothing was measured"
    fastest = max(max(row["rate"], row["ceiling"]["rate"]) for row in measured)
    busiest = max(row["driver_busy"] for row in measured)
    times = results.facts["driver"]["rate"] / fastest
    return f"{times:.1f} times the fastest slot; it used at most {busiest:.0%} of its core for the service"


def record(results: Results, verdicts: list[Verdict], command: str) -> dict[str, Any]:
    """All there is to keep of a run."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine(),
        "command": command,
        "results": asdict(results),
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }


def machine() -> dict[str, Any]:
    """Where this runs."""
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model[1] if model else platform.machine(),
        "cores": len(all_cores()),
        "memory_gib": round(memory),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def load_record(path: Path) -> tuple[dict[str, Any], Results, list[Verdict]]:
    """A saved run."""
    saved = json.loads(path.read_text())
    return saved, Results(**saved["results"]), [Verdict(**one) for one in saved["verdicts"]]


def markdown(path: Path, *, brief: bool = False) -> str:
    """The text that pages show of a saved run; a ``brief`` one is about the targets alone."""
    saved, results, verdicts = load_record(path)
    where, size = saved["machine"], results.facts["size"]
    shown = ("scenario", "conn.", "req/s", "p50", "p99", "of ceiling", "by CPU", "wrong", "SQL", "MB")
    at = [COLUMNS.index(name) for name in shown]
    text = [
        f"Measured {saved['date']} on {where['processor']}, {where['cores']} cores, {where['memory_gib']} GiB, "
        f"Python {where['python']}, with `{saved['command']}`: {size['people']:,} people, {size['resources']:,} "
        f"resources. Driver: {headroom(results)}.",
        "",
        "| target | wanted | found | |",
        "|---|---|---|---|",
        *(f"| {one.target} | {one.wanted} | {one.found} | {one.word} |" for one in verdicts),
    ]
    lines = [] if brief else lines_of(results)
    for setup in dict.fromkeys(setup for setup, _ in lines):
        text += ["", f"**{setup}** (cores: {results.facts['cores'][setup]}; times in ms)", ""]
        text += [f"| {' | '.join(shown)} |", "|---" + "|--:" * (len(shown) - 1) + "|"]
        text += [f"| {' | '.join(cells[one] for one in at)} |" for of, cells in lines if of == setup]
    return "\n".join(text)


def render(path: Path, pages: list[Path]) -> list[Path]:
    """Write a saved run between the markers of pages; the pages that have markers."""
    changed = []
    for page in pages:
        before = page.read_text(encoding="utf-8") if page.is_file() else ""
        if BEGIN in before and END in before:
            head, rest = before.split(BEGIN, 1)
            tail = rest.split(END, 1)[1]
            text = markdown(path, brief=page.name == "README.md")
            page.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")
            changed.append(page)
    return changed
