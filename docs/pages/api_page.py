"""Write the reference of what strategies, clients and notebooks may import, from its docstrings."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from textwrap import fill
from typing import Any, Final, get_origin

import bench
import bench.api
from bench.notebook import RunResults

_LONGEST_LINE: Final = 84
_MODULES: Final = re.compile(r"\b(?:collections\.abc|bench\.\w+\.\w+|contextlib|pathlib)\.")
_QUOTED_TYPE: Final = re.compile(r"ForwardRef\('([^']*)'\)")
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
    yield from _members(RunResults)
    yield from ("## For strategies and clients", "", "All of `bench.api`; everything else may change.", "")
    docstrings = dict(_docstrings_of_constants(Path(bench.api.__file__).parent))
    for name in bench.api.__all__:
        found = getattr(bench.api, name)
        yield from _described(f"bench.api.{name}", found, docstrings=docstrings)
        if inspect.isclass(found):
            yield from _members(found)


def _members(of: type) -> Iterator[str]:
    """Yield the methods and properties of a class that are described; its docstring has its attributes."""
    for name, member in vars(of).items():
        described = member.__func__ if isinstance(member, classmethod) else member
        is_one = inspect.isroutine(described) or isinstance(described, property)
        if is_one and not name.startswith("_") and inspect.getdoc(described):
            yield from _described(f"{of.__name__}.{name}", described, level=4)


def _docstrings_of_constants(package: Path) -> Iterator[tuple[str, str]]:
    """Yield the names of constants and types with the string below each, which only the source has."""
    for file in sorted(package.glob("*.py")):
        for statement, below in pairwise(ast.parse(file.read_text("utf-8")).body):
            match statement, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    yield name, text


def _described(
    name: str, found: Any, level: int = 3, docstrings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield a heading, the signature if it can be called, the value of a constant, and the docstring."""
    yield from (f"{'#' * level} `{name}`", "")
    last = name.rpartition(".")[2]
    if get_origin(found) is not None:
        yield from ("```python", f"{last} = {_readable(str(found))}", "```", "")
    elif callable(found) and (inspect.isroutine(found) or inspect.isclass(found)):
        yield from ("```python", _signature(last, found), "```", "")
    elif isinstance(found, int):
        yield from (f"`{found:,}`", "")
    text = (docstrings or {}).get(last) or (
        "" if found.__doc__ == type(found).__doc__ else inspect.getdoc(found)
    )
    if text:
        yield from _docstring(text)
        yield ""


def _signature(name: str, found: Any) -> str:
    """Write how something is called; with a line for each parameter, where one line would be too long."""
    try:
        signature = inspect.signature(found)
    except ValueError:  # of a type that is written in C
        return f"{name}(...)"
    line = _readable(f"{name}{signature}")
    if len(line) <= _LONGEST_LINE:
        return line
    parameters = [_readable(f"    {each},") for each in signature.parameters.values()]
    wrapped = [fill(each, _LONGEST_LINE, subsequent_indent=" " * 8) for each in parameters]
    returned = line.rpartition(")")[2]
    return "\n".join([f"{name}(", *wrapped, f"){returned}"])


def _readable(types: str) -> str:
    """Leave out the modules of types, and ``ForwardRef`` around their names."""
    return _MODULES.sub("", _QUOTED_TYPE.sub(r"\1", types))


def _docstring(text: str) -> Iterator[str]:
    """Turn the sections of a docstring into lists, and its double backquotes into single ones."""
    for line in text.replace("``", "`").splitlines():
        if section := _SECTION.match(line):
            yield from (f"**{section[1]}**", "")
        elif item := _ITEM.match(line):
            yield f"- `{item[1]}`: {item[2]}"
        else:
            yield line.removeprefix("    ") if line.startswith("        ") else line
