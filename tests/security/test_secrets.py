"""Where secrets end up (L26 to L28, L30): in comparisons, logs, errors, addresses, labels of metrics."""

import ast
import asyncio
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event

import sentinel
from sentinel.api.middleware.measure import Measure
from sentinel.core import instruments, logging, metrics
from sentinel.core.errors import DomainError
from tests import logged, servers
from tests.security.conftest import Town
from tests.stage import Pkce, bearer

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
SOURCE = Path(sentinel.__file__).parent


# ── L26: looked up by hash, or compared in constant time ──


SECRETS = re.compile(
    r"(^|_)(key|plaintext|secret|verifier|code_verifier|challenge|code_challenge|nonce|password|token|digest|state)$"
)


HARMLESS = {
    # Which of the flows in a signed cookie is the one that was found in it before?
    ("login/state.py", "flow.state != state"),
}


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted(SOURCE.rglob("*.py")):
        if path.parent.name != "checklist":
            yield path, ast.parse(path.read_text(encoding="utf-8"), str(path))


def named(node: ast.expr) -> str | None:
    """The last name of what is compared: ``flow.state`` is ``state``."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def test_L26_and_SK_8_no_secret_is_compared_by_equality() -> None:
    """Secrets are looked up by hash or compared in constant time; a comparison of two variables is neither.

    The checklist compares the installation's own configuration with published values, and nobody outside asks it.
    """
    offences = []
    for path, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
                continue
            sides = [named(node.left), named(node.comparators[0])]
            if all(sides) and any(side and SECRETS.search(side) for side in sides):
                offences.append((path.relative_to(SOURCE).as_posix(), ast.unparse(node)))
    assert set(offences) <= HARMLESS


async def test_L26_no_secret_is_looked_up_as_it_is(town: Town) -> None:
    """What the database is asked with is a hash: its index tells nothing about the value that is looked for."""
    stage, sent = town.stage, []

    def note(_c: Any, _cur: Any, text: str, parameters: Any, _x: Any, _m: Any) -> None:
        sent.append(f"{text} {parameters!r}")

    user = await stage.user(email="ada-26@example.com")
    pair, app, pkce = await stage.session(user, town.workspace), await stage.login_app(), Pkce()
    await stage.join(town.workspace, user)
    code = await stage.code(stage.person("ada-26b@example.com"), app, pkce)
    engine = stage.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        wish = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(town.workspace.id)}
        assert (await stage.client.get("/realm/whoami", headers=town.service.headers)).status_code == 200
        await stage.client.post("/auth/token", json=wish)
        await stage.client.post("/auth/refresh", json={"refresh_token": pair.refresh.token})
        await stage.client.get("/users/me", headers=bearer(pair.access.token))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    said = "\n".join(sent)
    assert len(sent) >= 4
    for secret in (town.service.key, code, pkce.verifier, pair.refresh.token, pair.access.token):
        assert secret not in said


# ── L27: the log ──

LEAKS = {
    "a token": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln",
    "a service key": "sk_" + "aB3-_" * 8 + "xyz",
    "a credential of a header": "authorization: Bearer Zm9vYmFyYmF6",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "an e-mail address": "user ada@example.com was here",
    "a parameter that is a secret": "GET /auth/callback/corp?code=SplxlOBeZQQYbYS6WxSbIA",
    "a password in an address": "postgresql://sentinel:hunter22@db/sentinel",
}


@pytest.mark.parametrize("what", LEAKS)
def test_L27_a_leak_in_a_line_is_found(what: str) -> None:
    """What reads the whole log sees each kind of leak, and nothing in what the service makes of it."""
    line = json.dumps({"event": "app.log", "message": LEAKS[what]})
    assert what in [found for found, _ in logged.in_line(line, set())]
    clean = logging._finish("info", {"event": "app.log", "message": LEAKS[what]})
    assert list(logged.in_line(clean, set())) == []


PLANTED = """
import logging as standard

from pydantic import SecretStr

from sentinel.core import logging


def test_that_leaks(monkeypatch):
    key = SecretStr("a-session-key-that-nobody-guesses").get_secret_value()
    logging.app_event("app.log", message=f"it is {key}")
    monkeypatch.setattr(logging, "_EMAIL", logging.re.compile("(?!)"))
    logging.app_event("app.log", message="ada@example.com signed in")


def test_that_does_not():
    logging.app_event("app.log", message="ada@example.com signed in")
