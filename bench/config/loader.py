"""Where a config lies: at a path, or among those that ship, by its bare name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bench.config import yaml_reader
from bench.config.lookup import LookupContext
from bench.config.problems import config_error, path_shown, problems_of
from bench.config.quoting import did_you_mean
from bench.config.resolve import resolve
from bench.config.schema import ConfigForm
from bench.config.yaml_tree import to_plain
from bench.errors import ConfigError
from bench.model.cases import Client, Experiment, Strategy
from bench.system import paths

_SUFFIXES: Final = (".yaml", ".yml")


def shipped_configs() -> tuple[str, ...]:
    """Return the bare names of the configs that ship, in alphabetical order."""
    return tuple(sorted(file.stem for file in paths.configs_folder().glob("*.yaml")))


def find_config(name_or_path: str | Path) -> Path:
    """Return a config's file; ``ConfigError`` names the nearest one where there is none.

    A bare word such as ``default`` is always one of those that ship, whatever lies in the current
    folder; anything with a folder or a suffix in it, ``mine.txt`` too, is a path.
    """
    path = Path(name_or_path)
    if not path.suffix and len(path.parts) == 1 and str(path) == str(name_or_path):
        if path.name not in shipped_configs():
            raise ConfigError(
                (f"{path_shown(path)}: no such config{did_you_mean(path.name, shipped_configs())}",)
            )
        return paths.configs_folder() / f"{path.name}.yaml"
    if not _exists(path):
        raise ConfigError((f"{path_shown(path)}: no such file{did_you_mean(str(path), _beside(path))}",))
    return path


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):  # told by the reader, which meets it again
        return True
    return True


def _beside(path: Path) -> list[str]:
    """Return the configs of the same folder; a link to nothing is no help."""
    files = [file for suffix in _SUFFIXES for file in path.parent.glob(f"*{suffix}")]
    return [str(file) for file in files if file.is_file()]


def load_config(
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
    file = find_config(path_or_name)
    document = yaml_reader.parse(yaml_reader.read_file(file))
    root = document.root
    if root is None:
        raise config_error(file, document.problems)
    offer = LookupContext(strategies, clients, read_strategy, file.absolute().parent)
    written = to_plain(root)
    try:
        form = ConfigForm.model_validate(written, context=offer)
    except ValidationError as error:
        raise config_error(file, (*document.problems, *problems_of(error, root))) from error
    if document.problems:
        raise config_error(file, document.problems)
    return resolve(form, file.stem, written if isinstance(written, dict) else {})
