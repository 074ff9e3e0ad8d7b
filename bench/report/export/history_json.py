"""History as JSON."""

import json
from collections.abc import Sequence

from bench.model.json_codec import plain
from bench.stats.history import Track
from bench.storage.reference_point import Reference


def to_json(tracks: Sequence[Track], reference: Reference | None) -> str:
    """Write tracks with all their points and steps.

    Ratios of points are candidate ÷ reference, those of steps new level ÷ old one.
    """
    document = {"reference": plain(reference), "tracks": plain(list(tracks))}
    return json.dumps(document, indent=1) + "\n"
