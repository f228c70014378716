"""Every line that a run of the tests logs, kept in one folder, and the judgement on it: no secret, no address (L27).

Each process of the run writes down what the application logged in it and what processes that it started printed, with
the test that was on. At the end of the run the process that began it reads all of that. A line may hold neither what
has the shape of a credential or an e-mail address, nor a value that was drawn or configured as a secret in this run.
"""

import json
import os
import re
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from structlog.testing import capture_logs
from structlog.typing import EventDict

from sentinel.core import logging

FOLDER = "logged"
"""Within the directory of the run."""
SHORTEST = 16
"""Characters below which a value is a word of some test and no secret that somebody drew."""

SHAPES = {
    "a token": re.compile(r"eyJ[\w-]{8,}"),
    "a service key": re.compile(r"(?<![A-Za-z0-9])sk_[\w-]{16,}"),
    "a credential of a header": re.compile(
        r"\b(?:bearer|basic)\s+(?=[\w.~+/=-]*[A-Z0-9])[\w.~+/=-]{8,}", re.IGNORECASE
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|MII[A-Za-z0-9+/]{40,}"),
    "a parameter that is a secret": re.compile(
        r"[?&#](?:code|state|nonce|code_verifier|(?:\w+_)?token|client_secret)=(?!\[redacted|%5Bredacted)[^&\s\"']{8,}"
    ),
    "a password in an address": re.compile(r"://[^/\s:@\"]*:(?!\[redacted)[^/\s@\"]+@[\w\[]"),
}
EMAIL = re.compile(r"[\w.+-]+(?:@|%40)[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)
SUSPICIOUS = (
    *("eyj", "sk_", "bearer", "basic", "private key", "mii", "://", "@", "%40"),
    *("code", "state", "nonce", "token", "secret"),
)
"""A line that has none of these, whatever the case, has none of the shapes."""
WORD = re.compile(rf"[\w-]{{{SHORTEST},}}")
WIDE_WORD = re.compile(rf"[\w+/=-]{{{SHORTEST},}}")
"""As BASE64 and the addresses of files are written; every other word is part of one."""
LINE = re.compile(r'\{"(?:ts|level)": ?"|\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ ')
"""What a line of the log begins with, as JSON and for the eyes of people."""


@dataclass(frozen=True)
class Leak:
    """Something that must not stand in a log."""

    what: str
    test: str
    line: str
    """With the middle of what was found taken out."""

    def __str__(self) -> str:
        return f"{self.what}, logged during {self.test}:\n    {self.line}"


class Notebook:
    """What one process of the run has logged, and the secrets that it knows of."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._lines = (folder / f"{os.getpid()}-lines.txt").open(
            "a", encoding="utf-8", errors="backslashreplace"
        )
        self._secrets = (folder / f"{os.getpid()}-secrets.txt").open("a", encoding="utf-8", errors="replace")
        # What is cleared away while a line is written may log one itself, in the same thread.
        self._lock = threading.RLock()
        self._outputs: list[tuple[subprocess.Popen[Any], int, Callable[[bytes], None]]] = []

    def line(self, text: str, *, redacted: bool = True) -> None:
        """Write one line down; ``redacted`` is whether personal data had to be taken out of it."""
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test").replace("\t", " ")
        with self._lock:
            text = text.replace("\n", "\\n")
            self._lines.write(f"{'+' if redacted else '-'}\t{test}\t{text}\n")

    def secret(self, value: str) -> None:
        """Remember a value that no line may hold. Of an address its password counts."""
        if "://" in value:
            with suppress(ValueError):
                self.secret(unquote(urlsplit(value).password or ""))
            return
        if len(value) >= SHORTEST:
            with self._lock:
                self._secrets.writelines(f"{part}\n" for part in value.split() if len(part) >= SHORTEST)

    def follow(self, process: "subprocess.Popen[Any]", command: Any, options: dict[str, Any]) -> None:
        """Read what a process writes into files, once it has ended. Of other programs than the service's only lines
        of the log count: some print credentials because they were asked to.
        """
        self.harvest()
        keep = self._keeper(command, options)
        for stream in (options.get("stdout"), options.get("stderr")):
            if stream is not None and hasattr(stream, "fileno"):
                with suppress(OSError):
                    # Opened now: the file may be gone by the time that the process is.
                    file = os.open(f"/proc/self/fd/{stream.fileno()}", os.O_RDONLY)
                    self._outputs.append((process, file, keep))

    def printed(self, command: Any, options: dict[str, Any], *outputs: Any) -> None:
        """What a process wrote into pipes."""
        keep = self._keeper(command, options)
        for output in outputs:
            if output:
                keep(output if isinstance(output, bytes) else output.encode("utf-8", "backslashreplace"))

    def harvest(self, *, all: bool = False) -> None:
        """Take in the outputs of processes that have ended."""
        for one in list(self._outputs):
            process, file, keep = one
            if all or process.returncode is not None:
                self._outputs.remove(one)
                with os.fdopen(file, "rb") as output:
                    output.seek(0)
                    keep(output.read())

    def close(self) -> None:
        """Take in what is left."""
        self.harvest(all=True)
        self._lines.flush()
        self._secrets.flush()

    def _keeper(self, command: Any, options: dict[str, Any]) -> Callable[[bytes], None]:
        words = [command] if isinstance(command, str | bytes | os.PathLike) else list(command)
        serves = any(str(word) == "serve" for word in words)
        redacted = (options.get("env") or os.environ).get("LOG_PII_REDACTION", "true").lower() != "false"

        def keep(output: bytes) -> None:
            for text in output.decode("utf-8", "backslashreplace").splitlines():
                if serves or LINE.match(text):
                    self.line(text, redacted=redacted)

        return keep


_notebook: Notebook | None = None


def begin(run: Path) -> None:
    """From now on this process keeps what is logged, and knows each value that is drawn or configured as a secret."""
    global _notebook
    _notebook = notebook = Notebook(run / FOLDER)
    write, take, draw = logging._write, SecretStr.__init__, secrets.token_urlsafe
    start, communicate = subprocess.Popen.__init__, subprocess.Popen.communicate

    def writing(line: str) -> None:
        notebook.line(line, redacted=logging._output.redact)
        write(line)

    def taking(self: SecretStr, value: str) -> None:
        take(self, value)
        notebook.secret(value)

    def drawing(*arguments: Any) -> str:
        value = draw(*arguments)
        notebook.secret(value)
        return value

    def starting(self: Any, *arguments: Any, **options: Any) -> None:
        start(self, *arguments, **options)
        command = arguments[0] if arguments else options.get("args", ())
        self._noted = command, options
        notebook.follow(self, command, options)

    def communicating(self: Any, *arguments: Any, **options: Any) -> Any:
        outputs = communicate(self, *arguments, **options)
        if noted := getattr(self, "_noted", None):
            notebook.printed(*noted, *outputs)
        return outputs

    logging._write = writing
    SecretStr.__init__ = taking  # type: ignore[assignment, method-assign]
    secrets.token_urlsafe = drawing  # type: ignore[assignment]
    subprocess.Popen.__init__ = starting  # type: ignore[method-assign]
    subprocess.Popen.communicate = communicating  # type: ignore[method-assign]


def end() -> None:
    """Put everything into the folder of the run."""
    if _notebook is not None:
        _notebook.close()


@contextmanager
def events() -> Iterator[list[Any]]:
    """The events of a block as dictionaries. Their lines count as logged all the same."""

    def also_write(logger: Any, method: str, fields: EventDict) -> EventDict:
        if _notebook is not None:
            line = logging._render(logger, method, logging.merge_context(logger, method, dict(fields)))
            _notebook.line(line, redacted=logging._output.redact)
        return fields

    with capture_logs([also_write]) as lines:
        yield lines


# --- the judgement ---------------------------------------------------------------------------------------------


def judge(run: Path) -> tuple[int, list[Leak]]:
    """How many lines were read, and what stands in them that must not; one leak of a kind and test."""
    folder = run / FOLDER
    known: set[str] = set()
    for file in folder.glob("*-secrets.txt"):
        known |= set(file.read_text(encoding="utf-8").split("\n")) - {""}
    found: dict[tuple[str, str], Leak] = {}
    count = 0
    for file in sorted(folder.glob("*-lines.txt")):
        with file.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                count += 1
                mark, test, text = line.rstrip("\n").split("\t", 2)
                for what, where in in_line(text, known, redacted=mark == "+"):
                    found.setdefault((what, test), Leak(what, test, _masked(text, where)))
    return count, list(found.values())


def in_line(
    text: str, known: Iterable[str], *, redacted: bool = True
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Kind and place of everything in one line that must not stand there."""
    known = known if isinstance(known, set) else set(known)
    for wide in WIDE_WORD.finditer(text):
        if wide[0] in known:
            yield "a secret of this run", wide.span()
        for word in WORD.finditer(text, *wide.span()):
            if word.span() != wide.span() and word[0] in known:
                yield "a secret of this run", word.span()
    folded = text.casefold()
    if not any(mark in folded for mark in SUSPICIOUS):
        return
    for what, shape in SHAPES.items():
        if found := shape.search(text):
            yield what, found.span()
    if redacted and ("@" in text or "%40" in text) and (found := EMAIL.search(text)):
        yield "an e-mail address", found.span()


def report(leaks: Sequence[Leak], limit: int = 30) -> str:
    """What the end of the run says."""
    listed = "\n".join(f"  {leak}" for leak in leaks[:limit])
    more = f"\n  and {len(leaks) - limit} more" if len(leaks) > limit else ""
    return f"Secrets or addresses stand in the log of this run:\n{listed}{more}"


def _masked(text: str, where: tuple[int, int]) -> str:
    begin, end = where
    inside = text[begin:end]
    shown = f"{inside[:6]}…{inside[-2:]}"
    with suppress(ValueError, AttributeError):
        event = json.loads(text).get("event")
        return f"{event}: …{text[max(0, begin - 80) : begin]}{shown}{text[end : end + 40]}…"
    return f"…{text[max(0, begin - 80) : begin]}{shown}{text[end : end + 40]}…"
