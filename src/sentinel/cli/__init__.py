"""The command line: ``sentinel``."""

import gc
import os
import sys

SPARING = {
    # glibc, mallopt(3): large buffers come from the system and go back to it. After the first one it would keep the
    # next ones, and the holes between them.
    "MALLOC_MMAP_THRESHOLD_": str(128 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024),
    # Python: of code, the lines are known and not the columns. A traceback shows the same lines.
    "PYTHONNODEBUGRANGES": "1",
}
"""Variables of a process that is to take little memory, read when it begins; those that are set already stay."""


def main() -> None:
    """Run the command that the arguments name."""
    if sys.argv[1:] == ["serve"]:
        _serve()
        return
    _take_no_breaks()
    # Worker processes of the server import this package too; they need none of the commands.
    from sentinel.cli.main import app

    app()


def _serve() -> None:
    """``sentinel serve``, without what commands are made with: the server would keep it for as long as it runs."""
    if sys.executable and not SPARING.keys() <= os.environ.keys():
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], SPARING | os.environ)  # noqa: S606 - itself
    _take_no_breaks()
    import sentinel.cli.lean  # noqa: F401
    from sentinel.cli.refusals import refusing
    from sentinel.cli.serve import serve

    gc.freeze()
    gc.enable()
    try:
        with refusing():
            serve()
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _take_no_breaks() -> None:
    # Modules are made to stay. Looking for garbage among them while they are made is a fifth of the time that it takes;
    # it is switched on again when they are there.
    gc.disable()


if "--multiprocessing-fork" in sys.orig_argv:
    # A worker of the server, and this is the first that it loads of ours.
    _take_no_breaks()
    import sentinel.cli.lean  # noqa: F401
