"""The order of cases and rounds: randomised complete blocks, and rounds of a pair that alternate.

Every case runs once per block, in an order of the block's own, so that the machine's drift falls on
all cases alike instead of on those that happen to come last (Fisher, *The Design of Experiments*).
"""

from collections.abc import Iterable
from hashlib import blake2b


def block_order(case_ids: Iterable[str], seed: int, block: int) -> tuple[str, ...]:
    """Return the cases in the order in which this block runs them.

    Sorting by a keyed hash is a uniform shuffle that is the same on every Python and platform, and
    leaving a case out does not disturb the order of the others: both matter to resuming a run.
    """

    def key(case_id: str) -> bytes:
        return blake2b(f"{seed}\0{block}\0{case_id}".encode(), digest_size=16).digest()

    return tuple(sorted(case_ids, key=key))


def alternation(rounds: int) -> tuple[int, ...]:
    """Return which trial of a pair, 0 or 1, runs each round: ABBA and so on.

    Steady drift over the rounds then falls on both trials alike.
    """
    return tuple(place for number in range(rounds) for place in ((0, 1), (1, 0))[number % 2])
