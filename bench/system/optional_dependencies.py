"""Find missing libraries of optional features, and the command that installs them."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Final

from bench.model.text import join_and
from bench.system.paths import home


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional feature: its name in the project's metadata, and the modules that it needs."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingExtra:
    """The modules that are not installed, as the end of a sentence, and the command that installs them."""

    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.what}: {self.hint}"


TLS: Final = Extra("tls", ("trustme", "h2"))
"""Encrypted connections, and HTTP/2 on them."""
PARQUET: Final = Extra("parquet", ("pyarrow",))
"""Export to Parquet."""
NOTEBOOK: Final = Extra("notebook", ("narwhals",))
"""Data frames, beside pandas or polars."""
REPORT: Final = Extra("report", ("altair", "jinja2", "vl_convert"))
"""Reports as web pages, and single charts."""
VIEW: Final = Extra("view", ("starlette", "uvicorn", *REPORT.modules))
"""The results folder in a browser."""
DASK: Final = Extra("dask", ("distributed",))
"""Blocks on machines of a cluster."""
VARIANTS: Final = Extra("variants", ("uv",))
"""Virtual environments of variants."""


def missing_extra(extra: Extra) -> MissingExtra | None:
    """Find the modules of an optional feature that are not installed; return None if all are."""
    missing = [module for module in extra.modules if find_spec(module) is None]
    if not missing:
        return None
    verb = "is" if len(missing) == 1 else "are"
    return MissingExtra(f"needs {join_and(missing)}, which {verb} not installed", install_command(extra.name))


def install_command(extra: str, *others: str) -> str:
    """Return the command that installs an extra of this project, beside other packages.

    pip knows the extras of a checkout that is not installed only by its folder.
    """
    try:
        distribution("flagbench")
        wanted = quote(f"flagbench[{extra}]")
    except PackageNotFoundError:
        wanted = f"-e {quote(f'{_checkout()}[{extra}]')}"
    return " ".join(["pip install", wanted, *others])


def _checkout() -> str:
    """Return the folder of the checkout, as it is called from the current folder."""
    folder = home()
    try:
        return "." if Path.cwd() == folder else str(folder)
    except OSError:  # it was removed
        return str(folder)
