"""Frozen dataclasses as JSON and back, strictly: nothing missing, nothing more, every type as declared.

What processes say to each other and what is stored goes through here, so there is one form of each
value. Where a field may hold one of several dataclasses, JSON names which: ``{"uniform": {…}}``.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from bench.errors import BenchError

T = TypeVar("T")


class MalformedError(BenchError):
    """A document is not what was agreed."""


def encode(value: Any) -> str:
    """Write a value as one line of JSON."""
    return json.dumps(to_json_value(value), allow_nan=False, separators=(",", ":"))


def decode(kind: type[T], text: str | bytes) -> T:
    """Read one JSON document as a dataclass of this kind.

    Raises:
        MalformedError: with the path of the value that does not fit.
    """
    document: T = from_json_value(kind, parse(text), kind.__name__)
    return document


def parse(text: str | bytes) -> Any:
    """Read JSON as RFC 8259 has it, without Python's NaN and Infinity.

    Raises:
        MalformedError: it is something else.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not a JSON document: {error}") from error


def to_json_value(value: Any) -> Any:
    """Return what ``json.dumps`` takes for a dataclass, or for a container of them."""
    if is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        return {name: _tagged(hint, getattr(value, name)) for name, hint in hints.items()}
    if isinstance(value, Mapping):
        return {name: to_json_value(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_json_value(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def from_json_value(kind: Any, value: Any, where: str) -> Any:
    """Build a value of a declared type from what JSON holds.

    The type may be a dataclass or one of several, ``Path``, a scalar, or a ``tuple``, ``Mapping``,
    ``Literal`` or optional of such; ``object`` takes anything. ``where`` is the path of the value, for
    the error.

    Raises:
        MalformedError: it does not fit.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return _fit_union(inner, value, where)
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
        return _fit_dataclass(kind, value, where)
    return _fit_scalar(kind, value, where)


def _fit_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    """Build an optional value, or that dataclass of several whose name stands in front."""
    if kinds[-1] is type(None):
        return None if value is None else from_json_value(kinds[0], value, where)
    by_name = {_name(kind): kind for kind in kinds}
    _expect(isinstance(value, dict) and len(value) == 1 and value.keys() <= by_name.keys(), value, where)
    ((name, inner),) = value.items()
    return from_json_value(by_name[name], inner, f"{where}.{name}")


def _fit_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, where)
    hints = _hints(kind)
    if odd := value.keys() ^ hints.keys():
        raise MalformedError(f"{where}: missing or unexpected: {', '.join(sorted(odd))[:200]}")
    return kind(
        **{name: from_json_value(hint, value[name], f"{where}.{name}") for name, hint in hints.items()}
    )


def _fit_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is object:
        return value
    if kind is Path:
        _expect(isinstance(value, str), value, where)
        return Path(value)
    if kind is float:
        _expect(type(value) in {int, float} and abs(value) <= sys.float_info.max, value, where)
        return float(value)
    _expect(type(value) is kind, value, where)  # exactly: True is no number of workers
    return value


def _tagged(hint: Any, value: Any) -> Any:
    is_choice = get_origin(hint) is UnionType and all(is_dataclass(kind) for kind in get_args(hint))
    return {_name(type(value)): to_json_value(value)} if is_choice else to_json_value(value)


def _name(kind: type[Any]) -> str:
    return kind.__name__.lower()


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _expect(fits: bool, value: Any, where: str) -> None:  # noqa: FBT001  the condition of an assertion
    if not fits:
        raise MalformedError(f"{where}: unexpected {str(value)[:200]!r}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
