"""Limits of the code, by the measures of ``measures.py``."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

from tests.architecture.measures import (
    Module,
    attributes,
    circles,
    imports,
    is_command,
    length,
    modules,
    parameters,
)

FOUND = modules()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(imports(FOUND)) == []


def test_the_middle_module_of_the_pipeline_has_100_to_250_lines() -> None:
    assert 100 <= median(module.lines for module in FOUND if _is_of_pipeline(module)) <= 250


def test_no_function_is_longer_than_60_lines() -> None:
    assert [name for module in FOUND for name, node in module.functions() if length(node) > 60] == []


def test_no_function_has_more_than_7_parameters_but_the_commands() -> None:
    functions = [pair for module in FOUND for pair in module.functions()]
    assert [name for name, node in functions if parameters(node) > 7 and not is_command(node)] == []


def test_no_class_has_more_than_15_attributes_on_self() -> None:
    assert [name for module in FOUND for name, node in module.classes() if attributes(node) > 15] == []


def test_a_circle_is_found_wherever_its_imports_stand(tmp_path: Path) -> None:
    package = tmp_path / "tobs"
    package.mkdir()
    for name, text in (
        ("one", "from tobs.two import x\n"),
        ("two", "def f():\n    from tobs import three\n"),
        ("three", "import typing\nif typing.TYPE_CHECKING:\n    import tobs.one\n"),
        ("four", "from tobs.one import y\n"),
    ):
        (package / f"{name}.py").write_text(text)
    assert circles(imports(modules(tmp_path))) == [["tobs.one", "tobs.three", "tobs.two"]]


def test_measures_count_what_they_say() -> None:
    source = "class A:\n def f(self, a, b, *, c):\n  self.x = 1\n  self.y = self.x\n  self.x += 1\n  other.z = 2\n"
    tree = ast.parse(source)
    (node,) = tree.body
    assert isinstance(node, ast.ClassDef)
    (function,) = node.body
    assert isinstance(function, ast.FunctionDef)
    assert (attributes(node), parameters(function), length(function)) == (2, 3, 5)


def _is_of_pipeline(module: Module) -> bool:
    return module.name.startswith("tobs.pipeline.") and module.path.stem != "__init__"
