"""``sentinel check --history``: what was ever committed is found, wherever it hides, and never printed."""

import asyncio
import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from sentinel.apps import keys, service_apps
from sentinel.apps.models import ServiceApp
from sentinel.checklist import repository
from sentinel.cli.main import app
from sentinel.core.clock import Clock
from sentinel.core.database import Database
from sentinel.settings import DEV_SESSION_SECRET, Settings
from sentinel.tokens.keyring import FileKeyring

from .conftest import Pair, make_pair

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Repo:
    """A git repository in ``folder``; nothing of the machine's own configuration is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str, stdin: str | None = None) -> str:
        person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false"]
        done = subprocess.run(
            ["git", *person, *words],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_CONFIG_SYSTEM": "/dev/null",
            },
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, message: str = "Change", /, **files: str | bytes | None) -> str:
        """Commit files by name (``_`` stands for the dot); None removes one. The id of the commit."""
        for name, content in files.items():
            path = self.folder / name.replace("_", ".")
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repository")


@pytest.fixture
def variables(
    tmp_path: Path, pair: Pair, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, str]:
    """The configuration of an installation, in an empty folder, with a secret of each kind."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in os.environ:
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    return {
        "SESSION_SECRET_KEY": secrets.token_urlsafe(32),
        "SESSION_SECRET_KEY_PREVIOUS": secrets.token_urlsafe(32),
        "DATABASE_URL": sqlite_url,
        "REDIS_URL": f"rediss://default:{quote('p@ss/' + secrets.token_hex(8), safe='')}@redis.internal/0",
        "GITHUB_CLIENT_SECRET": secrets.token_hex(20),
        "OIDC_PROVIDERS": "corp",
        "OIDC_CORP_CLIENT_ID": "client",
        "OIDC_CORP_CLIENT_SECRET": secrets.token_urlsafe(24),
        "OIDC_CORP_METADATA_URL": "https://corp.example.com/.well-known/openid-configuration",
        **pair.variables(),
    }


def scan(variables: Mapping[str, str], *words: str) -> Result:
    result = CliRunner().invoke(app, ["check", "--history", *words], env=dict(variables))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    return result


def found(variables: Mapping[str, str], repo: Repo, *words: str) -> list[tuple[str, str, str, str]]:
    """Kind, verdict, commit and path of every finding."""
    result = scan(variables, str(repo.folder), "--json", *words)
    document: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (2 if document["counts"]["refuse"] else 0)
    return [(one["kind"], one["verdict"], one["commit"], one["path"]) for one in document["findings"]]


def test_T8_a_clean_history_is_clean(variables: Mapping[str, str], repo: Repo) -> None:
    fresh = "-----BEGIN " + "PRIVATE KEY-----\nMII" + "x" * 300 + "\n-----END " + "PRIVATE KEY-----"
    repo.commit(
        a_md="SESSION_SECRET_KEY=...\nsk_your-key-here",
        b_txt=f"sk_{secrets.token_urlsafe(32)} {DEV_SESSION_SECRET} identity:identity_dev@localhost",
        c_pem=fresh,
        d_jwt=f"eyJ{'a' * 40}.eyJ{'b' * 40}.{'c' * 342}",
        e_bin=secrets.token_bytes(5000),
    )
    assert found(variables, repo) == []
    result = scan(variables, str(repo.folder), "--fail-level", "warn")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Searched 1 commits, 6 objects: 0 to refuse, 0 to know of, 0 known.\n"


