"""``sentinel keys``: the RSA pair that signs tokens."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli import rotation
from sentinel.cli.console import print_json, print_table, remark, say, stop
from sentinel.cli.context import load_settings
from sentinel.core.clock import Clock
from sentinel.settings import Settings
from sentinel.tokens.keyring import (
    MINIMUM_BITS,
    generate_pair,
    is_development_key,
    load_material,
    readable_by_others,
)

MAXIMUM_BITS = 8192
"""Beyond this, making a key takes minutes and signing with it is slower than any request may be."""
RELOAD = 60
"""Seconds within which a running service takes up changed files (K-11)."""

Bits = Annotated[int, typer.Option("--bits", min=MINIMUM_BITS, max=MAXIMUM_BITS, help="Length of the key.")]

commands = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add ``sentinel keys``."""
    app.add_typer(commands, name="keys", help="Make, list and rotate the key pair that signs tokens.")


@commands.command()
def generate(
    private_key: Annotated[
        Path | None, typer.Option("--private-key", help="File to write; default: JWT_PRIVATE_KEY_PATH.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="File to write; default: JWT_PUBLIC_KEY_PATH.")
    ] = None,
    bits: Bits = 3072,
    development: Annotated[
        bool, typer.Option("--development", help="Mark the pair, so that production refuses it.")
    ] = False,
) -> None:
    """Make a new RSA pair and print its name. Existing files are never overwritten."""
    if private_key is None or public_key is None:
        settings = load_settings()
        private_key = private_key or settings.jwt_private_key_path
        public_key = public_key or settings.jwt_public_key_path
    for path in (private_key, public_key):
        if path.exists():
            stop(
                f"{path} exists already; a key is never overwritten. To replace the pair in use, run "
                "'sentinel keys rotate'."
            )
    try:
        kid = generate_pair(private_key, public_key, bits=bits, development=development)
    except OSError as error:
        if error.filename and str(error.filename) != str(private_key):
            # The private key has been written, something after it has not: half a pair would only be in the way.
            for path in (private_key, public_key):
                with suppress(OSError):
                    path.unlink()
        raise
    say(f"kid      {kid}\nprivate  {private_key}\npublic   {public_key}")
    if development:
        remark("A development pair: the service refuses it unless DEBUG is true.")


@commands.command()
def rotate(
    bits: Bits = 3072,
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare", help="Only put the present public key where it will stay, ahead of the rotation."
        ),
    ] = False,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="The key has leaked: end every token that it signed.")
    ] = False,
    keep_private: Annotated[
        bool, typer.Option("--keep-private", help="Keep the old private key in a file of its own.")
    ] = False,
) -> None:
    """Replace the key pair by a new one; tokens of the old one stay valid unless --emergency.

    For a rotation that nobody notices: run it with --prepare, set the line that it prints, restart the service,
    then run it without. Without these steps the service has to be restarted right afterwards.
    """
    if prepare and (emergency or keep_private):
        raise typer.BadParameter(
            "--prepare changes no key; it goes with neither --emergency nor --keep-private"
        )
    settings = load_settings()
    private, public = settings.jwt_private_key_path, settings.jwt_public_key_path
    previous = settings.jwt_previous_public_key_paths
    try:
        if prepare:
            _tell_prepared(settings, rotation.prepare(private, public))
            return
        done = rotation.rotate(
            private, public, previous, bits=bits, emergency=emergency, keep_private=keep_private
        )
    except rotation.RotationRefused as refusal:
        stop(str(refusal))
    except OSError as error:
        stop(
            f"{error.filename or private.parent}: {error.strerror}. The rotation stopped; the pair is whole, and "
            "'sentinel keys list' shows which one is in force."
        )
    say(f"kid      {done.kid}\nprivate  {private}\npublic   {public}\n")
    if done.retired_public:
        _tell_planned(settings, done, done.retired_public)
    else:
        _tell_emergency(done)
    if done.retired_private:
        remark(
            f"The old private key is kept in {done.retired_private}; remove it when you no longer need it."
        )
    if done.leftover:
        remark(
            f"The folder {done.leftover} with the old private key could not be removed; remove it yourself."
        )
    if readable_by_others(private):
        remark(_open_to_others(private))


