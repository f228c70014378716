"""The house rules that no single room can hold: imports, locks, files, what must never be committed, the tables."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import rules

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint_imports(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [LINTER, "--no-cache"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


# --- imports ---------------------------------------------------------------------------------------------------


def test_imports_run_down_the_floors() -> None:
    outcome = lint_imports(ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


ROOMS = [
    "admin",
    "api",
    "apps",
    "audit",
    "checklist",
    "cli",
    "core",
    "devmode",
    "identity",
    "login",
    "migrations",
    "permissions",
    "providers",
    "roles",
    "tokens",
    "workspaces",
]


@pytest.mark.parametrize(
    ("files", "broken"),
    [
        ({}, None),
        ({"api/auth.py": "import fastapi", "cli/dev.py": "import sentinel.devmode, sentinel.app"}, None),
        ({"roles/grants.py": "import sentinel.permissions.shares", "permissions/shares.py": ""}, None),
        ({"core/clock.py": "import sentinel.tokens"}, "Imports run down the floors only"),
        (
            {"tokens/issue.py": "def f():\n    from sentinel.identity import users"},
            "Imports run down the floors only",
        ),
        ({"attic/__init__.py": ""}, "Imports run down the floors only"),
        (
            {"roles/a.py": "import sentinel.apps.b", "apps/b.py": "import sentinel.roles"},
            "No room is part of a circle",
        ),
        (
            {"tokens/a.py": "import sentinel.tokens.b", "tokens/b.py": "import sentinel.tokens.a"},
            "No room is part of",
        ),
        ({"login/proxy.py": "from fastapi import Request"}, "Domains know no HTTP"),
        ({"settings.py": "import starlette.datastructures"}, "Domains know no HTTP"),
        ({"cli/serve.py": "import sentinel.devmode"}, "never loads the development mode"),
        (
            {"app.py": "import sentinel.api.x", "api/x.py": "import sentinel.devmode"},
            "never loads the development mode",
        ),
    ],
)
def test_import_contract_sees_what_it_forbids(
    tmp_path: Path, files: dict[str, str], broken: str | None
) -> None:
    tree = dict.fromkeys([f"{room}/__init__.py" for room in ROOMS], "")
    tree |= {"__init__.py": "", "app.py": "", "settings.py": "", "cli/serve.py": ""} | files
    for name, text in tree.items():
        file = tmp_path / "sentinel" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    outcome = lint_imports(tmp_path, PYTHONPATH=str(tmp_path))
    report = outcome.stdout + outcome.stderr
    if broken is None:
        assert outcome.returncode == 0, report
    else:
        assert outcome.returncode == 1, report
        assert re.search(rf"{broken}.* BROKEN", report), report


# --- locks -----------------------------------------------------------------------------------------------------


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+(?:\[[a-z,-]+\])?)==([^ \\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("lock", ["runtime.txt", "dev.txt"])
def test_locks_hold_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash)", text, re.MULTILINE), "an option of pip stands in the lock"
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert packages
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_both_locks_agree() -> None:
    runtime, dev = pins("runtime.txt"), pins("dev.txt")
    assert {name: version for name, version in runtime.items() if dev.get(name) != version} == {}


def test_locks_hold_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = {"runtime.txt": project["project"]["dependencies"] + groups["build"], "dev.txt": groups["dev"]}
    for lock, dependencies in wanted.items():
        names = {re.match(r"[A-Za-z0-9._-]+", dependency)[0] for dependency in dependencies}  # type: ignore[index]
        locked = {name.partition("[")[0] for name in pins(lock)}
        assert names <= locked, f"run 'make lock': {sorted(names - locked)} missing in {lock}"


# --- files -----------------------------------------------------------------------------------------------------

PLAN = """
    README.md Makefile pyproject.toml CHANGELOG.md CONTRIBUTING.md LICENSE .ci/run
    requirements/runtime.txt requirements/dev.txt
    src/sentinel/app.py src/sentinel/settings.py
    src/sentinel/cli src/sentinel/migrations
    src/sentinel/api/auth.py src/sentinel/api/authz.py src/sentinel/api/users.py src/sentinel/api/workspaces.py
    src/sentinel/api/groups.py src/sentinel/api/roles.py src/sentinel/api/permissions.py src/sentinel/api/realm.py
    src/sentinel/api/organizations.py src/sentinel/api/health.py
    src/sentinel/api/security.py src/sentinel/api/rate_limit.py src/sentinel/api/errors.py src/sentinel/api/middleware
    src/sentinel/admin/pages src/sentinel/admin/templates src/sentinel/admin/static
    src/sentinel/login/proxy.py src/sentinel/login/sign_in.py src/sentinel/login/codes.py
    src/sentinel/devmode src/sentinel/checklist src/sentinel/audit
    src/sentinel/workspaces/models.py src/sentinel/apps/models.py src/sentinel/roles/models.py
    src/sentinel/permissions/models.py src/sentinel/permissions/decide.py src/sentinel/permissions/lookup.py
    src/sentinel/identity/models.py src/sentinel/identity/users.py
    src/sentinel/providers/oidc.py
    src/sentinel/tokens/models.py src/sentinel/tokens/issue.py
    src/sentinel/core/database.py src/sentinel/core/errors.py src/sentinel/core/clock.py
    sdk/python examples bench docs docs/decisions
    deploy/Dockerfile deploy/Caddyfile deploy/nginx.conf
    tests/README.md tests/unit tests/api tests/contract tests/security tests/browser tests/deploy
