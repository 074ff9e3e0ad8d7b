"""The stored document of a run, as it is."""

import json

from bench.measurement import Run
from bench.store.document import run_to_json


def to_json(run: Run) -> str:
    """Write the stored document itself; ASCII, so that no terminal obeys what a name may hold."""
    return json.dumps(run_to_json(run), indent=1) + "\n"
