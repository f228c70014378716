"""A rotation that dies, or that meets another: there is always one whole pair."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sentinel.cli import rotation
from sentinel.core.clock import ManualClock
from sentinel.tokens.keyring import FileKeyring, KeyProblem, generate_pair, load_material

CHANGES = ("replace", "rename", "symlink", "mkdir", "unlink", "rmdir")
"""What changes folders, by the names of the functions of ``os``; files are only written before they have a name."""


class Died(BaseException):
    """The process is gone: nothing in it runs any more, not even what cleans up."""


@contextmanager
def dying(at: int) -> Iterator[Callable[[], int]]:
    """Let the ``at``-th change of the disk and all later ones fail; yields how many have been tried."""
    tried = 0

    def guard(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal tried
            tried += 1
            if tried >= at:
                raise Died
            return real(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGES:
            patch.setattr(os, name, guard(getattr(os, name)))
        yield lambda: tried


class Folder:
    """A folder with a pair in it, as plain files or as an earlier rotation left it."""

    def __init__(self, path: Path) -> None:
        self.private, self.public = path / "private.pem", path / "public.pem"
        self.path = path

    def kid(self) -> str:
        return load_material(self.private, self.public, []).kid

    def rotate(self, *, emergency: bool = False, previous: tuple[Path, ...] = ()) -> rotation.Rotated:
        return rotation.rotate(self.private, self.public, previous, bits=2048, emergency=emergency)

    def copy(self, name: str) -> "Folder":
        return Folder(Path(shutil.copytree(self.path, self.path.parent / name, symlinks=True)))

    def private_keys(self) -> int:
        files = [path for path in self.path.rglob("*") if path.is_file() and not path.is_symlink()]
        return sum(b"PRIVATE KEY" in path.read_bytes() for path in files)


@pytest.fixture(scope="module")
def made_ahead() -> Iterator[rsa.RSAPrivateKey]:
    """Real keys, but a handful of them over and over: making hundreds would take minutes."""
    return cycle([rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(6)])


@pytest.fixture(params=["plain files", "rotated before"])
def folder(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    made_ahead: Iterator[rsa.RSAPrivateKey],
    monkeypatch: pytest.MonkeyPatch,
) -> Folder:
    made = Folder(tmp_path / "keys")
    generate_pair(made.private, made.public, bits=2048)
    if request.param == "rotated before":
        made.rotate(emergency=True)
    monkeypatch.setattr(rsa, "generate_private_key", lambda **_: next(made_ahead))
    return made


def test_K_9_rotation_that_dies_anywhere_leaves_a_whole_pair(folder: Folder) -> None:
    old = folder.kid()
    whole = folder.copy("whole")
    with dying(at=10_000) as tried:
        whole.rotate()
        changes = tried()
    assert changes > 10
    outcomes = set()
    for at in range(1, changes + 1):
        victim = folder.copy(f"victim-{at}")
        with dying(at), pytest.raises(Died):
            victim.rotate()
        survivor = victim.kid()  # raises when the pair does not belong together
        outcomes.add(survivor == old)
        retired = victim.path / f"public.{old[:8]}.pem"
        if survivor != old:
            assert load_material(victim.private, victim.public, [retired]).order == (survivor, old)
        done = victim.rotate()
        assert (done.old_kid, done.leftover) == (survivor, None)
        assert victim.kid() == done.kid
        assert victim.private_keys() == 1
    assert outcomes == {True, False}


@pytest.mark.parametrize("folder", ["rotated before"], indirect=True)
def test_K_10_emergency_that_dies_anywhere_leaves_a_whole_pair(folder: Folder) -> None:
    kept = rotation.prepare(folder.private, folder.public).name
    old = folder.kid()
    whole = folder.copy("whole")
    with dying(at=10_000) as tried:
        whole.rotate(emergency=True, previous=(whole.path / kept,))
        changes = tried()
    for at in range(1, changes + 1):
        victim = folder.copy(f"victim-{at}")
        with dying(at), pytest.raises(Died):
            victim.rotate(emergency=True, previous=(victim.path / kept,))
        accepted = load_material(victim.private, victim.public, [victim.path / kept])
        assert old in accepted.order or len(accepted.order) == 1
        if accepted.kid == old:
            victim.rotate(emergency=True, previous=(victim.path / kept,))
        assert old not in load_material(victim.private, victim.public, [victim.path / kept]).order


def test_refused_write_changes_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    old = folder.kid()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            folder.rotate()
    assert folder.kid() == old
    assert folder.rotate().old_kid == old


def test_rotations_at_once_queue(folder: Folder) -> None:
    first = folder.kid()
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: folder.rotate(), range(4)))
    assert folder.kid() in {one.kid for one in done}
    assert {one.old_kid for one in done} == ({one.kid for one in done} | {first}) - {folder.kid()}
    kept = sorted(folder.path.glob("public.*.pem"))
    retired = load_material(folder.private, folder.public, kept).order
    assert {one.old_kid for one in done} <= set(retired)
    assert folder.private_keys() == 1


def test_K_11_service_that_reads_meanwhile_keeps_a_whole_pair(folder: Folder) -> None:
    clock = ManualClock()
    keyring = FileKeyring(folder.private, folder.public, [], clock=clock)
    with ThreadPoolExecutor(1) as pool:
        rotations = pool.submit(lambda: [folder.rotate() for _ in range(5)])
        while not rotations.done():
            clock.advance(60)
            try:
                keyring.refresh()
            except KeyProblem:
                continue  # read across the one step; the old pair stays in force until the next look
        rotations.result()
    clock.advance(60)
    keyring.refresh()
    assert keyring.kid == folder.kid()
