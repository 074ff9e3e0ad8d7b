"""Export a run as pyperf stores its own, for ``python -m pyperf stats``, ``check`` and ``compare_to``."""

from typing import Any, Final

from bench.model.results import Measurement, Run
from bench.model.text import printable
from bench.report.export.cases import CaseEntry, entries_of, parameters
from bench.report.export.json import strict_json
from bench.report.export.run_metadata import commit_of, environment_texts

_VERSION: Final = "1.0"
"""Of pyperf's format; it must be a text."""


def to_pyperf(run: Run) -> str:
    """Write one benchmark for each case, with one of its *runs* for each block.

    Each run has one value, as unequal counts would mean something to pyperf.
    """
    document = {
        "version": _VERSION,
        "metadata": _metadata(
            {
                "unit": "second",
                "run": run.name,
                "started": run.started,
                "commit": commit_of(run),
                **environment_texts(run),
            }
        ),
        "benchmarks": [_benchmark(entry) for entry in entries_of(run)],
    }
    return strict_json(document)


def _benchmark(entry: CaseEntry) -> dict[str, Any]:
    texts = {name: str(value) for name, value in parameters(entry.case).items()}
    return {
        "metadata": _metadata({"name": entry.name, **texts, "failed_trials": str(entry.failed)}),
        "runs": [_run(value_s, trial) for value_s, trial in zip(entry.values_s, entry.trials, strict=True)],
    }


def _run(value_s: float, trial: Measurement) -> dict[str, Any]:
    warm_up = {} if trial.warm_up is None else {"warmups": [[1, trial.warm_up.elapsed_s]]}
    return {"values": [value_s], **warm_up, "metadata": {"duration": trial.took_s, "block": trial.block + 1}}


def _metadata(texts: dict[str, str]) -> dict[str, str]:
    """Leave out empty texts: pyperf refuses them."""
    return {name: shown for name, text in texts.items() if (shown := printable(text).strip())}
