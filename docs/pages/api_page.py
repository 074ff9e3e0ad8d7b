"""Write the reference of what strategies, clients and notebooks may import, from its docstrings."""

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

import bench
import bench.api
from bench.notebook import RunResults

_SECTION: Final = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
_ITEM: Final = re.compile(r"^ {4}([\w.*`\"/ ,]+): (.*)$")


def api_lines() -> Iterator[str]:
    """Yield the page."""
    yield from (
        "# Python API",
        "",
        "[Python and notebooks](python.md) has examples for stored runs, [strategies](strategies.md) for",
        "the rest.",
        "",
        "## Stored runs",
        "",
    )
    yield from _described("bench.load_run", bench.load_run)
    yield from _described("bench.notebook.RunResults", RunResults)
    for name, member in inspect.getmembers_static(RunResults):
        if not name.startswith("_") and inspect.getdoc(member):
            yield from _described(f"RunResults.{name}", member, level=4)
    yield from ("## For strategies and clients", "", "All of `bench.api`; everything else may change.", "")
    for name in bench.api.__all__:
        yield from _described(f"bench.api.{name}", getattr(bench.api, name))


def _described(name: str, found: Any, level: int = 3) -> Iterator[str]:
    """Yield a heading, the signature if it can be called, the value of a constant, and the docstring."""
    yield from (f"{'#' * level} `{name}`", "")
    if callable(found) and (inspect.isroutine(found) or inspect.isclass(found)):
        yield from ("```python", f"{name.rpartition('.')[2]}{_signature(found)}", "```", "")
    elif isinstance(found, int):
        yield from (f"`{found:,}`", "")
    if found.__doc__ != type(found).__doc__ and (text := inspect.getdoc(found)):
        yield from _docstring(text)
        yield ""


def _signature(found: Any) -> str:
    try:
        return str(inspect.signature(found))
    except ValueError:  # of a type that is written in C
        return "(...)"


def _docstring(text: str) -> Iterator[str]:
    """Turn the sections of a docstring into lists, and its double backquotes into single ones."""
    for line in text.replace("``", "`").splitlines():
        if section := _SECTION.match(line):
            yield from (f"**{section[1]}**", "")
        elif item := _ITEM.match(line):
            yield f"- `{item[1]}`: {item[2]}"
        else:
            yield line.removeprefix("    ") if line.startswith("        ") else line
