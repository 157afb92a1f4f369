"""A digest of a function's code and of all that it uses of its module: what it computes."""

import ast
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def code_digest(function: Callable[..., Any]) -> str:
    """64 hex digits; empty where the code is in no file.

    Comments and layout do not matter. What the module's other functions and names say does, as far
    as the function uses them, directly or not; what it imports is known by its name alone.
    """
    try:
        tree = ast.parse(Path(function.__code__.co_filename).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    definitions = _definitions(tree)
    used = _used(function.__name__, definitions)
    nodes: list[ast.AST] = [node for name in sorted(used) for node in definitions[name]]
    return hashlib.sha256("\n".join(map(ast.dump, nodes or [tree])).encode()).hexdigest()


def _definitions(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """Each name of the module and the statements that give it its meaning, in their order."""
    found: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _names_of(node):
            found.setdefault(name, []).append(node)
    return found


def _names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }


def _used(name: str, definitions: dict[str, list[ast.stmt]]) -> set[str]:
    """The name and all that its statements use, directly or not."""
    used: set[str] = set()
    ahead = {name} & set(definitions)
    while ahead:
        used |= ahead
        read = {
            part.id
            for one in ahead
            for node in definitions[one]
            for part in ast.walk(node)
            if isinstance(part, ast.Name)
        }
        ahead = (read & set(definitions)) - used
    return used
