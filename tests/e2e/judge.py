"""Judges a vault as a stranger would: by the parsers Obsidian uses, by a resolver of links and by the rules for names.

Nothing here knows how tobs makes a note. A judge returns what is wrong, in words; an empty list is a good vault.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

_JS = Path(__file__).parents[1] / "js"
_HVK = Path(sys.executable).with_name("hvk")

_FENCE = re.compile(
    r"^(?P<quote>(?:> ?)*)(?P<mark>`{3,}|~{3,})[^\n]*\n.*?^(?P=quote)(?P=mark)[`~]*[ \t]*$", re.M | re.S
)
_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)
_COMMENT = re.compile(r"%%.*?%%", re.S)
_WIKILINK = re.compile(r"(?<!\\)(!?)\[\[([^\[\]\n]+)\]\]")
_CALLOUT = re.compile(r"^> \[!\w+\].*$", re.M)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.M)
_BLOCK = re.compile(r"(?:^|[ \t])\^([A-Za-z0-9-]+)[ \t]*$", re.M)
_TAG = re.compile(r"(?:^|(?<=\s))#([^\s\u2000-\u206f\u2e00-\u2e7f'!\"#$%&()*+,.:;<=>?@^`{|}~\[\]\\]+)", re.M)
_BAD_TAG = re.compile(r"[\s\u2000-\u200c\u200e-\u206f\u2e00-\u2e7f'!\"#$%&()*+,.:;<=>?@^`{|}~\[\]\\]")
_BAD_NAME = re.compile(r'[\\/:*?"<>|#^\[\]\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|%%')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\.|$)", re.I)
# Source: Obsidian help, 'Accepted file formats'
_EMBEDDABLE = re.compile(
    r"\.(?:avif|bmp|gif|jpe?g|png|svg|webp|flac|m4a|mp3|ogg|wav|webm|3gp|mkv|mov|mp4|ogv|pdf|base)$", re.I
)
_MAX_NAME_BYTES = 240


class Vault:
    """The visible files of a vault, read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        paths = (path for path in sorted(root.rglob("*")) if path.is_file())
        relative = ((path.relative_to(root), path) for path in paths)
        self.files = {name.as_posix(): path for name, path in relative if not name.parts[0].startswith(".")}
        notes = {name: path.read_bytes().decode() for name, path in self.files.items() if name.endswith(".md")}
        # An editor of the owner's may have written other line ends.
        self.notes = {name: text.replace("\r\n", "\n") for name, text in notes.items()}
        # A note of the owner's may have no front matter.
        whole = {name: text if text.startswith("---\n") else f"---\n---\n{text}" for name, text in self.notes.items()}
        parts = {name: text.removeprefix("---").partition("\n---\n") for name, text in whole.items()}
        self.heads = {name: head.removeprefix("\n") + "\n" for name, (head, _, _) in parts.items()}
        self.bodies = {name: body for name, (_, _, body) in parts.items()}
        self.properties = {name: python_yaml(head) for name, head in self.heads.items()}
        self.types: dict[str, str] = json.loads((root / ".obsidian" / "types.json").read_text())["types"]

    def of_kind(self, pattern: str) -> dict[str, dict[str, Any]]:
        """The properties of the notes whose ``tobs_id`` matches."""
        found = re.compile(pattern)
        return {name: each for name, each in self.properties.items() if found.fullmatch(each.get("tobs_id", ""))}


def python_yaml(source: str) -> dict[str, Any]:
    """What PyYAML reads, moments as ISO text."""
    read: dict[str, Any] = yaml.safe_load(source) or {}
    return {name: _iso(value) for name, value in read.items()}


