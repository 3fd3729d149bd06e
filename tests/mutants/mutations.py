"""Small changes of meaning in Python source: each mutation is one, in one place, as a programmer may err."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import NamedTuple

_COMPARE: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
_CALLED = {"any": "all", "all": "any", "min": "max", "max": "min"}
#: Calls without an effect that a test could see.
_SILENT = ("logger",)


class Mutation(NamedTuple):
    """A change of one place in a module: ``start`` and ``end`` are offsets into its text, ``new`` is what stands there
    instead."""

    operator: str
    line: int
    start: int
    end: int
    new: str

    def compiles(self, text: str) -> bool:
        """Whether the module with this change is still Python."""
        try:
            compile(self.applied(text), "mutant", "exec", dont_inherit=True)
        except SyntaxError:
            return False
        return True

    def applied(self, text: str) -> str:
        """The module with this change."""
        return text[: self.start] + self.new + text[self.end :]


def mutations(text: str) -> list[Mutation]:
    """Every mutation of a module, in the order of its lines. Not every one compiles: see ``Mutation.compiles``."""
    found = sorted(_Finder(text).found(), key=lambda each: (each.start, each.end, each.new))
    return [one for one in found if one.new != text[one.start : one.end]]


class _Finder:
    """Walks over what a module does: not over annotations, docstrings and what is only there for a type checker."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = [0]
        for line in text.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._encoded = [line.encode() for line in text.splitlines(keepends=True)]

    def found(self) -> Iterator[Mutation]:
        pending: list[ast.AST] = [ast.parse(self._text)]
        while pending:
            node = pending.pop()
            for operator in _OPERATORS:
                for start, end, new in operator(self, node):
                    line = self._text.count("\n", 0, start) + 1
                    yield Mutation(operator.__name__.removeprefix("_"), line, start, end, new)
            pending += _children(node)

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands in the text."""
        assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword)
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def source(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self._text[start:end]

    def between(self, left: ast.AST, right: ast.AST, sign: str) -> tuple[int, int]:
        """Where an operator stands between two nodes: its first place that is in no comment or bracket."""
        start, end = self.span(left)[1], self.span(right)[0]
        at = self._text.find(sign, start, end)
        return (at, at + len(sign)) if at >= 0 else (start, start)

    def _offset(self, line: int, column: int) -> int:
        return self._lines[line - 1] + len(self._encoded[line - 1][:column].decode())


Change = tuple[int, int, str]
Operator = Callable[[_Finder, ast.AST], Iterator[Change]]


def _comparison(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Compare):
        return
    sides = [node.left, *node.comparators]
    for left, sign, right in zip(sides, node.ops, node.comparators, strict=False):
        start, end = finder.span(left)[1], finder.span(right)[0]
        between = finder._text[start:end]
        lead, tail = len(between) - len(between.lstrip(" )")), len(between) - len(between.rstrip(" ("))
        if "\n" in between or "#" in between:
            continue
        for new in _COMPARE[type(sign)]:
            yield start + lead, end - tail, new


def _connective(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    """`and` for `or` and back; and each of the parts left out."""
    if not isinstance(node, ast.BoolOp):
        return
    sign, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        start, end = finder.between(left, right, sign)
        if start != end:
            yield start, end, other
    start, end = finder.span(node)
    for number in range(len(node.values)):
        rest = [finder.source(each) for place, each in enumerate(node.values) if place != number]
        yield start, end, f"({f' {sign} '.join(f'({each})' for each in rest)})"


def _negation(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield *finder.span(node), f"({finder.source(node.operand)})"


def _constant(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield *finder.span(node), str(not node.value)
    elif isinstance(node.value, int | float):
        yield *finder.span(node), f"({finder.source(node)} + 1)"


def _arithmetic(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        sign, other = _ARITHMETIC[type(node.op)]
        start, end = finder.between(node.left, node.right, sign)
        if start != end:
            yield start, end, other
    if isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        sign, other = _ARITHMETIC[type(node.op)]
        start, end = finder.between(node.target, node.value, f"{sign}=")
        if start != end:
            yield start, end, f"{other}="


def _branch(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    """The other branch is taken; a condition is always or never true."""
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        span = finder.span(node.test)
        yield *span, f"(not ({finder.source(node.test)}))"
        if not isinstance(node, ast.While):
            yield *span, "True"
        yield *span, "False"
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            yield *finder.span(test), f"(not ({finder.source(test)}))"
            yield *finder.span(test), "True"


def _removed(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    """A statement that does something is left out."""
    does = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom)
    if does or isinstance(node, ast.AugAssign | ast.Delete | ast.Raise | ast.Continue | ast.Break):
        assert isinstance(node, ast.stmt)
        if not (isinstance(node, ast.Expr) and _is_silent(node.value)):
            yield *finder.span(node), "pass"
    if isinstance(node, ast.Return) and node.value is None:
        yield *finder.span(node), "pass"


def _result(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    """A function answers nothing, or an empty one of what it answers."""
    if isinstance(node, ast.Return) and node.value is not None:
        span = finder.span(node.value)
        for kind, empty in ((ast.List | ast.ListComp, "[]"), (ast.Dict | ast.DictComp, "{}"), (ast.Tuple, "()")):
            if isinstance(node.value, kind) and finder.source(node.value) != empty:
                yield *span, empty


def _called(finder: _Finder, node: ast.AST) -> Iterator[Change]:
    """`any` for `all`, `min` for `max`; an argument with a name left out."""
    if not isinstance(node, ast.Call) or _is_silent(node):
        return
    if isinstance(node.func, ast.Name) and node.func.id in _CALLED:
        yield *finder.span(node.func), _CALLED[node.func.id]
    for keyword in node.keywords:
        if keyword.arg in ("key", "reverse", "default"):
            start, end = finder.span(keyword)
            before = finder._text.rfind(",", 0, start)
            if finder._text[before + 1 : start].strip() == "":
                yield before, end, ""


_OPERATORS: tuple[Operator, ...] = (
    _comparison,
    _connective,
    _negation,
    _constant,
    _arithmetic,
    _branch,
    _removed,
    _result,
    _called,
)


def _is_silent(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and any(
        isinstance(part, ast.Name) and part.id in _SILENT for part in ast.walk(node.func)
    )


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases", "keywords") and not isinstance(
            node, ast.Call
        ):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST) and not _is_left_out(part):
                yield part


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(one, ast.Name) and one.id == "__all__" for one in targets):
            return True
        # A number by which something is tuned: one more of it is no error.
        is_tuned = all(isinstance(one, ast.Name) and one.id.isupper() for one in targets)
        return is_tuned and isinstance(node.value, ast.Constant) and not isinstance(node.value.value, bool)
    if isinstance(node, ast.Call):
        return _is_silent(node) or (isinstance(node.func, ast.Name) and node.func.id in ("cast", "TypeVar"))
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.JoinedStr)
