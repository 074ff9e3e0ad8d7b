"""Replace characters that a console's encoding cannot show, as in a C locale. Used by every command."""

import codecs
import io
from collections.abc import Mapping
from typing import Final, TextIO

_HANDLER: Final = "flagbench.stand_ins"
_SHOWN: Final = "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉▸◂●│┊┃─━╭╮╰╯−–—×÷≈±…·→≤≥σκ"
_ASCII: Final = "_.-:=+*#..::==#><o|:|--++++---x/~~.-><>sk"
STAND_INS: Final[Mapping[str, str]] = dict(zip(_SHOWN, _ASCII, strict=True))
"""Characters of tables, sentences and progress, each with an ASCII character; both are one cell wide."""


def use_stand_ins(stream: TextIO | None) -> None:
    """Have a stream write stand-ins for characters that its encoding lacks, instead of failing."""
    codecs.register_error(_HANDLER, _replace_characters)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=_HANDLER)


def _replace_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace characters by stand-ins; others, as in a user's names, by escapes that can be told apart."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_stand_in, error.object[error.start : error.end])), error.end


def _stand_in(character: str) -> str:
    return STAND_INS.get(character) or character.encode("ascii", "backslashreplace").decode("ascii")