"""


def test_L27_a_run_that_logs_a_secret_or_an_address_fails_and_says_where(tmp_path: Path) -> None:
    """The judgement on the whole suite, on a suite of two tests that pass."""
    (tmp_path / "test_planted.py").write_text(PLANTED)
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "tests.conftest",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
            ),
            *(
                "-c",
                str(ROOT / "pyproject.toml"),
                "--rootdir",
                str(tmp_path),
                str(tmp_path / "test_planted.py"),
            ),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "2 passed" in said or ".." in said
    leaks = said.partition("Secrets or addresses stand in the log of this run")[2]
    assert "a secret of this run, logged during" in leaks and "an e-mail address, logged during" in leaks
    assert "test_that_leaks" in leaks and "test_that_does_not" not in leaks
    assert "nobody-guesses" not in leaks and "ada@example.com" not in leaks


async def test_L27_everything_that_this_run_logs_is_kept_for_the_judgement(town: Town) -> None:
    """Lines of this process, whether a test looks at its events or not, and those of processes that it starts."""
    marks = [uuid4().hex for _ in range(4)]
    await town.stage.client.get("/health/ready", headers={"User-Agent": "x"})
    await town.stage.client.get("/users/me", headers={"User-Agent": marks[0]})
    with town.stage.events():
        await town.stage.client.get("/users/me", headers={"User-Agent": marks[1]})
    program = (
        "from sentinel.core import logging; import sys; logging.app_event('app.log', message=sys.argv[1])"
    )
    file = servers.run_directory() / f"{marks[2]}.txt"
    with file.open("w") as out:
        process = await asyncio.to_thread(
            subprocess.Popen, [sys.executable, "-c", program, marks[2]], stdout=out, stderr=subprocess.STDOUT
        )
        await asyncio.to_thread(process.wait, 60)
    file.unlink()
    command = [sys.executable, "-c", program, marks[3]]
    await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    logged.end()
    kept = "".join(path.read_text() for path in (servers.run_directory() / logged.FOLDER).glob("*-lines.txt"))
    assert [mark for mark in marks if mark not in kept] == []


async def test_L27_no_secret_comes_back_in_an_error_or_stands_in_an_address(town: Town) -> None:
    stage, secret = town.stage, "s3cr3t-" + uuid4().hex
    answers = [
        await stage.client.get("/users/me", headers=bearer(secret)),
        await stage.client.get("/realm/whoami", headers={"X-Service-Key": secret}),
        await stage.client.post("/auth/refresh", json={"refresh_token": secret}),
        await stage.client.post(
            "/auth/token", json={"code": secret, "code_verifier": secret, "workspace_id": secret}
        ),
        await stage.client.post("/auth/token", json={"code": [secret], "code_verifier": {secret: 1}}),
        await stage.client.post("/permissions/check", json={"checks": secret}, headers=await town.as_owner()),
        await stage.client.get(
            f"/auth/callback/corp?code={secret}&state={secret}", headers={"Accept": "text/html"}
        ),
        await stage.client.get(f"/{secret}"),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert secret not in answer.text + repr(answer.headers), answer.request.url.path
    for text in (repr(town.service), repr(stage.settings), str(stage.settings), repr(stage.state.keyring)):
        assert town.service.key not in text and "stage-session-key" not in text and "PRIVATE" not in text


# ── L28: an error belongs to one request ──


def test_L28_no_error_object_is_shared() -> None:
    """An exception that lives in a module carries the traceback, and so the locals, of one request into another."""
    shared = []
    for found in pkgutil.walk_packages(sentinel.__path__, "sentinel."):
        if ".migrations." in found.name or found.name.endswith("__main__"):
            continue
        module = import_module(found.name)
        shared += [f"{found.name}.{name}" for name in errors_in(vars(module))]
        for name, value in vars(module).items():
            if isinstance(value, type | dict):
                inside = dict(vars(value)) if isinstance(value, type) else value
                shared += [f"{found.name}.{name}.{at}" for at in errors_in(inside)]
    assert shared == []


def errors_in(namespace: Mapping[Any, Any]) -> Iterator[Any]:
    """The names under which exceptions stand, alone or in a row."""
    for name, value in namespace.items():
        row = value if isinstance(value, tuple | list | set | frozenset) else [value]
        if any(isinstance(one, BaseException) for one in row):
            yield name


async def test_L28_parallel_failures_share_no_error(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal of forty parallel requests is an object of its own."""
    raised: list[BaseException] = []
    real = DomainError.__init__

    def noting(self: DomainError, *arguments: Any, **options: Any) -> None:
        raised.append(self)
        real(self, *arguments, **options)

    monkeypatch.setattr(DomainError, "__init__", noting)
    marks = [f"sk_{uuid4().hex}" for _ in range(40)]
    answers = await asyncio.gather(
        *(town.stage.client.get("/realm/whoami", headers={"X-Service-Key": mark}) for mark in marks)
    )
    assert {answer.status_code for answer in answers} == {401}
    assert len({id(error) for error in raised}) == len(raised) >= 40


# ── L30: labels ──


async def test_L30_labels_of_metrics_come_from_closed_sets(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever strangers write into methods, paths, hosts, keys and bodies, no new row of numbers comes of it."""
    monkeypatch.setattr(metrics, "_on", instruments)

    def rows() -> set[tuple[str, tuple[tuple[str, str], ...]]]:
        return {
            (sample.name, tuple(sorted(sample.labels.items())))
            for family in instruments.REGISTRY.collect()
            for sample in family.samples
            # What the service tells of its own jobs may come at any time.
            if not sample.labels.get("event", "").startswith("app.")
        }

    async def strangers(count: int) -> list[str]:
        measured = Measure(town.stage.app)
        marks = [uuid4().hex for _ in range(count)]
        transport = httpx.ASGITransport(measured)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9003") as http:
            for mark in marks:
                await http.get(f"/{mark}/{mark}", headers={"User-Agent": mark, "X-Request-ID": mark})
                await http.request(mark[:12].upper(), "/users/me")
                await http.get(f"/workspaces/{mark}/members", params={"q": mark}, headers=bearer(mark))
                await http.get(
                    "/realm/whoami", headers={"X-Service-Key": f"sk_{mark}", "Host": f"{mark}.example"}
                )
                question = town.question() | {"resource_type": f"t{mark}", "resource_id": str(uuid4())}
                await http.post(
                    "/permissions/check", json={"checks": [question]}, headers=await town.as_owner()
                )
                await http.get(f"/auth/login/{mark}", params={"client_id": mark})
        return marks

    first = await strangers(2)
    known = rows()
    more = await strangers(6)
    assert rows() == known
    text = repr(known)
    assert [mark for mark in first + more if mark in text or mark[:12].upper() in text] == []
    assert "(unmatched)" in text and "(other)" in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)
