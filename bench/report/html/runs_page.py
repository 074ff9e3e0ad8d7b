"""Render the list of stored runs, each with its answer in one line and a box to tick for a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.model.results import Run
from bench.model.text import plural, printable
from bench.report.html.page import answers_of, environment, page_look
from bench.report.html.subject import read_subject


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A line of the list.

    Attributes:
        key: names the run in addresses; empty: there is nothing to open.
        name: of its folder.
        started: day and time.
        facts: cases and blocks, in words.
        answer: what it found, in one line, or why it cannot be read.
        is_comparison: whether it has two variants; it cannot be laid over another run.
        is_damaged: whether ``answer`` says why it cannot be read.
    """

    key: str
    name: str
    started: str = ""
    facts: str = ""
    answer: str = ""
    is_comparison: bool = False
    is_damaged: bool = False

    @property
    def can_be_ticked(self) -> bool:
        """Whether a user can tick the run, to compare it with another one."""
        return bool(self.key) and not self.is_comparison


@dataclass(frozen=True, slots=True)
class RunList:
    """A page of the list.

    Attributes:
        entries: its lines, the last changed first.
        elsewhere: the ticked runs of other pages; each can be ticked.
        ticked: the keys of all ticked runs.
        folder: the folder of all runs.
        page: number of the page, from 1.
        pages: how many there are.
    """

    entries: Sequence[RunEntry]
    elsewhere: Sequence[RunEntry]
    ticked: frozenset[str]
    folder: str
    page: int
    pages: int

    def can_compare(self) -> bool:
        """Return whether there may be two runs to tick: on this page, or on others that were not read."""
        return self.pages > 1 or sum(each.can_be_ticked for each in self.entries) > 1


def describe_run(key: str, name: str, run: Run) -> RunEntry:
    """Return the line of a run.

    Raises:
        UnreadableResultError: a stored comparison does not fit its cases.
    """
    subject = read_subject([run])
    first, *others = [
        f"{each.verdict}: {each.lead}" if each.verdict else each.lead for each in answers_of(subject)
    ]
    more = f" (and {plural(len(others), 'more answer')})" if others else ""
    blocks = len({trial.block for trial in run.trials})
    status = "" if run.status == "complete" else f", {run.status}"
    return RunEntry(
        key,
        printable(name),
        _minute(run.started),
        f"{plural(len(run.cases), 'case')}, {plural(blocks, 'block')}{status}",
        f"{first}{more}",
        is_comparison=subject.verdicts is not None,
    )


def _minute(started: str) -> str:
    """Write a time without its seconds, in words of UTC if it is that."""
    day, _, time = printable(started).partition("T")
    zone = " UTC" if time.endswith("+00:00") else ""
    return f"{day} {time[:5]}{zone}".strip()


def render_runs(listed: RunList, *, has_history: bool) -> str:
    """Return the page.

    Args:
        listed: what it shows.
        has_history: whether there is a history to link to.
    """
    return (
        environment()
        .get_template("runs.html")
        .render(listed=listed, folder=printable(listed.folder), has_history=has_history, **page_look())
    )
