"""Say what is not known of a run against a server of the user's, below its tables."""

from collections.abc import Iterator, Mapping

from bench.model.results import Run
from bench.model.text import printable


def target_lines(run: Run) -> Iterator[str]:
    """Yield why columns are absent, how files were compared, and the rate that limited all cases."""
    target = run.config.get("target")
    if not isinstance(target, Mapping):
        return
    yield (
        f"Measured against {printable(str(target.get('url')))}, which has no planned delays and no log of "
        "flagbench's: ideals, requests in flight, connections and the time within the server are unknown."
    )
    if target.get("compared_by") == "size":
        yield (
            "The files are not verified by content, as the target has no checksums: "
            "each must have the same size in each round."
        )
    rate = target.get("rate")
    if isinstance(rate, int | float):
        yield (
            f"No more than {rate:g} requests were started per second (`rate`): cases that could "
            "be faster than that cannot be told apart."
        )
