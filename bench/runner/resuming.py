"""Whether a run that was left can go on: with the same config, and on the same machine."""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

from bench.errors import EnvironmentFault, UsageError
from bench.model.results import Beginning

_SHOWN: Final = 12
_MAY_CHANGE: Final = frozenset({"git"})
"""A commit of the folder in which the command was given may be one of its docs; it is kept with the run."""


def check_same(before: Beginning, now: Beginning) -> None:
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
        raise EnvironmentFault(
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
