"""How throughput grows with workers: Gunther's Universal Scalability Law.

With N workers the throughput is X(N) = λN / (1 + σ(N-1) + κN(N-1)) (Gunther, *Guerrilla Capacity
Planning*, chapter 4). Waiting for what only one can have bends the curve (σ), keeping each other
informed turns it down again (κ).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, sqrt

from bench.stats.least_squares import non_negative


@dataclass(frozen=True, slots=True)
class UniversalLaw:
    """The law with its three parameters, none of them negative.

    Attributes:
        rate: λ, the throughput of one worker, per second.
        contention: σ, the share of the work that only one worker at a time can do.
        coherency: κ, what each pair of workers costs each other, as a share of the work.
    """

    rate: float
    contention: float
    coherency: float

    def throughput(self, workers: float) -> float:
        """Return what so many workers do in a second."""
        others = workers - 1
        return self.rate * workers / (1 + self.contention * others + self.coherency * workers * others)

    @property
    def peak(self) -> float:
        """How many workers do most, as a real number; infinite if more always do more."""
        if self.contention >= 1:
            return 1.0
        return max(1.0, sqrt((1 - self.contention) / self.coherency)) if self.coherency > 0 else inf

    @property
    def limit(self) -> float:
        """The throughput that no number of workers exceeds, per second; infinite if there is none."""
        if self.peak < inf:
            return self.throughput(self.peak)
        return self.rate / self.contention if self.contention > 0 else inf


def fitted(throughputs: Mapping[int, float]) -> UniversalLaw | None:
    """Fit the law to the throughput, per second, of at least three numbers of workers.

    N / X(N) = (1 + σ(N-1) + κN(N-1)) / λ is linear in 1/λ, σ/λ and κ/λ. Noise of elapsed times is
    in proportion to them, so the squares are those of the relative errors; otherwise one or two
    numbers of workers would decide alone.

    Returns:
        ``None`` where the best law has no λ, because throughput falls faster than it can say.
    """
    seconds = [workers / throughput for workers, throughput in throughputs.items()]
    alone = [1 / each for each in seconds]
    queueing = [(workers - 1) / each for workers, each in zip(throughputs, seconds, strict=True)]
    informing = [workers * each for workers, each in zip(throughputs, queueing, strict=True)]
    one, sigma, kappa = non_negative([alone, queueing, informing], [1.0] * len(seconds))
    return UniversalLaw(1 / one, sigma / one, kappa / one) if one > 0 else None
