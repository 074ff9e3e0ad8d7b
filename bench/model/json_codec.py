"""Convert frozen dataclasses to JSON and back, with every field present and of its declared type.

Stored documents and messages between processes all use it, so each value has one form. If a field may hold
one of several dataclasses, JSON has its lower-cased name: ``{"uniform": {…}}``. A field that was added after
documents had been stored is absent while it has its default (``added_field``), so those can still be read.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from bench.errors import BenchError

T = TypeVar("T")

_ADDED: Final = "added"
_NO_DEFAULT: Final = object()


class MalformedError(BenchError):
    """A JSON document does not match the declared type."""


def added_field(make_default: Callable[[], T]) -> T:
    """Declare a field that stored documents may lack; JSON leaves it out while it has its default."""
    declared: T = field(default_factory=make_default, metadata={_ADDED: True})
    return declared


def encode(value: Any) -> str:
    """Encode a value as one line of JSON."""
    return json.dumps(to_json_value(value), allow_nan=False, separators=(",", ":"))


def decode(kind: type[T], text: str | bytes) -> T:
    """Decode one JSON document as a dataclass of this kind.

    Raises:
        MalformedError: a value does not match; the message has its path.
    """
    document: T = from_json_value(kind, parse(text), kind.__name__)
    return document


def parse(text: str | bytes) -> Any:
    """Parse JSON according to RFC 8259, without Python's NaN and Infinity.

    Raises:
        MalformedError: the text is not JSON.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not a JSON document: {error}") from error


def to_json_value(value: Any) -> Any:
    """Convert a dataclass, or a container of dataclasses, to a value for ``json.dumps``."""
    if is_dataclass(value) and not isinstance(value, type):
        defaults = _added_defaults(type(value))
        return {
            name: _name_if_union(hint, each)
            for name, hint in _hints(type(value)).items()
            if (each := getattr(value, name)) != defaults.get(name, _NO_DEFAULT)
        }
    if isinstance(value, Mapping):
        return {name: to_json_value(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [to_json_value(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def from_json_value(kind: Any, value: Any, where: str) -> Any:
    """Build a value of a declared type from parsed JSON.

    Args:
        kind: a dataclass or a union of several, ``Path``, a scalar, or a ``tuple``, ``Mapping``, ``Literal``
            or optional of these; ``object`` accepts any value.
        value: parsed JSON.
        where: path of the value in its document, for the error.

    Raises:
        MalformedError: the value does not match the type.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _build_union(inner, value, where)
    if origin is Literal:
        _expect(value in inner, value, where)
        return value
    if origin is tuple:
        _expect(isinstance(value, list), value, where)
        return tuple(from_json_value(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is Mapping:
        _expect(isinstance(value, dict), value, where)
        return {name: from_json_value(inner[1], item, f"{where}.{name}") for name, item in value.items()}
    if is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    return _build_scalar(kind, value, where)


def _build_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Build an optional value, or the dataclass that JSON names."""
    if kinds[-1] is type(None):
        return None if value is None else from_json_value(kinds[0], value, where)
    by_name = {_name(kind): kind for kind in kinds}
    _expect(isinstance(value, dict) and len(value) == 1 and value.keys() <= by_name.keys(), value, where)
    ((name, inner),) = value.items()
    return from_json_value(by_name[name], inner, f"{where}.{name}")


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, where)
    hints = _hints(kind)
    if odd := (value.keys() ^ hints.keys()) - (_added_defaults(kind).keys() - value.keys()):
        raise MalformedError(f"{where}: missing or unexpected: {', '.join(sorted(odd))[:200]}")
    return kind(
        **{
            name: from_json_value(hint, value[name], f"{where}.{name}")
            for name, hint in hints.items()
            if name in value
        }
    )


def _build_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is object:
        return value
    if kind is Path:
        _expect(isinstance(value, str), value, where)
        return Path(value)
    if kind is float:
        _expect(type(value) in {int, float} and abs(value) <= sys.float_info.max, value, where)
        return float(value)
    _expect(type(value) is kind, value, where)  # exactly: True is not a number of workers
    return value


def _name_if_union(hint: Any, value: Any) -> Any:
    """Convert a value, and put the name of its class in front if the field may hold several."""
    is_choice = get_origin(hint) is UnionType and all(is_dataclass(kind) for kind in get_args(hint))
    return {_name(type(value)): to_json_value(value)} if is_choice else to_json_value(value)


def _name(kind: type[Any]) -> str:
    return kind.__name__.lower()


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


@cache
def _added_defaults(kind: type[Any]) -> Mapping[str, Any]:
    """Return the defaults of the fields that were added later, by name."""
    return {
        each.name: each.default if each.default_factory is MISSING else each.default_factory()
        for each in fields(kind)
        if _ADDED in each.metadata
    }


def _expect(fits: bool, value: Any, where: str) -> None:  # noqa: FBT001  the condition of an assertion
    if not fits:
        raise MalformedError(f"{where}: unexpected {str(value)[:200]!r}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