@pytest.mark.parametrize(
    ("variable", "kind"),
    [
        ("SESSION_SECRET_KEY", "session_secret"),
        ("SESSION_SECRET_KEY_PREVIOUS", "session_secret"),
        ("REDIS_URL", "redis_password"),
        ("GITHUB_CLIENT_SECRET", "client_secret"),
        ("OIDC_CORP_CLIENT_SECRET", "client_secret"),
    ],
)
def test_T8_values_of_this_installation_are_found_in_every_form(
    variables: Mapping[str, str], repo: Repo, variable: str, kind: str
) -> None:
    value = variables[variable]
    if variable == "REDIS_URL":
        value = value.split("default:")[1].split("@")[0].replace("%40", "@").replace("%2F", "/")
    forms: dict[str, str | bytes] = {
        "plain_env": f"{variable}='{value}'\n",
        "quoted_txt": f"https://u:{quote(value, safe='')}@x",
        "utf_ps1": f"$x = '{value}'".encode("utf-16"),
    }
    for shift in range(3):
        forms[f"base{shift}_yaml"] = b"x: " + base64.b64encode(b"a" * shift + value.encode() + b"\n")
    commit = repo.commit(**forms)
    repo.commit(**dict.fromkeys(forms))
    names = sorted(name.replace("_", ".") for name in forms)
    assert found(variables, repo) == [(kind, "refuse", commit, name) for name in names]
    # What has been replaced since is nobody's secret any more.
    fresh = {**variables, variable: variables[variable].replace(value, "n" * 40)}
    if variable != "REDIS_URL":
        assert found(fresh, repo) == []


def test_T8_the_password_of_the_database(variables: Mapping[str, str], repo: Repo) -> None:
    password = secrets.token_urlsafe(18)
    commit = repo.commit(compose_yml=f"POSTGRES_PASSWORD: {password}")
    url = f"postgresql+asyncpg://sentinel:{password}@127.0.0.1:1/sentinel"
    result = scan({**variables, "DATABASE_URL": url}, str(repo.folder))
    assert result.exit_code == 2 and "refuse: database_password" in result.stdout
    assert f"{commit} compose.yml" in result.stdout and password not in result.output
    assert "not recognised" in result.stderr
    # Short ones stand in too many texts by chance.
    short = {**variables, "DATABASE_URL": "postgresql+asyncpg://sentinel:word@127.0.0.1:1/sentinel"}
    repo.commit(words_txt="password")
    assert found_ids(scan(short, str(repo.folder), "--json")) == []


def found_ids(result: Result) -> list[str]:
    return [one["kind"] for one in json.loads(result.stdout)["findings"]]


def test_T8_service_keys_are_told_by_their_checksum(variables: Mapping[str, str], repo: Repo) -> None:
    replaced, used, old = keys.generate(), keys.generate(), f"sk_{secrets.token_urlsafe(32)}"
    unused_old = f"sk_{secrets.token_urlsafe(32)}"
    commit = repo.commit(
        a_py=f'KEY = "{replaced.plaintext}"', b_py=used.plaintext, c_py=f"{old} {unused_old}"
    )
    # Without a database nobody knows which of them are in use.
    no_database = {**variables, "DATABASE_URL": "sqlite+aiosqlite:///none.db"}
    assert found(no_database, repo) == [("service_key", "refuse", commit, name) for name in ("a.py", "b.py")]
    add_apps(variables["DATABASE_URL"], used.hash, keys.hash_key(old))
    assert found(variables, repo) == [
        ("service_key", "warn", commit, "a.py"),
        ("service_key", "refuse", commit, "b.py"),
        ("service_key", "refuse", commit, "c.py"),
    ]
    output = scan(variables, str(repo.folder)).output
    assert not any(key in output for key in (replaced.plaintext, used.plaintext, old))


def add_apps(url: str, *hashes: str) -> None:
    async def add() -> None:
        database = Database(url)
        async with database.transaction() as session:
            for number, key_hash in enumerate(hashes):
                session.add(
                    ServiceApp(
                        name="Notes",
                        service_name=f"notes-{number}",
                        key_hash=key_hash,
                        key_prefix="sk_****",
                        is_active=False,
                    )
                )
        await database.close()

    asyncio.run(add())


@pytest.mark.anyio
async def test_SK_3_hashes_of_overlapping_keys_count_until_they_end(database_url: str) -> None:
    now, database = Clock().now(), Database(database_url)
    async with database.transaction() as session:
        made, first = await service_apps.create(
            session, name="Notes", service_name="notes", actor_id=None, now=now
        )
        _, second = await service_apps.rotate_key(
            session, made.id, overlap=timedelta(minutes=5), actor_id=None, now=now
        )
    async with database.reading() as session:
        assert await service_apps.key_hashes(session, now=now) == {first.hash, second.hash}
        assert await service_apps.key_hashes(session, now=now + timedelta(minutes=5)) == {second.hash}
    async with database.transaction() as session:
        await session.execute(sa.delete(ServiceApp))
    await database.close()


