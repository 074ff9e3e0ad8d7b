"""What the whole name of a commit is, by either of git's hashes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_full_sha(text: str) -> bool:
    """Say whether a text is the whole name of a commit."""
    return _COMMIT.fullmatch(text) is not None


_SHOWN: Final = 10

Metric: TypeAlias = Literal["elapsed", "p99", "cpu", "memory"]
"""What two sides are compared by; docs/ci.md says what each is."""
METRICS: Final[tuple[Metric, ...]] = ("elapsed", "p99", "cpu", "memory")
Verdict: TypeAlias = Literal["faster", "slower", "equivalent", "inconclusive"]
"""What is found of a candidate, or of one case against another; *equivalent* needs a margin."""
DEFAULT_METRICS: Final[tuple[Metric, ...]] = ("elapsed", "p99")
DEFAULT_MARGIN: Final = 0.05


@dataclass(frozen=True, slots=True)
class Variant:
    """What makes one side of a contest: a tree, an interpreter, and what is installed for it.

    Attributes:
        rev: a git revision of the current repository; at most one of ``rev`` and ``path`` is given, and
            without either the tree is the current folder as it is.
        path: a folder, taken as it is.
        python: an interpreter by its version, or by its path; empty for the one at work.
        requirements: what is installed on top of what the tree asks for, as ``pip`` writes it.
    """

    rev: str = ""
    path: Path | None = None
    python: str = ""
    requirements: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name it in tables and in the ids of its cases, where an ``@`` stands before it."""
        python = f"py{self.python}" if self.python[:1].isdigit() else Path(self.python).name
        rev = self.rev[:_SHOWN] if is_full_sha(self.rev) else self.rev
        tree = rev or ("" if self.path is None else self.path.name or str(self.path))
        # an address of a requirement, which may hold a token, is nobody's business
        requirements = (each.partition("@")[0].strip() if "/" in each else each for each in self.requirements)
        named = "+".join(part for part in (tree, python, *requirements) if part) or "worktree"
        return named.replace("@", "-")


BoundedFigure: TypeAlias = Literal["elapsed", "p99", "cpu", "memory", "efficiency", "errors"]
"""What can have a bound of its own, whatever the base does; ``errors`` are failed fetches of a round."""
Relation: TypeAlias = Literal["<", "<=", "==", ">=", ">"]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure of the candidate must keep to, such as ``p99 < 80ms``.

    Attributes:
        pattern: which cases it is for, as a shell pattern of their ids without a variant.
        value: in seconds, bytes, a share or a count.
    """

    pattern: str
    figure: BoundedFigure
    relation: Relation
    value: float


@dataclass(frozen=True, slots=True)
class ComparisonSettings:
    """What a config says of a contest.

    Attributes:
        variants: base and candidate; ``None`` where the config leaves that to the command line.
        metrics: what is compared of each case.
        margins: pattern of cases, and the greatest change that is still *equivalent* for them,
            as a share; the last pattern that fits a case counts.
        bounds: what the candidate must keep to besides.
    """

    variants: tuple[Variant, Variant] | None = None
    metrics: tuple[Metric, ...] = DEFAULT_METRICS
    margins: tuple[tuple[str, float], ...] = (("*", DEFAULT_MARGIN),)
    bounds: tuple[Bound, ...] = ()

    def margin(self, case: str) -> float:
        """Return the margin of a case, by its id without a variant."""
        fitting = [margin for pattern, margin in self.margins if fnmatchcase(case, pattern)]
        return fitting[-1] if fitting else DEFAULT_MARGIN


@dataclass(frozen=True, slots=True)
class BuiltVariant:
    """Where the workers of a variant come from.

    Attributes:
        python: the interpreter.
        import_path: folders in front of its path, among them those of ``bench`` and ``strategies``.
        strategies: the file of each strategy, by name.
        tree: the files of its variant; ``None`` where it is of none.
        about: what is kept of it with a run: commit, interpreter, libraries; ready for JSON.
    """

    python: str
    import_path: tuple[str, ...]
    strategies: Mapping[str, Path]
    tree: Path | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What decides between two sides.

    Attributes:
        base: the variant that is the measure of the other, by its label.
        candidate: the other one.
        metrics: what is compared of each case.
        margins: by case, without a variant: the greatest change that is still *equivalent*, as a share.
        budget_s: seconds of trials; no block is begun that would exceed it if it took as long as the last.
        repeats: by case, without a variant: how many times the countries of the config are asked in a round,
            so that none is too short to tell.
        alone: cases, without a variant, that only one side has, and which side that is.
        bounds: what the candidate must keep to besides.
        coins: draws who goes first in each block; other trees and libraries have other ones, so that bad luck
            is not repeated with every commit.
    """

    base: str
    candidate: str
    metrics: tuple[Metric, ...]
    margins: Mapping[str, float]
    budget_s: float
    repeats: Mapping[str, int] = field(default_factory=dict)
    alone: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[Bound, ...] = ()
    coins: int = 0
