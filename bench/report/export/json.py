"""Write runs as JSON, and documents of other tools."""

import json

from bench.model.results import Run
from bench.storage.run_json import run_to_json_text


def to_json(run: Run) -> str:
    """Write the stored document of a run as it is."""
    return run_to_json_text(run)


def strict_json(document: object) -> str:
    """Write a document for another tool, without the infinities that JSON has no words for."""
    return json.dumps(document, indent=1, allow_nan=False) + "\n"
