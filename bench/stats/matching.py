"""Which cases two sides share, and what became of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.model.cases import Case
from bench.model.results import Run


@dataclass(frozen=True, slots=True)
class Matching:
    """The cases of two sides; those of the first with those of the second.

    Attributes:
        shared: on both sides.
        vanished: on the first alone.
        new: on the second alone.
        renamed: on both, by another name: first, second.
    """

    shared: tuple[tuple[Case, Case], ...]
    vanished: tuple[Case, ...]
    new: tuple[Case, ...]
    renamed: tuple[tuple[Case, Case], ...]


def matching(
    first: Sequence[Case], second: Sequence[Case], digests: tuple[Mapping[str, str], Mapping[str, str]]
) -> Matching:
    """Match cases by their ids without variants, and what is left by what their strategies' files hold.

    Args:
        first: cases of one side.
        second: cases of the other.
        digests: of each side's strategy files, by strategy.
    """
    mine, theirs = ({case.plain_id: case for case in cases} for cases in (first, second))
    vanished = [case for name, case in mine.items() if name not in theirs]
    new = [case for name, case in theirs.items() if name not in mine]
    renamed = []
    for case in vanished.copy():
        found = next((other for other in new if _is_renamed(case, other, digests)), None)
        if found is not None:
            renamed.append((case, found))
            vanished.remove(case)
            new.remove(found)
    shared = tuple((case, theirs[name]) for name, case in mine.items() if name in theirs)
    return Matching(shared, tuple(vanished), tuple(new), tuple(renamed))


def digests_of(run: Run) -> Mapping[str, str]:
    """Return what a run keeps of its strategies' files."""
    kept = run.config.get("strategies")
    return {str(name): str(digest) for name, digest in kept.items()} if isinstance(kept, Mapping) else {}


def _is_renamed(case: Case, other: Case, digests: tuple[Mapping[str, str], Mapping[str, str]]) -> bool:
    """Say whether two cases differ in the name of their strategy alone, whose file is the same."""
    mine, theirs = digests[0].get(case.strategy), digests[1].get(other.strategy)
    same = replace(other, strategy=case.strategy, variant=case.variant)
    return mine is not None and mine == theirs and same == case
