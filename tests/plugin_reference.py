"""Makes docs/plugin/reference.md from the code that plugin authors import."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Any, ClassVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

import tobs.plugin as offered
from tobs.plugin import testing
from tobs.plugin.api import HOOKS, Plugin
from tobs.plugin.host import HostLimits
from tobs.plugin.validation import RESERVED_FIELDS

#: What of the model an author meets; described where it is defined.
_MODEL = ("FileItem", "Message")


def plugin_reference() -> str:
    """docs/plugin/reference.md."""
    lines = [
        "# What plugins are made of",
        "",
        "Made from the code by `make reference`; the tests keep it true. [Writing a plugin](writing-a-plugin.md) goes"
        " through it step by step. Everything is imported from `tobs.plugin`.",
        "",
        *_plugin(),
        *_structs(),
        *_limits(),
        *_testing(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _plugin() -> Iterator[str]:
    yield from (
        "## `Plugin[Config]`",
        "",
        *_paragraphs(Plugin.__doc__ or ""),
        "| declared | type | default |",
        "|---|---|---|",
    )
    hints = get_type_hints(Plugin, include_extras=True)
    for name in Plugin.__annotations__:
        if name != "config_type":
            yield f"| `{name}` | {_cell(_type(hints[name]))} | `{_default(getattr(Plugin, name))}` |"
    yield ""
    for name in ("available", *HOOKS):
        yield from (
            f"### `{name}{_signature(getattr(Plugin, name))}`",
            "",
            *_paragraphs(inspect.getdoc(getattr(Plugin, name)) or ""),
        )


def _structs() -> Iterator[str]:
    for name in offered.__all__:
        value = getattr(offered, name)
        if isinstance(value, type) and issubclass(value, Struct) and name not in ("NoConfig", *_MODEL):
            yield from (
                f"## `{name}`",
                "",
                *_paragraphs(value.__doc__ or ""),
                "| field | type | default |",
                "|---|---|---|",
            )
            for field in msgspec.structs.fields(value):
                default = "" if field.required else f"`{_default(_field_default(field))}`"
                yield f"| `{field.name}` | {_cell(_type(field.type))} | {default} |"
            yield ""
        elif isinstance(value, type) and issubclass(value, Exception):
            yield from (f"## `{name}`", "", *_paragraphs(value.__doc__ or ""))
    told = "are the model's own: `tobs/model/messages.py` and `tobs/model/media.py` say what their fields mean."
    yield from ("## `Message` and `FileItem`", "", f"Both {told}", "")


def _limits() -> Iterator[str]:
    limits = HostLimits()
    own = ", ".join(f"`{name}`" for name in sorted(RESERVED_FIELDS))
    yield from (
        "## What is refused",
        "",
        f"- After {limits.failures} failures in a row a plugin is off for the run.",
        f"- A worker process has {limits.start:g} seconds until it is ready.",
        f"- Fields that are tobs's own: {own}, and all that begin with `tobs_`.",
        "- A file outside the item's work folder, an empty one, a link.",
        "",
    )


def _testing() -> Iterator[str]:
    yield from ("## `tobs.plugin.testing`", "")
    for function in (testing.make_item, testing.make_message, testing.make_note, testing.try_plugins):
        yield from (
            f"### `{function.__name__}{_signature(function)}`",
            "",
            *_paragraphs(inspect.getdoc(function) or ""),
        )


def _paragraphs(doc: str) -> Iterator[str]:
    """A docstring as Markdown; its examples, which are indented, as code."""
    parts = re.split(r"\n\s*\n", inspect.cleandoc(doc))
    for is_code, group in groupby(parts, key=lambda part: part.startswith("    ")):
        if is_code:
            yield from ("```python", textwrap.dedent("\n\n".join(group)), "```", "")
        else:
            for part in group:
                yield from (" ".join(part.split()).replace("``", "`").replace("::", ":"), "")


def _signature(function: Any) -> str:
    """Its parameters and result, without ``self``."""
    signature = inspect.signature(function)
    own = [parameter for name, parameter in signature.parameters.items() if name != "self"]
    return str(signature.replace(parameters=own)).replace("'", "")


def _type(kind: Any) -> str:
    """A type as people read it: limits in words, unions with ``|``."""
    if get_origin(kind) is Annotated:
        bare, *metas = get_args(kind)
        return _type(bare) + "".join(_limit(meta) for meta in metas if isinstance(meta, Meta))
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    if get_origin(kind) is ClassVar:
        return _type(get_args(kind)[0])
    arguments = [_type(each) for each in get_args(kind) if each is not Ellipsis]
    origin = get_origin(kind)
    name = getattr(origin, "__name__", str(origin)).lower()
    if name in ("union", "uniontype"):
        return " | ".join("None" if each == "NoneType" else each for each in arguments)
    if name == "literal":
        return " | ".join(f'"{each}"' for each in get_args(kind))
    return f"{name}[{', '.join(arguments)}]" if arguments else str(kind)


def _limit(meta: Meta) -> str:
    told = []
    if meta.max_length is not None:
        told.append(f"at most {meta.max_length:,} long")
    if meta.pattern is not None:
        told.append(f"like `{meta.pattern}`")
    return f" ({', '.join(told)})" if told else ""


def _field_default(field: Any) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _default(value: Any) -> str:
    return "frozenset()" if value == frozenset() else repr(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
