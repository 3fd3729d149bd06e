"""Merge of front matter as values, key by key. Unchanged properties keep their exact text."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import yaml
from msgspec import Struct

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: These are ours alone: they say which note it is and what tobs wrote into it.
_OURS = frozenset({"tobs_id", "tobs_hash"})


class BrokenFrontMatter(Exception):
    """Front matter that cannot be read, or not be edited key by key; the message says why."""


class _CoreLoader(_LOADER):  # type: ignore[misc]
    """YAML 1.2's core schema, which Obsidian reads: `12:30`, `yes` and `2024-01-02` are text."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}


_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_SCALARS = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), "~nN\0"),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), "tTfF"),
    ("int", re.compile(rf"(?:{_INTEGER.pattern})\Z"), "-+0123456789"),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"), "-+.0123456789"),
)
for _name, _pattern, _first in _SCALARS:
    _CoreLoader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", _pattern, ["" if char == "\0" else char for char in _first]
    )


def _integer(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


_CoreLoader.add_constructor("tag:yaml.org,2002:int", _integer)
_CoreLoader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))


class Entry(NamedTuple):
    """A property: its lines (each with its end) and its value. ``items`` are the lines of a list's items, if they have
    lines of their own; ``tail`` are comments and empty lines after it."""

    text: str
    value: Any
    items: tuple[str, ...] | None = None
    tail: str = ""


class FrontMatter(Struct, frozen=True):
    """The properties of a note by name, in their order; ``lead`` are lines (comments) before the first."""

    entries: Mapping[str, Entry]
    lead: str = ""


class MergedProperties(NamedTuple):
    """The merged properties (without `---`). ``conflicts`` names the keys both sides changed, with the line that was
    not merged."""

    text: str
    changed: bool
    conflicts: tuple[tuple[str, str], ...]


_NOTE = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def split_note(text: str) -> tuple[str | None, str]:
    """Split a note into front matter (without `---`, None if there is none) and body."""
    match = _NOTE.match(text)
    return (match[1], text[match.end() :]) if match else (None, text)


