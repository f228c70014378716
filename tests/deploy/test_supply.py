"""What the product is made of, and whether it is known to be vulnerable: the bill of materials and the audit."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scripts import audit, sbom
from tests.deploy.conftest import ROOT, free_port


def test_the_bill_names_every_locked_package_and_every_front_end_project(tmp_path: Path) -> None:
    sbom.write(tmp_path / "one.json")
    sbom.write(tmp_path / "two.json")
    text = (tmp_path / "one.json").read_text()
    assert text == (tmp_path / "two.json").read_text()
    written = json.loads(text)
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,-]+\])?==([^ \\;]+)", lock, re.MULTILINE)
    front_end = json.loads((ROOT / "frontend" / "package.json").read_text())["dependencies"]
    wanted = {f"pkg:pypi/{name}@{version}" for name, version in pins}
    wanted |= {f"pkg:npm/{name.replace('@', '%40')}@{version}" for name, version in front_end.items()}
    parts = {part["purl"]: part for part in written["components"]}
    assert set(parts) == wanted
    assert all(part["hashes"] for part in parts.values())
    excluded = {part["name"] for part in parts.values() if part["scope"] == "excluded"}
    assert "hatchling" in excluded and not excluded & {"fastapi", "sqlalchemy", "anyio", "htmx.org"}
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in written["dependencies"]}
    assert any(
        ref.startswith("starlette@")
        for name, refs in needs.items()
        if name.startswith("fastapi@")
        for ref in refs
    )


@contextmanager
def advisories(vulnerable: str) -> Iterator[str]:
    """A database of vulnerabilities with one entry; the address at which pip-audit asks it."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            entry = {
                "id": "PYSEC-0000-1",
                "modified": "2026-01-01T00:00:00Z",
                "published": "2026-01-01T00:00:00Z",
                "summary": "made up",
                "affected": [
                    {
                        "package": {"name": vulnerable, "ecosystem": "PyPI"},
                        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
                    }
                ],
            }
            body = json.dumps({"vulns": [entry]} if query["package"]["name"] == vulnerable else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def test_a_known_vulnerability_fails_and_no_answer_is_no_praise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("fastapi==0.165.0\nstarlette==1.10.0\n")
    with advisories("starlette") as address:
        assert audit.audit([lock], "--osv-url", address, services=("osv",)) == 1
    said = capsys.readouterr().out
    assert "starlette 1.10.0: PYSEC-0000-1, mended in 9.9" in said
    assert "2 packages looked up, 1 known vulnerabilities" in said
    with advisories("something-else") as address:
        assert audit.audit([lock], "--osv-url", address, services=("osv",), required=True) == 0
    assert "2 packages looked up, 0 known" in capsys.readouterr().out
    nobody = f"http://127.0.0.1:{free_port()}/v1/query"
    for required, status in ((False, 0), (True, 2)):
        assert audit.audit([lock], "--osv-url", nobody, services=("osv",), required=required) == status
        said = capsys.readouterr().out
        assert "NOT looked up" in said and "0 known" not in said and said.count("\n") == 1


def test_a_package_that_the_database_does_not_know_is_not_called_safe() -> None:
    answers: list[dict[str, Any]] = [
        {"name": "one", "version": "1", "vulns": []},
        {"name": "two", "skip_reason": "not found"},
        {"name": "three", "version": "3", "vulns": [{"id": "X-1", "fix_versions": []}]},
    ]
    assert audit.judge(answers) == (["three 3: X-1"], ["two"])
