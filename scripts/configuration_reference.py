"""The table of all variables in docs/configuration.md, from the settings class.

``python scripts/configuration_reference.py`` prints it; with ``--write`` it renews the page.
"""

import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from sentinel.settings import DEV_SESSION_SECRET, SQLITE_URL, Settings, meanings

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
BEGIN = "<!-- variables: begin (written by scripts/configuration_reference.py) -->"
END = "<!-- variables: end -->"
SHOWN_OTHERWISE = {
    "admin_url": "`{BASE_URL}/admin`",
    "database_url": f"`{SQLITE_URL}`",
    "session_secret_key": f"`{DEV_SESSION_SECRET}` (refused by `serve`)",
}


def table() -> str:
    """A row a variable: name, default, meaning."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    meaning = meanings()
    for name, field in Settings.model_fields.items():
        if name == "oidc":
            rows.append(
                "| `OIDC_<NAME>_CLIENT_ID`, `_CLIENT_SECRET`, `_METADATA_URL`, `_LABEL` | empty | "
                "For each name in `OIDC_PROVIDERS`: the client, the discovery document, the button's text. |"
            )
            continue
        rows.append(
            f"| `{name.upper()}` | {SHOWN_OTHERWISE.get(name) or _shown(field.default)} | {meaning.get(name, '')} |"
        )
    return "\n".join(rows)


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr) or value in ("", (), None):
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(str(item) for item in value)}`"
    return f"`{value}`"


def page(text: str) -> str:
    """The page ``text`` with the table renewed."""
    before, _, rest = text.partition(BEGIN)
    return f"{before.rstrip()}\n\n{BEGIN}\n\n{table()}\n\n{END}{rest.partition(END)[2] or chr(10)}"


def main() -> None:
    if "--write" in sys.argv:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(table())


if __name__ == "__main__":
    main()
