"""Keep the spans of a typical call of a trial. Used by the trial."""

from collections.abc import Sequence
from heapq import nsmallest
from operator import attrgetter

from bench.api import Fetch
from bench.worker.protocol import MOST_SPANS, CallSpans


class TypicalCall:
    """Keeps the spans of the timed call whose duration was nearest to the median when it ended.

    Attributes:
        spans: those of the call; None before the first timed one.
    """

    def __init__(self) -> None:
        self.spans: CallSpans | None = None
        self._offers = 0
        self._elapsed_s: list[float] = []
        self._kept_s = 0.0

    def offer(self, fetches: Sequence[Fetch], called_s: float, returned_s: float) -> None:
        """Take the next call of the trial, of which the first is the warm-up.

        Args:
            fetches: none if they do not tell their times.
            called_s: when ``download_many`` was called, by the clock of the fetches.
            returned_s: when it returned.
        """
        number, self._offers = self._offers, self._offers + 1
        if number == 0:
            return
        elapsed_s = returned_s - called_s
        self._elapsed_s.append(elapsed_s)
        median_s = sorted(self._elapsed_s)[(len(self._elapsed_s) - 1) // 2]
        if self.spans is None or abs(elapsed_s - median_s) < abs(self._kept_s - median_s):
            self._kept_s = elapsed_s
            self.spans = _spans(number, fetches, called_s)


def _spans(call: int, fetches: Sequence[Fetch], called_s: float) -> CallSpans:
    first = nsmallest(MOST_SPANS, fetches, key=attrgetter("start_s"))
    return CallSpans(
        call=call,
        called_s=called_s,
        all_fetches=len(fetches),
        countries=tuple(fetch.country for fetch in first),
        outcomes=tuple(fetch.outcome for fetch in first),
        starts_s=tuple(fetch.start_s for fetch in first),
        answers_s=tuple(fetch.answered_s or fetch.end_s for fetch in first),
        ends_s=tuple(fetch.end_s for fetch in first),
    )
