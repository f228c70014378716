import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

import sentinel
from sentinel.cli import SPARING, console
from sentinel.cli.main import ROOMS
from tests.cli.terminal import Terminal

ENTRY = [sys.executable, "-c", "from sentinel.cli import main; main()"]
PASSWORD = "c4nary-p4ssword"


def test_version(key_terminal: Terminal) -> None:
    assert key_terminal.ok("--version") == f"sentinel {sentinel.__version__}\n"


def test_every_room_has_its_command(key_terminal: Terminal) -> None:
    text = key_terminal.ok("--help")
    assert [room for room in ROOMS if f"\n  {room} " not in text] == []
    for room in ROOMS:
        assert key_terminal.ok(room, "--help").startswith(f"Usage: sentinel {room}")


@pytest.mark.parametrize("words", [(), ("keys",), ("db",), ("apps",), ("users",)])
def test_without_a_command_there_is_help(key_terminal: Terminal, words: tuple[str, ...]) -> None:
    result = key_terminal.run(*words)
    assert result.exit_code == 2
    assert "Commands:" in result.output


@pytest.mark.parametrize(
    "words", [("nothing",), ("apps", "nothing"), ("apps", "activate"), ("apps", "delete-login", "no-uuid")]
)
def test_wrong_usage_is_explained(key_terminal: Terminal, words: tuple[str, ...]) -> None:
    assert "Usage: sentinel" in key_terminal.refused(*words, status=2)


def test_bad_configuration_names_every_variable(key_terminal: Terminal) -> None:
    text = key_terminal.refused(
        "apps", "list", status=2, DATABASE_URL=f"mysql://u:{PASSWORD}@h/d", SERVICE_PORT="many"
    )
    assert "DATABASE_URL: " in text and "SERVICE_PORT: " in text
    assert PASSWORD not in text


def test_settings_come_from_the_env_file_too(key_terminal: Terminal, sqlite_url: str) -> None:
    (key_terminal.folder / ".env").write_text(f"DATABASE_URL={sqlite_url}\n")
    key_terminal.env.clear()
    assert key_terminal.json("db", "status")["up_to_date"] is True


@pytest.mark.parametrize("words", [("db", "upgrade"), ("db", "status"), ("users", "list"), ("apps", "list")])
def test_absent_database_is_one_clear_line(key_terminal: Terminal, words: tuple[str, ...]) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers here
        port = taken.getsockname()[1]
        url = f"postgresql://ada:{PASSWORD}@127.0.0.1:{port}/sentinel"
        text = key_terminal.refused(*words, DATABASE_URL=url)
    assert text.startswith(f"The database sentinel on 127.0.0.1:{port} cannot be used: ")
    assert text.count("\n") == 1
    assert "DATABASE_URL" in text and PASSWORD not in text


@pytest.mark.parametrize("words", [("db", "upgrade"), ("db", "status"), ("users", "list")])
@pytest.mark.parametrize("wrong", [{"password": PASSWORD}, {"database": "elsewhere"}], ids=["login", "name"])
def test_wrong_database_is_one_clear_line(
    key_terminal: Terminal, postgresql_url: str, words: tuple[str, ...], wrong: dict[str, str]
) -> None:
    url = make_url(postgresql_url).set(**wrong)  # type: ignore[arg-type]
    text = key_terminal.refused(*words, DATABASE_URL=url.render_as_string(hide_password=False))
    assert "cannot be used: " in text and text.count("\n") == 1
    assert PASSWORD not in text and str(make_url(postgresql_url).password) not in text


def test_damaged_database_file_is_one_clear_line(key_terminal: Terminal) -> None:
    (key_terminal.folder / "bad.db").write_text("this is no database, whatever its name says\n" * 100)
    text = key_terminal.refused("users", "list", DATABASE_URL="sqlite+aiosqlite:///bad.db")
    assert "bad.db cannot be used: " in text and text.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("users", "list"), ("apps", "list"), ("users", "create-admin", "a@b.example")]
)
def test_database_without_tables_is_explained(bare_terminal: Terminal, words: tuple[str, ...]) -> None:
    assert "'sentinel db upgrade' makes it" in bare_terminal.refused(*words)


def test_reading_creates_no_database(key_terminal: Terminal) -> None:
    key_terminal.refused("users", "list")
    key_terminal.run("db", "status")
    assert list(key_terminal.folder.iterdir()) == []


def test_unforeseen_error_is_one_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody thought of this\nsecond line")

    monkeypatch.setattr("sentinel.identity.users.create_admin", fault)
    text = terminal.refused("users", "create-admin", "ada@example.com")
    assert "ZeroDivisionError" in text and "users.py:" in text
    assert text.count("\n") == 1


