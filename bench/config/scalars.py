"""The kinds of scalar a config has: how each is read, and what an editor is told of it."""

from typing import Annotated, Final, TypeAlias

from bench.config import units
from bench.config.patterns import number_up_to, positive, whole_between
from bench.config.pydantic_types import Editor, Text

# Patterns of the same, for scalars that are made of several.
DURATIONS: Final = f"{number_up_to(86_400_000)}ms|{number_up_to(86_400)}s|{number_up_to(1440)}m"
SHARES: Final = f"{number_up_to(100)}%|{number_up_to(1)}"
_FACTORS: Final = f"{number_up_to(100_000)}%|{number_up_to(1000)}"
SIZES: Final = f"{number_up_to(10**15 - 1)}(B|kB|MB|GB|KiB|MiB|GiB)"

_TIME: Final = {"type": "string", "examples": ["50ms", "1.5s", "2m"]}
DURATION: Final = _TIME | {"pattern": f"^({DURATIONS})$"}
_POSITIVE_DURATION: Final = _TIME | {"pattern": f"^{positive(f'({DURATIONS})')}$"}
# What stands in quotes is text to an editor and a number to us, and the other way round with names.
_SHARE: Final = {
    "type": ["string", "number"],
    "pattern": f"^({SHARES})$",
    "minimum": 0,
    "maximum": 1,
    "examples": ["5%", 0.05],
}
POSITIVE_SHARE: Final = {
    "type": ["string", "number"],
    "pattern": f"^{positive(f'({SHARES})')}$",
    "exclusiveMinimum": 0,
    "maximum": 1,
    "examples": ["3%", 0.03],
}
_FACTOR: Final = {
    "type": ["string", "number"],
    "pattern": f"^{positive(f'({_FACTORS})')}$",
    "exclusiveMinimum": 0,
    "maximum": 1000,
    "examples": ["10%", 0.1, 2],
}
_SIZE: Final = {
    "type": "string",
    "pattern": f"^{positive(SIZES)}$",
    "examples": ["10KiB", "2MiB", "10kB"],
}
_NAME: Final = {
    "type": ["string", "number", "boolean"],
    "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
    "minimum": 0,
}
_TRUTH: Final = {"enum": [True, False, "true", "false"]}

Duration: TypeAlias = Annotated[float, Text(units.duration_s, DURATION)]
PositiveDuration: TypeAlias = Annotated[float, Text(units.parse_positive_duration, _POSITIVE_DURATION)]
Share: TypeAlias = Annotated[float, Text(units.parse_share, _SHARE)]
PositiveShare: TypeAlias = Annotated[float, Text(units.parse_positive_share, POSITIVE_SHARE)]
Factor: TypeAlias = Annotated[float, Text(units.factor, _FACTOR)]
Size: TypeAlias = Annotated[float, Text(units.size_bytes, _SIZE)]
Name: TypeAlias = Annotated[str, Text(units.identifier, _NAME)]
Truth: TypeAlias = Annotated[bool, Text(units.truth, _TRUTH)]


def whole(low: int, high: int) -> Text:
    """Return the kind of a whole number between two bounds, both allowed."""
    return Text(units.whole(low, high), whole_editor(low, high))


def whole_or(word: str, low: int, high: int) -> Text:
    """Return the kind of a whole number that may also be left to the program by a word: ``None`` then."""
    read_whole = units.whole(low, high)

    def read(text: str) -> int | None:
        try:
            return None if text == word else read_whole(text)
        except ValueError as error:
            raise ValueError(f"must be {word} or {str(error).removeprefix('must be ')}") from error

    return Text(read, {"anyOf": [{"const": word}, whole_editor(low, high)]})


def whole_editor(low: int, high: int) -> Editor:
    """Return what an editor is told of a whole number between two bounds."""
    return {
        "type": ["integer", "string"],
        "minimum": low,
        "maximum": high,
        "pattern": f"^{whole_between(low, high)}$",
    }
