"""The pages of ``docs/deployment/``: what they tell people to type is typed here, and does what they say.

A block is found by the name in the comment before it. Names of machines, folders and ports are those of a test machine;
everything else stays as it is written.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sentinel import checklist
from sentinel.settings import Settings
from tests import servers
from tests.checklist.conftest import judged
from tests.deploy.conftest import ROOT, installed, running, wait_for
from tests.served import SENTINEL, Served, environment, free_port, furnish, serving, starting, wait_until
from tests.stage import Keys

PAGES = ROOT / "docs" / "deployment"
PROVIDER = {"GITHUB_CLIENT_ID": "an-id", "GITHUB_CLIENT_SECRET": "a-secret-of-github"}


def block(page: str, name: str) -> str:
    """The text of one block."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- block: {name} -->\n```\w+\n(.*?)```", text, re.DOTALL)
    assert found is not None, f"{page}.md has no block {name}"
    return found[1]


def type_in(script: str, folder: Path, **variables: str) -> str:
    """What a shell prints for these lines; they begin in ``folder`` and see none of our variables."""
    known = {"PATH": f"{SENTINEL.parent}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8"}
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env=known | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assignments(text: str) -> dict[str, str]:
    """The variables of a block of ``NAME=value  # remark``."""
    return dict(re.findall(r"^([A-Z_]+)=(\S*)", text, re.MULTILINE))


def written(folder: Path) -> dict[str, str]:
    """The variables of the environment file that ``sentinel setup`` has left there."""
    text = (folder / "sentinel.env").read_text()
    return assignments(re.sub(r"='?([^'\n]*)'?$", r"=\1", text, flags=re.MULTILINE))


