"""Write a history as JSON."""

import json
from collections.abc import Sequence

from bench.model.json_codec import to_json_value
from bench.stats.history import HistoryTrack, PointOrder
from bench.storage.pinned_reference import Reference


def history_to_json(
    tracks: Sequence[HistoryTrack], reference: Reference | None, order: PointOrder = "measuring"
) -> str:
    """Write tracks with all their points and steps, in the order of their points.

    Ratios of points are candidate ÷ reference, those of steps new level ÷ old level.
    """
    document = {"reference": to_json_value(reference), "order": order, "tracks": to_json_value(list(tracks))}
    return json.dumps(document, indent=1) + "\n"
