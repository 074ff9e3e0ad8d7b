"""Loading the strategy and the client, as late as possible and from the file that was named."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TypeAlias

from bench.api import Job

DownloadMany: TypeAlias = Callable[[Job], object]


def load_strategy(file: Path) -> DownloadMany:
    """Import a strategy file, wherever it lies, as ``strategies.<stem>``; return its ``download_many``.

    It is registered under that name before it runs, so that a pool of processes can find its functions.

    Raises:
        ImportError: it cannot be loaded, or has no ``download_many``.
        BaseException: whatever the file itself raises.
    """
    import_module("strategies")
    name = f"strategies.{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    download_many: DownloadMany | None = getattr(module, "download_many", None)
    if download_many is None:
        raise ImportError(f"{file.name} has no function download_many")
    return download_many


def load_client(name: str) -> None:
    """Import a client, so that the first round does not pay for it.

    Raises:
        ImportError: the client, or the library behind it, is not there.
    """
    import_module(f"strategies.clients.{name}")
