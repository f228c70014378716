"""What the pages say is what the program does."""

import importlib.util
import re
from pathlib import Path

from sentinel.settings import Settings

ROOT = Path(__file__).parents[2]


def test_the_configuration_page_lists_every_variable_as_it_is() -> None:
    script = ROOT / "scripts" / "configuration_reference.py"
    spec = importlib.util.spec_from_file_location("configuration_reference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.PAGE.read_text(encoding="utf-8")
    assert module.page(text) == text, f"run 'python {script.relative_to(ROOT)} --write'"
    for name in Settings.model_fields:
        assert name == "oidc" or f"`{name.upper()}`" in text


def test_every_link_of_the_pages_leads_to_a_file() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/*.md")]
    assert len(pages) >= 6
    broken = []
    for page in pages:
        targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        local = [target for target in targets if not target.startswith(("http://", "https://"))]
        broken += [f"{page.name}: {target}" for target in local if not (page.parent / target).exists()]
    assert broken == []
