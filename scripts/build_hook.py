"""Part of building a wheel: the panel's front-end files are fetched first, so that they ship inside it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontendHook(BuildHookInterface[Any]):
    """Runs scripts/frontend.py before a wheel is packed; an editable install leaves that to ``make setup``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises :class:`subprocess.CalledProcessError` when the files cannot be had."""
        if version != "editable":
            script = Path(self.root) / "scripts" / "frontend.py"
            subprocess.run([sys.executable, str(script)], check=True)
