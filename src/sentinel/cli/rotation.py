"""Giving the service a new signing key without a moment in which its files are not one whole pair (K-9, K-10).

Two files cannot be replaced in one step, but one symbolic link can. So the pair gets a folder of its own, and the
configured paths lead there through one link; moving it is all that changes keys::

    keys/private.pem             -> .private.pem.d/current/private.pem
    keys/public.pem              -> .private.pem.d/current/public.pem
    keys/.private.pem.d/current  -> <kid>
    keys/.private.pem.d/<kid>/      private.pem, public.pem
    keys/public.<8 of kid>.pem      the retired public key

The order of the steps; a crash after any of them leaves a pair that works, and the next rotation clears up:

1. the first time only: copy the present pair into its folder, point ``current`` at it, then make the two configured
   paths links, one after the other; whichever of them is read, it is the same key all the time
2. write the retired public key, so that it is there before it is needed
3. write the new pair into its folder and check it
4. point ``current`` at the new folder: the one step that changes keys
5. remove the old folder, and with it the old private key
"""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sentinel.tokens.keyring import generate_pair, load_material

PRIVATE, PUBLIC, CURRENT = "private.pem", "public.pem", "current"


class RotationRefused(Exception):
    """The files are not ours to rotate; nothing has been changed. The text says why."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did."""

    old_kid: str
    kid: str
    retired_public: Path | None
    """The old public key, kept for verifying; None after an emergency."""
    listed: bool
    """Whether the old public key was already in the list of previous ones, so that services know it all along."""
    retired_private: Path | None
    leftover: Path | None
    """A folder with the old private key that could not be removed."""


def retired_path(path: Path, kid: str) -> Path:
    """Where a key that is no longer used stays: beside the current one, with the first 8 characters of its name."""
    return path.with_name(f"{path.stem}.{kid[:8]}{path.suffix or '.pem'}")


def prepare(private_path: Path, public_path: Path) -> Path:
    """Write the present public key where it will stay after a rotation, and return that path.

    A service that already has it among its previous keys goes through the rotation without noticing. Raises
    :class:`~sentinel.tokens.keyring.KeyProblem`, :class:`RotationRefused` and :class:`OSError`.
    """
    with _alone(private_path.parent):
        return _keep_public(public_path, load_material(private_path, public_path, []).kid)


def rotate(
    private_path: Path,
    public_path: Path,
    previous: Sequence[Path],
    *,
    bits: int,
    emergency: bool = False,
    keep_private: bool = False,
) -> Rotated:
    """Replace the pair by a new one of ``bits`` bits, in the order above.

    In an ``emergency`` the old public key is not kept: ``previous`` keys (and a prepared one) that are the old one
    become the new one, so that no service goes on accepting it. Raises :class:`RotationRefused`,
    :class:`~sentinel.tokens.keyring.KeyProblem` and :class:`OSError`; the old pair is in force then.
    """
    with _alone(private_path.parent):
        old_kid = load_material(private_path, public_path, []).kid
        owner = _Owner.of(private_path)
        store = private_path.with_name(f".{private_path.name}.d")
        listed = [path for path in previous if _same_key(private_path, public_path, path)]
        _move_in(private_path, public_path, store, old_kid)
        retired_public = None if emergency else _keep_public(public_path, old_kid)
        kid = _write_new(store, bits, owner)
        if emergency:
            prepared = retired_path(public_path, old_kid)
            for path in dict.fromkeys((*listed, *([prepared] if prepared.exists() else []))):
                _put(path, (store / kid / PUBLIC).read_bytes(), _Owner.of(path))
        retired_private = None
        if keep_private:
            retired_private = retired_path(private_path, old_kid)
            _put(retired_private, private_path.read_bytes(), owner)
        _point(store / CURRENT, kid)
        return Rotated(
            old_kid=old_kid,
            kid=kid,
            retired_public=retired_public,
            listed=bool(listed),
            retired_private=retired_private,
            leftover=_clear(store, keep=kid),
        )


@dataclass(frozen=True, slots=True)
class _Owner:
    """Who may read a file: what stands in its place later has to be readable by the same service."""

    user: int
    group: int
    mode: int

    @classmethod
    def of(cls, path: Path) -> "_Owner":
        found = path.stat()
        if os.geteuid() not in (0, found.st_uid):
            raise RotationRefused(
                f"{path} belongs to somebody else; run this as its owner, so that the service can read what comes "
                "in its place."
            )
        # Whoever could read the file still can; nobody can write to a key but its owner.
        return cls(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode) & 0o644 | 0o600)


