"""From an experiment to what its journal begins with, and from the journal to the document of the run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.model.json_codec import plain
from bench.model.results import Run
from bench.runner.progress import progress_of
from bench.storage.contest import as_asked
from bench.storage.journal import Past


def config_of(experiment: Experiment) -> dict[str, Any]:
    """Return what was asked, as it is kept, with the hash of all that decides what is run.

    Strategies are hashed with it, and flags that are not the project's own: a run that goes on with another
    content of the same name would be two.
    """
    contest = experiment.contest
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
        "strategies": {name: _digest(each.file) for name, each in experiment.strategies.items()},
        "flags": None if experiment.flags_dir is None else _digest_of_all(served_flags(experiment.flags_dir)),
        "source": experiment.source,
    }
    cases = experiment.cases
    if contest is not None:
        cases = tuple(as_asked(case, contest) for case in cases)
        settings["contest"] = plain(replace(contest, repeats={}))
        settings["variants"] = {name: plain(side.about) for name, side in experiment.sides.items()}
    identity = json.dumps([settings, plain(cases)], sort_keys=True)
    if contest is not None:
        settings["contest"] = plain(contest)
    return {"name": experiment.name, "sha256": _sha256(identity.encode()), **settings}


def record(experiment: Experiment, past: Past, *, name: str) -> Run:
    """Put together what is kept: what was asked, on what, and what each trial yielded.

    Raises:
        UnreadableResultError: the trials are not those of this experiment.
    """
    progress = progress_of(experiment, past.trials)
    return Run(
        name=name,
        status="partial" if progress.is_due else "complete",
        started=past.beginning.started,
        config=past.beginning.config,
        environment=past.beginning.environment,
        cases=experiment.cases,
        trials=progress.trials,
        resumed=past.resumed,
    )


def _digest(file: Path) -> str:
    return _sha256(file.read_bytes())


def _digest_of_all(flags: Mapping[str, bytes]) -> str:
    return _sha256("".join(f"{code}{_sha256(flag)}" for code, flag in sorted(flags.items())).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
