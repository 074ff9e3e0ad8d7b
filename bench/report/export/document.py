"""The stored document of a run, as it is."""

from bench.measurement import Run
from bench.store.document import run_to_text


def to_json(run: Run) -> str:
    """Write the stored document itself."""
    return run_to_text(run)
