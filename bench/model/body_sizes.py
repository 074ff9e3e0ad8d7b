"""Define how large the bodies of a profile are, where they take the place of the flags."""

from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final, TypeAlias

SMALLEST_BODY: Final = 1_000
LARGEST_BODY: Final = 10 << 20


@dataclass(frozen=True, slots=True)
class FixedSize:
    """The same size for every body."""

    size_bytes: int


@dataclass(frozen=True, slots=True)
class LogNormalSize:
    """Sizes with the long tail of real files, limited to ``SMALLEST_BODY`` and ``LARGEST_BODY``."""

    median_bytes: int
    p99_bytes: int


@dataclass(frozen=True, slots=True)
class SampledSize:
    """Sizes that the user has measured: each of the values is as likely.

    Attributes:
        values_bytes: ascending.
    """

    values_bytes: tuple[int, ...]

    @property
    def median_bytes(self) -> float:
        """Half of all bodies are larger than this."""
        return median(self.values_bytes)

    @property
    def p99_bytes(self) -> float:
        """One body of a hundred is larger than this."""
        return quantiles(self.values_bytes, n=100, method="inclusive")[-1]


BodySizes: TypeAlias = FixedSize | LogNormalSize | SampledSize
