"""From the journal of a run to its document."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from bench.measurement import Measurement, Run
from bench.model import Experiment


@dataclass(frozen=True, slots=True)
class Start:
    """What is known of a run when it starts; libraries and commits may change while it goes on.

    Attributes:
        at: when, in UTC.
    """

    at: datetime
    environment: Mapping[str, object]


def record(
    experiment: Experiment, start: Start, trials: Sequence[Measurement], *, name: str, is_complete: bool
) -> Run:
    """Put together what is kept: what was asked, on what, and what each trial yielded."""
    settings = {
        "blocks": experiment.blocks,
        "stopping": None if experiment.stopping is None else asdict(experiment.stopping),
        "rounds": experiment.rounds or "auto",
        "deadline_s": experiment.deadline_s,
        "request_timeout_s": experiment.request_timeout_s,
        "seed": experiment.seed,
        "probes": list(experiment.probes),
        "pinning": experiment.pinning,
        "disturbed": experiment.disturbed,
        "source": experiment.source,
    }
    identity = json.dumps([settings, [case.id for case in experiment.cases]], sort_keys=True)
    config = {
        "name": experiment.name,
        "sha256": hashlib.sha256(identity.encode()).hexdigest(),
        **settings,
    }
    return Run(
        name=name,
        status="complete" if is_complete else "partial",
        started=start.at.isoformat(timespec="seconds"),
        config=config,
        environment=start.environment,
        cases=experiment.cases,
        trials=tuple(trials),
    )
