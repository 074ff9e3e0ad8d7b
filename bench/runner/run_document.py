"""The stored form of a run: the record of its config, the document, and the check before it is resumed."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from bench.errors import SetupError, UsageError
from bench.model.cases import Client, Experiment, Strategy
from bench.model.json_codec import to_json_value
from bench.model.results import Run, RunHeader
from bench.model.target import Target
from bench.runner.cluster.machines import known_machines, measured_environment
from bench.runner.context import largest_body
from bench.stats.schedule import replay
from bench.storage.journal import JournalContents
from bench.system.other_processes import sum_sessions

_SHOWN: Final = 12
"""Characters of a hash that messages quote."""
_MACHINES: Final = "machines"
_OF_COMMAND: Final = frozenset({"flagbench"})
"""What must not change of the command if other machines measure."""
_MAY_CHANGE: Final = frozenset({"git", "unchecked"})
"""A new commit of the current folder may only change its docs, and is stored; checks change no timing."""


def config_record(experiment: Experiment, flags: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the settings of an experiment as they are stored, with the hash that identifies it.

    Strategies are hashed with them, clients that are not shipped, the packages of both, and flags that are
    not the project's own: if their content changed, a resumed run would be two runs. The calls per round of a
    comparison are not: it measures them at its start. Nor are the margin and the bounds of rates, by which
    the same trials are read in another way, nor the largest body, which follows from the flags.
    """
    comparison = experiment.comparison
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
        "strategies": _sha256_of_files(experiment.strategies),
        "flags": None if experiment.flags_dir is None else _sha256_of_flags(flags),
        "source": experiment.source,
    }
    if experiment.target is not None:
        settings["target"] = _target_record(experiment.target, flags)
    if experiment.own_clients:
        settings["clients"] = _sha256_of_files(experiment.own_clients)
    used: list[Strategy | Client] = [*experiment.strategies.values(), *experiment.own_clients.values()]
    if packages := {each.name: each.package for each in used if each.package}:
        settings["packages"] = packages
    if comparison is not None:
        settings["contest"] = to_json_value(replace(comparison, calls={}))
        settings["variants"] = {name: to_json_value(each.about) for name, each in experiment.variants.items()}
    if experiment.environments:
        settings["environments"] = {name: each.about for name, each in experiment.environments.items()}
    identity = json.dumps([settings, to_json_value(experiment.cases)], sort_keys=True)
    settings["margin"] = experiment.margin
    if any(case.has_other_rates for case in experiment.cases) and experiment.comparison_settings.bounds:
        settings["bounds"] = to_json_value(experiment.comparison_settings.bounds)
    settings["largest_bytes"] = largest_body(experiment, {code: len(flag) for code, flag in flags.items()})
    if comparison is not None:
        settings["contest"] = to_json_value(comparison)
    return {"name": experiment.name, "sha256": _sha256(identity.encode()), **settings}


def run_document(experiment: Experiment, journal: JournalContents, *, name: str) -> Run:
    """Put the document of a run together from its journal.

    Raises:
        UnreadableResultError: the trials are not those of this experiment.
    """
    schedule = replay(experiment, journal.trials)
    return Run(
        name=name,
        status="complete" if schedule.is_over else "partial",
        started=journal.header.started,
        config=journal.header.config,
        environment=measured_environment(
            journal.header.environment,
            schedule.kept,
            known_machines(journal.header.environment, (each.machines for each in journal.resumed)),
        ),
        cases=experiment.cases,
        trials=schedule.kept,
        resumed=journal.resumed,
        others=sum_sessions(journal.others),
    )


def check_resumable(before: RunHeader, now: RunHeader) -> None:
    """Refuse to resume a run whose new trials could not be compared with the old ones.

    Raises:
        UsageError: the config, or the options of the command line, changed.
        SetupError: the machine or its software changed.
    """
    if before.config.get("sha256") != now.config["sha256"]:
        old, new = (str(each.config.get("sha256"))[:_SHOWN] for each in (before, now))
        changed = _changed_keys(before.config, now.config) - {"sha256"} or {"cases"}
        raise UsageError(
            f"the run began with config {old} and cannot be resumed with {new}: {_listed(changed)} changed",
            hint=f"resume it with the config as it was, by `{shlex.join(before.command)} --resume …`",
        )
    is_on_cluster = _MACHINES in now.environment
    if (_MACHINES in before.environment) != is_on_cluster:
        where, option = (
            ("on this machine", "without") if is_on_cluster else ("on machines of a cluster", "with")
        )
        raise UsageError(f"the run began {where}", hint=f"resume it {option} --on")
    changed = _changed_keys(before.environment, now.environment) - _MAY_CHANGE
    if is_on_cluster:  # the machines are compared with those of the run one by one
        changed &= _OF_COMMAND
    if changed:
        raise SetupError(
            f"the run began in another environment: {_listed(changed)} changed, and its timings with them",
            hint="resume it where it began, or start another",
        )


def _target_record(target: Target, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the facts about a target, with a hash of what was known of its files.

    Without checksums their content may change in the middle of a run, but not their sizes.
    """
    known = {code: target.checksums.get(code, len(content)) for code, content in sorted(files.items())}
    return {
        "url": target.url,
        "rate": target.rate,
        "compared_by": "content" if target.checksums else "size",
        "bytes": sum(map(len, files.values())),
        "files": {code: target.paths[code] for code in known},
        "files_sha256": _sha256(json.dumps(known).encode()),
    }


def _sha256_of_files(files: Mapping[str, Strategy | Client]) -> dict[str, str]:
    return {name: _sha256(each.file.read_bytes()) for name, each in files.items()}


def _sha256_of_flags(flags: Mapping[str, bytes]) -> str:
    return _sha256("".join(f"{code}{_sha256(flag)}" for code, flag in sorted(flags.items())).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _changed_keys(before: Mapping[str, object], now: Mapping[str, object]) -> set[str]:
    old, new = _as_stored(before), _as_stored(now)
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _as_stored(values: Mapping[str, object]) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(json.dumps(values))
    return stored


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
