"""The kinds of scalar a config has: how each is read, and what an editor is told of it."""

from typing import Annotated, Final, TypeAlias

from bench.config import units
from bench.config.fields import Text

_NUMBER: Final = r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?"
DURATION: Final = {
    "type": "string",
    "pattern": f"^{_NUMBER}(ms|s|m)$",
    "examples": ["50ms", "1.5s", "2m"],
}
_PERCENT: Final = {"type": "string", "pattern": f"^{_NUMBER}%$"}
_SHARE: Final = {"anyOf": [_PERCENT, {"type": "number", "minimum": 0, "maximum": 1}]}
_FACTOR: Final = {"anyOf": [_PERCENT, {"type": "number", "exclusiveMinimum": 0, "maximum": 1000}]}
_SIZE: Final = {
    "type": "string",
    "pattern": f"^{_NUMBER}(B|kB|MB|GB|KiB|MiB|GiB)$",
    "examples": ["10KiB", "2MiB", "10kB"],
}
_NAME: Final = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"}

Duration: TypeAlias = Annotated[float, Text(units.duration_s, DURATION)]
PositiveDuration: TypeAlias = Annotated[float, Text(units.positive_duration_s, DURATION)]
Share: TypeAlias = Annotated[float, Text(units.share, _SHARE | {"examples": ["5%", 0.05]})]
Factor: TypeAlias = Annotated[float, Text(units.factor, _FACTOR | {"examples": ["10%", 0.1, 2]})]
Size: TypeAlias = Annotated[float, Text(units.size_bytes, _SIZE)]
Name: TypeAlias = Annotated[str, Text(units.name, _NAME)]
Truth: TypeAlias = Annotated[bool, Text(units.truth, {"type": "boolean"})]


def whole(low: int, high: int) -> Text:
    """Return the kind of a whole number between two bounds, both allowed."""
    return Text(units.whole(low, high), {"type": "integer", "minimum": low, "maximum": high})


def whole_or(word: str, low: int, high: int) -> Text:
    """Return the kind of a whole number that may also be left to the program by a word: ``None`` then."""
    read_whole = units.whole(low, high)

    def read(text: str) -> int | None:
        try:
            return None if text == word else read_whole(text)
        except ValueError as error:
            raise ValueError(f"must be {word} or {str(error).removeprefix('must be ')}") from error

    number = {"type": "integer", "minimum": low, "maximum": high}
    return Text(read, {"anyOf": [{"const": word}, number]})
