"""Write runs, histories and verdicts as JSON."""

import json
from collections.abc import Sequence

from bench.model.json_codec import to_json_value
from bench.model.results import Run
from bench.stats.history import HistoryTrack, PointOrder
from bench.stats.verdicts import Overall, Verdicts
from bench.storage.pinned_reference import Reference
from bench.storage.run_json import run_to_json_text


def to_json(run: Run) -> str:
    """Write the stored document of a run as it is."""
    return run_to_json_text(run)


def strict_json(document: object) -> str:
    """Write a document for another tool, without the infinities that JSON has no words for."""
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def history_to_json(
    tracks: Sequence[HistoryTrack], reference: Reference | None, order: PointOrder = "measuring"
) -> str:
    """Write tracks with all their points and steps, in the order of their points.

    Ratios of points are candidate ÷ reference, those of steps new level ÷ old level.
    """
    document = {"reference": to_json_value(reference), "order": order, "tracks": to_json_value(list(tracks))}
    return json.dumps(document, indent=1) + "\n"


def verdicts_to_json(name: str, verdicts: Verdicts, overall: Overall) -> str:
    """Write the verdicts of a run, with ratios as candidate ÷ base, times in seconds, memory in bytes."""
    document = {
        "run": name,
        "ruling": overall,
        **to_json_value(verdicts),
        "failed": {case: len(trials) for case, trials in verdicts.failed.items()},
    }
    return json.dumps(document, indent=1) + "\n"
