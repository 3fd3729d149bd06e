"""Requests as JSON: what is written can be read again, and what is not a request is refused."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tobs.errors import UsageError
from tobs.model.requests import Request, decode_request, encode_request

TYPES: tuple[type[Any], ...] = get_args(Request)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type; of a struct any with any fields."""
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return st.builds(kind, **{name: values(each) for name, each in get_type_hints(kind).items() if name[0] != "_"})
    if args := get_args(kind):
        return st.one_of(*map(values, args))
    simple = {str: st.text(), bool: st.booleans(), int: st.integers(-(2**62), 2**62), type(None): st.none()}
    return simple[kind]


@given(st.sampled_from(TYPES).flatmap(values))
def test_every_request_comes_back_from_json_as_it_was(request: Request) -> None:
    data = encode_request(request)
    assert decode_request(data) == request
    assert type(decode_request(data)) is type(request)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: str(kind.__name__))
def test_a_request_refuses_a_field_it_does_not_have_and_names_it(kind: type[Any]) -> None:
    needed = {name: "x" for name in ("path", "run") if name in kind.__struct_fields__}
    plain = {"request": kind.__struct_config__.tag} | needed
    assert isinstance(decode_request(msgspec.json.encode(plain)), kind)
    with pytest.raises(UsageError, match="unknown field `api_hash`"):
        decode_request(msgspec.json.encode(plain | {"api_hash": "0123"}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"request": "explode"}', "Invalid value 'explode' - at `\\$.request`"),
        ('{"targets": []}', "missing required field `request`"),
        ('{"request": "export", "chats": {"target": "@a"}}', "unknown field `target` - at `\\$.chats`"),
        ('{"request": "export", "messages": {"limit": "9"}}', "got `str` - at `\\$.messages.limit`"),
        ('{"request": "import"}', "missing required field `path`"),
        ('{"request": "sync"', "truncated"),
        (b'{"request": "sync", "targets": ["\xff"]}', "UTF-8"),
    ],
)
def test_what_is_no_request_is_refused_with_the_place_of_the_fault(text: str | bytes, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        decode_request(text)


def test_no_field_of_a_request_can_hold_a_secret_or_a_function() -> None:
    allowed = {str, bool, int, type(None), str | None, bool | None, int | None, tuple[str, ...], tuple[int, ...]}
    secrets = ("password", "passphrase", "token", "hash", "code", "secret")

    def odd(kind: type[Any], place: str) -> list[str]:
        found = []
        for name, each in get_type_hints(kind).items():
            if isinstance(each, type) and issubclass(each, msgspec.Struct):
                found += odd(each, f"{place}.{name}")
            elif any(word in name for word in secrets) or (each not in allowed and get_origin(each) is not Literal):
                found.append(f"{place}.{name}")
        return found

    assert [place for kind in TYPES for place in odd(kind, kind.__name__)] == []
