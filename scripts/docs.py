"""The documentation site: its generated pages, and the build.

``python scripts/docs.py`` writes the pages of docs/reference and the list of decisions anew, and builds the site
into artifacts/site, strictly: a link or an anchor that leads nowhere fails. With ``--write`` only the pages are
written, with ``--check`` it is only said whether they are stale.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
    sys.path.insert(0, str(ROOT / "sdk" / "python" / "src"))

from scripts import docs_checklist, docs_cli, docs_http, docs_sdk  # noqa: E402

DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
DECISIONS = DOCS / "decisions"
NOTE = "<!-- Written by scripts/docs.py (make docs). Change the program, not this page. -->\n\n"


def decisions_page() -> str:
    """The list of decisions, each with its own heading."""
    pages = sorted(page for page in DECISIONS.glob("*.md") if page.name != "index.md")
    lines = [
        f"- [{page.read_text('utf-8').partition(chr(10))[0].removeprefix('# ')}]({page.name})"
        for page in pages
    ]
    head = "# Decisions\n\nWhy things are as they are. A page is written when something departs from the obvious.\n\n"
    return head + "\n".join(lines)


PAGES: dict[Path, Callable[[], str]] = {
    REFERENCE / "http.md": docs_http.public_page,
    REFERENCE / "admin-api.md": docs_http.admin_page,
    REFERENCE / "sdk.md": docs_sdk.page,
    REFERENCE / "cli.md": docs_cli.page,
    REFERENCE / "checklist.md": docs_checklist.page,
    DECISIONS / "index.md": decisions_page,
}


def generated() -> dict[Path, str]:
    """Every generated page with the text that it must have."""
    return {path: NOTE + make().rstrip() + "\n" for path, make in PAGES.items()}


def stale() -> list[Path]:
    """The pages that are not what the program says now."""
    return [
        path for path, text in generated().items() if not path.exists() or path.read_text("utf-8") != text
    ]


def write() -> None:
    """Write the generated pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


def build() -> int:
    """Build the site; the status is that of the builder."""
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(os.environ) | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    # In strict mode the builder ends with a stack trace of its own after it has said what is wrong.
    print(
        re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.partition("Traceback (most recent call last)")[0]).rstrip()
    )
    return done.returncode


def main() -> int:
    if "--check" in sys.argv:
        late = stale()
        for path in late:
            print(f"{path.relative_to(ROOT)} is stale; 'make docs' renews it.")
        return 1 if late else 0
    write()
    return 0 if "--write" in sys.argv else build()


if __name__ == "__main__":
    sys.exit(main())