def _iso(value: Any) -> Any:
    if isinstance(value, list):
        return [_iso(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def node_yaml(sources: Iterable[str]) -> list[dict[str, Any]]:
    """What npm's strict parser makes of each: ``{problems, value}``. One process for all of them."""
    node = shutil.which("node")
    if node is None or not (_JS / "node_modules" / "yaml").is_dir():
        reason = "npm's yaml is not installed: run `make test`, or `npm install` in tests/js"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(
        [node, "read_front_matter.mjs"],
        input=json.dumps(list(sources)),
        cwd=_JS,
        capture_output=True,
        text=True,
        check=True,
    )
    read: list[dict[str, Any]] = json.loads(done.stdout)
    return read


def hvk(vault: Vault, index: Path, *arguments: str) -> Any:
    """What the headless vault kit says, as JSON."""
    command = [str(_HVK), "--vault", str(vault.root), "--index", str(index), "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def front_matter_faults(vault: Vault) -> list[str]:
    """Notes whose front matter the two parsers read differently, or that have none, or that end badly."""
    faults = []
    for (name, text), read in zip(vault.notes.items(), node_yaml(vault.heads.values()), strict=True):
        if not text.startswith("---\n") or "\n---\n" not in text:
            faults.append(f"{name}: no front matter")
        elif read["problems"]:
            faults.append(f"{name}: {read['problems']}")
        elif read["value"] != vault.properties[name]:
            faults.append(f"{name}: {read['value']} is not {vault.properties[name]}")
        if not text.endswith("\n") or text.endswith("\n\n") or "\r" in text:
            faults.append(f"{name}: line ends")
    return faults


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "checkbox"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list" if all(isinstance(each, str) for each in value) else "list of no texts"
    if isinstance(value, str):
        return "datetime" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value) else "text"
    return type(value).__name__


_FITS = {"multitext": "list", "tags": "list", "aliases": "list"}


def type_faults(vault: Vault) -> list[str]:
    """Values that are not of the one type their name has in ``types.json``."""
    faults = []
    for name, properties in vault.properties.items():
        for key, value in properties.items():
            wanted = vault.types.get(key)
            if wanted is None:
                faults.append(f"{name}: {key} has no type")
            elif _kind(value) != _FITS.get(wanted, wanted):
                faults.append(f"{name}: {key} is {_kind(value)} ({value!r}), its type is {wanted}")
    return faults


def _prose(body: str) -> str:
    """A body without what is shown as it is: fences, code, comments."""
    return _COMMENT.sub("", _CODE.sub("", _FENCE.sub("", body)))


def link_faults(vault: Vault) -> list[str]:
    """Links and embeds that lead nowhere: no such file, heading or block; or that embed what cannot be shown."""
    faults = []
    for name, text in vault.notes.items():
        for mark, inside in _WIKILINK.findall(vault.heads[name] + _prose(vault.bodies[name])):
            target = inside.partition("|")[0].rstrip("\\")
            path, _, within = target.partition("#")
            found = path if path in vault.files else f"{path}.md"
            if found not in vault.files:
                faults.append(f"{name}: [[{target}]] is not there")
            elif within and within not in _places(vault.notes.get(found, "")):
                faults.append(f"{name}: [[{target}]] has no such place")
            elif mark and not _EMBEDDABLE.search(found):
                faults.append(f"{name}: ![[{target}]] cannot be shown")
        if "[[]]" in text:
            faults.append(f"{name}: an empty link")
    return faults


def _places(text: str) -> set[str]:
    body = _FENCE.sub("", text)
    return {heading.strip() for heading in _HEADING.findall(body)} | {f"^{block}" for block in _BLOCK.findall(body)}


def duplicate_faults(vault: Vault) -> list[str]:
    """Two notes with one ``tobs_id``; one note with a block id twice."""
    faults, seen = [], dict[str, str]()
    for name, properties in vault.properties.items():
        mine = str(properties.get("tobs_id", ""))
        if not mine or mine in seen:
            faults.append(f"{name}: tobs_id {mine!r}, also {seen.get(mine)}")
        seen[mine] = name
        blocks = _BLOCK.findall(_FENCE.sub("", vault.bodies[name]))
        if len(blocks) != len(set(blocks)):
            faults.append(f"{name}: a block id twice")
    return faults


def tag_faults(vault: Vault) -> list[str]:
    """Tags Obsidian would not take, and live tags in the text that are not in ``tags``."""
    faults = []
    for name, properties in vault.properties.items():
        tags = {str(tag).casefold() for tag in properties.get("tags", ())}
        faults += [f"{name}: tag {tag!r}" for tag in tags if _BAD_TAG.search(tag) or tag.isdecimal() or not tag]
        prose = re.sub(r"https?://\S+|\]\([^)\s]*\)|<[^>\n]*>|&#\w+;", " ", _prose(vault.bodies[name]))
        prose = _WIKILINK.sub(" ", prose)
        live = {tag.casefold() for tag in _TAG.findall(prose) if not tag.isdecimal()}
        faults += [f"{name}: #{tag} is live but no tag" for tag in live - tags]
    return faults


def name_faults(paths: Iterable[str]) -> list[str]:
    """Names that some system cannot keep, or that break links, or that differ only by case."""
    faults, seen = [], dict[str, str]()
    for path in paths:
        key = unicodedata.normalize("NFC", path).casefold()
        if key in seen:
            faults.append(f"{path}: same as {seen[key]}")
        seen[key] = path
        for part in path.split("/"):
            wrong = (
                _BAD_NAME.search(part)
                or _DEVICE.match(part)
                or part != unicodedata.normalize("NFC", part)
                or part[0] in ". "
                or part[-1] in ". "
                or part.removesuffix(".md").endswith((" ", "."))
                or len(part.encode()) > _MAX_NAME_BYTES
            )
            if wrong:
                faults.append(f"{path}: {part!r}")
    return faults


def code_faults(vault: Vault) -> list[str]:
    """What a plugin would run, or what shows that a template or a value was left behind."""
    faults = []
    for name, text in vault.notes.items():
        body = vault.bodies[name]
        faults += [f"{name}: {bad}" for bad in ("<%", "{{", "{%", "Undefined", "\ufffd") if bad in text]
        faults += [f"{name}: {bad}" for bad in ("None\n", "(https:)", "](http:)") if bad in body]
        if re.search(r"!\[[^\]]*\]\(\w+:", _prose(body)):
            faults.append(f"{name}: a picture from elsewhere")
    return faults


def embeds_apart(vault: Vault) -> list[str]:
    """Embeds of files stand in a paragraph of their own, a blank line (of the quote they are in) at both sides."""
    faults = []
    for name, body in vault.bodies.items():
        lines = ["", *_CALLOUT.sub("", _FENCE.sub("", body)).split("\n"), ""]
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
            if line.lstrip("> ").startswith("![[") and (before.strip("> ") or after.strip("> ")):
                faults.append(f"{name}: {line}")
    return faults


def table(faults: Mapping[str, list[str]]) -> str:
    """All faults, at most a few of each kind."""
    return "\n".join(f"{kind}: {fault}" for kind, found in faults.items() for fault in found[:5])
