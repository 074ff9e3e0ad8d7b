"""Texts in the cells of CSV files, which spreadsheets open."""

from typing import Final

from bench.report.figures import printable

_BEGINS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
"""What spreadsheets take for the beginning of one; the last four are wide forms of the first four."""


def safe(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula, and a terminal from obeying it."""
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(_BEGINS_FORMULA) else printable(value)
