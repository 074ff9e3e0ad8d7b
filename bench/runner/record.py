"""From the journal of a run to its document."""

import hashlib
import json
from datetime import datetime

from bench.model import Experiment, Measurement, Run
from bench.runner.environment import describe


def record(
    experiment: Experiment, trials: list[Measurement], name: str, started: datetime, *, is_complete: bool
) -> Run:
    """Put together what is kept: what was asked, on what, and what each trial yielded."""
    canonical = json.dumps(experiment.source, sort_keys=True)
    config = {
        "name": experiment.name,
        "sha256": hashlib.sha256(canonical.encode()).hexdigest(),
        "blocks": experiment.blocks,
        "rounds": experiment.rounds or "auto",
        "deadline_s": experiment.deadline_s,
        "request_timeout_s": experiment.request_timeout_s,
        "seed": experiment.seed,
        "source": experiment.source,
    }
    timed = {case.client for case in experiment.cases} | {"httpcore", "httptools", "urllib3"}
    return Run(
        name=name,
        status="complete" if is_complete else "partial",
        started=started.isoformat(timespec="seconds"),
        config=config,
        environment=describe(timed),
        cases=experiment.cases,
        trials=tuple(trials),
    )
