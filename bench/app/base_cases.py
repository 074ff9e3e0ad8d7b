"""The cases that a config had in the tree of another variant."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.config import catalog
from bench.config.catalog import describe_strategy
from bench.config.loader import load_config
from bench.config.lookup import find_config
from bench.errors import BenchError, UsageError
from bench.model.cases import Case, Strategy
from bench.model.comparison import BuiltVariant
from bench.variants.build import counterpart_strategy
from bench.variants.git import work_tree_top
from bench.variants.harness import named_strategies


def base_cases(config: str, side: BuiltVariant, say: Callable[[str], None]) -> tuple[Case, ...]:
    """Return the cases of a config as it was in a side's tree.

    There are none if it lies outside of the repository, or was not there yet.

    Args:
        config: as the command line has it.
        side: of the base.
        say: is told where there is none that can be read.
    """
    top = work_tree_top()
    named = find_config(config)
    file = named.parent.resolve() / named.name  # paths in it are counted from where it is named
    if side.tree is None or not file.is_relative_to(top):
        return ()
    its = counterpart_strategy(file, top, side.tree)
    if its is None:
        say(f"note: whether cases have vanished is not known, as the base has no {named.name} there")
        return ()
    try:
        return load_config(
            its,
            strategies=_described(named_strategies(side.tree)),
            clients=catalog.find_clients(),
            read_strategy=catalog.describe_strategy,
        ).cases
    except BenchError as error:
        why = error.what.partition("\n")[0]
        say(f"note: whether cases have vanished is not known, as the base's config cannot be read: {why}")
        return ()


def _described(files: Mapping[str, Path]) -> dict[str, Strategy]:
    """Describe strategies, all but those that are none."""
    described = {}
    for name, file in files.items():
        try:
            described[name] = describe_strategy(file)
        except UsageError:
            continue
    return described
