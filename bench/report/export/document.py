"""The stored document of a run, as it is."""

from bench.model.results import Run
from bench.storage.document import run_to_text


def to_json(run: Run) -> str:
    """Write the stored document itself."""
    return run_to_text(run)
