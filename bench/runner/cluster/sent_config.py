"""Put together what a machine of a cluster needs of a config: its text, and the files that it names."""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from bench.config.imported_modules import imported_modules
from bench.errors import UsageError
from bench.model.cases import LOOPBACK, Client, Experiment, Strategy
from bench.model.scheduler import EMBEDDED
from bench.runner.cluster.messages import SentConfig
from bench.system.paths import import_path, is_shipped, strategy_path

_MOST_BYTES: Final = 8 << 20


def send_config(  # noqa: PLR0913  one argument an option
    experiment: Experiment,
    config: Path,
    content: str,
    *,
    only: str | None,
    blocks: int | None,
    seed: int | None,
    sha256: str,
) -> SentConfig:
    """Return a config with the files of its own strategies, clients and flags.

    Args:
        experiment: what it describes.
        config: its file, or where that could be.
        content: its text.
        only: the pattern of its cases.
        blocks: the number of blocks.
        seed: the seed.
        sha256: identifies the experiment.

    Raises:
        UsageError: the experiment needs something that cannot be sent.
    """
    if reason := next(_refusals(experiment), None):
        raise UsageError(f"--on: {reason}", hint="measure it without --on")
    folder = config.absolute().parent.resolve()
    files = [*_own_files(experiment), *_flag_files(experiment), *_sample_files(experiment, folder)]
    top = Path(os.path.commonpath([folder, *(file.parent for file in files)]))
    contents = {file.relative_to(top).as_posix(): file.read_bytes() for file in files}
    if (size := sum(map(len, contents.values()))) > _MOST_BYTES:
        raise UsageError(
            f"--on: the files have {size >> 20} MiB, and no more than {_MOST_BYTES >> 20} MiB are sent",
            hint="use fewer or smaller flags",
        )
    return SentConfig(
        config=(folder / config.name).relative_to(top).as_posix(),
        content=content,
        files={name: b64encode(body).decode() for name, body in contents.items()},
        only=only,
        blocks=blocks,
        seed=seed,
        sha256=sha256,
    )


def unpack_config(sent: SentConfig, folder: Path) -> Path:
    """Write the files of a config into a folder, and return where the config itself could be.

    Raises:
        UsageError: the path of a file leads out of the folder.
    """
    for name in (sent.config, *sent.files):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UsageError(f"{name} is not below the folder of the files")
    for name, body in sent.files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b64decode(body))
    config = folder / sent.config
    config.parent.mkdir(parents=True, exist_ok=True)
    return config


def _refusals(experiment: Experiment) -> Iterator[str]:
    """Yield what cannot be measured on other machines, each as a sentence."""
    if experiment.target is not None:
        yield "a target is measured from this machine only"
    if experiment.host != LOOPBACK:
        yield f"the flag server's address {experiment.host} is one of this machine"
    for name in experiment.separate_clients:
        yield f"client {name} needs an environment of its own, which is not made on other machines"
    yield from (
        f"{case.id} needs a cluster itself" for case in experiment.cases if case.scheduler != EMBEDDED
    )
    yield from _unsent_code(experiment)
    for text in _texts(experiment.source):
        if text.startswith("/") and Path(text.partition(":")[0]).exists():
            yield f"{text} is an absolute path, and other machines lack it: name it relative to the config"


def _unsent_code(experiment: Experiment) -> Iterator[str]:
    """Yield the strategies and clients that need more code than their own file."""
    for each in _used(experiment):
        if each.package:
            yield f"{each.name} is of an installed package, which is not sent"
        elif each.call is not None and each.call.module:
            yield f"{each.name} is imported as {each.call.module}, and its package is not sent"
    for file in _own_files(experiment):
        if helpers := _imported_helpers(file):
            yield f"{file.name} imports {helpers[0]}, which is not sent"


def _used(experiment: Experiment) -> list[Strategy | Client]:
    return [*experiment.strategies.values(), *experiment.own_clients.values()]


def _own_files(experiment: Experiment) -> list[Path]:
    return [each.file.resolve() for each in _used(experiment) if not is_shipped(each.file)]


def _flag_files(experiment: Experiment) -> list[Path]:
    if experiment.flags_dir is None:
        return []
    return sorted(file for file in experiment.flags_dir.resolve().rglob("*") if file.is_file())


def _sample_files(experiment: Experiment, folder: Path) -> list[Path]:
    """Return the files that profiles of the config take their latencies and sizes from."""
    profiles = [experiment.source.get("profile"), *_as_list(experiment.source.get("profiles"))]
    figures = [
        each[name]
        for each in profiles
        if isinstance(each, dict)
        for name in ("latency", "sizes")
        if name in each
    ]
    samples = [each["sample"] for each in figures if isinstance(each, dict) and "sample" in each]
    names = [each["file"] if isinstance(each, dict) else each for each in samples]
    return sorted({(folder / name).resolve() for name in names})


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _imported_helpers(file: Path) -> list[str]:
    """Return the modules beside a file, or in its project, that it imports."""
    places = [Path(folder) for folder in strategy_path(file, import_path())]
    return [
        name
        for name in imported_modules([file])
        if any((place / f"{name}.py").is_file() or (place / name).is_dir() for place in places)
    ]


def _texts(value: object) -> Iterator[str]:
    """Yield every text in the lists and mappings of a config."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
