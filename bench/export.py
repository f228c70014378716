"""What a worker holds while all people are taken away as a file (``admin.md`` §4)."""

import http.client
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.driver import resident
from bench.stock import Stock

PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Export:
    """Rows and megabytes of the file, seconds until it was there, and megabytes that the worker held more at the most
    than before it was asked for.
    """

    rows: int
    megabytes: float
    seconds: float
    grown: float


def measure(stock: Stock, port: int, pids: Sequence[int]) -> Export:
    """Take all workspaces, so that everything is loaded, and then all people. Raises :class:`SystemExit` when the
    service refuses.
    """
    headers = {"Cookie": f"admin_token={stock.admin_token()}", "X-Requested-With": "XMLHttpRequest"}
    _take(port, "workspaces", headers)
    before = resident(pids)
    for pid in pids:
        # From here on VmHWM is the most that it holds (proc(5)).
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    began = perf_counter()
    rows, size = _take(port, "users", headers)
    seconds = perf_counter() - began
    return Export(rows, size / 2**20, seconds, resident(pids, "VmHWM") - before)


def _take(port: int, what: str, headers: dict[str, str]) -> tuple[int, int]:
    """Rows below the header, and bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", f"/admin/api/export/{what}", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"the export of {what} answered {answer.status}")
        lines = size = 0
        while piece := answer.read(PIECE):
            lines += piece.count(b"\n")
            size += len(piece)
        return lines - 1, size
    finally:
        connection.close()
