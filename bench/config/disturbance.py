"""What a config wants done with trials that the machine or the server spoilt."""

from typing import Annotated, Final, Literal, TypeAlias

from bench.config.fields import Text
from bench.config.wording import near, shown

_FATES: Final = ("refuse", "keep")


def _fate(text: str) -> str:
    if text not in _FATES:
        raise ValueError(f"must be refuse or keep, not {shown(text)}{near(text, _FATES)}")
    return text


Disturbed: TypeAlias = Annotated[Literal["refuse", "keep"], Text(_fate, {"enum": list(_FATES)})]
