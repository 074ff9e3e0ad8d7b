"""Read the scalars of a config: durations, sizes, shares, whole numbers, names, truth values and choices.

Each kind has a parser, which the options of commands use too, and a type for the fields of a form. One
spelling per value: no exponents, leading zeros, underscores, sexagesimals, infinities or more digits
than a float can keep. Each parser raises ``ValueError`` with the end of a message.
"""

import re
from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import Annotated, Final, TypeAlias

from bench.config.forms import Editor, Text
from bench.config.problems import did_you_mean, quote_text, unknown_word
from bench.model.text import BYTES_BY_UNIT, join_or

_NUMBER: Final = r"((?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?)"
_DURATION: Final = re.compile(rf"{_NUMBER}(ms|s|m)")
_SIZE: Final = re.compile(rf"{_NUMBER}(B|kB|MB|GB|KiB|MiB|GiB)")
_SHARE: Final = re.compile(rf"{_NUMBER}(%?)")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,14}")

_SECONDS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0}
DURATION_UNITS: Final = tuple(_SECONDS)
SIZE_UNITS: Final = ("B", "kB", "MB", "KiB", "MiB")
"""Those of a body; a gigabyte is more than any has."""
_TRUTHS: Final = ("true", "false")
_DAY_S: Final = 86_400.0
_LARGEST_FACTOR: Final = 1000
_LARGEST_PERCENTAGE: Final = 100


def parse_host(text: str) -> str:
    """Read one IP address of this machine, at which others may find it: not 0.0.0.0, and without a zone."""
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    if address is None or address.is_unspecified or address.is_multicast or "%" in text:
        raise ValueError(f"must be an IP address of this machine, not {quote_text(text)}")
    return str(address)


def parse_duration(text: str) -> float:
    """Read ``50ms``, ``1.5s`` or ``2m`` as seconds; at most a day."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"must be a duration such as 50ms, 1.5s or 2m, not {quote_text(text)}")
    # 50 / 1000 is the float nearest to 0.05, which 50 * 0.001 is not for every number
    seconds = float(found[1]) / 1000 if found[2] == "ms" else float(found[1]) * _SECONDS[found[2]]
    if seconds > _DAY_S:
        raise ValueError(f"must be at most a day, not {quote_text(text)}")
    return seconds


def parse_positive_duration(text: str) -> float:
    """Read a duration that is not zero."""
    return _positive(parse_duration(text), text)


def parse_size(text: str) -> float:
    """Read ``10KiB``, ``2MiB`` or ``10kB`` as bytes; more than zero."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"must be a size such as 10KiB, 2MiB or 10kB, not {quote_text(text)}")
    return _positive(float(found[1]) * BYTES_BY_UNIT[found[2]], text)


def parse_factor(text: str) -> float:
    """Read ``10%``, ``0.1`` or ``2`` as a factor above zero, at most 1000."""
    value = _percent_or_number(text)
    if value > _LARGEST_FACTOR:
        raise ValueError(f"must be at most {_LARGEST_FACTOR}, not {quote_text(text)}")
    return _positive(value, text)


def parse_share(text: str) -> float:
    """Read ``5%`` or ``0.05`` as a probability from 0 to 1."""
    value = _percent_or_number(text)
    if value > 1:
        may_be_percent = "%" not in text and value <= _LARGEST_PERCENTAGE
        hint = f"; did you mean '{text}%'?" if may_be_percent else ""
        raise ValueError(f"must be from 0% to 100%, not {quote_text(text)}{hint}")
    return value


def parse_positive_share(text: str) -> float:
    """Read a share that is not zero."""
    return _positive(parse_share(text), text)


def parse_whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {quote_text(text)}")
        return int(text)

    return parse


def parse_truth(text: str) -> bool:
    """Read ``true`` or ``false``."""
    if text not in _TRUTHS:
        raise ValueError(f"must be true or false, not {quote_text(text)}{did_you_mean(text, _TRUTHS)}")
    return text == "true"


