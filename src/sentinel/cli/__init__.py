"""The command line: ``sentinel``."""

import gc


def main() -> None:
    """Run the command that the arguments name."""
    # Modules are made to stay. Looking for garbage among them while they are made is a fifth of the time that it takes;
    # the command itself begins with it switched on again.
    gc.disable()
    # Worker processes of the server import this package too; they need none of the commands.
    from sentinel.cli.main import app

    app()
