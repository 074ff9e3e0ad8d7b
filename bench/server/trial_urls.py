"""Where trials are served: below ``/-/<trial>``, each of their rounds below ``/-/<trial>.<round>``.

The prefix is how the server tells one round's requests from another's without asking the client
for anything but a base URL.
"""

import re
from typing import Final, NamedTuple

TRIALS: Final = b"/-/"

_TRIAL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROUND: Final = re.compile(rb"([A-Za-z0-9_-]{1,64})\.(0|[1-9][0-9]{0,5})")


class RoundName(NamedTuple):
    """One round of a trial; the warm-up is number 0."""

    trial: str
    number: int


def trial_url(base_url: str, trial: str) -> str:
    """Return the address to which ``.<round>`` is added for each round of a trial."""
    return f"{base_url}{TRIALS.decode()}{trial}"


def is_trial_name(text: str) -> bool:
    """Tell whether a name can be part of an address."""
    return _TRIAL.fullmatch(text) is not None


def round_name(segment: bytes) -> RoundName | None:
    """Read a segment of a path such as ``t17.0``; ``None`` if it names no round."""
    match = _ROUND.fullmatch(segment)
    return RoundName(match[1].decode(), int(match[2])) if match else None


def segment_of(name: RoundName) -> bytes:
    """Return the segment of a path that stands for a round."""
    return f"{name.trial}.{name.number}".encode()
