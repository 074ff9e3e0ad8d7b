"""Verdicts as JSON."""

import json
from collections.abc import Sequence

from bench.model.json_codec import plain
from bench.stats.bounds import BoundVerdict
from bench.stats.ruling import Ruling
from bench.stats.verdicts import Verdicts


def to_json(name: str, verdicts: Verdicts, bounds: Sequence[BoundVerdict], ruling: Ruling) -> str:
    """Write the verdicts of a run, ratios as candidate ÷ base, times in seconds, memory in bytes."""
    failed = {case: len(trials) for case, trials in verdicts.failed.items()}
    document = {"run": name, "ruling": ruling, **plain(verdicts), "failed": failed, "bounds": plain(bounds)}
    return json.dumps(document, indent=1) + "\n"
