"""Regular expressions for numbers within bounds, as JSON Schema needs them where a number is text."""

from typing import Final

_FRACTION: Final = r"(\.[0-9]{1,9})?"
_NO_FRACTION: Final = r"(\.0{1,9})?"
_NOT_ZERO: Final = r"(?![0.]+($|[^0-9.]))"


def number_up_to(limit: int) -> str:
    """Match what a config writes for the numbers from 0 to ``limit``, with up to nine decimals."""
    return f"(({_below(limit)}){_FRACTION}|{limit}{_NO_FRACTION})"


def positive(pattern: str) -> str:
    """Refuse zero where ``pattern`` matches a number, with or without a unit."""
    return _NOT_ZERO + pattern


def whole_between(low: int, high: int) -> str:
    """Match the whole numbers from ``low`` to ``high``, without zeros in front."""
    beyond = f"(?!({_below(low)})$)" if low else ""
    return f"{beyond}({_below(high + 1)})"


def _below(limit: int) -> str:
    """Match the whole numbers from 0 that are less than ``limit``, which is above 0."""
    digits = str(limit)
    ways = ["0"]
    if len(digits) > 1:
        ways.append(f"[1-9][0-9]{{0,{len(digits) - 2}}}")
    for place, digit in enumerate(digits):
        least = 1 if place == 0 else 0
        if int(digit) > least:
            ways.append(f"{digits[:place]}[{least}-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}")
    return "|".join(ways)
