"""The source distribution: whole, without anything that belongs to an installation, and good for the same wheel."""

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from tests.deploy.conftest import ROOT


def build(kind: str, tree: Path, target: Path) -> Path:
    """Build one distribution of a tree with the project's own build backend."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)],
        cwd=tree,
        capture_output=True,
        check=True,
    )
    [made] = target.iterdir()
    return made


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, unpacked elsewhere."""
    archive = build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    [tree] = folder.iterdir()
    return tree


def test_the_source_distribution_has_what_it_takes_and_nothing_of_an_installation(unpacked: Path) -> None:
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO", "Makefile"} <= names
    assert "requirements/runtime.txt" in names and "src/sentinel/admin/static/vendor/htmx.min.js" in names
    belongs_elsewhere = re.compile(
        r"(^|/)(\.env|data|keys|\.venv|node_modules|__pycache__|artifacts)(/|$)|\.(pem|db)$"
    )
    assert [name for name in names if belongs_elsewhere.search(name)] == []


def test_a_wheel_of_the_source_distribution_is_the_package_and_nothing_else(
    unpacked: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path)) as wheel:
        inside = {name: wheel.read(name) for name in wheel.namelist()}
    [about] = [name for name in inside if name.endswith(".dist-info/METADATA")]
    outside = {name for name in inside if not name.startswith(about.partition("/")[0])}
    here = {
        path.relative_to(ROOT / "src").as_posix(): path.read_bytes()
        for path in (ROOT / "src" / "sentinel").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert outside == set(here)
    assert [name for name in outside if inside[name] != here[name]] == []
    said = HeaderParser().parsestr(inside[about].decode())
    assert said["Name"] == "sentinel-auth" and said["License-Expression"] == "MIT"
    assert said.get_all("Provides-Extra") == ["otel"]
    assert any(
        need.startswith("opentelemetry-sdk") and "otel" in need for need in said.get_all("Requires-Dist", [])
    )
    assert b"Tabler" in inside["sentinel/admin/static/vendor/LICENSES.txt"]
    assert b"Apache License" in inside["sentinel/api/static/vendor/LICENSES.txt"]