@commands.command("list")
def list_keys(json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the keys whose tokens are accepted: the current one, which signs, and the previous ones."""
    settings = load_settings()
    private, public = settings.jwt_private_key_path, settings.jwt_public_key_path
    current = load_material(private, public, [])
    warnings = []
    if readable_by_others(private):
        warnings.append(_open_to_others(private))
    if is_development_key(private, current.kid):
        warnings.append("this is a development key; production refuses it")
    listed = [(current.kid, "current", current.public[current.kid].public_key.key_size, public, warnings)]
    for path in settings.jwt_previous_public_key_paths:
        material = load_material(private, public, [path])
        kid = material.order[-1]
        notes = ["this is the current key, prepared for a rotation"] if kid == current.kid else []
        listed.append((kid, "previous", material.public[kid].public_key.key_size, path, notes))
    if json:
        names = ("kid", "role", "bits", "path", "warnings")
        print_json([dict(zip(names, row, strict=True)) for row in listed])
        return
    print_table(("kid", "role", "bits", "path"), [row[:4] for row in listed])
    for *_, path, notes in listed:
        for note in notes:
            remark(f"{path}: {note}")


def _open_to_others(private: Path) -> str:
    return f"{private} is readable by group or others; run 'chmod 600 {shlex.quote(str(private))}'"


def _line(paths: Sequence[Path]) -> str:
    """The line for the environment or ``.env``."""
    value = ",".join(map(str, dict.fromkeys(paths)))
    return f"JWT_PREVIOUS_PUBLIC_KEY_PATHS={shlex.quote(value)}"


def _tell_prepared(settings: Settings, path: Path) -> None:
    say(f"The present public key is in {path} as well.")
    if path.resolve() in [listed.resolve() for listed in settings.jwt_previous_public_key_paths]:
        say(
            "JWT_PREVIOUS_PUBLIC_KEY_PATHS holds it already. Once the service runs with it: 'sentinel keys rotate'."
        )
        return
    say(
        "Set this for the service, restart it, then run 'sentinel keys rotate':\n\n"
        f"  {_line([*settings.jwt_previous_public_key_paths, path])}"
    )


def _tell_planned(settings: Settings, done: rotation.Rotated, path: Path) -> None:
    days = settings.refresh_token_expire_days
    until = (Clock().now() + timedelta(days=days)).date()
    say(f"The old key {done.old_kid} signs no more. Its public half is kept in {path}.")
    if done.listed:
        say(
            f"It is in JWT_PREVIOUS_PUBLIC_KEY_PATHS already: its tokens stay valid, and the running service takes "
            f"up the new key within {RELOAD} seconds."
        )
    else:
        say(
            "Set this for the service and restart it now. A service that runs on without it takes up the new key "
            f"within {RELOAD} seconds and then refuses the tokens of the old one:\n\n"
            f"  {_line([*settings.jwt_previous_public_key_paths, path])}\n"
        )
    say(
        f"Keep it there for at least {days} days (REFRESH_TOKEN_EXPIRE_DAYS), until {until}, when the last refresh "
        "token that it signed has expired; then take it out of the list and remove the file."
    )


def _tell_emergency(done: rotation.Rotated) -> None:
    say(
        f"The old key {done.old_kid} is no longer accepted. This ends every token that it signed: access, refresh, "
        "authorization, service-to-service and admin tokens. Everybody has to sign in again; service keys stay as "
        "they are.\n"
        f"A running service takes this up within {RELOAD} seconds; restart it to make it happen at once. "
        "Applications that verify tokens themselves accept the old key until they fetch the key set again; restart "
        "them, too."
    )
    if done.listed:
        say(
            "The files in JWT_PREVIOUS_PUBLIC_KEY_PATHS that held the old key hold the new one now; take them out of "
            "the list."
        )
