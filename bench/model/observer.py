"""The progress of a run as plain data, and the ``Observer`` that the block loop tells about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.model.cases import Experiment
from bench.model.comparison import Metric, Verdict
from bench.model.results import Measurement

StopReason: TypeAlias = Literal["precise", "decided", "blocks", "budget", "given up", "disturbed"]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a case is no longer run.

    Attributes:
        reason: the median is *precise* enough, or every metric of a comparison is *decided*; the last of the
            *blocks* is done; the *budget* is spent; the case was *given up* because its trials kept failing,
            or because they kept being *disturbed*.
        blocks: number of blocks in which the case was due, failed ones included.
        half_width: half-width of the 95 % interval of its median, as a share of the median; ``None`` where
            too few blocks succeeded for an interval, and in a comparison.
    """

    reason: StopReason
    blocks: int
    half_width: float | None = None


@dataclass(frozen=True, slots=True)
class MetricState:
    """Interim result for one metric of one case of a comparison.

    Attributes:
        case: id of the case without a variant.
        verdict: ``None`` while the metric is undecided.
        ratio: candidate ÷ base; ``None``, like its bounds, before the first block that counts.
        low: lower bound of the ratio; ``None``, like ``high``, where the last block was no interim look.
        blocks: number of blocks that the ratio rests on.
    """

    case: str
    metric: Metric
    verdict: Verdict | None = None
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    blocks: int = 0


class Observer:
    """Follows a run between its trials, never while something is timed; every method does nothing.

    Cases are named by their ids, those of a comparison without a variant.
    """

    def run_started(
        self, experiment: Experiment, kept: Sequence[Measurement], stops: Mapping[str, Stop]
    ) -> None:
        """Note that the first trial is about to start; a resumed run has kept trials and stops."""

    def trial_started(self, case: str, block: int) -> None:
        """Note that a trial, or a pair of trials, is about to start.

        If machines of a cluster measure, ``case`` is a line on what they do, and ``block`` the first
        unfinished one; it is noted again every second.
        """

    def trial_ended(self, measurement: Measurement) -> None:
        """Note the measurement of a trial, or of an attempt that will be repeated."""

    def case_stopped(self, case: str, stop: Stop) -> None:
        """Note that a case is no longer run."""

    def metrics_changed(self, metrics: Sequence[MetricState], spent_s: float) -> None:
        """Note the metrics of a comparison before its first pair and after each, and the seconds spent."""

    def block_ended(self, block: int, machine: str = "") -> None:
        """Note that every case of a block has been run; ``machine`` is the label of that of a cluster."""
