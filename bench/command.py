"""``python -m bench``: load a world, run the benchmark, write its table into the pages that show it."""

import asyncio
import json
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import panel, report
from bench.data import SERVICES, Size, World
from bench.load import NotEmpty, load
from bench.run import SETUPS, Plan, Run
from bench.scenarios import SCENARIOS
from bench.servers import BenchPostgres, run_on_disk
from bench.stand import ROOT
from bench.verdict import verdicts

QUICK = ["check-fresh", "check", "batch", "accessible", "check-action"]

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.command("run")
def run_command(
    quick: Annotated[
        bool, typer.Option("--quick", help="A small world and the checks only: a few minutes.")
    ] = False,
    people: Annotated[int, typer.Option(help="People of the world.")] = 0,
    resources: Annotated[int, typer.Option(help="Its resources.")] = 0,
    setup: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SETUPS)}; again for more.")] = None,
    scenario: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(one.name for one in SCENARIOS)}; again for more.")
    ] = None,
    connections: Annotated[list[int] | None, typer.Option(help="Concurrency; again for more.")] = None,
    rounds: Annotated[int, typer.Option(help="How often everything is measured.")] = 0,
    seconds: Annotated[float, typer.Option(help="How long a slot takes.")] = 0,
    large: Annotated[int, typer.Option(help="Resources of the larger world of the comparison of sizes.")] = 0,
    compare: Annotated[bool, typer.Option(help="Compare databases, workers and sizes, too.")] = True,
    soak_minutes: Annotated[float, typer.Option(help="Minutes of load while memory is watched.")] = 0,
    seed: Annotated[int, typer.Option()] = 1,
    database_url: Annotated[str, typer.Option(help="A database that holds this very world already.")] = "",
    lines: Annotated[Path, typer.Option(help="Every row as a line of JSON.")] = Path("artifacts/bench.jsonl"),
    save: Annotated[bool, typer.Option("--save", help="Keep the run in bench/results/.")] = False,
) -> None:
    """Measure everything and judge every target. Exit status 0 says that all of it was measured."""
    plan = Plan(
        size=Size(
            people or (5_000 if quick else 100_000), resources or (100_000 if quick else 1_000_000), seed=seed
        ),
        setups=tuple(setup or (["postgresql-1"] if quick else SETUPS)),
        scenarios=tuple(scenario or (QUICK if quick else [one.name for one in SCENARIOS])),
        connections=tuple(connections or ([16] if quick else [1, 16, 64])),
        rounds=rounds or (3 if quick else 5),
        seconds=seconds or (0.7 if quick else 1.5),
        comparisons=compare and not quick,
        large=large,
        soak_minutes=soak_minutes,
        panel=compare and not quick,
        sdk_calls=300 if quick else 1_000,
    )
    if unknown := (set(plan.setups) - set(SETUPS)) | (set(plan.scenarios) - {one.name for one in SCENARIOS}):
        raise SystemExit(f"Unknown: {', '.join(sorted(unknown))}")
    lines.parent.mkdir(parents=True, exist_ok=True)
    console = Console(width=None if sys.stdout.isatty() else 150)
    with lines.open("w") as rows:
        results = Run(plan, lambda text: console.print(text, highlight=False), rows, database_url or None)()
    judged = verdicts(results)
    report.show(results, judged, console)
    if save:
        file = ROOT / "bench" / "results" / f"{time.strftime('%Y-%m-%d-%H%M', time.gmtime())}.json"
        file.parent.mkdir(exist_ok=True)
        command = " ".join(["python -m bench", *sys.argv[1:]])
        file.write_text(json.dumps(report.record(results, judged, command), indent=1) + "\n")
        console.print(f"Saved as {file.relative_to(ROOT)}")


@app.command("readme")
def readme_command(
    file: Annotated[
        Path | None, typer.Argument(help="A file of bench/results/; without it the newest.")
    ] = None,
) -> None:
    """Write a saved run into README.md and docs/performance.md, between their markers."""
    newest = file or max((ROOT / "bench" / "results").glob("*.json"), default=None)
    if newest is None:
        raise SystemExit("There is no saved run; 'make bench ARGS=--save' makes one.")
    for page in report.render(newest, [ROOT / "README.md", ROOT / "docs" / "performance.md"]):
        print(f"{page.relative_to(ROOT)} shows {newest.name}")


@app.command("load")
def load_command(
    database_url: Annotated[str, typer.Option(help="An empty database, as in DATABASE_URL.")],
    people: Annotated[int, typer.Option(min=10)] = 10_000,
    resources: Annotated[int, typer.Option(min=100)] = 1_000_000,
    workspaces: Annotated[int, typer.Option(help="0: one for every fifty people.")] = 0,
    groups: Annotated[int, typer.Option(help="0: one for every eight people.")] = 0,
    roles: Annotated[int, typer.Option(help="0: three for every workspace.")] = 0,
    shares: Annotated[float, typer.Option(help="Shares of a resource, on average.")] = 1.5,
    activity: Annotated[int, typer.Option(help="0: three for each person.")] = 0,
    seed: Annotated[int, typer.Option(help="Another seed, another world.")] = 1,
) -> None:
    """Fill an empty database with a world that is the same for the same options."""
    began = time.monotonic()
    world = World(Size(people, resources, workspaces, groups, roles, shares, activity, seed))
    print(f"{time.monotonic() - began:7.1f} s  people, groups and roles are drawn", flush=True)

    def progress(table: str, rows: int) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {table}: {rows:,}", flush=True)

    try:
        asyncio.run(load(database_url, world, progress))
    except NotEmpty:
        raise SystemExit("The database is not empty; nothing has been changed.") from None
    print(f"{time.monotonic() - began:7.1f} s  indexes and statistics")
    print(f"Administrator: {world.email(0)} (id {world.uuid('user', 0)})")
    for name, _ in SERVICES:
        print(f"Service key of {name}: {world.service_key(name)}")


@app.command("panel")
def panel_command(
    database_url: Annotated[str, typer.Option(help="A database that `load` or `database` has filled.")],
    rounds: Annotated[int, typer.Option(min=1, help="How often each page is asked for.")] = 20,
    only: Annotated[str, typer.Option(help="Pages whose name contains this.")] = "",
    lines: Annotated[bool, typer.Option("--json", help="One line of JSON for each page.")] = False,
) -> None:
    """Time every list page of the panel, and count its statements."""
    rows = asyncio.run(panel.measure(database_url, rounds=rounds, only=only))
    print(panel.as_json(rows) if lines else panel.table(rows))


@app.command("database")
def database_command(
    people: Annotated[int, typer.Option(min=10)] = 100_000,
    resources: Annotated[int, typer.Option(min=100)] = 1_000_000,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Start a PostgreSQL of its own, fill it, print its DATABASE_URL and keep it until Ctrl-C."""
    with run_on_disk() as directory, BenchPostgres(directory) as postgres:
        url = postgres.url_for(postgres.create_database())
        load_command(url, people=people, resources=resources, seed=seed)
        print(f"DATABASE_URL={url}", flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


def main() -> None:
    """The entrance."""
    end_when_told()
    app()


def end_when_told() -> None:
    """Obey an order to end (SIGTERM) like Ctrl-C: what was started is ended first.

    It becomes the very signal of Ctrl-C, since an event loop in the midst of its work knows that one and cancels its
    task. An exception out of the handler can come up inside a callback of the loop, which holds it for a fault of
    one connection and goes on. What a script starts in the background ignores Ctrl-C, so that is undone.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
