"""Whatever escapes a command: lines for people and an exit status, never a stack trace."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sentinel.cli.console import stop
from sentinel.core.errors import DomainError, Unprocessable
from sentinel.settings import SettingsError
from sentinel.tokens.keyring import KeyProblem

REFUSED = 1
MISCONFIGURED = 2


@contextmanager
def refusing(*others: type[Exception]) -> Iterator[None]:
    """Ends the process with words about what has gone wrong inside. What is for somebody else to catch, among them
    ``others``, goes on its way.
    """
    let_through: tuple[type[Exception], ...] = (BrokenPipeError, EOFError, *others)
    try:
        yield
    except SettingsError as problem:
        stop(f"The configuration cannot be used:\n{problem}", status=MISCONFIGURED)
    except Unprocessable as refusal:
        stop(f"{refusal.detail} ({refusal.field})", status=REFUSED)
    except DomainError as refusal:
        stop(refusal.detail, status=REFUSED)
    except KeyProblem as problem:
        stop(str(problem), status=REFUSED)
    except let_through:
        raise
    except OSError as error:
        stop(f"{error.filename or type(error).__name__}: {error.strerror or error}", status=REFUSED)
    except Exception as error:
        # Typer's own: wrong usage and the wish to exit.
        if hasattr(error, "exit_code"):
            raise
        stop(f"This should not have happened. {_whereabouts(error)}", status=REFUSED)


def _whereabouts(error: Exception) -> str:
    """Kind, first line and place of an error that nobody foresaw: enough to report it, on one line."""
    text = str(error).partition("\n")[0]
    frames = traceback.extract_tb(error.__traceback__)
    package = str(Path(__file__).parents[1])
    place = next((frame for frame in reversed(frames) if frame.filename.startswith(package)), None)
    where = f" at {Path(place.filename).name}:{place.lineno}" if place else ""
    return f"{type(error).__name__}{where}: {text}" if text else f"{type(error).__name__}{where}"
