"""From an experiment to what its journal begins with, and from the journal to the document of the run."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from bench.errors import SetupError, UsageError
from bench.model.cases import Experiment
from bench.model.flags import served_flags
from bench.model.json_codec import to_json_value
from bench.model.results import Run, RunHeader
from bench.model.stored_comparison import as_configured
from bench.runner.schedule import run_progress
from bench.storage.journal import JournalContents


def config_record(experiment: Experiment) -> dict[str, Any]:
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
        cases = tuple(as_configured(case, contest) for case in cases)
        settings["contest"] = to_json_value(replace(contest, repeats={}))
        settings["variants"] = {name: to_json_value(side.about) for name, side in experiment.sides.items()}
    identity = json.dumps([settings, to_json_value(cases)], sort_keys=True)
    if contest is not None:
        settings["contest"] = to_json_value(contest)
    return {"name": experiment.name, "sha256": _sha256(identity.encode()), **settings}


def run_document(experiment: Experiment, past: JournalContents, *, name: str) -> Run:
    """Put together what is kept: what was asked, on what, and what each trial yielded.

    Raises:
        UnreadableResultError: the trials are not those of this experiment.
    """
    progress = run_progress(experiment, past.trials)
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


_SHOWN: Final = 12
_MAY_CHANGE: Final = frozenset({"git"})
"""A commit of the folder in which the command was given may be one of its docs; it is kept with the run."""


def check_resumable(before: RunHeader, now: RunHeader) -> None:
    """Refuse to mix what cannot be compared.

    Raises:
        UsageError: the config or the options of the command line are not those that the run began with.
        EnvironmentFault: machine or software are not.
    """
    if before.config.get("sha256") != now.config["sha256"]:
        theirs, ours = (str(each.config.get("sha256"))[:_SHOWN] for each in (before, now))
        differing = _differing(before.config, now.config) - {"sha256"} or {"cases"}
        raise UsageError(
            f"the run began with config {theirs} and cannot go on with {ours}: {_listed(differing)} changed",
            hint=f"resume it with the config as it was, by `{shlex.join(before.command)} --resume …`",
        )
    if changed := _differing(before.environment, now.environment) - _MAY_CHANGE:
        raise SetupError(
            f"the run began elsewhere: {_listed(changed)} changed, and its timings with them",
            hint="resume it where it began, or start another",
        )


def _differing(before: Mapping[str, object], now: Mapping[str, object]) -> set[str]:
    theirs, ours = _as_stored(before), _as_stored(now)
    return {key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key)}


def _as_stored(values: Mapping[str, object]) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(json.dumps(values))
    return stored


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