def test_the_served_application_does_not_load_the_development_mode() -> None:
    code = (
        "import sys; sys.argv = ['sentinel', 'serve', '--help']\n"
        "from sentinel.cli import main\n"
        "unwanted = 'jinja2', 'opentelemetry.sdk', 'pydantic.v1', 'pygments', 'rich', 'sentinel.admin.rooms'\n"
        "try: main()\n"
        "except SystemExit: print([name for name in unwanted if sys.modules.get(name)])\n"
        "import rich, sentinel.cli.dev, sentinel.cli.check\n"
        "print([name for name in sys.modules if name.startswith('sentinel.devmode')])"
    )
    assert _run([sys.executable, "-c", code]).endswith("\n[]\n[]\n")


def serving(before: str = "", **variables: str) -> list[str]:
    """What is left of ``sentinel serve`` when it has ended: the lines of a program that looks at its own process."""
    code = (
        "import os, sys; sys.argv = ['sentinel', 'serve']\n"
        "import sentinel.cli\n"
        f"{before}\n"
        "try: sentinel.cli.main()\n"
        "except SystemExit as end: print(end.code)\n"
        "print(*[os.environ.get(name) for name in sentinel.cli.SPARING])\n"
        "print(*[name for name in ('typer', 'uvicorn', 'jinja2') if name in sys.modules])\n"
    )
    env = os.environ | {"PYTHONPATH": _source(), "WEB_CONCURRENCY": "none"} | variables
    done = subprocess.run([sys.executable, "-c", code], check=False, env=env, capture_output=True, text=True)
    return [*done.stderr.splitlines(), *done.stdout.splitlines()]


def test_a_server_begins_sparing_and_without_what_commands_are_made_with() -> None:
    *refusal, status, spared, loaded = serving()
    assert "WEB_CONCURRENCY" in " ".join(refusal)
    assert (status, spared, loaded) == ("2", " ".join(SPARING.values()), "uvicorn")


def test_what_an_operator_has_set_for_the_process_stays() -> None:
    assert serving(MALLOC_TRIM_THRESHOLD_="1")[-2].split()[1] == "1"


def test_unforeseen_error_of_the_server_is_one_line() -> None:
    refusal, status, _, _ = serving("import sentinel.cli.serve; sentinel.cli.serve.serve = lambda: 1 / 0")
    assert "ZeroDivisionError" in refusal
    assert status == "1"


def test_a_server_that_is_interrupted_says_so_with_its_status() -> None:
    before = "import sentinel.cli.serve\ndef end(): raise KeyboardInterrupt\nsentinel.cli.serve.serve = end"
    assert serving(before)[0] == "130"


def test_a_key_can_be_made_without_loading_the_service() -> None:
    code = (
        "import sys; sys.argv = ['sentinel', 'keys', '--help']\n"
        "from sentinel.cli import main\n"
        "try: main()\n"
        "finally: print('fastapi' in sys.modules)"
    )
    assert _run([sys.executable, "-c", code]).endswith("False\n")


def test_tables_are_drawn_on_a_terminal_only(sqlite_url: str) -> None:
    env = os.environ | {
        "DATABASE_URL": sqlite_url,
        "PYTHONPATH": _source(),
        "COLUMNS": "100",
        "TERM": "xterm",
    }
    assert _run([*ENTRY, "users", "create-admin", "ada@example.com"], env)
    plain = _run([*ENTRY, "users", "list"], env).splitlines()
    assert plain[0] == "email\tname\tis_active\tis_admin\tcreated_at"
    assert plain[1].startswith("ada@example.com\tada\tyes\tyes\t")
    leader, follower = os.openpty()
    subprocess.run([*ENTRY, "users", "list"], env=env, stdout=follower, check=True)
    os.close(follower)
    with open(leader, "rb") as screen:
        drawn = screen.read1().decode()
    assert drawn.startswith("┏━━━") and "│ ada@example.com │" in drawn


def test_every_table_is_known_in_a_process_of_its_own(sqlite_url: str) -> None:
    """A command that writes one table knows those that it refers to, whatever else has been imported."""
    env = os.environ | {"DATABASE_URL": sqlite_url, "PYTHONPATH": _source()}
    made = _run([*ENTRY, "apps", "create", "--name", "Notes", "--service-name", "notes", "--quiet"], env)
    assert made.startswith("sk_")
    login = [
        "apps",
        "create-login",
        "--name",
        "Notes",
        "--redirect-uri",
        "https://notes.example.com/callback",
    ]
    assert "is registered" in _run([*ENTRY, *login], env)


def test_cells_cannot_speak_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table(("name",), [("\x1b[2Jevil\nline\ttab\u202e",), (None,), ([],), (["a", "b"],)])
    assert capsys.readouterr().out == "name\n?[2Jevil?line?tab?\n-\n-\na, b\n"


def test_json_is_json(terminal: Terminal) -> None:
    for words in (("users", "list"), ("apps", "list"), ("db", "status")):
        assert json.loads(terminal.ok(*words, "--json")) is not None


def _source() -> str:
    return str(Path(sentinel.__file__).parents[1])


def _run(command: list[str], env: dict[str, str] | None = None) -> str:
    env = env or os.environ | {"PYTHONPATH": _source()}
    return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
