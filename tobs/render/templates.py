"""Templates: compiled once; those of tobs run directly, those of a vault in a sandbox.

A template makes the body of a note. It gets ready Markdown and plain fields (``views``), so nothing is escaped here; a
name that does not exist is an error, not an empty string.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tobs.errors import TemplateBroken

SUFFIX = ".md.j2"

#: Templates used for each kind of note; a block of a day uses the message template.
OF_KIND = {
    "message": ("message.md.j2",),
    "day": ("day.md.j2", "message.md.j2"),
    "month": ("day.md.j2", "message.md.j2"),
    "chat": ("chat.md.j2",),
    "topic": ("topic.md.j2",),
    "person": ("person.md.j2",),
    "audio": ("audio.md.j2",),
    "index": ("index.md.j2",),
    "page": (),
}
Load = Callable[[str], tuple[str, bool] | None]
_REMEDY = "Correct the template, or remove it to use the one of tobs."


def blocks(*parts: str) -> str:
    """Join the parts that are not empty with a blank line between them."""
    return "\n\n".join([part for part in parts if part])


class Templates:
    """Template sources by name.

    ``load`` returns (source, trusted) or None. Untrusted templates are sandboxed, as are trusted ones that include an
    untrusted one. ``functions`` are available as filters and as functions unless their name is taken; ``made_by``
    identifies their implementation in digests.
    """

    def __init__(
        self, load: Load, functions: Mapping[str, Callable[..., object]] | None = None, *, made_by: str = ""
    ) -> None:
        self._load = load
        self._functions = dict(functions or {})
        self._made_by = made_by
        self._compiled: dict[str, jinja2.Template] = {}
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
            for name, function in self._functions.items():
                environment.filters.setdefault(name, function)
                environment.globals.setdefault(name, function)

    def _source(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        found = self._load(name)
        return (found[0], name, lambda: True) if found else None

    def with_template(self, name: str, load: Load) -> Templates:
        """Return a copy that gets the template ``name`` from ``load``."""
        return Templates(lambda wanted: (load if wanted == name else self._load)(wanted), self._functions)

    def sources(self, names: Iterable[str]) -> tuple[tuple[str, str, bool], ...]:
        """Return name, source and trust of the existing templates among ``names`` and of all they include.

        These are enough to build the templates in another process.
        """
        used: dict[str, tuple[str, bool]] = {}
        for name in names:
            self._collect_sources(name, used)
        return tuple((name, *source) for name, source in used.items())

    def digest(self, *names: str) -> str:
        """Return a digest of the sources of ``names`` and of all they include; notes are stale when it changes."""
        parts = sorted((name, source) for name, source, _ in self.sources(names))
        parts += [("", self._made_by)] if self._made_by else []
        return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _collect_sources(self, name: str, used: dict[str, tuple[str, bool]]) -> None:
        """Add a template, if it exists, and those it includes to ``used``."""
        found = self._load(name)
        if found is None or name in used:
            return
        used[name] = found
        try:
            parsed = self._plain.parse(found[0], name, name)
        except jinja2.TemplateError:
            return  # reported when it is rendered
        for other in meta.find_referenced_templates(parsed):
            if other is not None:
                self._collect_sources(other, used)

    def render(self, name: str, view: Mapping[str, Any]) -> str:
        """Render the body of a note, without blank lines around it.

        Raises TemplateBroken with the name and line of the template.
        """
        template = self._compiled.get(name) or self._compile(name)
        try:
            return template.render(view).strip("\n")
        except Exception as error:
            raise _broken(name, error) from error

    def _compile(self, name: str) -> jinja2.Template:
        try:
            environment = self._plain if self._trusted(name, set()) else self._sandbox
            template = environment.get_template(name)
        except jinja2.TemplateError as error:
            raise _broken(name, error) from error
        # Jinja stores them in a ChainMap, which is slow to read for every note.
        template.globals = dict(template.globals)
        self._compiled[name] = template
        return template

    def _trusted(self, name: str, seen: set[str]) -> bool:
        """Return whether a template and all it includes belong to tobs; a computed name of an include does not
        count.
        """
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
    """Convert an exception of a template to TemplateBroken, with file and line."""
    where, line = name, 0
    if isinstance(error, jinja2.TemplateSyntaxError):
        where, line = error.name or name, error.lineno
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename.endswith(SUFFIX):
                where, line = frame.filename, frame.lineno or 0
    if isinstance(error, jinja2.TemplateNotFound):
        text = f"there is no template {error.name}"
    elif isinstance(error, KeyError):
        text = f"there is no {error}"
    else:
        text = " ".join(str(error).split()) or type(error).__name__
    place = f"{where}, line {line}" if line else where
    return TemplateBroken(f"Template {place}: {text}.".replace("..", "."), _REMEDY, template=where, line=line)
