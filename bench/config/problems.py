"""What is wrong with a config, and how it is told: one line a fault, in the order of the file."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.config.tree import Mark, Steps, path_text
from bench.config.wording import shown
from bench.errors import ConfigError

_MOST_TOLD: Final = 50
_LONGEST_PATH: Final = 1024


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it stands, the path of what it concerns, and what is wrong."""

    mark: Mark
    steps: Steps
    what: str


def config_error(file: Path, problems: Iterable[Problem]) -> ConfigError:
    """Return the error that tells all problems, each as ``path:line:column key.path: what``."""
    first_of_place: dict[tuple[Mark, Steps], Problem] = {}
    for problem in problems:
        first_of_place.setdefault((problem.mark, problem.steps), problem)
    ordered = sorted(first_of_place.values(), key=lambda problem: problem.mark)
    lines = [_line(file, problem) for problem in ordered[:_MOST_TOLD]]
    if len(ordered) > _MOST_TOLD:
        lines.append(f"{path_shown(file)}: {len(ordered) - _MOST_TOLD:,} more problems")
    return ConfigError(tuple(lines))


def path_shown(file: Path) -> str:
    """Return a path as given, or quoted where it holds what a terminal would act upon."""
    text = str(file)
    return text if text.isprintable() and len(text) <= _LONGEST_PATH else shown(text)


def _line(file: Path, problem: Problem) -> str:
    where = f"{path_shown(file)}:{problem.mark.line}:{problem.mark.column}"
    path = path_text(problem.steps)
    return f"{where} {path}: {problem.what}" if path else f"{where}: {problem.what}"
