"""Which probes a config asks for."""

from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator

from bench.config.fields import Short, Text, one_or_more
from bench.config.wording import listing, near, shown
from bench.model.cases import PROBES

_ALL: Final = "all"
_NONE: Final = "none"
_PROBE: Final = {"enum": list(PROBES)}
_WORD: Final = {"enum": [_ALL, _NONE, *PROBES]}


def _probe(text: str) -> str:
    if text not in PROBES:
        hint = near(text, (_ALL, _NONE, *PROBES)) or f"; the probes are {listing(PROBES)}"
        raise ValueError(f"unknown probe {shown(text)}{hint}")
    return text


def _named(value: object) -> object:
    """Expand the words for all probes and for none, and a single probe."""
    match value:
        case str() if value == _ALL:
            return list(PROBES)
        case str() if value == _NONE:
            return []
        case []:
            raise ValueError("must not be empty; write none")
        case _:
            return one_or_more(value)


def _in_order(probes: tuple[str, ...]) -> tuple[str, ...]:
    """Put them into one order, so that the same choice is the same setting."""
    return tuple(probe for probe in PROBES if probe in probes)


Probes: TypeAlias = Annotated[
    tuple[Annotated[str, Text(_probe, _PROBE)], ...], AfterValidator(_in_order), Short(_named, _WORD)
]
