"""The page of the production checklist, from the checks themselves.

What a finding says depends on the configuration, so the texts are read from the source of each check; the parts that
the configuration fills in are shown as ``…``.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from sentinel.checklist import IDS, finding, keys, loading, operation, storage, web
from sentinel.checklist.finding import CHECKS
from sentinel.checklist.loading import REFUSALS

HEAD = """# Production checklist

`sentinel serve` goes through this list before it opens its port, and refuses to start on a *refusal*. `sentinel check
--deploy` prints the same findings, each with what was seen, why it matters and how to mend it; the System page of the
panel shows them too.

```sh
sentinel check --deploy
sentinel check --deploy --json --fail-level warn      # for a pipeline
sentinel check --deploy --silence C-13                # a warning that you have dealt with
```

In development (`DEBUG=true`) refusals are warnings, except those that say otherwise. "…" stands for what your
configuration says.
"""

WORDS = {"refuse": "Refusal", "warn": "Warning"}
_MODULES: tuple[ModuleType, ...] = (keys, operation, storage, web, loading, finding)


def page() -> str:
    """The whole page."""
    accounts = dict(REFUSALS.values())
    parts = [HEAD]
    for number in IDS:
        check = CHECKS.get(number)
        judge: Callable[..., Any] = check.judge if check else accounts[number]
        parts.append(_section(number, judge, every_mode=check.every_mode if check else True))
    return "".join(parts)


def _section(id: str, judge: Callable[..., Any], *, every_mode: bool) -> str:
    findings = list(dict.fromkeys(_findings(judge)))
    assert findings, f"{id} finds nothing"
    lines = [f"\n## {id}: {judge.__name__.replace('_', ' ')}\n"]
    if every_mode:
        lines.append("Refused in development too.\n")
    groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for verdict, reason, seen, why, remedy in findings:
        groups.setdefault((verdict, reason, why), []).append((seen, remedy))
    for (verdict, reason, why), cases in groups.items():
        lines.append(f"**{WORDS[verdict]}** `{reason}`\n")
        lines += [f"- {_plain(seen)}" for seen, _ in cases]
        lines.append(f"\n{_plain(why)}.\n")
        remedies = list(dict.fromkeys(remedy for _, remedy in cases if remedy.strip("… ")))
        lines.append(
            "```text\n" + "\n".join(remedies) + "\n```\n" if remedies else "The finding names the remedy.\n"
        )
    return re.sub("…+", "…", "\n".join(lines))


def _findings(judge: Callable[..., Any]) -> Iterator[tuple[str, str, str, str, str]]:
    tree = _tree(judge)
    yield from _of_function(tree, {})
    module, done = inspect.getmodule(judge), set[str]()
    for node in ast.walk(tree):
        # A private generator of the same module that the check hands on to, with what it is given the first time.
        if isinstance(node, ast.YieldFrom) and isinstance(node.value, ast.Call):
            name = getattr(node.value.func, "id", "")
            neighbour = getattr(module, name, None)
            if name.startswith("_") and inspect.isfunction(neighbour) and name not in done:
                done.add(name)
                known = _assigned(tree, before=node.lineno)
                given = [ast.Constant(_text(value, known)) for value in node.value.args]
                names = [argument.arg for argument in _tree(neighbour).args.args]
                yield from _of_function(_tree(neighbour), dict(zip(names, given, strict=False)))


def _of_function(
    tree: ast.FunctionDef, given: dict[str, ast.expr]
) -> Iterator[tuple[str, str, str, str, str]]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in sorted(calls, key=lambda call: call.lineno):
        verdict = getattr(call.func, "id", "")
        if verdict in ("refuse", "warn"):
            known = given | _assigned(tree, before=call.lineno)
            words = {keyword.arg: _text(keyword.value, known) for keyword in call.keywords}
            reason = _text(call.args[0], known)
            if reason == "…":  # the settings name it
                reason = next(
                    reason for reason, (_, account) in REFUSALS.items() if account.__name__ == tree.name
                )
            yield verdict, reason, words["seen"] or "…", words["why"] or "", words["remedy"] or ""


def _assigned(tree: ast.FunctionDef, *, before: int) -> dict[str, ast.expr]:
    """What each name of the function stands for in line ``before``."""
    known: dict[str, ast.expr] = {}
    assignments = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and node.lineno <= before]
    for node in sorted(assignments, key=lambda node: node.lineno):
        if len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                known[target.id] = node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for name, value in zip(target.elts, node.value.elts, strict=True):
                    if isinstance(name, ast.Name):
                        known[name.id] = value
    return known


def _text(node: ast.expr, known: dict[str, ast.expr]) -> str:
    """The text of an expression as far as the source says it, ``…`` for the rest."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            return "".join(_text(value, known) for value in values)
        case ast.FormattedValue(value=value):
            return _text(value, known) if isinstance(value, ast.Name) else "…"
        case ast.IfExp(body=body, orelse=otherwise):
            texts = [_text(body, known), _text(otherwise, known)]
            return "; or ".join(text for text in texts if text != "…") or "…"
        case ast.Name(id=name) if name in known:
            return _text(known[name], {key: value for key, value in known.items() if key != name})
        case ast.Name(id=name):
            found = next((getattr(module, name) for module in _MODULES if hasattr(module, name)), None)
            return str(found) if isinstance(found, str | int) else "…"
        case _:
            return "…"


def _plain(text: str) -> str:
    return text.strip().rstrip(".").replace("<", "&lt;").replace("*", r"\*")


def _tree(function: Callable[..., Any]) -> ast.FunctionDef:
    parsed = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(parsed, ast.FunctionDef)
    return parsed
