"""Configuration of a plugin: its table ``[plugins.NAME]`` and variables, converted to its declared type."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from loguru import logger
from msgspec import Struct

from tobs.errors import ConfigError


class Option(Struct, frozen=True):
    """An option of a plugin, for ``tobs plugins info``.

    ``default`` is None if a value is required; the value of a ``secret`` option belongs into a variable.
    """

    name: str
    type: str
    default: Any = None
    required: bool = False
    description: str = ""
    secret: bool = False


def read_config(plugin: str, config_type: type[Any], values: Mapping[str, Any]) -> Any:
    """Convert ``values`` to ``config_type``. Text is converted to the declared type (in variables a list is written
    with commas).

    Raises ConfigError naming every wrong option, not only the first.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(config_type)}
    faults = [f"{name} is no option{_suggestion(name, fields)}" for name in values if name not in fields]
    values = {name: _as_list(value, fields[name].type) if name in fields else value for name, value in values.items()}
    for name, field in fields.items():
        if name in values:
            try:
                msgspec.convert(values[name], field.type, strict=False)
            except msgspec.ValidationError as error:
                faults.append(f"{name}: {_reason(error)}")
        elif field.required:
            faults.append(f"{name} has to be given")
    if not faults:
        try:
            return msgspec.convert(dict(values), config_type, strict=False)
        except msgspec.ValidationError as error:  # raised by the type's own __post_init__
            faults.append(_reason(error))
    raise ConfigError(
        f"The configuration of plugin {plugin} is wrong: {'; '.join(faults)}.",
        f"Correct [plugins.{plugin}] in config.toml; tobs plugins info {plugin} shows its options.",
    )


def _as_list(value: Any, kind: Any) -> Any:
    """Split text at commas if the declared type is a list."""
    if isinstance(value, str) and get_origin(_bare(kind)) in (list, tuple):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def assign_variables(variables: Mapping[str, str], options: Mapping[str, Collection[str]]) -> dict[str, dict[str, str]]:
    """Assign ``variables`` (``whisper_api_base_url``: plugin and option in small letters) to plugins and options.

    ``options`` has the options of each plugin by name; ``-`` in a name is written as ``_`` in a variable. If several
    plugins match, one that has the option wins, then the longest name. Raises ConfigError for a variable that names a
    plugin but none of its options; one that names no plugin is ignored.
    """
    assigned: dict[str, dict[str, str]] = {}
    for variable, value in variables.items():
        named = [name for name in options if variable.startswith(f"{name.replace('-', '_')}_")]
        if not named:
            logger.info("the variable TOBS_PLUGIN_{} belongs to no plugin", variable.upper())
            continue
        name = max(named, key=lambda name: (variable[len(name) + 1 :] in options[name], len(name)))
        option = variable[len(name) + 1 :]
        # The options of a plugin that cannot be loaded are unknown; its variables may be right.
        if option not in options[name] and options[name]:
            raise ConfigError(
                f"TOBS_PLUGIN_{variable.upper()} names no option of plugin {name}.",
                f"tobs plugins info {name} shows its options.",
            )
        assigned.setdefault(name, {})[option] = value
    return assigned


def config_digest(config: Any) -> str:
    """Return a digest of the options that results depend on; results of another digest are not reused.

    Secrets and options that only control the effort are left out.
    """
    relevant = {
        field.encode_name: getattr(config, field.name)
        for field in msgspec.structs.fields(config)
        if not (_is_marked(field.type, "secret") or _is_marked(field.type, "effort"))
    }
    return hashlib.blake2b(msgspec.json.encode(relevant, order="deterministic"), digest_size=16).hexdigest()


def _is_marked(kind: Any, mark: str) -> bool:
    """Return whether a type is annotated with ``SECRET`` (``secret``) or ``EFFORT`` (``effort``)."""
    metas = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    return any(isinstance(meta, msgspec.Meta) and mark in (meta.extra or {}) for meta in metas)


def describe_config(config_type: type[Any]) -> tuple[Option, ...]:
    """Return the options of a configuration type with their defaults."""
    options = []
    for field in msgspec.structs.fields(config_type):
        has_factory = field.default_factory is not msgspec.NODEFAULT
        default = field.default_factory() if has_factory else None if field.required else field.default
        options.append(
            Option(
                name=field.encode_name,
                type=_type_name(field.type),
                default=default,
                required=field.required,
                description=msgspec.json.schema(field.type).get("description", ""),
                secret=_is_marked(field.type, "secret"),
            )
        )
    return tuple(options)


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _type_name(kind: Any) -> str:
    """Return a readable name of a type: ``str``, ``"no" or "copy"``, ``list of str``."""
    bare = _bare(kind)
    if get_origin(bare) is Literal:
        return " or ".join(msgspec.json.encode(each).decode() for each in get_args(bare))
    if get_origin(bare) in (list, tuple) and get_args(bare):
        return f"list of {_type_name(get_args(bare)[0])}"
    return bare.__name__ if isinstance(bare, type) and not get_args(bare) else str(bare).replace("typing.", "")


def _suggestion(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _reason(error: msgspec.ValidationError) -> str:
    text = str(error).replace("`", "")
    return text[:1].lower() + text[1:]
