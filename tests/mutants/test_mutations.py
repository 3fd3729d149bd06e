"""The mutants that are made of a piece of code, and the tests that are to judge them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.__main__ import candidates, draw
from tests.mutants.mutations import mutations
from tests.mutants.selection import _OTHERS, other_tests, unit_tests

REPO = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("(a) == (b)", {"(a) != (b)"}),
        ("a is not None", {"a is None"}),
        ("a not in b", {"a in b"}),
        ("a and b", {"a or b", "((a))", "((b))"}),
        ("not a", {"(a)"}),
        ("f(True)", {"f(False)", "pass"}),
        ("x = 5", {"x = (5 + 1)"}),
        ("x = a + b", {"x = a - b"}),
        ("x += y", {"x -= y", "pass"}),
        ("x = 1 if a else 2", {"x = (1 + 1) if a else 2", "x = 1 if a else (2 + 1)"}
         | {f"x = 1 if {test} else 2" for test in ("(not (a))", "True", "False")}),
        ("x = [b for b in c if b]", {"x = [b for b in c if (not (b))]", "x = [b for b in c if True]"}),
        ("x = any(a)", {"x = all(a)"}),
        ("x = max(a, default=b)", {"x = min(a, default=b)", "x = max(a)"}),
        ("raise E", {"pass"}),
        ("ä = 'ö' == b", {"ä = 'ö' != b"}),
    ],
)  # fmt: skip
def test_a_place_is_changed_in_every_way_that_means_something_else(text: str, expected: set[str]) -> None:
    assert {one.applied(text) for one in mutations(text) if one.compiles(text)} == expected


@pytest.mark.parametrize(
    "text",
    ['"""A docstring of 5 words, not more."""', "x: Literal[5]", "import a", "logger.info('a', 5)", "__all__ = [5]",
     "def f(a: int) -> tuple[5]: ...", "_LARGEST = 5_000",
     "if TYPE_CHECKING:\n    import a", "assert a == 5", "x = f'{a + 1}'"],
)  # fmt: skip
def test_what_says_nothing_at_run_time_is_not_changed(text: str) -> None:
    assert mutations(text) == []


def test_a_function_answers_nothing_and_leaves_statements_out() -> None:
    text = "def f():\n    for a in b:\n        if a:\n            continue\n        return\n    return [a]\n"
    found = {one.applied(text) for one in mutations(text)}
    assert text.replace("continue", "pass") in found
    assert text.replace("return\n", "pass\n") in found
    assert text.replace("[a]", "[]") in found


def test_every_module_has_mutants_that_compile_and_the_same_seed_draws_the_same_ones() -> None:
    mutants = candidates(["tobs/vault"], set())
    assert len(mutants) > 500 and len({one.path for one in mutants}) > 15
    assert draw(mutants, 20, 3) == draw(mutants, 20, 3) != draw(mutants, 20, 4)
    assert len({(one.path, one.mutation.line) for one in draw(mutants, 20, 3)}) == 20


def test_every_module_of_the_program_has_tests_that_judge_it() -> None:
    modules = sorted(path.relative_to(REPO).as_posix() for path in (REPO / "tobs").rglob("*.py"))
    for module in modules:
        if "/sandbox/" in module or module.count("/") == 1:
            continue
        assert unit_tests(REPO, module) and other_tests(REPO, module), module


def test_the_tests_that_are_listed_for_modules_are_there() -> None:
    listed = {name for names in _OTHERS.values() for name in names}
    assert [name for name in sorted(listed) if not (REPO / "tests" / name).exists()] == []
    assert [name for name in _OTHERS if not (REPO / name).exists()] == []


def test_tests_that_cannot_reach_a_module_do_not_judge_it() -> None:
    named, room, others = unit_tests(REPO, "tobs/vault/names.py")
    assert named == ["tests/unit/vault/test_names.py"] and "tests/unit/vault/test_layout.py" in room
    assert "tests/unit/vault/test_lock.py" not in room
    assert any(name.startswith("tests/unit/pipeline/") for name in others)
    assert not any(name.startswith("tests/unit/telegram/") for name in others)
    # A worker is started by its name.
    assert "tests/unit/pipeline/test_render_pool.py" in unit_tests(REPO, "tobs/pipeline/notes/render_worker.py")[0]
