"""What the pages tell a reader to do works, block by block, against a real server."""

import ast
import json
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from sentinel.devmode.client import sign_in
from sentinel.devmode.installation import read_notes
from tests.docs.blocks import ROOT, Block, not_run, of_page, pages
from tests.docs.scene import STARTING, Scene, Terminal

GUIDES = "docs/guides/"
SET_UP = ROOT / GUIDES / "index.md"
PAGES = [
    path for path in pages() if path.name != "tutorial.md" and any(block.runs for block in of_page(path))
]


@pytest.fixture(scope="module")
def reader(scene: Scene) -> Scene:
    """The scene with what one guide lays down for the others."""
    _sign_in_to_the_panel(scene)
    _sign_in_people(scene)
    return scene


def _sign_in_people(scene: Scene) -> None:
    """Tokens of sample people. The command of the set-up makes them too, in a second each, and is tried with it."""
    notes = read_notes(scene.product / "data")
    assert notes is not None
    for name in ("adam", "edith", "victor"):
        email = f"{name}@acme.example"
        (scene.home / email).write_text(sign_in(notes, email).access_token)


def _sign_in_to_the_panel(scene: Scene) -> None:
    """The session that guides use whose subject is another one; guides/panel-api.md uses the link for its own."""
    with httpx.Client(base_url=scene.url, trust_env=False) as browser:
        at_provider = urlsplit(browser.get("/auth/admin/login/dev").headers["location"])
        asked = dict(parse_qsl(at_provider.query))
        chosen = browser.post("/dev/idp/authorize", data=asked | {"sub": "adam"})
        browser.get(chosen.headers["location"])
        token = browser.cookies["admin_token"]
    line = f"#HttpOnly_localhost\tFALSE\t/\tFALSE\t0\tadmin_token\t{token}\n"
    (scene.home / "try").mkdir()
    (scene.home / "try" / "cookies.txt").write_text(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_block_that_can_run_does(reader: Scene, page: Path) -> None:
    terminal = Terminal(reader, reader.home / page.stem, {"PANEL_LINK": reader.panel_link})
    try:
        if page.is_relative_to(ROOT / GUIDES) and page != SET_UP:
            terminal.follow(of_page(SET_UP)[:2])
            terminal.define("token", f'cat "{reader.home}/$1"')
        elif page.name == "README.md":
            terminal.enter(reader.product)
        before = terminal.ran
        terminal.follow(of_page(page))
        assert terminal.ran > before
    finally:
        terminal.close()


def test_what_does_not_run_says_why_and_is_well_formed() -> None:
    left_out = not_run()
    print(*(f"{block}: {block.norun}" for block in left_out), sep="\n")  # noqa: T201 - shown with -s
    assert [str(block) for block in left_out if not block.norun] == []
    for path in pages():
        for block in of_page(path):
            _require_well_formed(block)


def _require_well_formed(block: Block) -> None:
    match block.language:
        case "python":
            compile(block.text, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        case "sh":
            done = subprocess.run(["sh", "-n"], input=block.text, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{block}: {done.stderr}"
        case "json":
            json.loads(block.text)
        case "toml":
            tomllib.loads(block.text)
        case "yaml":
            list(yaml.safe_load_all(block.text))
        case _:
            assert block.language or block.norun, f"{block} names no language"


def test_make_run_is_what_the_pages_are_tried_with() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nrun:")[2].split("\n", 2)[1]
    assert recipe.strip() == "@exec $(BIN)/sentinel dev $(ARGS)"
    assert any(STARTING in block.text for block in of_page(ROOT / "README.md"))


@pytest.mark.parametrize(
    ("language", "text", "is_output"),
    [
        ("sh", "exit 3", False),
        ("sh", "false | true; false", False),
        ("python", "raise SystemExit(1)", False),
        ("text", "another line", True),
        ("json", '{"allowed": true}', True),
        ("json", '{"allowed": false, "more": "…"}', True),
    ],
)
def test_what_does_not_work_is_noticed(tmp_path: Path, language: str, text: str, is_output: bool) -> None:
    terminal = Terminal(Scene(tmp_path, 9, ""), tmp_path / "page")
    terminal.do(Block("page", 1, "sh", 'echo \'{"allowed": false, "step": 7}\''))
    terminal.do(Block("page", 2, "json", '{"allowed": false, "step": "…"}', is_output=True))
    with pytest.raises(AssertionError):
        terminal.do(Block("page", 3, language, text, is_output=is_output))
