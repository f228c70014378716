"""The client library builds, and holds what it promises."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "sdk" / "python"


def test_the_wheel_holds_the_library_its_types_and_its_fixtures(tmp_path: Path) -> None:
    built = subprocess.run(
        [
            sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index",
            "--disable-pip-version-check", "--wheel-dir", tmp_path, PROJECT,
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("sentinel_auth_sdk-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
        entry_points = archive.read(
            next(name for name in names if name.endswith("entry_points.txt"))
        ).decode()
    source = PROJECT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "sentinel_auth/py.typed" in expected
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert "Name: sentinel-auth-sdk\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert "sentinel_auth = sentinel_auth.testing.fixtures" in entry_points


def test_the_library_depends_on_little_and_not_on_the_server() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    names = {one.partition(">")[0] for one in project["dependencies"]}
    assert names == {"httpx", "joserfc", "cryptography"}