@contextmanager
def nginx(folder: Path, inside: str, port: int) -> Iterator[None]:
    """A real nginx whose ``http`` block holds ``inside``."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.getuid() == 0 else ''}\ndaemon off;\npid {folder / 'pid'};\n"
        f"error_log {folder / 'error.log'};\nevents {{}}\n"
        f"http {{\n{temporary}\naccess_log off;\n{inside}\n}}\n"
    )
    command = [installed("nginx"), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    with running(command, folder / "nginx.log", cwd=folder, env=dict(os.environ)) as process:
        wait_for(port, process, folder / "nginx.log")
        yield


def test_single_machine_as_it_is_written(tmp_path: Path) -> None:
    port = free_port()

    def here(text: str) -> str:
        text = text.replace("/etc/sentinel", str(tmp_path / "etc")).replace(":9003", f":{port}")
        return text.replace("--admin-email", f"--port {port} --admin-email")

    page = "single-machine"
    said = type_in(here(block(page, "setup")), tmp_path)
    prepared = tmp_path / "etc" / "sentinel.env"
    (tmp_path / "var").mkdir()
    prepared.write_text(prepared.read_text().replace("/var/lib/sentinel", str(tmp_path / "var")))
    # What the page says next is what the program says next.
    text = (PAGES / f"{page}.md").read_text()
    for line in re.findall(r"^  \d\. ((?:useradd|chown|cp) .*)$", said, re.MULTILINE):
        assert line.replace(str(tmp_path / "etc"), "/etc/sentinel") in text, line
    judged_as = type_in(here(block(page, "check")), tmp_path)
    assert block(page, "verdict").strip() in judged_as
    with ExitStack() as stack:
        variables = written(tmp_path / "etc")
        served = stack.enter_context(starting({"PATH": os.environ["PATH"], **variables}, tmp_path))
        wait_until(served.ready, "the service", served.log)
        well = type_in(here(block(page, "well")), tmp_path)
        assert '{"status":"ok"}' in well and '"keys":[{' in well
        entered = "set -a; . /etc/sentinel/sentinel.env; set +a\n" + block(page, "first-app")
        listed = type_in(here(entered), tmp_path)
        assert re.search(r"sk_[\w-]{43}", listed) and "notes" in listed
        # Reload and stop, with the signals that systemd sends.
        served.process.send_signal(signal.SIGHUP)
        assert served.ready()
        # Alone, without workers, it ends by the signal itself, when all is done: systemd calls that a success.
        assert served.stop(signal.SIGTERM) in (0, -signal.SIGTERM)
        assert served.events("app.shutdown")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Served], str]]:
    """PostgreSQL and Redis as the page has them set up, the folder that is prepared for them, and two machines."""
    folder = tmp_path_factory.mktemp("machines")
    with ExitStack() as stack:
        postgres = stack.enter_context(servers.start_private_postgres())
        redis = stack.enter_context(servers.start_private_redis())
        for statement in block("several-workers", "postgresql").split(";"):
            if statement.strip():
                _administer(postgres, statement)
        password = ""
        for line in block("several-workers", "redis").splitlines():
            name, _, value = line.partition(" ")
            redis.command("CONFIG", "SET", name, value.strip('"'), password=password or None)
            password = value if name == "requirepass" else password
        script = (
            block("several-workers", "setup")
            .replace("/etc/sentinel", str(folder / "etc"))
            .replace("@db.internal:5432/sentinel?ssl=require", f"@127.0.0.1:{postgres.port}/sentinel")
            .replace("rediss://", "redis://")
            .replace("@redis.internal:6379/0", f"@127.0.0.1:{redis.port}/0")
        )
        type_in(script, folder, **PROVIDER)
        check = block("single-machine", "check").replace("/etc/sentinel", str(folder / "etc"))
        assert "Judged for production: 0 refusals," in type_in(check, folder)
        given = written(folder / "etc")
        assert given["WEB_CONCURRENCY"] == "4"
        nodes = []
        for _ in range(2):
            # One worker each: what four of them do is shown in faults/.
            own = {
                "PATH": os.environ["PATH"],
                **given,
                "WEB_CONCURRENCY": "1",
                "SERVICE_PORT": str(free_port()),
            }
            own["SERVICE_HOST"] = assignments(block("several-machines", "listen"))["SERVICE_HOST"].replace(
                "10.0.0.11", "127.0.0.1"
            )
            nodes.append(
                stack.enter_context(starting(own | {"ALLOWED_HOSTS": "auth.example.com,127.0.0.1"}, folder))
            )
        for node in nodes:
            wait_until(node.ready, "both machines, on an empty database", node.log)
        yield folder, nodes, given["DATABASE_URL"]


def _administer(postgres: servers.PrivatePostgres, statement: str) -> None:
    async def run() -> None:
        connection = await postgres._connect("postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    postgres.run(run())


def test_several_machines_as_they_are_written(
    machines: tuple[Path, list[Served], str], stage_keys: Keys, tmp_path: Path
) -> None:
    """Two machines behind the ``upstream`` of the page; one goes, and nobody notices."""
    folder, nodes, url = machines
    upstream, port = block("several-machines", "upstream"), free_port()
    for address, node in zip(("10.0.0.11:9003", "10.0.0.12:9003"), nodes, strict=True):
        assert address in upstream
        upstream = upstream.replace(address, f"127.0.0.1:{node.port}")
    location = re.search(
        r"^    location / \{.*?^    \}", (ROOT / "deploy" / "nginx.conf").read_text(), re.S | re.M
    )
    assert location is not None
    server = f"{upstream}\nserver {{\nlisten 127.0.0.1:{port};\n{location[0]}\n}}"
    keys = Keys(
        folder / "etc" / "keys" / "private.pem", folder / "etc" / "keys" / "public.pem", stage_keys.idp
    )
    world = furnish(url, keys, base_url="https://auth.example.com")
    asked = {"Host": "auth.example.com", **world.owner}
    with (
        nginx(tmp_path, server, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=asked) as client,
    ):

        def ask(times: int) -> list[int]:
            answers = [client.post("/permissions/check", json=world.question()) for _ in range(times)]
            return [answer.status_code for answer in answers if answer.json()["results"][0]["allowed"]]

        assert ask(20) == [200] * 20
        served = [len(node.events("http.access")) for node in nodes]
        assert min(served) > 0, "the load balancer uses one machine only"
        # The same keys, so that a token of one is good for the other.
        kids = {node.ask("GET", "/.well-known/jwks.json")[1] for node in nodes}
        assert len(kids) == 1
        nodes[0].stop()
        assert ask(20) == [200] * 20


def test_private_network_as_it_is_written(sqlite_url: str, stage_keys: Keys, tmp_path: Path) -> None:
    """The address of a client comes through the ingress and the application, and cannot be forged."""
    given = assignments(block("private-network", "variables"))
    world = furnish(sqlite_url, stage_keys, base_url=given["BASE_URL"])
    variables = environment(sqlite_url, stage_keys, **PROVIDER) | given
    said = type_in(block("private-network", "check"), tmp_path, **{**variables, "PATH": type_path()})
    assert "Judged for production: 0 refusals," in said and "base_url_insecure" not in said
    with serving(variables | {"ALLOWED_HOSTS": f"{given['ALLOWED_HOSTS']},127.0.0.1"}, tmp_path) as served:
        headers = world.owner | {"Host": "sentinel:9003"}
        assert served.ask("POST", "/permissions/check", world.question(), headers)[0] == 200
        # Forged by the client, appended by the ingress, appended by the application.
        chain = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.0.0.5", "Host": "sentinel:9003"}
        assert served.ask("GET", "/users/me", None, chain)[0] == 401
        wait_until(
            lambda: [line for line in served.events("http.access") if line["source_ip"] == "198.51.100.7"],
            "the address of the client in the log",
            served.log,
        )


def type_path() -> str:
    return f"{SENTINEL.parent}:{os.environ['PATH']}"


PUBLIC = "https://example.com/auth-service"


def test_path_prefix_as_it_is_written(sqlite_url: str, stage_keys: Keys, tmp_path: Path) -> None:
    programs = [installed("nginx"), installed("caddy")]
    given = assignments(block("path-prefix", "variables"))
    assert given["BASE_URL"] == PUBLIC
    world = furnish(sqlite_url, stage_keys, base_url=PUBLIC)
    variables = environment(sqlite_url, stage_keys, **PROVIDER) | given
    assert not checklist.refusals(judged(Settings.load(variables, env_file=None)))
    ports = [free_port() for _ in programs]
    with ExitStack() as stack:
        served = stack.enter_context(
            serving(variables | {"ALLOWED_HOSTS": "example.com,127.0.0.1"}, tmp_path)
        )
        upstream = f"upstream sentinel {{ server 127.0.0.1:{served.port}; }}"
        server = f"server {{\nlisten 127.0.0.1:{ports[0]};\n{block('path-prefix', 'nginx')}}}"
        stack.enter_context(nginx(tmp_path, f"{upstream}\n{server}", ports[0]))
        stack.enter_context(_caddy(tmp_path, block("path-prefix", "caddy"), served.port, ports[1]))
        for port in ports:
            base, host = f"http://127.0.0.1:{port}/auth-service/", {"Host": "example.com"}
            with httpx.Client(base_url=base, headers=host, timeout=30) as client:
                _goes_through_the_prefix(client, world.question(), world.owner)


@contextmanager
def _caddy(folder: Path, inside: str, service: int, port: int) -> Iterator[None]:
    inside = inside.replace("127.0.0.1:9003", f"127.0.0.1:{service}")
    (folder / "Caddyfile").write_text(
        f"{{\n\tadmin off\n}}\nhttp://example.com:{port} {{\n\tbind 127.0.0.1\n{inside}}}\n"
    )
    command = [installed("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    own = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    with running(command, folder / "caddy.log", cwd=folder, env=os.environ | own) as process:
        wait_for(port, process, folder / "caddy.log")
        yield


def _goes_through_the_prefix(client: httpx.Client, question: object, headers: Mapping[str, str]) -> None:
    """Checks, login and panel, with the prefix in everything that is given out."""
    assert len(client.get(".well-known/jwks.json").json()["keys"]) == 1
    answer = client.post("permissions/check", json=question, headers=dict(headers))
    assert answer.status_code == 200 and answer.json()["results"][0]["allowed"] is True
    login = client.get("auth/admin/login/github")
    asked = parse_qs(urlsplit(login.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{PUBLIC}/auth/admin/callback/github"]
    path = re.search(r"; path=([^;]+)", login.headers["set-cookie"], re.IGNORECASE)
    assert path is not None and f"{urlsplit(PUBLIC).path}/auth/admin/callback/".startswith(path[1])
    panel = client.get("admin/users", headers={"Accept": "text/html"})
    assert panel.is_redirect
    assert urlsplit(panel.headers["location"]).path.startswith("/auth-service/admin/login")


def test_two_listeners_as_they_are_written(postgresql_url: str, stage_keys: Keys, tmp_path: Path) -> None:
    """The internal one has no session secret and no CORS, and starts all the same."""
    commands = [
        dict(re.findall(r"([A-Z_]+)=(\S+)", line))
        for line in block("two-listeners", "listeners").splitlines()
    ]
    assert [one["TIER"] for one in commands] == ["public", "internal"]
    world = furnish(postgresql_url, stage_keys)
    public, internal = (environment(postgresql_url, stage_keys, TIER=one["TIER"]) for one in commands)
    for name in ("SESSION_SECRET_KEY", "CORS_ORIGINS"):
        del internal[name]
    check = ("POST", "/permissions/check", world.question(), world.owner)
    with serving(public, tmp_path) as outside, serving(internal, tmp_path) as inside:
        assert (outside.ask(*check)[0], inside.ask(*check)[0]) == (404, 200)
        assert (outside.ask("GET", "/auth/providers")[0], inside.ask("GET", "/auth/providers")[0]) == (
            200,
            404,
        )
        keys = [served.ask("GET", "/.well-known/jwks.json")[1] for served in (outside, inside)]
        assert keys[0] == keys[1]


def test_every_named_block_is_tried() -> None:
    tried = Path(__file__).read_text()
    named = [
        (page.stem, name)
        for page in PAGES.glob("*.md")
        for name in re.findall(r"<!-- block: ([\w-]+) -->", page.read_text())
    ]
    assert len(named) >= 14
    pages = {"kubernetes", "backup", "upgrades"}
    missing = [
        one
        for one in named
        if one[0] not in pages and f'"{one[1]}"' not in tried and f"'{one[1]}'" not in tried
    ]
    assert missing == []
