"""Of which commits the sides of a contest are, and whether they are as in them."""

from collections.abc import Iterator
from typing import Final

from bench.model.results import Run
from bench.report.figures import printable
from bench.storage.contest import about_side, contest_of

_SHOWN_COMMIT: Final = 7


def shown_commit(commit: str) -> str:
    """Shorten a commit."""
    return commit[:_SHOWN_COMMIT]


def side_lines(run: Run) -> Iterator[str]:
    """Say it in a line, where there is something to say.

    Nothing is said of sides that are of no commit or called by it, nor of a run that is no contest.
    """
    contest = contest_of(run)
    if contest is None:
        return
    told = [
        f"{printable(side)} is {printable(shown_commit(str(commit)))}"
        f"{' with changes that are in no commit' if about.get('dirty') else ''}"
        for side in (contest.base, contest.candidate)
        for about in [about_side(run, side)]
        if (commit := about.get("commit")) and not side.startswith(shown_commit(str(commit)))
    ]
    if told:
        yield "; ".join(told)
