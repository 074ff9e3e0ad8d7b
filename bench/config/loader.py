"""Load a config: find it, read it, check it, resolve it; every fault is told at once."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import ValidationError

from bench.config import source
from bench.config.matrix import resolve
from bench.config.offer import Offer
from bench.config.problems import config_error
from bench.config.schema import ConfigForm
from bench.config.shipped import find
from bench.config.translation import problems_of
from bench.config.tree import plain
from bench.model.cases import Client, Experiment, Strategy


def load(
    path_or_name: str | Path,
    *,
    strategies: Mapping[str, Strategy],
    clients: Mapping[str, Client],
    read_strategy: Callable[[Path], Strategy],
) -> Experiment:
    """Return the experiment that a config describes.

    Args:
        path_or_name: a file, or the bare name of a config that ships.
        strategies: those that ship, by name.
        clients: those that ship, by name.
        read_strategy: describes a strategy file that the config names; raises ``BenchError``.

    Raises:
        ConfigError: with all that is wrong, one line a fault: ``path:line:column key.path: what``.
    """
    file = find(path_or_name)
    document = source.parse(source.read_file(file))
    root = document.root
    if root is None:
        raise config_error(file, document.problems)
    offer = Offer(strategies, clients, read_strategy, file.absolute().parent)
    written = plain(root)
    try:
        form = ConfigForm.model_validate(written, context=offer)
    except ValidationError as error:
        raise config_error(file, (*document.problems, *problems_of(error, root))) from error
    if document.problems:
        raise config_error(file, document.problems)
    return resolve(form, file.stem, written if isinstance(written, dict) else {})
