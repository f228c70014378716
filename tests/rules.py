"""Which test holds which rule of the contract.

A test names its rules at the start of its own name (``test_RF_5_reuse_revokes_family``,
``test_RF_5_and_RF_8_...``) or in a line of its docstring (``Rules: RF-5, RF-8``). The numbered rules of
``authorization.md`` are written with the name of the document: ``test_authorization_7_4_...``,
``test_authorization_4_4_and_4_5_...``, ``Rules: authorization-7.4``. ``python -m tests.rules`` lists rules without a
test; with ``--write`` it renews the table in ``tests/README.md``.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parent
README = TESTS / "README.md"
BEGIN = "<!-- rules: begin (written by `make rules`) -->"
END = "<!-- rules: end -->"


class Family(NamedTuple):
    """Rules that share their letters: ``RF-1`` to ``RF-13``, ``P1`` to ``P9``."""

    title: str
    joint: str
    last: int | None = None
    """The number of the last rule, when every rule of the family needs a test."""
    digits: int = 1
    """At least so many are written: ``L07``."""


FAMILIES = {
    "K": Family("Keys", "-", 14),
    "VR": Family("Verification", "-", 14),
    "AC": Family("Authorization codes", "-", 9),
    "RF": Family("Refresh families", "-", 13),
    "DL": Family("Revocation", "-", 11),
    "SK": Family("Service keys", "-", 9),
    "ID": Family("Identity", "-", 10),
    "EV": Family("Email verification and providers", "-", 13),
    "RO": Family("Redirects, origins, state", "-", 11),
    "H": Family("Health and keys over HTTP", "", 4),
    "A": Family("Signing in over HTTP", "", 7),
    "AL": Family("The session of the panel over HTTP", "", 4),
    "AD": Family("Administrators", "-", 13),
    "U": Family("Users over HTTP", "", 2),
    "W": Family("Workspaces over HTTP", "", 9),
    "G": Family("Groups over HTTP", "", 7),
    "P": Family("Permissions over HTTP", "", 9),
    "C": Family("Start-up checks", "-", 23),
    "L": Family("Lessons of other systems", "", 36, digits=2),
    "M": Family("Realms over HTTP", ""),
    "MM": Family("Tokens between services", "-", 6),
    "O": Family("Organizations over HTTP", ""),
    "R": Family("Roles over HTTP, and requirements of the production checklist", ""),
    "SB": Family("Scopes", "-", 6),
    "SE": Family("Verification at the edge", "-"),
    "SG": Family("Anomaly signals", "-", 7),
    "T": Family("Tests of the production checklist", ""),
    "Z": Family("Authorization mode over HTTP", ""),
}

MODEL = "Authorization model"
SECTIONS = {2: 6, 3: 11, 4: 8, 5: 2, 6: 5, 7: 13}
"""Sections of ``authorization.md`` with numbered rules, and the number of the last one."""
TABLES = {2: ["2.capabilities"], 4: ["4.steps"]}
"""The tables of these sections, which are rules as well; §8 is nothing but a table, and has the id ``8``."""

MODEL_RULES = [
    rule
    for section, last in SECTIONS.items()
    for rule in [*(f"{section}.{number}" for number in range(1, last + 1)), *TABLES.get(section, [])]
] + ["8"]

CHECKLIST = {
    "R": "R1 R1b R2 R2b R3 R4 R5 R6 R6b R7 R8 R8b R9 R10 R10b".split(),
    "T": "T1 T1b T1c T2 T2b T2c T2d T3 T4 T5 T6 T7 T7b T8 T9 T10".split(),
}
"""What the production checklist (``configuration.md`` §5) asks for. R1 to R3 are rules about roles as well: those that
are meant here have their tests in ``CHECKLIST_TESTS``.
"""
CHECKLIST_TESTS = "checklist/test_requirements.py"

REQUIRED = (
    [
        f"{letters}{family.joint}{number:0{family.digits}}"
        for letters, family in FAMILIES.items()
        for number in range(1, (family.last or 0) + 1)
    ]
    + [rule for rules in CHECKLIST.values() for rule in rules]
    + MODEL_RULES
)

LATER: dict[str, str] = {}
"""Required rules whose part of the product is not built yet, each with the reason in plain words."""

RULE = r"[A-Z]{1,2}_?\d{1,2}[a-z]?"
NAME = re.compile(rf"test_(?P<rules>{RULE}(?:_and_{RULE})*)(?:_|$)")
MODEL_RULE = r"(?:\d{1,2}_(?:\d{1,2}|capabilities|steps)|8)"
MODEL_NAME = re.compile(rf"test_authorization_(?P<rules>{MODEL_RULE}(?:_and_{MODEL_RULE})*)(?:_|$)")
DOCSTRING = re.compile(r"^\s*Rules: *(?P<rules>\S.*?)\.?\s*$", re.MULTILINE)
PARTS = re.compile(r"(?P<family>[A-Z]+)(?P<joint>[-_]?)(?P<number>\d+[a-z]?)")


class UnknownRule(ValueError):
    """A test names a rule that the contract does not have, or writes it in a way that it does not."""


def rule_id(written: str) -> str:
    """The id of a rule as the contract writes it, from ``RF_5``, ``RF-5``, ``P7`` or ``authorization-7.4`` (which is
    ``7.4``). Raises UnknownRule.
    """
    document, joint, rule = written.partition("-")
    if document == "authorization":
        if not joint or rule not in MODEL_RULES:
            raise UnknownRule(f"authorization.md has no rule {rule!r}; write authorization-7.4")
        return rule
    parts = PARTS.fullmatch(written)
    family = FAMILIES.get(parts["family"]) if parts else None
    if parts is None or family is None:
        raise UnknownRule(f"{written!r} is no rule of the contract; rules look like RF-5 or P7")
    if bool(parts["joint"]) != bool(family.joint):
        raise UnknownRule(f"{written!r} is not written as the contract does; it writes RF-5 but P7")
    rule = f"{parts['family']}{family.joint}{parts['number']}"
    if family.last is not None and rule not in REQUIRED:
        raise UnknownRule(
            f"the contract has no {rule}; its last is {parts['family']}{family.joint}{family.last:0{family.digits}}"
        )
    return rule


def rules_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The rules that one test names, in its name and in its docstring. Raises UnknownRule."""
    written: list[str] = []
    if name := NAME.match(function.name):
        written += name["rules"].split("_and_")
    if name := MODEL_NAME.match(function.name):
        written += [f"authorization-{one.replace('_', '.')}" for one in name["rules"].split("_and_")]
    for line in DOCSTRING.finditer(ast.get_docstring(function) or ""):
        written += re.split(r"[,\s]+", line["rules"])
    return list(dict.fromkeys(rule_id(one) for one in written))


