"""Turn the format string of an access log into a pattern of its lines, for nginx, Apache and Envoy."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bench.config.measured.figures import SERVERS, Server, ServerName
from bench.errors import UsageError
from bench.model.text import join_and, join_or

_VARIABLES: Final[dict[ServerName, re.Pattern[str]]] = {
    "nginx": re.compile(r"\$\{(?P<braced>\w+)\}|\$(?P<name>\w+)"),
    "apache": re.compile(
        r"%%|%[!0-9,]*(?P<which>[<>]?)(?P<argument>\{[^}]*\})?(?P<letter>\^[A-Za-z]{2}|[A-Za-z])"
    ),
    "envoy": re.compile(r"%%|%(?P<name>[A-Z_0-9]+)(?P<argument>\([^)]*\))?(?P<length>:[0-9]+)?%"),
}
_NGINX_DIRECTIVE: Final = re.compile(r"\s*log_format\s+\S+(?:\s+escape=\w+)?\s+(?P<rest>.*)", re.DOTALL)
_APACHE_DIRECTIVE: Final = re.compile(r"\s*LogFormat\s+\"(?P<text>(?:[^\"\\]|\\.)*)\"", re.DOTALL)
_QUOTED: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_PERCENT: Final = "%%"
"""A percent sign that begins no variable, for Apache and Envoy."""


@dataclass(frozen=True, slots=True)
class LineFormat:
    """The parts of a line.

    Attributes:
        literals: the texts before, between and after the variables.
        variables: the names of the variables; figures have those of ``figures.SERVERS``.
        wanted: the places of the variables that are figures.
    """

    literals: tuple[str, ...]
    variables: tuple[str, ...]
    wanted: tuple[int, ...]

    def read(self, line: str) -> dict[str, str] | None:
        """Return the texts of the figures by their names; None if the line is not like this, or ambiguous.

        A line is read from the left and from the right: a value that has the text between two variables in
        it could be read in two ways, which shows if the two differ.
        """
        left, right = self._from_left(line), self._from_right(line)
        if left is None or right is None or any(left[place] != right[place] for place in self.wanted):
            return None
        return {self.variables[place]: left[place] for place in reversed(self.wanted)}

    def _from_left(self, line: str) -> list[str] | None:
        first, *between, last = self.literals
        end = len(line) - len(last)
        if not line.startswith(first) or not line.endswith(last):
            return None
        values, position = [], len(first)
        for literal in between:
            place = _find(line, literal, position)
            if place < 0:
                return None
            values.append(line[position:place])
            position = place + len(literal)
        return [*values, line[position:end]] if position <= end else None

    def _from_right(self, line: str) -> list[str] | None:
        first, *between, last = self.literals
        if not line.startswith(first) or not line.endswith(last):
            return None
        values, end = [], len(line) - len(last)
        for literal in reversed(between):
            place = _find_last(line, literal, end)
            if place < 0:
                return None
            values.append(line[place + len(literal) : end])
            end = place
        return [*reversed([*values, line[len(first) : end]])] if len(first) <= end else None


def spellings(name: str) -> tuple[str, ...]:
    """Return the ways in which the format strings of the servers write a name of the user's."""
    return (f"${name}", f"%{name}", f"%{name}%")


def parse_format(text: str, server: ServerName, named: Sequence[str] = ()) -> LineFormat:
    """Parse a format string, or nginx's ``log_format`` or Apache's ``LogFormat`` with it.

    Args:
        text: the string.
        server: the one that reads it.
        named: variables that are figures, besides those that are known.

    Raises:
        UsageError: it has no figure, or two variables with nothing between them.
    """
    text = _unwrap(text, server)
    literals, variables, end = [""], list[str](), 0
    for found in _VARIABLES[server].finditer(text):
        literals[-1] += text[end : found.start()]
        end = found.end()
        if found[0] == _PERCENT:
            literals[-1] += "%"
        else:
            variables.append(_name(found, server))
            literals.append("")
    literals[-1] += text[end:]
    if "" in literals[1:-1]:
        raise UsageError(
            "the log format has two variables with nothing between them", hint="only its writer can tell them"
        )
    own = {spelling for name in named for spelling in (name, *spellings(name))}
    times = [figure.name for figure in SERVERS[server].times]
    if not {*times, *own} & set(variables):
        raise UsageError(
            f"the log format has none of the times of {SERVERS[server].title}, {join_or(times)}",
            hint="a log with it has no latencies",
        )
    return LineFormat(tuple(literals), tuple(variables), _places(variables, SERVERS[server], own))


def guess_server(text: str) -> ServerName:
    """Return the server whose variables a format string has.

    Raises:
        UsageError: they are those of several servers, or of none.
    """
    found: list[ServerName] = [name for name in SERVERS if _has_time(text, name)]
    if "envoy" in found and "apache" in found:
        found.remove("apache")  # its %D begins %DURATION%, too
    if len(found) != 1:
        seen = f"may be one of {join_and(found)}" if found else "has no time of nginx, Apache or Envoy"
        raise UsageError(f"the log format {seen}", hint="name its server with --format")
    return found[0]


def _has_time(text: str, server: ServerName) -> bool:
    names = {_name(found, server) for found in _VARIABLES[server].finditer(text) if found[0] != _PERCENT}
    return any(figure.name in names for figure in SERVERS[server].times)


def _unwrap(text: str, server: ServerName) -> str:
    r"""Return the string of a directive as its server reads it; Envoy's ``\n`` at the end ends the line."""
    if server == "nginx" and (directive := _NGINX_DIRECTIVE.fullmatch(text)):
        return "".join(single or double for single, double in _QUOTED.findall(directive["rest"]))
    if server == "apache":
        directive = _APACHE_DIRECTIVE.match(text)
        return (directive["text"] if directive else text).replace('\\"', '"').replace("\\t", "\t")
    return text.rstrip("\n").removesuffix("\\n")


def _name(found: re.Match[str], server: ServerName) -> str:
    """Return the name of a variable, without what makes no difference to its value."""
    if server == "nginx":
        return f"${found['braced'] or found['name']}"
    if server == "envoy":
        return f"%{found['name']}{(found['argument'] or '').upper()}%"
    which = found["which"] if found["letter"] == "s" else ""
    return f"%{which}{found['argument'] or ''}{found['letter']}".replace("%{s}T", "%T")


def _places(variables: Sequence[str], server: Server, own: set[str]) -> tuple[int, ...]:
    figures = {figure.name for figure in (*server.times, *server.sizes)} | set(server.statuses) | own
    return tuple(place for place, name in enumerate(variables) if name in figures)


def _find(line: str, literal: str, start: int) -> int:
    """Find a text from a position on; a quote in front that is escaped by a backslash is part of a value."""
    return next(
        (place for place in _occurrences(line, literal, start) if not _is_escaped(line, literal, place)), -1
    )


def _occurrences(line: str, literal: str, start: int) -> Iterator[int]:
    while (place := line.find(literal, start)) >= 0:
        yield place
        start = place + 1


def _find_last(line: str, literal: str, end: int) -> int:
    """Find the last occurrence that ends before a position, as ``_find`` does the first."""
    while (place := line.rfind(literal, 0, end)) >= 0 and _is_escaped(line, literal, place):
        end = place + len(literal) - 1
    return place


def _is_escaped(line: str, literal: str, place: int) -> bool:
    if not literal.startswith('"'):
        return False
    before = place
    while before > 0 and line[before - 1] == "\\":
        before -= 1
    return (place - before) % 2 == 1
