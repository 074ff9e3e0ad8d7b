"""What a scalar means: durations, sizes, shares, whole numbers, names and truth values.

One spelling per value: no exponents, leading zeros, underscores, sexagesimals, infinities or more
digits than a float can keep. Each reader raises ``ValueError`` in words that end a message.
"""

import re
from collections.abc import Callable
from typing import Final

from bench.config.quoting import did_you_mean, quote_text

_NUMBER: Final = r"((?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?)"
_DURATION: Final = re.compile(rf"{_NUMBER}(ms|s|m)")
_SIZE: Final = re.compile(rf"{_NUMBER}(B|kB|MB|GB|KiB|MiB|GiB)")
_SHARE: Final = re.compile(rf"{_NUMBER}(%?)")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WHOLE: Final = re.compile(r"0|[1-9][0-9]{0,14}")

_SECONDS: Final = {"ms": 1e-3, "s": 1.0, "m": 60.0}
_BYTES: Final = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip
_TRUTHS: Final = ("true", "false")
_DAY_S: Final = 86_400.0


def duration_s(text: str) -> float:
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
    return _positive(duration_s(text), text)


def size_bytes(text: str) -> float:
    """Read ``10KiB``, ``2MiB`` or ``10kB`` as bytes; more than zero."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"must be a size such as 10KiB, 2MiB or 10kB, not {quote_text(text)}")
    return _positive(float(found[1]) * _BYTES[found[2]], text)


def factor(text: str) -> float:
    """Read ``10%``, ``0.1`` or ``2`` as a factor above zero, at most 1000."""
    value = _percent_or_number(text)
    if value > 1000:  # noqa: PLR2004  the limit that the docstring states
        raise ValueError(f"must be at most 1000, not {quote_text(text)}")
    return _positive(value, text)


def parse_share(text: str) -> float:
    """Read ``5%`` or ``0.05`` as a probability from 0 to 1."""
    value = _percent_or_number(text)
    if value > 1:
        hint = "" if "%" in text or value > 100 else f"; did you mean '{text}%'?"  # noqa: PLR2004  per cent
        raise ValueError(f"must be from 0% to 100%, not {quote_text(text)}{hint}")
    return value


def parse_positive_share(text: str) -> float:
    """Read a share that is not zero."""
    return _positive(parse_share(text), text)


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return the reader of whole numbers between two bounds, both allowed."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {quote_text(text)}")
        return int(text)

    return read


def truth(text: str) -> bool:
    """Read ``true`` or ``false``."""
    if text not in _TRUTHS:
        raise ValueError(f"must be true or false, not {quote_text(text)}{did_you_mean(text, _TRUTHS)}")
    return text == "true"


def identifier(text: str) -> str:
    """Read a name that is safe in a path, a terminal and a pattern."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"must be at most 64 letters, digits, dots, dashes and underscores, a letter or digit first, "
            f"not {quote_text(text)}"
        )
    return text


def duration_text(seconds: float) -> str:
    """Write seconds as a config would: ``50ms``, ``1.5s``."""
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


def size_text(size: float) -> str:
    """Write bytes as a config would, in the largest unit that needs no long fraction: ``2MiB``."""
    for unit in ("GiB", "GB", "MiB", "MB", "KiB", "kB"):
        if size >= _BYTES[unit] and (size / _BYTES[unit] * 100).is_integer():
            return f"{size / _BYTES[unit]:g}{unit}"
    return f"{size:g}B"


def _percent_or_number(text: str) -> float:
    found = _SHARE.fullmatch(text)
    if not found:
        raise ValueError(f"must be a share such as 5% or 0.05, not {quote_text(text)}")
    return float(found[1]) / 100 if found[2] else float(found[1])


def _positive(value: float, text: str) -> float:
    if value <= 0:
        raise ValueError(f"must be more than zero, not {quote_text(text)}")
    return value
