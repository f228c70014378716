"""Shapes of deployment, with the very lines of ``docs/deployment.md`` (``configuration.md`` §6)."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.deploy.conftest import ROOT, running, wait_for
from tests.served import environment, free_port, furnish, serving
from tests.stage import Keys

PAGE = ROOT / "docs" / "deployment.md"
PUBLIC = "https://example.com/auth-service"


def prefix_lines() -> str:
    found = re.search(
        r"<!-- prefix: begin -->\s*```nginx\n(.*?)```\s*<!-- prefix: end -->", PAGE.read_text(), re.DOTALL
    )
    assert found is not None
    return found[1]


def test_a_path_prefix_behind_nginx(sqlite_url: str, stage_keys: Keys, tmp_path: Path) -> None:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        assert os.environ.get("CI") != "true", "in CI the tests behind nginx have to run"
        pytest.skip("no nginx here: install it (Debian: apt-get install nginx)")
    world = furnish(sqlite_url, stage_keys, base_url=PUBLIC)
    variables = environment(
        sqlite_url,
        stage_keys,
        BASE_URL=PUBLIC,
        ADMIN_URL=f"{PUBLIC}/admin",
        ALLOWED_HOSTS="example.com,127.0.0.1",
        BEHIND_PROXY="true",
        GITHUB_CLIENT_ID="an-id",
        GITHUB_CLIENT_SECRET="a-secret",
    )
    port = free_port()
    temporary = "\n".join(
        f"{kind}_temp_path {tmp_path / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"{'user root;' if os.getuid() == 0 else ''}\ndaemon off;\npid {tmp_path / 'pid'};\n"
        f"error_log {tmp_path / 'error.log'};\nevents {{}}\nhttp {{\n{temporary}\naccess_log off;\n"
        f"upstream sentinel {{ server 127.0.0.1:{variables['SERVICE_PORT']}; }}\n"
        f"server {{\nlisten 127.0.0.1:{port};\n{prefix_lines()}}}\n}}\n"
    )
    command = [program, "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")]
    with (
        serving(variables, tmp_path),
        running(command, tmp_path / "nginx.log", cwd=tmp_path, env=dict(os.environ)) as proxy,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}/auth-service/", headers={"Host": "example.com"}, timeout=30
        ) as client,
    ):
        wait_for(port, proxy, tmp_path / "nginx.log")
        assert len(client.get(".well-known/jwks.json").json()["keys"]) == 1
        answer = client.post("permissions/check", json=world.question(), headers=world.owner)
        assert answer.status_code == 200 and answer.json()["results"][0]["allowed"] is True
        login = client.get("auth/admin/login/github")
        asked = parse_qs(urlsplit(login.headers["location"]).query)
        assert asked["redirect_uri"] == [f"{PUBLIC}/auth/admin/callback/github"]
        path = re.search(r"; path=([^;]+)", login.headers["set-cookie"], re.IGNORECASE)
        assert path is not None and f"{urlsplit(PUBLIC).path}/auth/admin/callback/".startswith(path[1])
        panel = client.get("admin/users", headers={"Accept": "text/html"})
        assert panel.status_code in (302, 303, 401)
        if panel.is_redirect:
            assert urlsplit(panel.headers["location"]).path.startswith("/auth-service/admin/login")


def test_two_listeners_on_one_database(postgresql_url: str, stage_keys: Keys, tmp_path: Path) -> None:
    """The internal one has no session secret and no CORS, and starts all the same."""
    world = furnish(postgresql_url, stage_keys)
    public = environment(postgresql_url, stage_keys, TIER="public")
    internal = environment(postgresql_url, stage_keys, TIER="internal")
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
