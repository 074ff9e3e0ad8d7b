"""Find the config of a comparison in the tree of its base: the cases that the candidate must still have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from bench.app.case_patterns import matches_pattern
from bench.config import catalog
from bench.config.catalog import describe_strategy
from bench.config.loader import find_config, load_config
from bench.errors import BenchError, UsageError
from bench.model.cases import Case, Client, Experiment, Strategy
from bench.model.comparison import BuiltVariant, Metric
from bench.model.text import join_and, printable
from bench.variants.build import find_counterpart
from bench.variants.git import work_tree_top
from bench.variants.harness import named_strategies

_ALIKE: Final = 0.5
"""Share of equal lines from which a config that vanished counts as renamed; git has the same limit."""
_MAX_CONFIG_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class BaseConfig:
    """The config of a comparison as the base has it.

    Attributes:
        cases: its cases, none if the base has no config of its own.
        strategies: file of each of its strategies in the base's tree, by name.
        clients: file of each of its clients that is a function of the user's, in the same way.
        metrics: metrics that it compares.
        note: a line about the file that was read, if its name is another one.
        problem: why the cases of the base are not known; None if they are.
    """

    cases: tuple[Case, ...] = ()
    strategies: Mapping[str, Path] = field(default_factory=dict)
    clients: Mapping[str, Path] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    note: str | None = None
    problem: str | None = None


def find_base_config(config: str, base: BuiltVariant, only: str | None = None) -> BaseConfig:
    """Read the config that the base has by the same path, or by another one if it was renamed.

    A config outside of the repository is the same for both variants.

    Args:
        config: as on the command line.
        base: the base, built.
        only: pattern of the ids of the cases to compare; None for all.
    """
    named = find_config(config)
    # paths in a config are relative to the folder in which it is named, so links are not followed
    file = named.parent.resolve() / named.name
    origins = base.origins or (work_tree_top(),)
    top = next((origin for origin in origins if file.is_relative_to(origin)), None)
    if base.tree is None or top is None:
        return BaseConfig()
    same = find_counterpart(file, origins, base.tree)
    alike = [same] if same is not None else _find_renamed(file, top, base.tree)
    if len(alike) != 1:
        names = join_and([str(each.relative_to(base.tree)) for each in alike])
        several = f", and {names} are all like it" if alike else ""
        return BaseConfig(problem=f"the base has no {named.name}{several}")
    (found,) = alike
    try:
        experiment = load_config(
            found,
            strategies=_describe_strategies(named_strategies(base.tree)),
            clients=catalog.find_clients(),
            read_strategy=describe_strategy,
        )
    except BenchError as error:
        return BaseConfig(problem=f"{named.name} of the base is invalid: {error.what.partition(chr(10))[0]}")
    path = found.relative_to(base.tree)
    return BaseConfig(
        cases=tuple(case for case in experiment.cases if only is None or matches_pattern(case.id, only)),
        strategies=_files_in(base.tree, experiment.strategies),
        clients=_files_in(base.tree, experiment.own_clients),
        metrics=experiment.comparison_settings.metrics,
        note=None if same is not None else f"{file.relative_to(top)} is {path} in the base",
    )


def changed_work_lines(base: BaseConfig, asked: Experiment) -> Iterator[str]:
    """Write a line for each case of one id whose work differs between the configs, and for lost metrics.

    The work of the candidate's config is compared; that of the base's is not.
    """
    now = {case.id: case for case in asked.cases}
    for before in base.cases:
        after = now.get(before.id, before)
        if before.countries != after.countries:
            fetches = (each.countries.count for each in (before, after))
            yield f"{printable(before.id)} has other countries than in the base's config: {_change(*fetches)}"
        if before.work != after.work:
            yield f"{printable(before.id)} has other CPU work for each flag than in the base's config"
        if before.rate != after.rate:
            yield f"{printable(before.id)} has another rate than in the base's config"
        if before.profile != after.profile:
            yield f"{printable(before.id)} has another profile than in the base's config"
    lost = [metric for metric in base.metrics if metric not in asked.comparison_settings.metrics]
    if lost:
        yield f"not compared, though the base's config does: {join_and(lost)}"


def _change(before: int, after: int) -> str:
    return f"{after:,} {'fetch' if after == 1 else 'fetches'} instead of {before:,}"


def _files_in(tree: Path, described: Mapping[str, Strategy] | Mapping[str, Client]) -> dict[str, Path]:
    """Return the files of strategies or clients that are part of a tree."""
    files = {name: each.file for name, each in described.items()}
    return {name: file for name, file in files.items() if file.is_relative_to(tree.resolve())}


def _find_renamed(file: Path, top: Path, tree: Path) -> list[Path]:
    """Return the YAML files that only the tree has and that are like this one."""
    text = file.read_text(encoding="utf-8", errors="replace")
    vanished = [
        each
        for suffix in ("yaml", "yml")
        for each in sorted(tree.rglob(f"*.{suffix}"))
        if each.is_file()
        and not (top / each.relative_to(tree)).exists()
        and each.stat().st_size <= _MAX_CONFIG_BYTES
    ]
    return [each for each in vanished if _share_alike(text, each) >= _ALIKE]


def _share_alike(text: str, file: Path) -> float:
    other = file.read_text(encoding="utf-8", errors="replace")
    return SequenceMatcher(None, text.splitlines(), other.splitlines(), autojunk=False).ratio()


def _describe_strategies(files: Mapping[str, Path]) -> dict[str, Strategy]:
    """Describe the strategies among these files; leave out files that are not strategies."""
    described = {}
    for name, file in files.items():
        try:
            described[name] = describe_strategy(file)
        except UsageError:
            continue
    return described
