import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from sentinel.core.clock import ManualClock
from sentinel.tokens.claims import TokenSubject, TokenType
from sentinel.tokens.issue import Issuer, Lifetimes
from sentinel.tokens.keyring import FileKeyring, generate_pair, is_development_key, load_material
from sentinel.tokens.verify import TokenRefused, Verifier
from tests.cli.terminal import Terminal

ISSUER = "http://localhost:9003"
PRIVATE, PUBLIC = Path("keys/private.pem"), Path("keys/public.pem")
ROTATE = ("keys", "rotate", "--bits", "2048")
LIFETIMES = Lifetimes(timedelta(minutes=15), timedelta(days=7), timedelta(minutes=5), timedelta(hours=1))


class Service:
    """What signs and verifies in a running service, with the given list of previous keys."""

    def __init__(self, *previous: Path, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.keyring = FileKeyring(PRIVATE, PUBLIC, list(previous), clock=self.clock)
        self.verifier = Verifier(self.keyring, ISSUER, self.clock)

    def token(self) -> str:
        subject = TokenSubject(uuid4(), "ada@example.com", "Ada", 0, uuid4(), "w", "viewer")
        return Issuer(self.keyring, ISSUER, LIFETIMES, self.clock).access(subject).token

    def accepts(self, token: str) -> bool:
        """Whether the token is valid; if not, then because its key is not in the set."""
        try:
            self.verifier.user(token, allow=(TokenType.ACCESS,))
        except TokenRefused as refusal:
            if refusal.reason == "unknown_kid":
                return False
            raise
        return True

    def notice(self) -> bool:
        """Let time pass until the files are looked at again."""
        self.clock.advance(60)
        return self.keyring.refresh()


@pytest.fixture
def paired(key_terminal: Terminal) -> Terminal:
    """A terminal with a key pair at the usual place."""
    generate_pair(PRIVATE, PUBLIC, bits=2048)
    return key_terminal


def kid() -> str:
    return load_material(PRIVATE, PUBLIC, []).kid


def private_keys(folder: Path) -> set[bytes]:
    """Every different private key in any file below ``folder``."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {text for path in files if b"PRIVATE KEY" in (text := path.read_bytes())}


# ── generate ──


def test_generate_makes_a_pair_that_the_service_takes(key_terminal: Terminal) -> None:
    text = key_terminal.ok("keys", "generate")
    material = load_material(PRIVATE, PUBLIC, [])
    assert text == f"kid      {material.kid}\nprivate  keys/private.pem\npublic   keys/public.pem\n"
    assert material.public[material.kid].public_key.key_size == 3072
    assert PRIVATE.stat().st_mode & 0o777 == 0o600
    assert not is_development_key(PRIVATE, material.kid)


def test_generate_goes_where_it_is_told(key_terminal: Terminal) -> None:
    configured = {"JWT_PRIVATE_KEY_PATH": "a/p.pem", "JWT_PUBLIC_KEY_PATH": "b/q.pem"}
    key_terminal.ok("keys", "generate", "--bits", "2048", **configured)
    load_material(Path("a/p.pem"), Path("b/q.pem"), [])
    given = ("--private-key", "c/p.pem", "--public-key", "c/q.pem")
    key_terminal.ok("keys", "generate", "--bits", "2048", *given, SERVICE_PORT="not looked at")
    load_material(Path("c/p.pem"), Path("c/q.pem"), [])
    assert not Path("keys").exists()


@pytest.mark.parametrize("existing", [PRIVATE, PUBLIC])
def test_generate_never_overwrites(key_terminal: Terminal, existing: Path) -> None:
    existing.parent.mkdir()
    existing.write_text("precious")
    text = key_terminal.refused("keys", "generate", "--bits", "2048")
    assert f"{existing} exists already" in text and "keys rotate" in text
    assert [path.name for path in existing.parent.iterdir()] == [existing.name]
    assert existing.read_text() == "precious"


@pytest.mark.parametrize("bits", ["1024", "2047", "8193"])
def test_K_12_short_keys_are_not_made(key_terminal: Terminal, bits: str) -> None:
    assert "--bits" in key_terminal.refused("keys", "generate", "--bits", bits, status=2)
    assert not Path("keys").exists()


def test_K_13_development_pair_is_marked(key_terminal: Terminal) -> None:
    result = key_terminal.run("keys", "generate", "--bits", "2048", "--development")
    assert "DEBUG" in result.stderr
    assert is_development_key(PRIVATE, kid())
    assert "development key" in key_terminal.run("keys", "list").stderr
    key_terminal.ok(*ROTATE)
    assert not is_development_key(PRIVATE, kid())
    assert key_terminal.run("keys", "list").stderr == ""


def test_unwritable_place_is_one_clear_line(key_terminal: Terminal) -> None:
    Path("file").write_text("")
    text = key_terminal.refused("keys", "generate", "--bits", "2048", JWT_PRIVATE_KEY_PATH="file/private.pem")
    assert text == "file: File exists\n"


def test_generate_leaves_no_half_pair(key_terminal: Terminal) -> None:
    Path("file").write_text("")
    key_terminal.refused("keys", "generate", "--bits", "2048", JWT_PUBLIC_KEY_PATH="file/public.pem")
    assert not PRIVATE.exists()
    (key_terminal.folder / "keys" / ".development-keys").mkdir()
    key_terminal.refused("keys", "generate", "--bits", "2048", "--development")
    assert not PRIVATE.exists() and not PUBLIC.exists()


# ── list ──


def test_list_names_the_current_key_first(paired: Terminal) -> None:
    first = kid()
    paired.ok(*ROTATE)
    previous = f"keys/public.{first[:8]}.pem"
    paired.env["JWT_PREVIOUS_PUBLIC_KEY_PATHS"] = previous
    assert paired.ok("keys", "list").splitlines() == [
        "kid\trole\tbits\tpath",
        f"{kid()}\tcurrent\t2048\tkeys/public.pem",
        f"{first}\tprevious\t2048\t{previous}",
    ]
    rows = paired.json("keys", "list")
    assert [(row["kid"], row["role"], row["bits"], row["path"], row["warnings"]) for row in rows] == [
        (kid(), "current", 2048, "keys/public.pem", []),
        (first, "previous", 2048, previous, []),
    ]


def test_list_warns_of_a_readable_private_key(paired: Terminal) -> None:
    PRIVATE.chmod(0o640)
    assert "chmod 600 keys/private.pem" in paired.run("keys", "list").stderr
    [row] = paired.json("keys", "list")
    assert "readable by group or others" in row["warnings"][0]
    assert "chmod 600" in paired.run(*ROTATE).stderr


def test_K_12_unusable_files_are_named(paired: Terminal) -> None:
    assert "keys/gone.pem cannot be read" in paired.refused(
        "keys", "list", JWT_PREVIOUS_PUBLIC_KEY_PATHS="keys/gone.pem"
    )
    assert "private key where a public one" in paired.refused(
        "keys", "list", JWT_PREVIOUS_PUBLIC_KEY_PATHS="keys/private.pem"
    )
    generate_pair(Path("keys/p2.pem"), Path("keys/q2.pem"), bits=2048)
    assert "not the public half" in paired.refused("keys", "list", JWT_PUBLIC_KEY_PATH="keys/q2.pem")
    PRIVATE.unlink()
    for words in (("keys", "list"), ROTATE, (*ROTATE, "--prepare")):
        assert "sentinel keys generate" in paired.refused(*words)


# ── rotate ──


def test_K_9_planned_rotation_keeps_old_tokens_valid(paired: Terminal) -> None:
    before = Service()
    old_kid, token = kid(), before.token()
    text = paired.ok(*ROTATE)
    assert kid() != old_kid
    [line] = re.findall(r"^  (JWT_PREVIOUS_PUBLIC_KEY_PATHS=.*)$", text, re.MULTILINE)
    assert line == f"JWT_PREVIOUS_PUBLIC_KEY_PATHS=keys/public.{old_kid[:8]}.pem"
    until = (datetime.now(UTC) + timedelta(days=7)).date()
    assert f"at least 7 days (REFRESH_TOKEN_EXPIRE_DAYS), until {until}" in text
    after = Service(Path(line.partition("=")[2]), clock=before.clock)
    assert after.accepts(token)
    assert after.accepts(after.token())
    assert after.keyring.kids == (kid(), old_kid)
    assert [key["kid"] for key in after.keyring.jwks()["keys"]] == [kid(), old_kid]
    assert len(private_keys(paired.folder)) == 1


def test_K_9_line_keeps_what_is_in_the_list(paired: Terminal) -> None:
    first = kid()
    paired.ok(*ROTATE)
    second = kid()
    earlier = f"keys/public.{first[:8]}.pem"
    text = paired.ok(*ROTATE, JWT_PREVIOUS_PUBLIC_KEY_PATHS=earlier, REFRESH_TOKEN_EXPIRE_DAYS="30")
    assert f"JWT_PREVIOUS_PUBLIC_KEY_PATHS={earlier},keys/public.{second[:8]}.pem\n" in text
    assert "at least 30 days" in text


def test_K_9_prepared_rotation_is_not_noticed_by_a_running_service(paired: Terminal) -> None:
    """Rules: K-8, K-11."""
    old_kid = kid()
    text = paired.ok(*ROTATE, "--prepare")
    kept = Path(f"keys/public.{old_kid[:8]}.pem")
    assert f"  JWT_PREVIOUS_PUBLIC_KEY_PATHS={kept}\n" in text
    assert kid() == old_kid
    paired.env["JWT_PREVIOUS_PUBLIC_KEY_PATHS"] = str(kept)
    assert "holds it already" in paired.ok(*ROTATE, "--prepare")
    assert "prepared for a rotation" in paired.run("keys", "list").stderr
    running = Service(kept)
    assert list(running.keyring.kids) == [old_kid]
    token = running.token()
    text = paired.ok(*ROTATE)
    assert "already: its tokens stay valid" in text and "JWT_PREVIOUS_PUBLIC_KEY_PATHS=" not in text
    assert running.notice()
    assert list(running.keyring.kids) == [kid(), old_kid]
    assert running.accepts(token)
    assert running.accepts(running.token())


def test_K_10_emergency_rotation_ends_old_tokens(paired: Terminal) -> None:
    old_kid, running = kid(), Service()
    token = running.token()
    text = paired.ok(*ROTATE, "--emergency")
    assert "no longer accepted" in text and "Everybody has to sign in again" in text
    assert "JWT_PREVIOUS" not in text
    assert not list(Path("keys").glob("public.*.pem"))
    assert running.notice()
    assert running.keyring.kids == (kid(),)
    assert old_kid != kid()
    assert not running.accepts(token)
    assert not Service().accepts(token)
    assert running.accepts(running.token())
    assert len(private_keys(paired.folder)) == 1


def test_K_10_emergency_after_a_preparation_ends_old_tokens_too(paired: Terminal) -> None:
    old_kid = kid()
    paired.ok(*ROTATE, "--prepare")
    kept = Path(f"keys/public.{old_kid[:8]}.pem")
    copy = Path("elsewhere.pem")
    copy.write_bytes(PUBLIC.read_bytes())
    running = Service(kept, copy)
    token = running.token()
    text = paired.ok(*ROTATE, "--emergency", JWT_PREVIOUS_PUBLIC_KEY_PATHS=f"gone.pem,{copy}")
    assert "take them out of the list" in text
    assert running.notice()
    assert not running.accepts(token)
    assert running.keyring.kids == (kid(),)


def test_K_10_emergency_leaves_other_retired_keys(paired: Terminal) -> None:
    first = kid()
    paired.ok(*ROTATE)
    kept = Path(f"keys/public.{first[:8]}.pem")
    paired.ok(*ROTATE, "--emergency", JWT_PREVIOUS_PUBLIC_KEY_PATHS=str(kept))
    assert Service(kept).keyring.kids == (kid(), first)


def test_old_private_key_is_kept_only_when_asked(paired: Terminal) -> None:
    old, old_kid = PRIVATE.read_bytes(), kid()
    result = paired.run(*ROTATE, "--keep-private")
    kept = Path(f"keys/private.{old_kid[:8]}.pem")
    assert str(kept) in result.stderr
    assert kept.read_bytes() == old
    assert kept.stat().st_mode & 0o777 == 0o600
    assert private_keys(paired.folder) == {old, PRIVATE.read_bytes()}


def test_rotated_files_have_the_modes_of_the_old_ones(paired: Terminal) -> None:
    PRIVATE.chmod(0o640)
    paired.ok(*ROTATE)
    assert PRIVATE.stat().st_mode & 0o777 == 0o640
    assert PUBLIC.stat().st_mode & 0o777 == 0o644
    assert load_material(PRIVATE, PUBLIC, []).public[kid()].public_key.key_size == 2048


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_rotates_for_the_user_of_the_service(paired: Terminal) -> None:
    os.chown(PRIVATE, 65534, 65534)
    os.chown(PUBLIC, 65534, 65534)
    paired.ok(*ROTATE)
    for path in (PRIVATE, PUBLIC, Path("keys/.private.pem.d"), *Path("keys").glob("public.*.pem")):
        assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


def test_keys_in_two_folders(key_terminal: Terminal) -> None:
    key_terminal.env |= {"JWT_PRIVATE_KEY_PATH": "a/deep/signing.key", "JWT_PUBLIC_KEY_PATH": "b/signing.pub"}
    private, public = Path("a/deep/signing.key"), Path("b/signing.pub")
    old_kid = generate_pair(private, public, bits=2048)
    text = key_terminal.ok(*ROTATE)
    kept = f"b/signing.{old_kid[:8]}.pub"
    assert f"JWT_PREVIOUS_PUBLIC_KEY_PATHS={kept}\n" in text
    assert load_material(private, public, [Path(kept)]).order[1] == old_kid


def test_rotated_keys_can_be_moved_and_copied(paired: Terminal) -> None:
    paired.ok(*ROTATE)
    there = paired.folder / "there"
    Path("keys").rename(there)
    moved = load_material(there / "private.pem", there / "public.pem", [])
    paired.ok(
        *ROTATE,
        JWT_PRIVATE_KEY_PATH=str(there / "private.pem"),
        JWT_PUBLIC_KEY_PATH=str(there / "public.pem"),
    )
    assert load_material(there / "private.pem", there / "public.pem", []).kid != moved.kid


def test_T10_keys_of_openssl_can_be_rotated(key_terminal: Terminal) -> None:
    PRIVATE.parent.mkdir()
    for command in (
        ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(PRIVATE)],
        ["openssl", "pkey", "-in", str(PRIVATE), "-pubout", "-out", str(PUBLIC)],
    ):
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    old_kid = kid()
    key_terminal.ok(*ROTATE)
    assert kid() != old_kid


def test_keys_of_a_secrets_manager_are_left_to_it(paired: Terminal) -> None:
    managed = Path("managed.pem")
    PRIVATE.rename(managed)
    PRIVATE.symlink_to("../managed.pem")
    before = sorted(Path("keys").iterdir())
    text = paired.refused(*ROTATE)
    assert "keys/private.pem is a link to ../managed.pem" in text and "secrets manager" in text
    assert sorted(Path("keys").iterdir()) == before


def test_unwritable_folder_is_one_clear_line(paired: Terminal) -> None:
    old = kid()
    Path("keys/.private.pem.d").write_text("in the way")
    text = paired.refused(*ROTATE)
    assert text.startswith("keys/.private.pem.d: ") and "the pair is whole" in text
    assert kid() == old


def test_prepare_changes_no_key_and_goes_with_nothing_else(paired: Terminal) -> None:
    for other in ("--emergency", "--keep-private"):
        assert "--prepare" in paired.refused(*ROTATE, "--prepare", other, status=2)
