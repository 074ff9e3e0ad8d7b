"""Find the fields of a line by their names, in a log with pairs such as ``rt=0.012`` or of JSON."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

Fields: TypeAlias = Mapping[str, str]
Split: TypeAlias = Callable[[str], Fields | None]
"""Finds the fields of a line by their names; None: the line is not of this form."""


class NumberText(str):
    """The text of a number of JSON, as it is written."""

    __slots__ = ()


_QUOTED: Final = re.compile(r"(?<!\\)(=?)\"((?:[^\"\\]|\\.)*)\"")
_PAIR: Final = re.compile(r"(?<![^\s|,;\[({])([A-Za-z_][\w-]*)=(?:\"([^\"]*)\"|([^\s\"|;\])}]*))")
_COMBINED: Final = re.compile(r"\] \"\" (?P<status>[0-9]{3}|-) (?P<size>[0-9]+|-)(?P<rest> .*)?$")
_COMBINED_END: Final = re.compile(r"(?: \"\")*")


def split_pairs(line: str) -> Fields | None:
    """Find pairs such as ``rt=0.012`` outside of quotes, and the status and size of 'combined'.

    None if a name is there twice.
    """
    plain = _without_quotes(line)
    fields: dict[str, str] = {}
    for name, quoted, bare in _PAIR.findall(plain):
        if name in fields:
            return None
        fields[name] = quoted or bare
    if found := _COMBINED.search(plain):
        fields.setdefault("status", found["status"])
        fields.setdefault("body_bytes_sent", found["size"])
    return fields


def combined_kind(line: str) -> Literal["plain", "longer"] | None:
    """Say whether a line is of the formats 'combined' and 'common', or begins like them; None: it is not."""
    found = _COMBINED.search(_without_quotes(line))
    if found is None:
        return None
    return "plain" if _COMBINED_END.fullmatch(found["rest"] or "") else "longer"


def _without_quotes(line: str) -> str:
    """Empty the quotes of a line, in which a client may have written pairs; the value of a pair stays."""
    return _QUOTED.sub(lambda found: '""' if not found[1] else f'="{_plain_value(found[2])}"', line)


def _plain_value(text: str) -> str:
    return "" if "=" in text or "\\" in text else text


def split_json(line: str) -> Fields | None:
    """Return the texts and numbers of a JSON object, as they are written; None if the line is none."""
    try:
        value = json.loads(line, parse_float=NumberText, parse_int=NumberText, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    return {
        key: "" if item is None else item
        for key, item in value.items()
        if item is None or isinstance(item, str)
    }
