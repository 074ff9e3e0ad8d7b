"""Read the countries of a config; the command ``download`` reads its own with ``codes_of``."""

from collections.abc import Mapping, Sequence
from itertools import product
from string import ascii_uppercase
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator

from bench.api.job import is_country_code
from bench.config.forms import (
    Form,
    FromForm,
    OneOrMore,
    Shorthand,
    Text,
    key,
    one_or_more,
    refuse_empty,
)
from bench.config.problems import did_you_mean, quote_text
from bench.config.scalars import whole
from bench.model.cases import Selection
from bench.model.countries import COUNTRIES, POP20
from bench.model.text import join_or

MAX_FETCHES: Final = 1_000_000

_NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "pop20": POP20,
    "all": tuple(COUNTRIES),
    "every": tuple(map("".join, product(ascii_uppercase, repeat=2))),
}
_LISTED: Final = 5

_CODE: Final = {"type": "string", "pattern": "^[A-Za-z]{2}$", "examples": ["BR", "NO"]}
_CODES: Final = {
    "anyOf": [
        {"enum": ["pop20", "all", "every"]},
        {"type": "string", "pattern": "^[A-Za-z]{1,2}$", "examples": ["B", "BR"]},
    ]
}
_COUNTRIES: Final = {"anyOf": [_CODES, {"type": "array", "items": _CODE, "minItems": 1, "uniqueItems": True}]}


def codes_of(text: str) -> tuple[str, ...]:
    """Return the codes of one word: ``pop20``, ``all``, ``every``, or a letter or a code in any case."""
    if text in _NAMED:
        return _NAMED[text]
    word = _to_upper(text)
    if len(word) == 1 and word in ascii_uppercase:
        return tuple(word + second for second in ascii_uppercase)
    if is_country_code(word):
        return (word,)
    hint = did_you_mean(text, _NAMED)
    expected = join_or([*_NAMED, "a letter", "a list of codes"])
    raise ValueError(f"must be {expected}, not {quote_text(text)}{hint}")


def parse_code(text: str) -> str:
    """Return a code in capital letters; the server answers 404 if no country has it."""
    code = _to_upper(text)
    if not is_country_code(code):
        raise ValueError(f"must be a code of two letters, not {quote_text(text)}")
    return code


def select(
    codes: Sequence[str], limit: int | None, repeat: int, *, is_one_of_several: bool = False
) -> Selection:
    """Build and name a selection: the first ``limit`` codes, ``repeat`` times over."""
    chosen = tuple(codes[:limit])
    if (fetches := len(chosen) * repeat) > MAX_FETCHES:
        raise ValueError(f"makes {fetches:,} fetches per round; the limit is {MAX_FETCHES:,}")
    label = _label(tuple(codes))
    if limit is not None:
        label += f" limit {limit}"
    if repeat > 1:
        label += f" repeat {repeat}"
    return Selection(label, chosen, repeat, is_one_of_several)


def _label(codes: tuple[str, ...]) -> str:
    for name, named in _NAMED.items():
        if codes == named:
            return name
    if len(codes) == len(ascii_uppercase) and codes == codes_of(codes[0][0]):
        return codes[0][0]
    return ",".join(codes) if len(codes) <= _LISTED else f"{len(codes)} codes"


def _to_upper(text: str) -> str:
    """Return an ASCII text in capital letters, and any other unchanged: ``ß`` must not become ``SS``."""
    return text.upper() if text.isascii() else text


def _expand_codes(value: object) -> object:
    if isinstance(value, str):
        return codes_of(value)
    if isinstance(value, list):  # BR and br are the same code
        value = [
            _to_upper(item) if isinstance(item, str) and is_country_code(_to_upper(item)) else item
            for item in value
        ]
    return one_or_more(value)


def _expand_countries(value: object) -> object:
    return value if isinstance(value, dict) else {"codes": value}


class CountriesForm(Form):
    """The flags that a round downloads, and how often."""

    codes: Annotated[
        tuple[Annotated[str, Text(parse_code, _CODE)], ...],
        AfterValidator(refuse_empty),
        Shorthand(_expand_codes, _CODES),
    ] = key(
        "pop20",
        "pop20: the chapter's twenty; all: its 194; every: AA to ZZ, most of which are not found; B: BA to "
        "BZ; or codes in any case.",
    )
    limit: Annotated[int, whole(1, 1_000_000)] | None = key(
        None, "Take only the first codes, as many as this."
    )
    repeat: OneOrMore[Annotated[int, whole(1, 1_000_000)]] = key(
        "1",
        "How many times all of them are downloaded. With a list, every case is measured with each number of "
        "downloads, and the tables say from how many on one overtakes another.",
    )

    def selections(self) -> tuple[Selection, ...]:
        """Return a selection for each number of downloads, as values of the model."""
        several = len(self.repeat) > 1
        return tuple(
            select(self.codes, self.limit, repeat, is_one_of_several=several) for repeat in self.repeat
        )


CountriesField: TypeAlias = Annotated[
    tuple[Selection, ...],
    FromForm(CountriesForm, CountriesForm.selections),
    Shorthand(_expand_countries, _COUNTRIES),
]