def _same_key(private_path: Path, public_path: Path, path: Path) -> bool:
    """Whether ``path`` holds the present public key; a file that is not there yet does not."""
    return path.exists() and len(load_material(private_path, public_path, [path]).order) == 1


def _keep_public(public_path: Path, kid: str) -> Path:
    """Step 2."""
    path, content = retired_path(public_path, kid), public_path.read_bytes()
    if not path.exists() or path.read_bytes() != content:
        _put(path, content, _Owner.of(public_path))
    return path


def _move_in(private_path: Path, public_path: Path, store: Path, kid: str) -> None:
    """Step 1: the configured paths become links into the store, with the same pair behind them."""
    links = {
        path: _link_text(path, store / CURRENT / name)
        for path, name in ((private_path, PRIVATE), (public_path, PUBLIC))
    }
    foreign = [path for path, text in links.items() if path.is_symlink() and os.readlink(path) != text]
    if foreign:
        raise RotationRefused(
            f"{foreign[0]} is a link to {os.readlink(foreign[0])} that this command did not make. Where a secrets "
            "manager keeps the key, rotate it there; otherwise name the file itself in JWT_PRIVATE_KEY_PATH and "
            "JWT_PUBLIC_KEY_PATH."
        )
    if all(path.is_symlink() for path in links):
        return
    owner = _Owner.of(private_path)
    _make_folder(store, owner)
    if not (store / kid).is_dir():
        with _new_folder(store, owner) as folder:
            _put(folder / PRIVATE, private_path.read_bytes(), owner)
            _put(folder / PUBLIC, public_path.read_bytes(), _Owner.of(public_path))
            os.rename(folder, store / kid)
    _point(store / CURRENT, kid)
    for path, text in links.items():
        _point(path, text)


def _write_new(store: Path, bits: int, owner: _Owner) -> str:
    """Step 3; returns the name of the new key, which is also the name of its folder."""
    with _new_folder(store, owner) as folder:
        kid = generate_pair(folder / PRIVATE, folder / PUBLIC, bits=bits)
        _settle(folder / PRIVATE, owner, owner.mode)
        _settle(folder / PUBLIC, owner, 0o644)
        assert load_material(folder / PRIVATE, folder / PUBLIC, []).kid == kid
        _sync(folder)
        os.rename(folder, store / kid)
    _sync(store)
    return kid


def _clear(store: Path, *, keep: str) -> Path | None:
    """Step 5: remove every folder but the present one; returns one that would not go."""
    left = None
    for entry in store.iterdir():
        if entry.name not in (CURRENT, keep):
            shutil.rmtree(entry, ignore_errors=True)
            left = entry if entry.exists() else left
    return left


# ── files ──


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Rotations of one folder queue."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _link_text(link: Path, target: Path) -> str:
    """What ``link`` has to hold to lead to ``target``: relative, so that the whole may be moved or mounted."""
    folder, name = target.parent.parent, os.path.join(target.parent.name, target.name)
    return os.path.join(os.path.relpath(os.path.realpath(folder), os.path.realpath(link.parent)), name)


def _point(link: Path, text: str) -> None:
    """Make ``link`` a symbolic link with ``text``, in one step, whatever was there before."""
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    os.symlink(text, fresh)
    os.replace(fresh, link)
    _sync(link.parent)


def _put(path: Path, content: bytes, owner: _Owner) -> None:
    """Write a whole file in one step, whatever was there before."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    _settle(fresh, owner, owner.mode)
    os.replace(fresh, path)
    _sync(path.parent)


def _settle(path: Path, owner: _Owner, mode: int) -> None:
    """Give a file its owner and mode, and see it on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, owner.user, owner.group)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _new_folder(store: Path, owner: _Owner) -> Iterator[Path]:
    """A folder to fill; removed again unless it has been renamed to what it shall be."""
    folder = store / f".new-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    _make_folder(folder, owner)
    try:
        yield folder
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)


def _make_folder(folder: Path, owner: _Owner) -> None:
    folder.mkdir(exist_ok=True)
    # Passable for all: the private key guards itself, and others may need the public one.
    _settle(folder, owner, 0o755)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
