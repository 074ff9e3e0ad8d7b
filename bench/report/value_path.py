"""Read figures of cases and rounds for the columns of tables and exports."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Source: TypeAlias = str | Callable[[T], Any]
"""Where a figure comes from: a path such as ``costs.phases.start_s``, or a function."""


def read_value(record: T, source: Source[T]) -> Any:
    """Return the value of a function, or at a path in a record.

    A path has attributes and keys with dots between them. A value that was not measured is None.
    """
    if callable(source):
        return source(record)
    found: Any = record
    for name in source.split("."):
        if found is None:
            return None
        found = found.get(name) if isinstance(found, Mapping) else getattr(found, name)
    return found
