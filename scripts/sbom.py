"""Writes the software bill of materials: everything that the wheel and the image consist of, as CycloneDX 1.6.

    .venv/bin/python scripts/sbom.py [FILE]         # artifacts/sbom.json

Taken from the locks, so it is the same on every machine: Python packages with their hashes and who needs them, and the
front-end files inside the wheel. Packages of one platform alone carry their marker. Licences are those of the packages
that are installed here.
"""

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "artifacts" / "sbom.json"
BUILD = "pyproject.toml:build"


@dataclass
class Locked:
    """One entry of a lock: ``parents`` are the packages that need it."""

    name: str
    version: str
    marker: str = ""
    hashes: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)


def locked(text: str) -> Iterator[Locked]:
    """The entries of a lock as ``make lock`` writes it."""
    for part in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        head = re.match(r"([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)(?: ; ([^\\\n]+?))? *\\?\n", part)
        assert head, part
        yield Locked(
            head[1],
            head[2],
            head[3] or "",
            re.findall(r"--hash=sha256:([0-9a-f]{64})", part),
            re.findall(r"^ +# +(?:via +)?((?!via$)\S.*)$", part, re.MULTILINE),
        )


def bill() -> Bom:
    """The bill of the tree that this file lies in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    name, licences = project["name"], LicenseFactory()
    bom = Bom()
    # Two runs over the same locks are equal.
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.serial_number = uuid5(NAMESPACE_OID, f"{name} {project['version']} {lock}")
    bom.metadata.component = root = Component(
        name=name,
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=name,
        purl=PackageURL("pypi", None, name, project["version"]),
        licenses=[licences.make_from_string(project["license"])],
    )
    components: dict[str, list[Component]] = {}
    entries = list(locked(lock))
    for entry in entries:
        only_to_build = all(BUILD in parent for parent in _roots(entry, entries, name))
        component = Component(
            name=entry.name,
            version=entry.version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{entry.name}@{entry.version}",
            purl=PackageURL("pypi", None, entry.name, entry.version),
            scope=ComponentScope.EXCLUDED if only_to_build else ComponentScope.REQUIRED,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in entry.hashes],
            licenses=[licences.make_from_string(text) for text in _licence(entry.name)],
            properties=[Property(name="sentinel:marker", value=entry.marker)] if entry.marker else [],
        )
        bom.components.add(component)
        components.setdefault(entry.name, []).append(component)
    for entry in entries:
        for parent in entry.parents:
            for needing in [root] if parent.startswith(f"{name} ") else components[parent]:
                bom.register_dependency(needing, components[entry.name])
    for component in _front_end():
        bom.components.add(component)
        bom.register_dependency(root, [component])
    return bom


def write(target: Path) -> int:
    """Write the bill to ``target`` and say how many parts it has. It has been checked against the schema."""
    from cyclonedx.validation.json import JsonStrictValidator  # loading it takes a second

    bom = bill()
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if problem := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise SystemExit(f"The bill of materials is not valid: {problem}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text + "\n", encoding="utf-8")
    return len(bom.components)


def _roots(entry: Locked, entries: list[Locked], name: str) -> set[str]:
    """The lines of the project itself on account of which an entry is there."""
    found, seen, waiting = set(), set(), list(entry.parents)
    while waiting:
        parent = waiting.pop()
        if parent.startswith(f"{name} "):
            found.add(parent)
        elif parent not in seen:
            seen.add(parent)
            waiting += [above for other in entries if other.name == parent for above in other.parents]
    return found


def _licence(name: str) -> list[str]:
    try:
        found = metadata(name)
    except PackageNotFoundError:
        return []
    return [found["License-Expression"]] if "License-Expression" in found else []


def _front_end() -> Iterator[Component]:
    """The projects whose files ``scripts/frontend.py`` puts into the wheel."""
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    for name in lock[""]["dependencies"]:
        entry = lock[f"node_modules/{name}"]
        algorithm, _, value = entry["integrity"].partition("-")
        assert algorithm == "sha512"
        group, _, short = name.rpartition("/")
        yield Component(
            name=short,
            group=group or None,
            version=entry["version"],
            type=ComponentType.LIBRARY,
            bom_ref=f"{name}@{entry['version']}",
            purl=PackageURL("npm", group or None, short, entry["version"]),
            scope=ComponentScope.REQUIRED,
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(value).hex())],
            licenses=[LicenseFactory().make_from_string(entry["license"])],
        )


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    print(f"{path}: {write(path)} parts")