""".split()

NOT_BUILT: dict[str, str] = {}
"""Parts of the plan that do not exist yet, each with the reason in plain words."""


def test_everything_planned_is_there() -> None:
    missing = [name for name in PLAN if not _holds_something(ROOT / name) and name not in NOT_BUILT]
    assert missing == []


def test_nothing_built_is_called_missing() -> None:
    assert [name for name in NOT_BUILT if name not in PLAN or _holds_something(ROOT / name)] == []


def _holds_something(path: Path) -> bool:
    return path.is_file() or any(
        file.is_file() for file in path.rglob("*") if "__pycache__" not in file.parts
    )


# Written so that the patterns do not find themselves.
FORBIDDEN = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}"),
    "the address of a package registry": re.compile(
        r"p[y]thonhosted\.|p[y]pi\.org|registry\.n[p]mjs|registry\.y[a]rnpkg|(?:deb|security)\.d[e]bian\."
    ),
}


def project_files() -> Iterator[Path]:
    """Every file that is or may be committed; without git, every file outside hidden and installed folders."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        names = listed.stdout.decode().split("\0")
    except (FileNotFoundError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
        names = [
            name
            for name in names
            if not re.search(r"(^|/)\.(?!ci/)|node_modules/|__pycache__/|^(data|keys)/", name)
        ]
    for name in names:
        if name and (ROOT / name).is_file():
            yield ROOT / name


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in project_files()
        if FORBIDDEN[what].search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == [], f"{what} stands in these files"


def test_patterns_find_what_they_are_for() -> None:
    key = "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MII" * 20
    assert FORBIDDEN["a private key"].search(key)
    assert FORBIDDEN["the address of a package registry"].search("https://" + "py" + "pi.org/simple")


# --- commands --------------------------------------------------------------------------------------------------


def test_make_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    listed = subprocess.run(
        ["make"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"^  make (\S+) +\S", listed.stdout, re.MULTILINE) == phony[1].split()


def test_ci_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.read_text().splitlines()[-1] == "exec make test"


# --- rules and their tests -------------------------------------------------------------------------------------


def test_every_required_rule_has_a_test() -> None:
    assert rules.without_test(rules.scan()) == []


def test_no_rule_with_a_test_is_put_off() -> None:
    assert sorted(set(rules.LATER) & set(rules.scan())) == []
    assert sorted(set(rules.LATER) - set(rules.REQUIRED)) == []


def test_table_of_rules_is_fresh() -> None:
    text = rules.README.read_text(encoding="utf-8")
    fresh = text == rules.readme(text, rules.scan())
    assert fresh, "run 'make rules'"


def test_rules_are_read_from_names_and_docstrings(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "test_x.py").write_text(
        '''
async def test_RF_5_and_RF_8_reuse_revokes_family(): ...

class TestSharing:
    def test_P7_share(self):
        """Shares twice.

        Rules: P8, L09.
        """

def test_authorization_7_4_and_2_capabilities_of_members():
    """Rules: authorization-4.5, RF-5."""

def test_authorization_8_a_group_that_goes(): ...
def test_authorization_is_no_rule(): ...
def test_RS256_is_no_rule(): ...
def test_nothing_T2b_here(): ...
def helper_K_1(): ...
'''
    )
    assert rules.scan(tmp_path) == {
        "RF-5": [
            "api/test_x.py::test_RF_5_and_RF_8_reuse_revokes_family",
            "api/test_x.py::test_authorization_7_4_and_2_capabilities_of_members",
        ],
        "RF-8": ["api/test_x.py::test_RF_5_and_RF_8_reuse_revokes_family"],
        "P7": ["api/test_x.py::test_P7_share"],
        "P8": ["api/test_x.py::test_P7_share"],
        "L09": ["api/test_x.py::test_P7_share"],
        "7.4": ["api/test_x.py::test_authorization_7_4_and_2_capabilities_of_members"],
        "2.capabilities": ["api/test_x.py::test_authorization_7_4_and_2_capabilities_of_members"],
        "4.5": ["api/test_x.py::test_authorization_7_4_and_2_capabilities_of_members"],
        "8": ["api/test_x.py::test_authorization_8_a_group_that_goes"],
    }


@pytest.mark.parametrize(
    "name",
    [
        "RF5",
        "P_7",
        "K_15",
        "XX_1",
        "A8",
        "MM_7",
        "L37",
        "L7",
        "C_24",
        "authorization_7_14",
        "authorization_9_1",
        "authorization_8_1",
    ],
)
def test_rules_that_the_contract_does_not_have_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "test_x.py").write_text(f"def test_{name}_something(): ...")
    with pytest.raises(rules.UnknownRule, match=r"test_x\.py::test_"):
        rules.scan(tmp_path)


@pytest.mark.parametrize("rule", ["7.4", "authorization-7", "authorization-7.14", "authorization_7.4"])
def test_rules_of_the_authorization_model_are_written_with_its_name(tmp_path: Path, rule: str) -> None:
    (tmp_path / "test_x.py").write_text(f'def test_it():\n    """Rules: {rule}."""')
    with pytest.raises(rules.UnknownRule, match=r"test_x\.py::test_it"):
        rules.scan(tmp_path)


def test_the_authorization_model_has_a_table_of_its_own() -> None:
    listed = rules.table(rules.scan()).partition(f"### {rules.MODEL}\n")[2]
    ids = [line.split(" | ")[0].removeprefix("| ") for line in listed.splitlines() if line.startswith("| ")]
    assert ids[1:] == rules.MODEL_RULES
    assert len(rules.MODEL_RULES) == 6 + 1 + 11 + 8 + 1 + 2 + 5 + 13 + 1
