"""The command line: ``sentinel``."""

import gc
import sys


def main() -> None:
    """Run the command that the arguments name."""
    _take_no_breaks()
    # Worker processes of the server import this package too; they need none of the commands.
    from sentinel.cli.main import app

    app()


def _take_no_breaks() -> None:
    # Modules are made to stay. Looking for garbage among them while they are made is a fifth of the time that it takes;
    # it is switched on again when they are there.
    gc.disable()


if "--multiprocessing-fork" in sys.orig_argv:
    # A worker of the server, and this is the first that it loads of ours.
    _take_no_breaks()
    import sentinel.cli.lean  # noqa: F401
