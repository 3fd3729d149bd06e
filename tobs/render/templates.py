"""Templates: compiled once; tobs' own run plain, those a vault brings run in a sandbox.

A template makes the body of a note. It gets ready Markdown and plain fields (``views``), so nothing is escaped
here; a name that does not exist is an error, not an empty string.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tobs.errors import TemplateBroken

SUFFIX = ".md.j2"
Load = Callable[[str], tuple[str, bool] | None]
_REMEDY = "Correct the template, or remove it to use the one tobs brings."


def blocks(*parts: str) -> str:
    """The parts that are not empty, a blank line between them."""
    return "\n\n".join([part for part in parts if part])


class Templates:
    """Template sources by name. ``load`` gives (source, trusted) or None; untrusted ones are sandboxed, and so is
    a trusted one that includes an untrusted one."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._made: dict[str, jinja2.Template] = {}
        options: dict[str, Any] = {
            "undefined": jinja2.StrictUndefined,
            "autoescape": False,
            "trim_blocks": True,
            "lstrip_blocks": True,
            "keep_trailing_newline": False,
            "auto_reload": False,
            "loader": jinja2.FunctionLoader(self._source),
        }
        self._plain = jinja2.Environment(**options)
        self._sandbox = ImmutableSandboxedEnvironment(**options)
        for environment in (self._plain, self._sandbox):
            environment.globals["blocks"] = blocks

    def _source(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        found = self._load(name)
        return (found[0], name, lambda: True) if found else None

    def sources(self, names: Iterable[str]) -> tuple[tuple[str, str, bool], ...]:
        """Name, source and trust of those of ``names`` that there are: all that another process needs of them."""
        found = ((name, self._load(name)) for name in names)
        return tuple((name, *source) for name, source in found if source is not None)

    def render(self, name: str, view: Mapping[str, Any]) -> str:
        """The body a template makes, without blank lines around it.

        Raises TemplateBroken with the template's name and line.
        """
        template = self._made.get(name) or self._make(name)
        try:
            return template.render(view).strip("\n")
        except Exception as error:
            raise _broken(name, error) from error

    def _make(self, name: str) -> jinja2.Template:
        try:
            environment = self._plain if self._trusted(name, set()) else self._sandbox
            template = environment.get_template(name)
        except jinja2.TemplateError as error:
            raise _broken(name, error) from error
        # Jinja keeps them in a ChainMap, which is read key by key for every note.
        template.globals = dict(template.globals)
        self._made[name] = template
        return template

    def _trusted(self, name: str, seen: set[str]) -> bool:
        """Whether a template and all it includes are tobs' own; a computed name of an include is not."""
        found = self._load(name)
        if found is None:
            raise jinja2.TemplateNotFound(name)
        source, trusted = found
        seen.add(name)
        if not trusted:
            return False
        for other in meta.find_referenced_templates(self._plain.parse(source, name, name)):
            if other is None or (other not in seen and not self._trusted(other, seen)):
                return False
        return True


def _broken(name: str, error: Exception) -> TemplateBroken:
    """What a template did wrong, with file and line."""
    where, line = name, 0
    if isinstance(error, jinja2.TemplateSyntaxError):
        where, line = error.name or name, error.lineno
    elif isinstance(error, jinja2.TemplateNotFound):
        return TemplateBroken(f"Template {name}: there is no template {error.name}.", _REMEDY)
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename.endswith(SUFFIX):
                where, line = frame.filename, frame.lineno or 0
    text = " ".join(str(error).split()) or type(error).__name__
    return TemplateBroken(f"Template {where}, line {line}: {text}.".replace("..", "."), _REMEDY)
