"""A git repository read from end to end: every version of every file of every commit, and every message.

git is started directly, never through a shell, and told to run nothing that the repository's own configuration may
name: what is scanned may come from elsewhere.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

PIECE = 16 * 1024 * 1024
"""Bytes of a file that are held at a time."""
OVERLAP = 32 * 1024
"""Bytes of a piece that are seen again with the next one, so that nothing is missed at the seam."""

_SUBMODULE = "160000"
_NOTHING = "0" * 40
_QUIET = (
    "core.fsmonitor=false",
    "core.quotePath=true",
    "core.hooksPath=/dev/null",
    "log.showSignature=false",
)


class NotReadable(Exception):
    """The folder is no git repository, or git cannot read it; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object came into the history: the commit, and the path as git quotes it."""

    commit: str
    path: str


class Repository:
    """The history of the repository that ``folder`` is in. Raises :class:`NotReadable`."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("git")
        if program is None:
            raise NotReadable("git is not installed; install it (Debian: apt-get install git).")
        settings = [word for setting in _QUIET for word in ("-c", setting)]
        self._command = [program, "--no-pager", "--no-replace-objects", *settings, "-C", str(folder)]
        # What a hook or another git has set would lead to another repository than the one that was asked for.
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._environment |= {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
        }
        self.is_shallow = self._output("rev-parse", "--is-shallow-repository").strip() == "true"
        self.commits = 0

    def objects(self) -> Iterator[tuple[str, Place]]:
        """Id and place of every object that holds text: files as they were after each commit, messages, tags.

        The oldest commit comes first, and a merge is compared with each of its parents, so that nothing hides in one.
        """
        seen = set()
        commit = ""
        for line in self._lines(
            "log",
            "--all",
            "--reverse",
            "--root",
            "-m",
            "--raw",
            "--no-abbrev",
            "--no-renames",
            "--format=commit %H",
        ):
            if line.startswith("commit "):
                commit = line.removeprefix("commit ")
                if commit not in seen:
                    seen.add(commit)
                    self.commits += 1
                    yield commit, Place(commit, "(message)")
            elif line.startswith(":"):
                entry, _, path = line.partition("\t")
                _, mode, _, blob, _ = entry.split(" ", 4)
                if mode != _SUBMODULE and not blob.startswith(_NOTHING):
                    yield blob, Place(commit, path)
        for line in self._lines(
            "for-each-ref", "--format=%(objecttype) %(objectname) %(*objectname)", "refs/tags"
        ):
            kind, tag, target = (*line.split(" "), "")[:3]
            if kind == "tag":
                yield tag, Place(target or tag, "(tag)")
            elif kind == "blob":
                yield tag, Place(tag, "(tag)")

    def contents(self, objects: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Each object with its content; one above ``PIECE`` bytes comes in several pieces that overlap.

        An object that is not here (a partial clone) raises :class:`NotReadable`: a scan that skips is no scan.
        """
        with self._start("cat-file", "--batch", stdin=subprocess.PIPE) as git:
            assert git.stdin is not None and git.stdout is not None
            for name in objects:
                git.stdin.write(f"{name}\n".encode())
                git.stdin.flush()
                head = git.stdout.readline().decode().split()
                if len(head) != 3:
                    raise NotReadable(
                        f"object {name} is missing; fetch the whole history (no partial clone)."
                    )
                for piece in _pieces(git.stdout, int(head[2])):
                    yield name, piece
                git.stdout.read(1)
            git.stdin.close()

    def _lines(self, *words: str) -> Iterator[str]:
        with self._start(*words) as git:
            assert git.stdout is not None
            for line in git.stdout:
                yield line.decode("utf-8", "backslashreplace").rstrip("\n")
        if git.returncode:
            raise NotReadable(f"'git {words[0]}' failed; 'git fsck' says whether the repository is whole.")

    def _output(self, *words: str) -> str:
        done = subprocess.run(  # noqa: S603 - words of our own
            [*self._command, *words], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotReadable(done.stderr.strip().partition("\n")[0] or "this is no git repository.")
        return done.stdout

    def _start(self, *words: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - words of our own
            [*self._command, *words],
            env=self._environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def _pieces(stream: IO[bytes], size: int) -> Iterator[bytes]:
    kept = b""
    while True:
        piece = stream.read(min(size, PIECE))
        size -= len(piece)
        yield kept + piece
        if not size or not piece:
            return
        kept = piece[-OVERLAP:]
