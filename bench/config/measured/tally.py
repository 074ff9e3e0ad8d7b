"""Gather the figures of answers in bounded memory, and choose the time and the size that make a profile."""

from collections.abc import Sequence
from typing import Final

from bench.config.measured.answers import Answer, Elsewhere, Entry, Figure, Measured, Sample
from bench.errors import UsageError
from bench.model.body_sizes import LARGEST_BODY, SMALLEST_BODY
from bench.model.text import join_and, plural

MOST_READ: Final = 10_000_000
_LEAST_STATUS: Final = 200
_FIRST_FAILED: Final = 400
_MOST_UNREADABLE: Final = 10
"""One of so many lines may be unreadable."""
_FEWEST: Final = 2
_NUMBERED: Final = 3


class SizeSample(Sample):
    """Sizes that the flag server can serve, and the number of others.

    Attributes:
        small: how many were smaller.
        large: how many were larger.
    """

    def __init__(self) -> None:
        super().__init__()
        self.small = self.large = 0

    def add(self, value: float) -> None:
        """Count a size, and keep it within the bounds."""
        if value < SMALLEST_BODY:
            self.small += 1
        elif value > LARGEST_BODY:
            self.large += 1
        else:
            super().add(value)


class Tally:
    """Counts the entries of a file, one by one, and keeps the figures of answers that did not fail."""

    def __init__(self, title: str, noun: str, times: Sequence[Figure], sizes: Sequence[Figure]) -> None:
        self._title, self._noun = title, noun
        self._times = [(each, Sample()) for each in times]
        self._sizes = [(each, SizeSample()) for each in sizes]
        self._entries = self._counted = self._failed = self._elsewhere = self._with_status = 0
        self._unreadable: list[int] = []
        self._all_unreadable = 0

    def add(self, entry: Entry) -> None:
        """Count an entry.

        Raises:
            UsageError: it is one too many.
        """
        self._entries += 1
        if self._entries > MOST_READ:
            raise UsageError(f"the file has more than {MOST_READ:,} {self._noun}s", hint="take a part of it")
        if entry is None:
            self._all_unreadable += 1
            if len(self._unreadable) < _NUMBERED:
                self._unreadable.append(self._entries)
        elif isinstance(entry, Elsewhere):
            self._elsewhere += 1
        else:
            self._add_answer(entry)

    def _add_answer(self, answer: Answer) -> None:
        if answer.status is not None:
            self._with_status += 1
            if not _LEAST_STATUS <= answer.status < _FIRST_FAILED:
                self._failed += 1
                return
        self._counted += 1
        figures = zip((*self._times, *self._sizes), (*answer.times_ms, *answer.sizes), strict=True)
        for (_, sample), value in figures:
            if value is not None:
                sample.add(value)

    def result(self) -> Measured:
        """Choose the time and the size: the first of each that at least half of the answers have.

        Raises:
            UsageError: too many entries cannot be read, or none of the times is known often enough.
        """
        self._check_unreadable()
        time, latencies = self._choose_time()
        size, sizes = self._choose_size()
        return Measured(
            title=self._title,
            noun=self._noun,
            entries=self._entries,
            time=time,
            latencies=latencies,
            size=size if sizes.count >= max(_FEWEST, sizes.small + sizes.large) else None,
            sizes=sizes,
            has_status=self._with_status > 0,
            left_out=_counts(
                {
                    "could not be read": self._all_unreadable,
                    "failed (no answer, or a status below 200 or from 400 on)": self._failed,
                    "came from a cache, or not over HTTP": self._elsewhere,
                    "have no such time": self._counted - latencies.count,
                }
            ),
            size_left_out=_counts(
                {
                    f"smaller than {SMALLEST_BODY:,} B": sizes.small,
                    f"larger than {LARGEST_BODY >> 20} MiB": sizes.large,
                }
            ),
        )

    def _check_unreadable(self) -> None:
        if self._all_unreadable * _MOST_UNREADABLE > self._entries:
            numbers = join_and([f"{number:,}" for number in self._unreadable])
            of = plural(self._entries, self._noun)
            raise UsageError(
                f"{self._all_unreadable:,} of {of} cannot be read as {self._title}, more than a tenth; "
                f"the first are number {numbers}",
                hint="check --format, --log-format, --column and --unit",
            )
        if self._counted == 0:
            raise UsageError(f"the file has no answer that counts, of {plural(self._entries, self._noun)}")

    def _choose_time(self) -> tuple[Figure, Sample]:
        least = 1 if len(self._times) == 1 else self._counted / 2
        chosen = next((each for each in self._times if each[1].count >= least), None)
        if chosen is None:
            seen = [f"{figure.name} in {sample.count:,}" for figure, sample in self._times]
            raise UsageError(
                f"less than half of {plural(self._counted, 'answer')} have a time: {join_and(seen)}",
                hint="name the one that you mean with --column" if len(self._times) > 1 else "",
            )
        if chosen[1].count < _FEWEST:
            raise UsageError(f"the file has a single time; a profile takes {_FEWEST}")
        return chosen

    def _choose_size(self) -> tuple[Figure | None, SizeSample]:
        known = (
            (figure, sample)
            for figure, sample in self._sizes
            if 2 * (sample.count + sample.small + sample.large) >= self._counted
        )
        return next(known, (None, SizeSample()))


def _counts(counts: dict[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}
