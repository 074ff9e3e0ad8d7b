"""The interpreter and the libraries of a worker, as it found them in its own process.

Workers report them, and runs store them.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Importer: TypeAlias = Literal["client", "strategy"]


@dataclass(frozen=True, slots=True)
class ImportedLibrary:
    """A module beyond the standard library that a worker imported.

    Attributes:
        module: its top-level name.
        importer: the file that imports it: the client, or else the strategy.
        distribution: the installed distribution that the file belongs to; empty if it belongs to none.
        version: of the distribution, or else what the module says itself; empty if neither says any.
        file: the file that was loaded, or the folder of a package without one.
    """

    module: str
    importer: Importer
    distribution: str
    version: str
    file: str


@dataclass(frozen=True, slots=True)
class WorkerRuntime:
    """The interpreter of a worker after its last round, and the libraries that it had imported.

    Attributes:
        python: implementation and version, such as ``CPython 3.11.7``.
        has_gil: whether threads of the interpreter exclude each other; an import may have turned that on.
        libraries: those that the text of the client or the strategy names, and the worker really imported.
    """

    python: str
    has_gil: bool
    libraries: tuple[ImportedLibrary, ...]
