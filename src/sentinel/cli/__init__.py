"""The command line: ``sentinel``."""


def main() -> None:
    """Run the command that the arguments name."""
    # Worker processes of the server import this package too; they need none of the commands.
    from sentinel.cli.main import app

    app()