def parse_name(text: str) -> str:
    """Read a name that is safe in a path, a terminal and a pattern."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"must be at most 64 letters, digits, dots, dashes and underscores, a letter or digit first, "
            f"not {quote_text(text)}"
        )
    return text


def _percent_or_number(text: str) -> float:
    found = _SHARE.fullmatch(text)
    if not found:
        raise ValueError(f"must be a share such as 5% or 0.05, not {quote_text(text)}")
    return float(found[1]) / 100 if found[2] else float(found[1])


def _positive(value: float, text: str) -> float:
    if value <= 0:
        raise ValueError(f"must be more than zero, not {quote_text(text)}")
    return value


def duration_text(seconds: float) -> str:
    """Write seconds as a config would: ``50ms``, ``1.5s``."""
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


# An editor reads YAML's types: a number in quotes is text to it, and a name of digits a number. It checks
# the ranges of numbers only; those of text are checked by the parsers.

_TEXT_OR_NUMBER: Final = ["string", "number"]
_SHARE_PATTERN: Final = "^[0-9.]+%?$"
DURATION_EDITOR: Final[Editor] = {
    "type": "string", "pattern": "^[0-9.]+(ms|s|m)$", "examples": ["50ms", "1.5s", "2m"],
}  # fmt: skip
_SHARE_EDITOR: Final[Editor] = {
    "type": _TEXT_OR_NUMBER, "pattern": _SHARE_PATTERN, "minimum": 0, "maximum": 1, "examples": ["5%", 0.05],
}  # fmt: skip
POSITIVE_SHARE_EDITOR: Final[Editor] = {
    "type": _TEXT_OR_NUMBER, "pattern": _SHARE_PATTERN, "exclusiveMinimum": 0, "maximum": 1,
    "examples": ["3%", 0.03],
}  # fmt: skip
_FACTOR_EDITOR: Final[Editor] = {
    **POSITIVE_SHARE_EDITOR, "maximum": _LARGEST_FACTOR, "examples": ["10%", 0.1, 2],
}  # fmt: skip
SIZE_EDITOR: Final[Editor] = {
    "type": "string", "pattern": f"^[0-9.]+({'|'.join(BYTES_BY_UNIT)})$",
    "examples": ["10KiB", "2MiB", "10kB"],
}  # fmt: skip
_NAME_EDITOR: Final[Editor] = {
    "type": ["string", "number", "boolean"], "pattern": f"^{_NAME.pattern}$", "minimum": 0,
}  # fmt: skip

Duration: TypeAlias = Annotated[float, Text(parse_duration, DURATION_EDITOR)]
PositiveDuration: TypeAlias = Annotated[float, Text(parse_positive_duration, DURATION_EDITOR)]
Share: TypeAlias = Annotated[float, Text(parse_share, _SHARE_EDITOR)]
PositiveShare: TypeAlias = Annotated[float, Text(parse_positive_share, POSITIVE_SHARE_EDITOR)]
Factor: TypeAlias = Annotated[float, Text(parse_factor, _FACTOR_EDITOR)]
Size: TypeAlias = Annotated[float, Text(parse_size, SIZE_EDITOR)]
Name: TypeAlias = Annotated[str, Text(parse_name, _NAME_EDITOR)]
Truth: TypeAlias = Annotated[bool, Text(parse_truth, {"enum": [True, False, *_TRUTHS]})]


def whole(low: int, high: int) -> Text:
    """Annotate a whole number from ``low`` to ``high``."""
    return Text(parse_whole(low, high), whole_editor(low, high))


def whole_or_auto(low: int, high: int) -> Text:
    """Annotate a whole number, or ``None`` for the word ``auto``."""
    parse_number = parse_whole(low, high)

    def parse(text: str) -> int | None:
        try:
            return None if text == "auto" else parse_number(text)
        except ValueError as error:
            raise ValueError(f"must be auto or {str(error).removeprefix('must be ')}") from error

    return Text(parse, {"anyOf": [{"const": "auto"}, whole_editor(low, high)]})


def whole_editor(low: int, high: int) -> Editor:
    """Describe a whole number from ``low`` to ``high`` to an editor."""
    return {"type": ["integer", "string"], "minimum": low, "maximum": high, "pattern": "^[0-9]+$"}


def one_of(noun: str, words: Collection[str], *, near: Collection[str] = (), hint: str = "") -> Text:
    """Annotate a choice between words.

    Args:
        noun: names the choice in messages: *unknown metric 'speed'*.
        words: those that are allowed.
        near: more words that may be suggested in place of a typo.
        hint: ends the message if no word is near; a list of the words if empty.
    """
    otherwise = hint or f"; choose from {join_or(words)}"

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(unknown_word(noun, text, [*near, *words], otherwise))
        return text

    return Text(parse, {"enum": list(words)})
