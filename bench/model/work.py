"""CPU work on each download of a case."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """CPU work on each flag once it is saved.

    Attributes:
        kind: one of ``bench.api.processing.KINDS``; empty: none.
        times: how often it is done; 0: there is none.
        is_one_of_several: whether the config asks for other numbers of times, too, so that the number is part
            of the ids of cases.
    """

    kind: str = ""
    times: int = 0
    is_one_of_several: bool = False
