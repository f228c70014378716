"""Keeps one server of a test run, and ends it when the run ends, however the run ends.

Called as ``keeper.py RUN SIGNAL USER GROUP COMMAND...`` (USER and GROUP are ids, or ``-`` for the caller's own).
It starts COMMAND in the background, prints its process id and returns. What stays behind waits for the lock on
``RUN/lease``: the run holds it, and the kernel drops it when the run is over, even when the run was killed. Then
the server gets SIGNAL and the directory RUN is removed. ``RUN/keepers`` is locked for as long as a keeper lives.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE = 10.0
"""Seconds that a server has to end after SIGNAL."""


def keep(
    run: Path, signal: int, user: int | None, group: int | None, command: list[str], report: int
) -> None:
    """Run COMMAND until it ends by itself or the run is over. Its process id is written to ``report``."""
    with (run / "lease").open() as lease, (run / "keepers").open("w") as keepers:
        fcntl.flock(keepers, fcntl.LOCK_SH)
        server = subprocess.Popen(
            command, user=user, group=group, extra_groups=None if user is None else [], cwd="/"
        )
        os.write(report, str(server.pid).encode())
        os.close(report)
        over = threading.Event()

        def wait_for_the_end() -> None:
            fcntl.flock(lease, fcntl.LOCK_EX)
            over.set()
            server.send_signal(signal)
            try:
                server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                server.kill()

        threading.Thread(target=wait_for_the_end, daemon=True).start()
        server.wait()
        if over.is_set():
            shutil.rmtree(run, ignore_errors=True)
        os._exit(0)  # the thread may still wait for a lock that nothing will release soon


def main() -> None:
    """Leave the keeper in the background, in a session of its own so that Ctrl-C reaches the tests first."""
    run, signal, user, group, *command = sys.argv[1:]
    outcome, report = os.pipe()
    if os.fork():
        os.close(report)
        sys.stdout.write(os.read(outcome, 32).decode())
        return
    os.setsid()
    log = os.open(Path(run) / "servers.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, target)
    os.chdir("/")
    ids = [None if one == "-" else int(one) for one in (user, group)]
    keep(Path(run), int(signal), ids[0], ids[1], command, report)


if __name__ == "__main__":
    main()
