"""From a file's bytes to a tree of scalars, and every fault of form found on the way.

PyYAML's loaders raise foreign exceptions on hostile input, follow aliases into bombs and guess types
(``NO`` is false, ``1:30`` is ninety). So only its parser is used, and its events are built into a
tree here, where whatever a config does not need is refused.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from bench.config.problems import Problem, path_shown
from bench.config.quoting import quote_text
from bench.config.yaml_tree import Entries, Items, Mark, Node, Scalar, Steps
from bench.errors import ConfigError

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 20
MAX_NODES: Final = 2_000

# PyYAML's own parser takes ten times as long, but a build without libyaml should still work
_PARSER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NOT_TEXT: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# thousands of %TAG lines cost libyaml quadratic time
_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_EMPTY: Final = "the file is empty; a config needs at least 'strategies'"
_START: Final = Mark(1, 1)


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says; ``root`` is ``None`` where it could not be read to its end."""

    root: Node | None
    problems: tuple[Problem, ...]


class _StopReadingError(Exception):
    """Nothing after this mark can be made sense of."""

    def __init__(self, mark: Mark, what: str, steps: Steps = ()) -> None:
        super().__init__(what)
        self.problem = Problem(mark, steps, what)


def read_file(file: Path) -> bytes:
    """Return the bytes of a regular file of at most 1 MiB; anything else is a ``ConfigError``."""
    try:
        kind = file.stat().st_mode
        # asked before opening: a FIFO would wait for its writer for ever
        if not stat.S_ISREG(kind):
            what = "a folder" if stat.S_ISDIR(kind) else "not a regular file"
            raise _unreadable(file, f"{what}; a config is a YAML file")
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise _unreadable(file, f"cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise _unreadable(file, f"cannot be read: {error}") from error
    if len(content) > MAX_BYTES:
        raise _unreadable(file, f"larger than {MAX_BYTES >> 20} MiB; a config is a page or two")
    return content


def parse(content: bytes) -> Document:
    """Build the tree of a document and collect its faults of form, whatever the bytes are."""
    events = _Events()
    try:
        text = _decode(content)
        events.parser = yaml.parse(text, Loader=_PARSER)
        root = events.document()
    except _StopReadingError as stop:
        return Document(None, (*events.problems, stop.problem))
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML's own parser leaks the latter two
        return Document(None, (*events.problems, _syntax_problem(error, text)))
    return Document(root, tuple(events.problems))


def _unreadable(file: Path, what: str) -> ConfigError:
    return ConfigError((f"{path_shown(file)}: {what}",))


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        raise _StopReadingError(_START, "the file is UTF-16 or UTF-32; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        byte = f"0x{content[error.start]:02x}"
        raise _StopReadingError(_mark(before), f"byte {byte} is not UTF-8; save the file as UTF-8") from error
    if found := _NOT_TEXT.search(text):
        raise _StopReadingError(
            _mark(text[: found.start()]), f"the character {quote_text(found[0])} cannot stand in a config"
        )
    if found := _DIRECTIVE.search(text):
        raise _StopReadingError(
            _mark(text[: found.start()]), "a line that starts with % is a directive; take it out"
        )
    return text


def _mark(before: str) -> Mark:
    return Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _syntax_problem(error: Exception, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    where = Mark(mark.line + 1, mark.column + 1) if mark else _START
    line = "".join(text.splitlines()[where.line - 1 : where.line])
    if line[where.column - 1 : where.column] == "\t":
        return Problem(where, (), "not valid YAML: a tab; indent with spaces")
    if getattr(error, "context", None) == "while scanning an alias":
        return Problem(where, (), "not valid YAML: what begins with * is an alias; put it in quotes")
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(where, (), f"not valid YAML: {what}")


def _mark_of(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


@dataclass(slots=True)
class _Events:
    """The parser's events, read once from the first to the last."""

    parser: Iterator[Any] = field(default_factory=lambda: iter(()))
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def document(self) -> Node:
        """Read the one document there must be."""
        next(self.parser)
        if not isinstance(next(self.parser), yaml.DocumentStartEvent):
            raise _StopReadingError(_START, _EMPTY)
        root = self.node(next(self.parser), ())
        if isinstance(root, Scalar) and root.text in _NULLS:
            raise _StopReadingError(root.mark, _EMPTY)
        next(self.parser)
        after = next(self.parser)
        if isinstance(after, yaml.DocumentStartEvent):
            self.note(after, (), "a second document starts here; a config is one document")
        return root

    def node(self, event: Any, steps: Steps) -> Node:
        """Build the node that starts with this event."""
        mark = _mark_of(event)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _StopReadingError(mark, f"more than {MAX_NODES:,} values; a config has fewer", steps[:2])
        if len(steps) > MAX_DEPTH:
            raise _StopReadingError(mark, f"nested deeper than {MAX_DEPTH} levels", steps[:2])
        self.refuse_decoration(event, steps)
        match event:
            case yaml.SequenceStartEvent():
                return Items(mark, tuple(self.items(steps)))
            case yaml.MappingStartEvent():
                return self.entries(mark, steps)
            case yaml.ScalarEvent():
                if event.style in {None, ""} and event.value in _NULLS and steps:
                    self.note(event, steps, "has no value; leave the key out to take its default")
                return Scalar(mark, event.value)
        return Scalar(mark, "")

    def items(self, steps: Steps) -> Iterator[Node]:
        """Read a list up to its end."""
        index = 0
        while not isinstance(event := next(self.parser), yaml.SequenceEndEvent):
            yield self.node(event, (*steps, index))
            index += 1

    def entries(self, mark: Mark, steps: Steps) -> Entries:
        """Read a mapping up to its end; the first of two equal keys counts."""
        key_marks: dict[str, Mark] = {}
        values: dict[str, Node] = {}
        while not isinstance(event := next(self.parser), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self.note(event, steps, "a key must be a plain word")
                self.node(event, (*steps, ""))  # a step of its own: keys within keys are deep too
                self.node(next(self.parser), steps)
                continue
            key = event.value
            self.refuse_decoration(event, (*steps, key))
            value = self.node(next(self.parser), (*steps, key))
            if key in values:
                self.note(
                    event, (*steps, key), f"the key is there twice, first on line {key_marks[key].line}"
                )
            else:
                key_marks[key], values[key] = _mark_of(event), value
        return Entries(mark, key_marks, values)

    def refuse_decoration(self, event: Any, steps: Steps) -> None:
        """Note aliases, anchors and tags: a config needs none of them, and bombs are made of them."""
        if isinstance(event, yaml.AliasEvent):
            self.note(
                event,
                steps,
                f"the alias {quote_text(f'*{event.anchor}')} is not followed; write its value out",
            )
        elif event.anchor is not None:
            self.note(
                event, steps, f"the anchor {quote_text(f'&{event.anchor}')} has no use here; take it out"
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.note(event, steps, f"the tag {quote_text(tag)} is not read; write the plain value")

    def note(self, event: Any, steps: Steps, what: str) -> None:
        """Add a problem at the start of an event."""
        self.problems.append(Problem(_mark_of(event), steps, what))
