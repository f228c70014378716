"""The page of the client library for Python, from its signatures and docstrings."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

HEAD = """# Python SDK

Everything public in `sentinel_auth`, with its signatures. [Protecting a FastAPI application](../guides/fastapi.md)
shows it at work, and the README of the package, `sdk/python/README.md`, is the better first read.
"""

MODULES = (
    ("sentinel_auth", "The package"),
    ("sentinel_auth.dependencies", "Dependencies for FastAPI"),
    ("sentinel_auth.sync", "Without an event loop"),
    ("sentinel_auth.sqlalchemy", "Lists with SQLAlchemy"),
    ("sentinel_auth.testing", "For tests of applications"),
)
WIDTH = 90


def page() -> str:
    """The whole page."""
    return HEAD + "".join(part for name, title in MODULES for part in _module(name, title))


def _module(name: str, title: str) -> Iterator[str]:
    module = importlib.import_module(name)
    yield f"\n## {title}\n\n`import {name}`\n"
    if name != "sentinel_auth":
        yield f"\n{_prose(module)}\n"
    for public in _public(module):
        thing = getattr(module, public)
        if inspect.isclass(thing):
            yield from _class(public, thing)
        elif callable(thing):
            yield from _function(public, thing, heading="###")


def _public(module: Any) -> list[str]:
    return [name for name in module.__all__ if not name.startswith("_")]


def _class(name: str, cls: type) -> Iterator[str]:
    yield f"\n### {name}\n"
    if is_dataclass(cls):
        shown = [field for field in fields(cls) if not field.name.startswith("_")]
        arguments = ", ".join(
            f"{field.name}: {_annotation(field.type)}"
            + ("" if field.default is MISSING else f" = {field.default!r}")
            for field in shown
        )
        yield _code(f"class {name}({arguments})")
    elif "__init__" in (members := _members(cls)):
        yield _code(_signature(members["__init__"], f"class {name}"))
    if cls.__doc__ and not cls.__doc__.startswith(f"{name}("):
        yield f"\n{_prose(cls)}\n"
    for member, value in _members(cls).items():
        if member.startswith("_"):
            continue
        if isinstance(value, property) or type(value).__name__ == "cached_property":
            getter = value.fget if isinstance(value, property) else value.func
            about = _prose(getter).replace("\n", " ")
            yield f"\n`{member}`{_returned(getter)}\n" + (f": {about}\n" if about else "")
        elif inspect.isfunction(value) or isinstance(value, classmethod | staticmethod):
            yield from _function(f"{name}.{member}", inspect.unwrap(getattr(cls, member)), heading="####")


def _members(cls: type) -> dict[str, Any]:
    """What the class has, with what it has from private classes of the package."""
    members = dict(vars(cls))
    for base in cls.__mro__[1:]:
        if base.__module__.startswith("sentinel_auth"):
            members |= {name: value for name, value in vars(base).items() if name not in members}
    if not inspect.isfunction(members.get("__init__")):
        members.pop("__init__", None)
    return members


def _function(name: str, function: Any, *, heading: str) -> Iterator[str]:
    yield f"\n{heading} {name}\n{_code(_signature(function, name.rpartition('.')[2]))}"
    if function.__doc__:
        yield f"\n{_prose(function)}\n"


def _signature(function: Any, name: str) -> str:
    """The signature as it is written in the source, without ``self``."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    if node.args.args and node.args.args[0].arg in ("self", "cls"):
        node.args.args.pop(0)
    begin = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    end = f" -> {ast.unparse(node.returns)}" if node.returns and not name.startswith("class ") else ""
    return f"{begin}{name}({ast.unparse(node.args)}){end}"


def _returned(getter: Any) -> str:
    node = ast.parse(textwrap.dedent(inspect.getsource(getter))).body[0]
    assert isinstance(node, ast.FunctionDef)
    return f" : `{ast.unparse(node.returns).strip(chr(39))}`" if node.returns else ""


def _code(signature: str) -> str:
    """``signature`` as a block of code, one argument a line where it is long."""
    before, arguments, after = _halves(signature)
    parts = [
        re.sub(r"(?<=[^=\s])=(?=[^=\s])", " = ", part, count=1) if ":" in part else part for part in arguments
    ]
    line = f"{before}{', '.join(parts)}{after}"
    if len(line) > WIDTH:
        line = f"{before}\n" + "".join(f"    {part},\n" for part in parts) + after
    return f"\n```text\n{line}\n```\n"


def _halves(signature: str) -> tuple[str, list[str], str]:
    """What stands before, between and after the brackets of the arguments."""
    begin = signature.index("(") + 1
    depth, end = 1, begin
    while depth:
        depth += (signature[end] in "[({") - (signature[end] in "])}")
        end += 1
    return signature[:begin], list(_split(signature[begin : end - 1])), signature[end - 1 :]


def _split(arguments: str) -> Iterator[str]:
    """The arguments one by one: at commas that stand in no bracket."""
    depth, part = 0, ""
    for letter in arguments:
        depth += (letter in "[({") - (letter in "])}")
        if letter == "," and not depth:
            yield part.strip()
            part = ""
        else:
            part += letter
    if part.strip():
        yield part.strip()


def _annotation(kind: Any) -> str:
    text = kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", text if "[" not in str(kind) else str(kind))


def _prose(thing: Any) -> str:
    """A docstring as Markdown."""
    text = inspect.getdoc(thing) or ""
    text = re.sub(r":[a-z]+:`~?\.?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")
