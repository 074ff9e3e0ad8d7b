"""Variants, and the settings by which two of them are compared in pairs."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from bench.model.function_call import FunctionCall
from bench.model.json_codec import added_field

_FULL_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # SHA-1 or SHA-256
_SHORT_SHA_LENGTH: Final = 10

Metric: TypeAlias = Literal["elapsed", "p99", "cpu", "memory"]
"""A figure by which variants are compared; docs/ci.md explains each."""
METRICS: Final[tuple[Metric, ...]] = ("elapsed", "p99", "cpu", "memory")
Verdict: TypeAlias = Literal["faster", "slower", "equivalent", "inconclusive"]
"""The result for a candidate, or for one case against another; *equivalent* needs a margin."""
DEFAULT_METRICS: Final[tuple[Metric, ...]] = ("elapsed", "p99")
DEFAULT_MARGIN: Final = 0.05
DEFAULT_RUN_MARGIN: Final = 0.03
"""The least difference between two cases of one run that matters, as a share."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant of a comparison: a source tree, an interpreter and installed libraries.

    Attributes:
        rev: git revision of the current repository; at most one of ``rev`` and ``path`` is given, and
            without either the tree is the current folder as it is.
        path: folder to use as it is.
        python: version or path of the interpreter; empty: the running one.
        requirements: libraries to install beside those that the tree requires, as ``pip`` writes them.
    """

    rev: str = ""
    path: Path | None = None
    python: str = ""
    requirements: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name of the variant in tables and, after an ``@``, in case ids."""
        python = f"py{self.python}" if self.python[:1].isdigit() else Path(self.python).name
        rev = self.rev[:_SHORT_SHA_LENGTH] if is_full_sha(self.rev) else self.rev
        tree = rev or ("" if self.path is None else _name_folder(self.path))
        # the URL of a requirement may contain a token
        requirements = (each.partition("@")[0].strip() if "/" in each else each for each in self.requirements)
        label = "+".join(part for part in (tree, python, *requirements) if part) or "worktree"
        return label.replace("@", "-")


def _name_folder(path: Path) -> str:
    """Return the name of a folder, also of ``.``, ``..`` and ``a/..``; ``~`` for the home folder."""
    folder = Path(os.path.abspath(path.expanduser()))  # noqa: PTH100  as written, without following links
    return "~" if folder == Path.home() else folder.name or "root"


BoundedFigure: TypeAlias = Literal["elapsed", "p99", "cpu", "memory", "efficiency", "errors"]
"""A figure that can have an absolute threshold; ``errors`` are failed fetches of a round."""
Relation: TypeAlias = Literal["<", "<=", "==", ">=", ">"]


@dataclass(frozen=True, slots=True)
class Bound:
    """An absolute threshold for a figure of the candidate, such as ``p99 < 80ms``.

    Attributes:
        pattern: shell pattern of the case ids, without a variant, that it applies to.
        value: seconds, bytes, a share or a count, depending on the figure.
    """

    pattern: str
    figure: BoundedFigure
    relation: Relation
    value: float


@dataclass(frozen=True, slots=True)
class ComparisonSettings:
    """The settings of a config for comparisons.

    Attributes:
        variants: base and candidate; ``None``: the command line names them.
        metrics: metrics to compare in each case.
        margins: pattern of case ids, and the largest change that is still *equivalent* for them,
            as a share; the last pattern that matches a case counts.
        bounds: absolute thresholds of the candidate.
    """

    variants: tuple[Variant, Variant] | None = None
    metrics: tuple[Metric, ...] = DEFAULT_METRICS
    margins: tuple[tuple[str, float], ...] = (("*", DEFAULT_MARGIN),)
    bounds: tuple[Bound, ...] = ()

    def margin(self, case: str) -> float:
        """Return the margin of a case, by its id without a variant."""
        matching = [margin for pattern, margin in self.margins if fnmatchcase(case, pattern)]
        return matching[-1] if matching else DEFAULT_MARGIN


@dataclass(frozen=True, slots=True)
class ClientEnvironment:
    """The environment of a client that is not measured in that of the others.

    Attributes:
        python: path of its interpreter.
        libraries: versions by distribution, as a worker loads them.
        requirements: those of the client.
        import_path: folders of ``bench`` and ``strategies``; empty: those of the variant.
    """

    python: str
    libraries: Mapping[str, str]
    requirements: tuple[str, ...]
    import_path: tuple[str, ...] = ()

    @property
    def about(self) -> dict[str, Any]:
        """The facts that are stored with a run, ready for JSON."""
        return {"requirements": list(self.requirements), "libraries": dict(self.libraries)}


@dataclass(frozen=True, slots=True)
class BuiltVariant:
    """A variant whose workers can be started.

    Attributes:
        python: path of the interpreter.
        import_path: folders at the start of ``sys.path``, with those of ``bench`` and ``strategies``.
        strategies: the file of each strategy, by name.
        tree: folder of its source tree; ``None`` for this project's own code.
        about: facts to store with the run (commit, interpreter, libraries), ready for JSON.
        module_folders: folders of the tree that every strategy may import from.
        origins: folders of the user whose files the tree has, the likeliest first.
        clients: the files of clients that are functions of the user's, by name, as far as the tree has them.
        calls: how strategies of the tree are called, by name, where their file tells it anew.
        environments: by name, those of clients that need their own.
    """

    python: str
    import_path: tuple[str, ...]
    strategies: Mapping[str, Path]
    tree: Path | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
    module_folders: tuple[str, ...] = ()
    origins: tuple[Path, ...] = ()
    clients: Mapping[str, Path] = field(default_factory=dict)
    calls: Mapping[str, FunctionCall] = field(default_factory=dict)
    environments: Mapping[str, ClientEnvironment] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The settings of a comparison of two variants; stored with its run as ``contest``.

    Case ids are those without a variant.

    Attributes:
        base: label of the base.
        candidate: label of the variant that is compared with it.
        metrics: metrics to compare in each case.
        margins: by case, the largest change that is still *equivalent*, as a share.
        budget_s: seconds of trials; no block is started that would exceed it if it took as long as the last.
        calls: by case, how many times a round calls ``download_many``, so that no round is too short to
            measure; the value of a round is the mean of its calls.
        repeats: by case, how many times one call downloaded the countries of the config; older runs did so
            where rounds now have several calls.
        alone: by case that only one variant has, the label of that variant.
        bounds: absolute thresholds of the candidate.
        unknown_base: why it is not known which cases the base's own config has; empty if it is.
        early_look: number of blocks of an additional look, before those of every comparison; 0 without, as in
            large families and older runs.
        coins: assignment seed: determines the variant that goes first in each pair; it differs between trees
            and libraries, so that bad luck is not repeated with every commit.
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
    calls: Mapping[str, int] = added_field(dict)
    unknown_base: str = added_field(str)
    early_look: int = added_field(int)


def is_full_sha(text: str) -> bool:
    """Return whether a text is a full commit hash of git."""
    return _FULL_SHA.fullmatch(text) is not None
