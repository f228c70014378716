"""The demonstration is a proof: it runs the real thing, and a wrong answer makes it fail."""

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture(scope="module")
def done() -> subprocess.CompletedProcess[str]:
    """One run of the demonstration as it stands."""
    return subprocess.run(
        [sys.executable, str(DEMO)], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_demo_walks_through_the_main_job_and_every_answer_is_right(
    done: subprocess.CompletedProcess[str],
) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    for step in range(1, 13):
        assert f"\n{step}. " in done.stdout
    assert done.stdout.count("✓") >= 40
    assert "✗" not in done.stdout


def test_the_demo_shows_authz_mode(done: subprocess.CompletedProcess[str]) -> None:
    """A token from the provider is resolved and exchanged; the authz token serves its service and no other."""
    authz = done.stdout.partition("\n8. ")[2]
    for answer in (
        "the identity token is meant for: team-notes",
        "her workspaces: ['acme']",
        "an authz token so far: None",
        "the same token with another nonce: 400",
        "it is good for: team-notes",
        "with the actions: ['documents.publish']",
        "a token for a workspace that she is not in: 403",
        "Edith and a document of hers: view and edit",
        "may she publish: (True, ['Publisher'])",
        "the browser sees as many: 4",
        "the members, for another service: 403",
        "a check by another service: 403",
        "an action asked by another service: 403",
        "the identity token, handed in by it: 400",
        "the token without a service key: 401",
    ):
        assert f"    ✓ {answer}\n" in authz


@pytest.mark.parametrize(
    ("right", "turned"),
    [('"editor")', '"owner")'), ("stranger.get(token, members)", "backend.get(token, members)")],
)
def test_the_demo_fails_when_an_answer_is_wrong(right: str, turned: str) -> None:
    """The same script with one expectation turned round, or a refusal that does not come, must not pass."""
    wrong = DEMO.read_text(encoding="utf-8").replace(right, turned, 1)
    assert wrong != DEMO.read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-"], input=wrong, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "✗" in done.stdout
