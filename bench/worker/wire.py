"""Frozen dataclasses as JSON and back, strictly: nothing missing, nothing more, every type as declared."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from bench.errors import BenchError

T = TypeVar("T")


class MalformedError(BenchError):
    """A document between harness and worker is not what was agreed."""


def encode(document: Any) -> str:
    """Write a dataclass, or a mapping that holds some, as one line of JSON."""
    return json.dumps(document, default=_plain, allow_nan=False)


def decode(kind: type[T], text: str | bytes) -> T:
    """Read one JSON document as a dataclass of this kind.

    Raises:
        MalformedError: with the path of the value that does not fit.
    """
    document: T = fit(kind, parse(text), kind.__name__)
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


def fit(kind: Any, value: Any, where: str) -> Any:
    """Build a value of a declared type from what JSON holds.

    The type may be a dataclass, ``Path`` or a scalar, or a ``tuple``, ``Mapping``, ``Literal`` or
    optional of such; ``where`` is the path of the value, for the error.

    Raises:
        MalformedError: it does not fit.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else fit(inner[0], value, where)
    if origin is Literal:
        _expect(value in inner, value, where)
        return value
    if origin is tuple:
        _expect(isinstance(value, list), value, where)
        return tuple(fit(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is Mapping:
        _expect(isinstance(value, dict), value, where)
        return {name: fit(inner[1], item, f"{where}.{name}") for name, item in value.items()}
    if is_dataclass(kind):
        return _fit_dataclass(kind, value, where)
    return _fit_scalar(kind, value, where)


def _fit_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, where)
    hints = get_type_hints(kind)
    _expect(value.keys() == hints.keys(), sorted(value), where)
    return kind(**{name: fit(hint, value[name], f"{where}.{name}") for name, hint in hints.items()})


def _fit_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Path:
        _expect(isinstance(value, str), value, where)
        return Path(value)
    if kind is float:
        _expect(type(value) in {int, float} and abs(value) <= sys.float_info.max, value, where)
        return float(value)
    _expect(type(value) is kind, value, where)  # exactly: True is no number of workers
    return value


def _expect(fits: bool, value: Any, where: str) -> None:  # noqa: FBT001  the condition of an assertion
    if not fits:
        raise MalformedError(f"{where}: unexpected {str(value)[:200]!r}")


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
