"""The blocks of code in the pages, and how each is marked.

A block of ``sh`` or ``python`` is run. What stands in a comment on the line before it changes that:

``<!-- norun: why -->``
    it cannot be run here, and says why;
``<!-- background: http://localhost:8000/health -->``
    it goes on until the page ends, and is ready when the address answers;
``<!-- output -->``
    it is what the block before it prints: JSON with at least these members, or lines that are all there. ``…`` stands
    for anything.

A block with a ``title`` is a file, whatever its language. ``python -m tests.docs.blocks`` lists what is not run.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNNABLE = ("sh", "python")

NOT_RUN_HERE = {
    "docs/deployment/": "for the machines of a production installation; run by tests/deploy/test_documented.py",
    "docs/security-rotation.md": "for the machines of a production installation; tests/faults and tests/cli do it",
    "docs/performance.md": "takes minutes and a quiet machine",
    "docs/reference/": "written from the program, which has tests of its own",
    "docs/decisions/": "why things are as they are, not what to do",
    "CONTRIBUTING.md": "what runs the tests is not run by a test",
    "tests/README.md": "what runs the tests is not run by a test",
    "examples/": "run by tests/examples",
    "sdk/python/README.md": "run by tests/sdk/test_readme.py",
}
"""Pages of which no block is run here, with the reason. Their blocks still have to be well-formed."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)(?P<rest>[^`]*)$")
_MARK = re.compile(r"<!-- (?P<kind>norun|background|output)(?:: (?P<text>.*?))? -->$")
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """One block of a page, as it is written there."""

    page: str
    line: int
    language: str
    text: str
    title: str = ""
    norun: str = ""
    background: str = ""
    is_output: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        return self.language in RUNNABLE and not self.norun and not self.title


def pages() -> list[Path]:
    """Every page that people read."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    return sorted([*found, ROOT / "tests" / "README.md", ROOT / "sdk" / "python" / "README.md"])


def of_page(path: Path) -> list[Block]:
    """The blocks of a page in their order."""
    name = path.relative_to(ROOT).as_posix()
    elsewhere = next((why for place, why in NOT_RUN_HERE.items() if name.startswith(place)), "")
    return list(_blocks(path.read_text("utf-8").splitlines(), name, elsewhere))


def _blocks(lines: list[str], page: str, elsewhere: str) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence is None:
            number += 1
            continue
        end = next(
            (later for later in range(number + 1, len(lines)) if lines[later].strip() == "```"), len(lines)
        )
        before = next((line.strip() for line in reversed(lines[:number]) if line.strip()), "")
        mark = _MARK.match(before)
        kind, said = (mark["kind"], mark["text"] or "") if mark else ("", "")
        title = _TITLE.search(fence["rest"])
        yield Block(
            page,
            number + 1,
            fence["language"],
            textwrap.dedent("\n".join(lines[number + 1 : end])) + "\n",
            title[1] if title else "",
            norun=said if kind == "norun" else elsewhere,
            background=said if kind == "background" else "",
            is_output=kind == "output",
        )
        number = end + 1


def not_run() -> list[Block]:
    """What could be run by its language, and is not."""
    return [
        block
        for path in pages()
        for block in of_page(path)
        if block.language in RUNNABLE and not block.runs and not block.title
    ]


if __name__ == "__main__":
    for block in not_run():
        print(f"{block!s:<40} {block.norun}")  # noqa: T201
