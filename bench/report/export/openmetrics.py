"""Export a run as OpenMetrics 1.0, a text format for Prometheus and its collectors."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bench.model.results import Run
from bench.model.text import printable
from bench.report.export.cases import (
    CaseEntry,
    entries_of,
    entry_names,
    failed_trials,
    parameters,
    trials_by_case,
)
from bench.report.export.run_metadata import start_of

_ESCAPED: Final = {"\\": r"\\", "\n": r"\n", '"': r"\""}
_NEEDS_ESCAPE: Final = re.compile(r'[\\\n"]')


def to_openmetrics(run: Run) -> str:
    """Write gauges for each case: median and its bounds in seconds, blocks, failed trials.

    Samples have no timestamps, which collectors of text files refuse; the start of the run is a gauge.

    Raises:
        UnreadableResultError: the run does not say when it began.
    """
    entries = entries_of(run)
    name: dict[str, str] = {"run": printable(run.name)}
    lines = [
        *_family("started_timestamp_seconds", "When the run began.", "seconds"),
        _sample("started_timestamp_seconds", name | {"status": run.status}, start_of(run).timestamp()),
        *_family("elapsed_seconds", "Median over blocks of what a round took.", "seconds"),
        *(_sample("elapsed_seconds", _labels(name, each), each.median.estimate) for each in entries),
        *_family("elapsed_low_seconds", "Lower bound of the median, at 95 %.", "seconds"),
        *_bounds("elapsed_low_seconds", name, [(each, each.median.low) for each in entries]),
        *_family("elapsed_high_seconds", "Upper bound of the median, at 95 %.", "seconds"),
        *_bounds("elapsed_high_seconds", name, [(each, each.median.high) for each in entries]),
        *_family("blocks", "Blocks in which the case succeeded."),
        *(_sample("blocks", _labels(name, each), len(each.values_s)) for each in entries),
        *_family("failed_trials", "Trials that yielded no time."),
        *_failures(run, name),
        "# EOF",
    ]
    return "\n".join(lines) + "\n"


def _family(name: str, about: str, unit: str = "") -> Iterator[str]:
    yield f"# TYPE flagbench_{name} gauge"
    if unit:
        yield f"# UNIT flagbench_{name} {unit}"
    yield f"# HELP flagbench_{name} {about}"


def _bounds(
    name: str, run: Mapping[str, str], found: Sequence[tuple[CaseEntry, float | None]]
) -> Iterator[str]:
    for entry, bound in found:
        if bound is not None:
            yield _sample(name, _labels(run, entry), bound)


def _failures(run: Run, name: dict[str, str]) -> Iterator[str]:
    """Count the failed trials of every case, even of one that never succeeded."""
    names, trials = entry_names(run), trials_by_case(run)
    for case in run.cases:
        failed = failed_trials(trials[case.id])
        labels = name | {"case": names[case.id]} | _texts(parameters(case))
        yield _sample("failed_trials", labels, len(failed))


def _labels(run: Mapping[str, str], entry: CaseEntry) -> dict[str, str]:
    return {**run, "case": entry.name, **_texts(parameters(entry.case))}


def _texts(values: Mapping[str, str | int | bool]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()
    }


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inner = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    return f"flagbench_{name}{{{inner}}} {value!r}"


def _escape(text: str) -> str:
    return _NEEDS_ESCAPE.sub(lambda sign: _ESCAPED[sign[0]], text)
