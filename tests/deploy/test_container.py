"""The image and the composition, as far as they can be tried without an engine: the steps of the Dockerfile are done
by hand in an empty folder, and what they make is started.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]

from tests.deploy.conftest import ROOT, free_port, running, wait_for

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of every stage: word and rest, continued lines joined, comments left out."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    found: list[list[tuple[str, str]]] = []
    for line in filter(None, text.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


def composition() -> Any:
    return yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment that the first stage makes, under another root."""
    root = tmp_path_factory.mktemp("image")
    work = root / "src"
    work.mkdir()
    environment = {"PATH": f"{root}/opt/sentinel/bin:{os.environ['PATH']}", "HOME": str(root)}
    environment |= {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "npm_config_"))
    }
    for word, rest in stages()[0]:
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                place = work / source if target in ("./", ".") else work / target
                if (ROOT / source).is_dir():
                    shutil.copytree(
                        ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__", "vendor")
                    )
                else:
                    shutil.copy(ROOT / source, place)
        elif word == "RUN":
            command = rest.replace("/opt/sentinel", f"{root}/opt/sentinel").replace(
                "/wheels", f"{root}/wheels"
            )
            command = re.sub(r"^python ", f"{sys.executable} ", command)
            done = subprocess.run(  # noqa: S602
                command,
                shell=True,
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return root / "opt" / "sentinel"


def test_the_built_wheel_alone_runs_the_development_server_with_the_panel(
    built: Path, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log.txt"
    command = [str(built / "bin" / "sentinel"), "dev", "--port", str(port)]
    with running(command, log, cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}) as process:
        wait_for(port, process, log)
        with httpx.Client(base_url=f"http://localhost:{port}", timeout=20) as client:
            assert client.get("/health").json()["status"] == "ok"
            page = client.get("/admin/login").text
            assert "Sample people" in page
            for address in re.findall(r'(?:href|src)="(/admin/static/[^"#]+)', page):
                assert client.get(address).status_code == 200, address
            assert "tabler.min.css" in page


def test_the_image_has_no_package_tools_and_reports_its_version(built: Path) -> None:
    program = built / "bin" / "sentinel"
    version = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert f"ARG VERSION={version.removeprefix('sentinel ')}" in DOCKERFILE
    python = built / "bin" / "python"
    assert subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode != 0


def test_traces_that_are_asked_for_without_their_extra_are_missed_aloud(built: Path) -> None:
    """The image has nothing in it that sends traces, and needs nothing of it."""
    question = (
        "import sys, sentinel.app; from sentinel.core import tracing; tracing.begin('1'); "
        "print(tracing.enabled(), 'opentelemetry.sdk' in sys.modules, tracing.problem())"
    )
    said = subprocess.run(
        [built / "bin" / "python", "-c", question],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.startswith("False False No traces are sent: OTEL_EXPORTER_OTLP_ENDPOINT is set")
    assert "pip install 'sentinel-auth[otel]'" in said


def test_the_image_runs_as_nobody_special_and_checks_its_health() -> None:
    words = dict(stages()[1])
    assert words["USER"] == "sentinel"
    assert "/health" in words["HEALTHCHECK"]
    assert words["ENTRYPOINT"] == '["sentinel"]' and words["CMD"] == '["serve"]'
    assert not any("apt-get" in rest for stage in stages() for _, rest in stage)


def test_nothing_but_what_is_needed_goes_into_the_build() -> None:
    rules = (ROOT / ".dockerignore").read_text().split()
    assert rules[0] == "*"
    allowed = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    copied = [source for word, rest in stages()[0] if word == "COPY" for source in rest.split()[:-1]]
    assert sorted(copied) == sorted(allowed)
    assert not any(
        fnmatch.fnmatch(name, rule) for name in ("data", "keys", ".env", ".git") for rule in allowed
    )


def test_the_composition_holds_together() -> None:
    file = composition()
    services = file["services"]
    for name, service in services.items():
        for needed in service.get("depends_on", {}):
            assert needed in services, (name, needed)
            assert "healthcheck" in services[needed] or "sentinel-auth" in services[needed]["image"], needed
        for network in service.get("networks", []):
            assert network in file["networks"], (name, network)
        for secret in service.get("secrets", []):
            assert secret in file["secrets"], (name, secret)
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in file["volumes"] or source.startswith(("$", ".", "/")), (name, volume)
        if "network_mode" in service:
            assert "ports" not in service and "networks" not in service, name


def test_the_composition_publishes_the_proxy_alone_and_keeps_the_service_small() -> None:
    services = composition()["services"]
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert published == {"public": ["80:80", "443:443", "443:443/udp"]}
    assert services["caddy"]["network_mode"] == "service:public"
    for name in ("public", "internal"):
        service = services[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service["environment"]["REDIS_TLS_VERIFY"] == "required"
    assert services["internal"]["networks"] == ["inside"] and composition()["networks"]["inside"]["internal"]
