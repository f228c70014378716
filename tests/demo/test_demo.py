"""The demonstration is a proof: it runs the real thing, and a wrong answer makes it fail."""

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


def test_the_demo_walks_through_the_main_job_and_every_answer_is_right() -> None:
    done = subprocess.run(
        [sys.executable, str(DEMO)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for step in range(1, 8):
        assert f"\n{step}. " in done.stdout
    assert done.stdout.count("✓") >= 20
    assert "✗" not in done.stdout


def test_the_demo_fails_when_an_answer_is_wrong() -> None:
    """The same script with one expectation turned round must not pass."""
    wrong = DEMO.read_text(encoding="utf-8").replace('"editor")', '"owner")', 1)
    assert wrong != DEMO.read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-"], input=wrong, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "✗" in done.stdout
