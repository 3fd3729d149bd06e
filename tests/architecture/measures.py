"""Measures of the code: import circles, lengths of files and functions, parameters, attributes, docstrings.

``python -m tests.architecture.measures [FOLDER]`` prints them for ``tobs`` below FOLDER (default: this checkout), so
that two commits can be compared; ``test_measures`` keeps their limits.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

REPO = Path(__file__).resolve().parents[2]

#: First words of a docstring that is no verb or noun phrase.
ODD_START = re.compile(r"^(what|who|whose|where|whether|those|which|how|one|that|if|as)\b", re.I)

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module:
    """A module of ``tobs``: its dotted ``name``, its ``path`` and syntax ``tree``."""

    def __init__(self, path: Path, root: Path) -> None:
        parts = path.relative_to(root).with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.path = path
        self.lines = len(path.read_bytes().splitlines())
        self.tree = ast.parse(path.read_bytes())

    def functions(self) -> Iterator[tuple[str, Function]]:
        """All functions and methods, nested ones too, by ``module:name``."""
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield f"{self.name}:{node.name}", node

    def classes(self) -> Iterator[tuple[str, ast.ClassDef]]:
        """All classes, by ``module:name``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield f"{self.name}:{node.name}", node


def modules(root: Path = REPO) -> list[Module]:
    """The modules of ``tobs`` below ``root``."""
    return [Module(path, root) for path in sorted((root / "tobs").rglob("*.py"))]


def imports(found: list[Module]) -> dict[str, set[str]]:
    """The modules that each module imports, anywhere in it: in functions and for type checking too."""
    names = {module.name for module in found}
    graph: dict[str, set[str]] = {module.name: set() for module in found}
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                wanted = {f"{node.module}.{alias.name}" for alias in node.names}
                # A name that is no module comes from the module itself.
                graph[module.name] |= {one if one in names else node.module for one in wanted} & names
            elif isinstance(node, ast.Import):
                graph[module.name] |= {alias.name for alias in node.names} & names
        graph[module.name].discard(module.name)
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other in a circle (strongly connected components, after Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(start: str) -> None:
        work = [(start, iter(sorted(graph[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    work.append((other, iter(sorted(graph[other]))))
                    break
                if other in stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = stack[stack.index(node) :]
                    del stack[stack.index(node) :]
                    if len(group) > 1:
                        found.append(sorted(group))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def length(function: Function) -> int:
    """Lines of a function, its decorators and docstring included."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: Function) -> int:
    """Parameters of a function without ``self`` and ``cls``."""
    arguments = function.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def is_command(function: Function) -> bool:
    """Tell whether typer reads the signature: the command line is made of it."""
    return any(one.arg == "common" for one in function.args.args)


def attributes(node: ast.ClassDef) -> int:
    """Different attributes that the methods of a class set on ``self``."""
    stored = [part for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)]
    return len({part.attr for part in stored if isinstance(part.value, ast.Name) and part.value.id == "self"})


def odd_docstrings(found: list[Module]) -> list[str]:
    """Public and private definitions and modules whose docstring does not begin with a verb or a noun."""
    odd = []
    for module in found:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Module | ast.ClassDef | Function):
                text = ast.get_docstring(node)
                if text and ODD_START.match(text):
                    odd.append(f"{module.name}:{getattr(node, 'name', '')}: {text.splitlines()[0][:80]}")
    return odd


def main(root: Path) -> None:
    """Print the measures of the code below ``root``."""
    found = modules(root)
    pipeline = [one.lines for one in found if one.name.startswith("tobs.pipeline.") and one.path.stem != "__init__"]
    functions = [pair for module in found for pair in module.functions()]
    classes = [pair for module in found for pair in module.classes()]
    longest = max(functions, key=lambda pair: length(pair[1]))
    widest = max((pair for pair in functions if not is_command(pair[1])), key=lambda pair: parameters(pair[1]))
    largest = max(classes, key=lambda pair: attributes(pair[1]))
    rows = [
        ("modules, lines", f"{len(found)}, {sum(module.lines for module in found):,}"),
        ("import circles", " · ".join(f"{len(group)} modules" for group in circles(imports(found))) or "none"),
        ("longest file", max(f"{module.lines} {module.name}" for module in found if module.lines > 99)),
        ("modules over 500 lines", sum(module.lines > 500 for module in found)),
        ("median lines of a pipeline module", median(pipeline)),
        ("modules under 40 lines", sum(module.lines < 40 and module.path.stem != "__init__" for module in found)),
        ("longest function", f"{length(longest[1])} lines, {longest[0]}"),
        ("functions over 60 lines", sum(length(node) > 60 for _, node in functions)),
        ("most parameters, without commands", f"{parameters(widest[1])}, {widest[0]}"),
        ("functions with more than 7", sum(parameters(one) > 7 and not is_command(one) for _, one in functions)),
        ("most attributes on self", f"{attributes(largest[1])}, {largest[0]}"),
        ("classes with more than 15", sum(attributes(node) > 15 for _, node in classes)),
        ("docstrings with an odd beginning", len(odd_docstrings(found))),
    ]
    for name, value in rows:
        sys.stdout.write(f"{name:36} {value}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else REPO)