def scan(tests: Path = TESTS) -> dict[str, list[str]]:
    """Rule id -> the tests that name it, as ``folder/test_file.py::test_name``, in the order of the files."""
    found: dict[str, list[str]] = {}
    for path in sorted(tests.rglob("test_*.py")):
        for function in _tests_in(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            where = f"{path.relative_to(tests).as_posix()}::{function.name}"
            try:
                rules = rules_of(function)
            except UnknownRule as wrong:
                raise UnknownRule(f"{where}: {wrong}") from None
            for rule in rules:
                found.setdefault(rule, []).append(where)
    return found


def without_test(found: dict[str, list[str]]) -> list[str]:
    """The required rules that no test names and that LATER does not excuse."""

    def holds(rule: str) -> bool:
        tests = found.get(rule, [])
        if rule in CHECKLIST["R"]:
            return any(test.startswith(CHECKLIST_TESTS) for test in tests)
        return bool(tests)

    return [rule for rule in REQUIRED if not holds(rule) and rule not in LATER]


def table(found: dict[str, list[str]]) -> str:
    """The table of README.md: one part a family, with every required rule and every other one that has a test."""
    parts: dict[str, list[str]] = {}
    for letters, family in FAMILIES.items():
        named = {rule for rule in [*REQUIRED, *found] if _family(rule) == letters}
        parts[family.title] = sorted(named, key=_by_number)
    parts[MODEL] = MODEL_RULES
    lines: list[str] = []
    for title, rules in parts.items():
        if not rules:
            continue
        lines += [f"### {title}", "", "| Rule | Tests |", "|---|---|"]
        for rule in rules:
            tests = [f"`{test}`" for test in found.get(rule, [])]
            missing = f"later: {LATER[rule]}" if rule in LATER else "**none**"
            lines.append(f"| {rule} | {'<br>'.join(tests) or missing} |")
        lines.append("")
    return "\n".join(lines)


def readme(text: str, found: dict[str, list[str]]) -> str:
    """``text`` with the table between its markers renewed."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README.name} has lost its markers {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table(found)}\n{END}{after}"


def _tests_in(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _tests_in(node)


def _family(rule: str) -> str | None:
    """The letters of a rule; None for one of ``authorization.md``."""
    return None if rule in MODEL_RULES else _parts(rule)["family"]


def _parts(rule: str) -> re.Match[str]:
    parts = PARTS.fullmatch(rule)
    assert parts is not None, rule
    return parts


def _by_number(rule: str) -> tuple[int, str]:
    number = _parts(rule)["number"]
    return int(number.rstrip("abcdefghijklmnopqrstuvwxyz")), number


def main() -> int:
    """List the rules without a test, or renew the table; the exit status tells whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m tests.rules", description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew the table in tests/README.md")
    found = scan()
    missing = without_test(found)
    sys.stdout.write(f"{len(found)} rules have tests; {len(missing)} required ones have none\n")
    sys.stdout.write("".join(f"  {rule}\n" for rule in missing))
    if parser.parse_args().write:
        README.write_text(readme(README.read_text(encoding="utf-8"), found), encoding="utf-8")
        return 0
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