def test_T8_private_keys_ours_and_others(
    variables: Mapping[str, str], pair: Pair, repo: Repo, tmp_path: Path
) -> None:
    own, other = pair.private.read_text(), make_pair(tmp_path / "other").private.read_text()
    lines = own.replace("\n", "\\n")
    commit = repo.commit(a_pem=own, b_pem=other, c_env=f'KEY="{lines}"', d_pem=pair.public.read_text())
    assert found(variables, repo) == [
        ("signing_key", "refuse", commit, "a.pem"),
        ("private_key", "refuse", commit, "b.pem"),
        ("signing_key", "refuse", commit, "c.env"),
    ]
    # Where the key files are not, it is a private key all the same.
    elsewhere = {**variables, "JWT_PRIVATE_KEY_PATH": "none.pem"}
    assert {kind for kind, *_ in found(elsewhere, repo)} == {"private_key"}


def test_T8_tokens_of_ours_count_while_they_live(
    variables: Mapping[str, str], pair: Pair, repo: Repo, tmp_path: Path
) -> None:
    now = Clock().timestamp()
    ring = FileKeyring(pair.private, pair.public, [], clock=Clock())
    foreign = make_pair(tmp_path / "foreign")
    stranger = FileKeyring(foreign.private, foreign.public, [], clock=Clock())
    living = ring.sign({"sub": "x", "exp": int(now) + 600})
    commit = repo.commit(
        a_txt=f"Authorization: Bearer {living}",
        b_txt=ring.sign({"sub": "x", "exp": int(now) - 600}),
        c_txt=stranger.sign({"sub": "x", "exp": int(now) + 600}),
        d_txt=living[:-6] + "AAAAAA",
        e_txt=ring.sign({"sub": "x"}),
    )
    assert found(variables, repo) == [("token", "refuse", commit, "a.txt")]


def test_T8_no_place_is_left_out(variables: Mapping[str, str], repo: Repo) -> None:
    """Messages, tags, branches that were merged or not, stashes, merges that add something, odd names."""
    secret = variables["SESSION_SECRET_KEY"]
    first = repo.commit(readme_md="hello")
    message = repo.commit(f"Set the key to {secret}", readme_md="hello again")
    repo.git("tag", "--annotate", "v1", "--message", f"key {secret}")
    repo.git("checkout", "--quiet", "-b", "side", first)
    side = repo.commit(side_txt=secret)
    repo.commit(side_txt=None)
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--no-ff", "--no-commit", "side")
    merge = repo.commit("Merge", merged_txt=secret)
    (repo.folder / "naïve\tname\x1b[31m").write_text(secret)
    repo.git("add", "--all")
    repo.git("stash", "--quiet")
    stash = repo.git("rev-parse", "refs/stash")
    index = repo.git("rev-parse", "refs/stash^2")
    places = {(commit, path) for _, _, commit, path in found(variables, repo)}
    odd = next(path for _, path in places if path.startswith('"'))
    assert "\x1b" not in odd and "\t" not in odd
    assert (stash, odd) in places or (index, odd) in places
    assert places - {(stash, odd), (index, odd)} == {
        (message, "(message)"),
        (message, "(tag)"),
        (side, "side.txt"),
        (merge, "merged.txt"),
    }


def test_T8_a_secret_at_the_seam_of_a_large_file(
    variables: Mapping[str, str], repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "PIECE", 64 * 1024)
    secret = variables["SESSION_SECRET_KEY"]
    commit = repo.commit(
        large_bin="\n" * (64 * 1024 - 10) + secret + "\n" * 200_000, late_bin="\n" * 300_000 + secret
    )
    assert found(variables, repo) == [
        ("session_secret", "refuse", commit, "large.bin"),
        ("session_secret", "refuse", commit, "late.bin"),
    ]


