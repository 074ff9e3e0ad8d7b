"""The machines that measure blocks: one dask worker of each, its label, and what is stored of it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.errors import SetupError
from bench.model.results import Measurement
from bench.model.text import join_and
from bench.runner.cluster.messages import MachineFacts

_SAME: Final = ("python", "libraries")
"""Facts that are to be the same on all machines of a run, whenever they join it."""
_MAY_CHANGE: Final = frozenset({"unchecked"})


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that measures blocks.

    Attributes:
        label: ``M1``, ``M2`` and so on, in the order in which machines joined the run.
        address: that of its dask worker.
    """

    label: str
    address: str
    facts: MachineFacts

    def stored(self) -> dict[str, Any]:
        """Return what a run stores of it: no name and no address."""
        facts = self.facts
        return {"host": facts.host, "fingerprint": facts.fingerprint, **facts.environment}


def one_per_host(found: Mapping[str, MachineFacts]) -> tuple[dict[str, MachineFacts], list[str]]:
    """Return one dask worker of each machine, by address, and a line for each machine that has several.

    Two blocks on one machine would disturb each other.
    """
    chosen: dict[str, list[str]] = {}
    for address in sorted(found):
        chosen.setdefault(found[address].host, []).append(address)
    lines = [
        f"{join_and(addresses)} are on one machine, which measures one block at a time: "
        f"{addresses[0]} does, and the others have nothing to do"
        for addresses in chosen.values()
        if len(addresses) > 1
    ]
    return {addresses[0]: found[addresses[0]] for addresses in chosen.values()}, lines


def name_machines(found: Mapping[str, MachineFacts], known: Mapping[str, Any]) -> tuple[Machine, ...]:
    """Give each machine the label that the run knows it by, or else the next one.

    Args:
        found: one dask worker of each machine, by address.
        known: what the run has stored of machines, by label.

    Raises:
        SetupError: a machine is not as it was, or a new one differs in what has to be the same.
    """
    labels = {facts["host"]: label for label, facts in known.items()}
    last = max((int(label[1:]) for label in known), default=0)
    machines = []
    for address in sorted(found):
        label = labels.get(found[address].host)
        if label is None:
            last += 1
            label = f"M{last}"
        machines.append(Machine(label, address, found[address]))
    if problems := tuple(_differences(machines, known)):
        raise SetupError(
            "the run began on other machines than these",
            hint="resume it with the machines as they were, or start another",
            details=problems,
        )
    return tuple(sorted(machines, key=lambda machine: int(machine.label[1:])))


def _differences(machines: Sequence[Machine], known: Mapping[str, Any]) -> Iterator[str]:
    for machine in machines:
        now = json.loads(json.dumps(machine.stored()))
        before = known.get(machine.label)
        if before is None:
            before = next(iter(known.values()), None) or machines[0].stored()
            keys: Iterable[str] = _SAME
        else:
            keys = before.keys() | now.keys() - _MAY_CHANGE
        if changed := [key for key in sorted(keys) if now.get(key) != _as_stored(before.get(key))]:
            yield f"{machine.label} at {machine.address}: {join_and(changed)} changed"


def _as_stored(value: object) -> Any:
    return json.loads(json.dumps(value))


def joined_machines(machines: Sequence[Machine], known: Mapping[str, object]) -> dict[str, Any]:
    """Return what is stored of the machines that the run has not known, by label."""
    return {machine.label: machine.stored() for machine in machines if machine.label not in known}


def known_machines(
    environment: Mapping[str, object], later: Iterable[Mapping[str, object]]
) -> dict[str, Any]:
    """Return all machines of a run by label: those of its start, and those that joined it later."""
    known: dict[str, Any] = {}
    for each in (environment.get("machines"), *later):
        if isinstance(each, Mapping):
            known.update(each)
    return known


def describe_machines(machines: Sequence[Machine], own: Mapping[str, object]) -> dict[str, Any]:
    """Return the environment of a run on machines: the first one's facts, those of the command, and all.

    Args:
        machines: those at the start of the run.
        own: the command's own environment, of which commit and version are stored.
    """
    first = machines[0]
    return {
        **first.facts.environment,
        "fingerprint": join_fingerprints(machine.facts.fingerprint for machine in machines),
        "flagbench": own["flagbench"],
        "git": own["git"],
        "machines": {machine.label: machine.stored() for machine in machines},
    }


def measured_environment(
    environment: Mapping[str, object], trials: Sequence[Measurement], known: Mapping[str, object]
) -> Mapping[str, object]:
    """Return the environment of a run with all its machines, and the fingerprint of those that measured."""
    if not known:
        return environment
    fingerprints = {trial.fingerprint for trial in trials if trial.fingerprint}
    joined = {"fingerprint": join_fingerprints(fingerprints)} if fingerprints else {}
    return {**environment, **joined, "machines": known}


def join_fingerprints(fingerprints: Iterable[str]) -> str:
    """Return the fingerprint of several machines: theirs, if all have the same, and else a hash of them.

    So runs on equal machines can be compared with each other, whatever their number.
    """
    different = sorted(set(fingerprints))
    if len(different) == 1:
        return different[0]
    return hashlib.sha256(json.dumps(different).encode()).hexdigest()