def read_front_matter(text: str) -> FrontMatter:
    """Read the properties in ``text``. Raises BrokenFrontMatter."""
    loader = None
    try:
        loader = _CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            return FrontMatter({}, text)
        if not isinstance(node, yaml.MappingNode):
            raise BrokenFrontMatter("it is no list of properties")
        return _read(text, node, loader)
    except yaml.MarkedYAMLError as error:
        where = f" (line {error.problem_mark.line + 2})" if error.problem_mark else ""
        raise BrokenFrontMatter(f"{error.problem or 'it is no YAML'}{where}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise BrokenFrontMatter(f"it is no YAML ({str(error).splitlines()[0]})") from error
    finally:
        if loader is not None:
            loader.dispose()


def _read(text: str, node: yaml.MappingNode, loader: Any) -> FrontMatter:
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    starts = [key.start_mark.line for key, _ in node.value]
    if node.flow_style or len(set(starts)) < len(starts) or any(key.start_mark.column for key, _ in node.value):
        raise BrokenFrontMatter("its properties do not stand on lines of their own")
    entries: dict[str, Entry] = {}
    for (key, value), start, end in zip(node.value, starts, [*starts[1:], len(lines)], strict=True):
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not name or name in entries:
            raise BrokenFrontMatter(f"{name or 'a property'} stands in it twice" if name else "a property has no name")
        last = end
        while last > start + 1 and (not lines[last - 1].strip() or lines[last - 1].startswith("#")):
            last -= 1
        read = loader.construct_object(value, deep=True)
        items = _item_lines(value, lines, start, last)
        entries[name] = Entry("".join(lines[start:last]), read, items, "".join(lines[last:end]))
    return FrontMatter(entries, "".join(lines[: starts[0]]) if starts else text)


def _item_lines(node: yaml.Node, lines: Sequence[str], start: int, end: int) -> tuple[str, ...] | None:
    """Return the lines of each item of a list; None if it is no list with an item a line."""
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        return None
    firsts = [item.start_mark.line for item in node.value]
    if firsts[0] == start or len(set(firsts)) < len(firsts):
        return None
    if any(not lines[first].lstrip().startswith("- ") for first in firsts):
        return None
    return tuple("".join(lines[first:following]) for first, following in zip(firsts, [*firsts[1:], end], strict=True))


_MISSING = Entry("", None)


def merge_properties(
    base: FrontMatter, mine: FrontMatter, new: FrontMatter, align: Callable[[str], str]
) -> MergedProperties:
    """Return ``mine`` with the changes from ``base`` to ``new``; a key that both changed stays as in ``mine``."""
    texts: dict[str, str] = {}
    conflicts = []
    changed = False
    for name in [*mine.entries, *(name for name in new.entries if name not in mine.entries)]:
        was, now, then = (each.entries.get(name, _MISSING) for each in (base, mine, new))
        values = [_comparable(each, align) for each in (was, now, then)]
        if name in _OURS or (values[0] == values[1] and values[1] != values[2]):
            texts[name] = now.text if values[1] == values[2] else then.text
            continue
        changed = changed or values[0] != values[1]
        is_removed = name in base.entries and name not in mine.entries
        if is_removed or values[2] in (values[0], values[1]):
            texts[name] = now.text
        elif (merged := _merged_lists(name, was, now, then, align)) is not None:
            texts[name] = merged
        else:
            texts[name] = now.text
            conflicts.append((name, then.text))
    return MergedProperties(mine.lead + "".join(_in_order(texts, mine, new)), changed, tuple(conflicts))


def _in_order(texts: Mapping[str, str], mine: FrontMatter, new: FrontMatter) -> list[str]:
    """Sort keys in the owner's order; a key they do not have follows the one that precedes it in ``new``."""
    order = list(mine.entries)
    previous = None
    for name in new.entries:
        if name not in mine.entries:
            order.insert(order.index(previous) + 1 if previous is not None else 0, name)
        previous = name
    return [texts[name] + (mine.entries[name].tail if name in mine.entries else "") for name in order]


def _comparable(entry: Entry, align: Callable[[str], str]) -> Hashable:
    """Return a value for comparison: by type, links by target; no value, no list and no property are equal."""
    return None if entry.value in (None, "", []) else _frozen(entry.value, align)


def _frozen(value: Any, align: Callable[[str], str]) -> Hashable:
    if isinstance(value, str):
        return align(value)
    if isinstance(value, list):
        return ("list", *(_frozen(item, align) for item in value))
    if isinstance(value, dict):
        return ("map", *((str(name), _frozen(item, align)) for name, item in value.items()))
    if isinstance(value, bool):
        return ("bool", value)
    return value if isinstance(value, int | float | None) else repr(value)


def _merged_lists(name: str, base: Entry, mine: Entry, new: Entry, align: Callable[[str], str]) -> str | None:
    """Merge lists as sets: with items that either side added, without those either removed. None for other values."""
    if any(each.value is not None and not isinstance(each.value, list) for each in (base, mine, new)):
        return None
    fold = name in ("tags", "aliases")

    def keyed(entry: Entry) -> dict[Hashable, str]:
        lines = entry.items or tuple(f"  - {_scalar(item)}\n" for item in entry.value or ())
        keys = [_frozen(item, align) for item in entry.value or ()]
        return {
            key.casefold() if fold and isinstance(key, str) else key: line
            for key, line in zip(keys, lines, strict=True)
        }

    was, now, then = keyed(base), keyed(mine), keyed(new)
    kept = {key: line for key, line in now.items() if key in then or key not in was}
    added = {key: line for key, line in then.items() if key not in was and key not in now}
    if not kept and not added:
        return ""
    first = mine.text.partition("\n")[0] + "\n" if mine.items else f"{name}:\n"
    lines = [line if line.endswith("\n") else f"{line}\n" for line in (*kept.values(), *added.values())]
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    return first + "".join(f"{indent}{line.lstrip()}" if line.count("\n") == 1 else line for line in lines)


def _scalar(value: Any) -> str:
    text: str = yaml.safe_dump(
        value, default_style='"' if isinstance(value, str) else None, allow_unicode=True, width=10**9
    )
    return text.removesuffix("...\n").strip()