def test_one_secret_in_one_file_is_told_once_with_its_first_commit(
    variables: Mapping[str, str], repo: Repo
) -> None:
    secret = variables["SESSION_SECRET_KEY"]
    first = repo.commit(settings_py=f"A = '{secret}'")
    for number in range(3):
        repo.commit(settings_py=f"A = '{secret}'  # {number}")
    assert found(variables, repo) == [("session_secret", "refuse", first, "settings.py")]


def test_known_findings_are_left_out_but_never_those_in_use(
    variables: Mapping[str, str], repo: Repo, tmp_path: Path
) -> None:
    key = keys.generate()
    repo.commit(a_py=key.plaintext, b_env=variables["SESSION_SECRET_KEY"])
    no_database = {**variables, "DATABASE_URL": "sqlite+aiosqlite:///none.db"}
    lines = [line for line in scan(no_database, str(repo.folder)).stdout.splitlines() if "refuse: " in line]
    known = tmp_path / "known"
    known.write_text("# rotated in May\n\n" + "\n".join(line.partition(": ")[2] for line in lines))
    result = scan(no_database, str(repo.folder), "--known", str(known), "--json")
    assert found_ids(result) == ["session_secret"]
    assert json.loads(result.stdout)["counts"] == {"refuse": 1, "warn": 0, "known": 1}
    known.write_text("service_key abc")
    result = scan(no_database, str(repo.folder), "--known", str(known))
    assert result.exit_code == 2 and "kind commit path" in result.stderr


def test_exit_status_and_fail_level(variables: Mapping[str, str], repo: Repo) -> None:
    repo.commit(a_py=keys.generate().plaintext)
    for level, status in (("refuse", 0), ("warn", 1)):
        result = scan(variables, str(repo.folder), "--fail-level", level)
        assert (result.exit_code, "warn: service_key" in result.stdout) == (status, True)


def test_what_cannot_be_searched_is_never_called_clean(
    variables: Mapping[str, str], repo: Repo, tmp_path: Path
) -> None:
    result = scan(variables, str(tmp_path / "elsewhere"))
    assert result.exit_code == 2 and "not a git repository" in result.stderr
    assert scan(variables, str(tmp_path / "none")).exit_code == 2
    repo.commit(a_txt="one")
    repo.commit(a_txt="two")
    shallow = tmp_path / "shallow"
    repo.git("clone", "--quiet", "--depth", "1", f"file://{repo.folder}", str(shallow))
    result = scan(variables, str(shallow), "--fail-level", "warn")
    assert result.exit_code == 1 and "cut off" in result.stderr
    blob = repo.git("rev-parse", "HEAD:a.txt")
    (repo.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    result = scan(variables, str(repo.folder))
    assert result.exit_code == 2 and blob in result.stderr


def test_nothing_that_a_repository_names_is_run(
    variables: Mapping[str, str], repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit(a_txt="one", _gitattributes="* diff=evil")
    trap = tmp_path / "trap"
    program = tmp_path / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {trap}\n")
    program.chmod(0o755)
    for name in ("core.fsmonitor", "core.pager", "diff.external", "diff.evil.textconv", "gpg.program"):
        repo.git("config", name, str(program))
    repo.git("config", "log.showSignature", "true")
    # And another repository that the environment points to is not the one that was asked for.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert found(variables, repo) == []
    assert not trap.exists()


@pytest.mark.parametrize(
    "words",
    [["--history", "--deploy"], ["--history", "--silence", "C-5"], ["somewhere"], ["--known", "file"]],
)
def test_options_that_do_not_go_together(variables: Mapping[str, str], words: list[str]) -> None:
    result = CliRunner().invoke(app, ["check", *words], env=dict(variables))
    assert result.exit_code == 2 and result.stdout == ""
    assert "--history" in result.stderr


def test_T8_and_R8_our_own_history_holds_no_secret(tmp_path: Path) -> None:
    """The scanner of CI: every commit of this project, as the command searches it."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git")
    done = subprocess.run(
        [Path(sys.executable).with_name("sentinel"), "check", "--history", str(ROOT)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Searched ")
