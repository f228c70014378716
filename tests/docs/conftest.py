"""One development server for all pages."""

from collections.abc import Iterator

import pytest

from tests.docs.scene import Scene, open_scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A reader's home folder with the product in it, running."""
    with open_scene(tmp_path_factory.mktemp("home")) as opened:
        yield opened
