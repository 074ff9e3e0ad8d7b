"""The two consoles: results go to stdout, everything else to stderr."""

from rich.console import Console


def results() -> Console:
    """Return the console for results, without colours or markup surprises in a pipe."""
    return Console(highlight=False, markup=False, emoji=False)


def remarks() -> Console:
    """Return the console for progress and remarks."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)
