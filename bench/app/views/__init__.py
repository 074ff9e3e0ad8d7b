"""The views of `show`: each module prints one, and only the wanted one is imported.

The statistics of a comparison, of scaling and of the exports take longer to import than the summary to print.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Literal, TypeAlias

from rich.console import Console

from bench.model.results import Run


@dataclass(frozen=True, slots=True)
class ViewOptions:
    """The options of `show`.

    Attributes:
        name: the run, as it was given.
        against: pattern of the case that the others are compared with.
        scaling: whether to show the effect of more workers.
        full: whether to print every table.
        form: of the output: ``table``, or a format for other programs.
    """

    name: str
    against: str | None = None
    scaling: bool = False
    full: bool = False
    form: str = "table"


ViewName: TypeAlias = Literal["run", "comparison", "cases", "document"]
View: TypeAlias = Callable[[Run, ViewOptions, Console], None]
"""Prints a stored run."""


def load_view(name: ViewName) -> View:
    """Import a view."""
    view: View = import_module(f"bench.app.views.{name}").print_view
    return view
