"""Convert frozen dataclasses to JSON and back, with every field present and of its declared type.

Stored documents and messages between processes all use it, so each value has one form. If a field may hold
one of several dataclasses, JSON has its lower-cased name: ``{"uniform": {…}}``. A field that was added after
documents had been stored is absent while it has its default (``added_field``), so those can still be read.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, NoReturn, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

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
    return _builder(kind)(value, where)


_Build: TypeAlias = Callable[[Any, str], Any]
"""Builds a value from parsed JSON, which has this path in its document."""


@cache
def _builder(kind: Any) -> _Build:
    """Choose how values of a type are built; a stored run has thousands of them."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        kinds = tuple(each for each in inner if each is not NoneType)
        build = _builder(kinds[0]) if len(kinds) == 1 else partial(_build_choice, kinds)
        return partial(_build_optional, build) if NoneType in inner else build
    if origin is Literal:
        return partial(_build_literal, inner)
    if origin is tuple:
        return partial(_build_tuple, inner[0])
    if origin is Mapping:
        return partial(_build_mapping, inner[1])
    if is_dataclass(kind):
        return partial(_build_dataclass, kind)
    named: Mapping[Any, _Build] = {object: _keep_any, Path: _build_path, float: _build_float}
    return named.get(kind) or partial(_keep_exact, kind)


def _build_optional(build: _Build, value: Any, where: str) -> Any:
    return None if value is None else build(value, where)


def _build_choice(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Build the dataclass that JSON names."""
    by_name = {_name(kind): kind for kind in kinds}
    _expect(isinstance(value, dict) and len(value) == 1 and value.keys() <= by_name.keys(), value, where)
    ((name, inner),) = value.items()
    return _builder(by_name[name])(inner, f"{where}.{name}")


def _build_literal(allowed: tuple[Any, ...], value: Any, where: str) -> Any:
    _expect(value in allowed, value, where)
    return value


def _build_tuple(kind: Any, value: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(value, list), value, where)
    build = _builder(kind)
    return tuple(build(item, f"{where}[{i}]") for i, item in enumerate(value))


def _build_mapping(kind: Any, value: Any, where: str) -> dict[str, Any]:
    _expect(isinstance(value, dict), value, where)
    build = _builder(kind)
    return {name: build(item, f"{where}.{name}") for name, item in value.items()}


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, where)
    builders = _field_builders(kind)
    if odd := (value.keys() ^ builders.keys()) - (_added_defaults(kind).keys() - value.keys()):
        raise MalformedError(f"{where}: missing or unexpected: {', '.join(sorted(odd))[:200]}")
    return kind(
        **{name: build(value[name], f"{where}.{name}") for name, build in builders.items() if name in value}
    )


@cache
def _field_builders(kind: Any) -> Mapping[str, _Build]:
    return {name: _builder(hint) for name, hint in _hints(kind).items()}


def _keep_any(value: Any, _where: str) -> Any:
    return value


def _build_path(value: Any, where: str) -> Path:
    _expect(isinstance(value, str), value, where)
    return Path(value)


def _build_float(value: Any, where: str) -> float:
    _expect(type(value) in {int, float} and abs(value) <= sys.float_info.max, value, where)
    return float(value)


def _keep_exact(kind: type[T], value: Any, where: str) -> T:
    """Return a value of exactly this type: True is not a number of workers."""
    _expect(type(value) is kind, value, where)
    kept: T = value
    return kept


def _name_if_union(hint: Any, value: Any) -> Any:
    """Convert a value, and put the name of its class in front if the field may hold several."""
    kinds = [each for each in get_args(hint) if each is not NoneType]
    is_choice = get_origin(hint) is UnionType and len(kinds) > 1 and all(map(is_dataclass, kinds))
    if value is None:
        return None
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
