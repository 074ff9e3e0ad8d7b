"""Read a YAML file as text, lists and mappings with their positions, and find its errors of form.

PyYAML's loaders raise foreign exceptions on hostile input, follow aliases into bombs and guess types
(``NO`` is false, ``1:30`` is ninety). So only its parser is used, and its events are collected here, where
everything that a config does not need is rejected. An alias stands for the events of its anchor, which are
read again in its place, so the limits on size and depth hold for what a config means, not for what it
spells. The loader calls it.
"""

import re
import stat
from collections import deque
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import yaml

from bench.config.problems import Mark, Problem, Steps, quote_path, quote_text
from bench.errors import ConfigError

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 20
MAX_NODES: Final = 2_000

# PyYAML's own parser takes ten times as long, but a build without libyaml should still work
_PARSER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_FORBIDDEN: Final = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# thousands of %TAG lines cost libyaml quadratic time
_DIRECTIVE: Final = re.compile(r"^%", re.MULTILINE)
_MERGE: Final = "<<"
EXTENSION: Final = "x-"
"""Begins the top-level keys of values that are there to be referred to, as in other tools' configs."""
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_EMPTY: Final = "the file is empty; a config needs at least 'strategies'"
_START: Final = Mark(1, 1)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        source: strings, lists and dictionaries; ``None`` if parsing stopped at the last of the problems.
        marks: the position of the value at each path.
        key_marks: the position of the key at the end of each path.
    """

    source: object
    marks: Mapping[Steps, Mark]
    key_marks: Mapping[Steps, Mark]
    problems: tuple[Problem, ...]


class _StopReadingError(Exception):
    """The rest of the file cannot be parsed."""

    def __init__(self, mark: Mark, what: str, steps: Steps = ()) -> None:
        super().__init__(what)
        self.problem = Problem(mark, steps, what)


def read_file(file: Path) -> bytes:
    """Return the bytes of a regular file of at most 1 MiB.

    Raises:
        ConfigError: the path is something else, or cannot be read.
    """
    try:
        kind = file.stat().st_mode
        # checked before opening: a FIFO would wait for its writer for ever
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


def _unreadable(file: Path, what: str) -> ConfigError:
    return ConfigError((f"{quote_path(file)}: {what}",))


def parse(content: bytes) -> Document:
    """Parse a document and collect its errors of form."""
    text, reader = "", _EventReader()
    source: object = None
    try:
        text = _decode(content)
        reader.events = yaml.parse(text, Loader=_PARSER)
        source = reader.read_document()
    except _StopReadingError as stop:
        reader.problems.append(stop.problem)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # PyYAML's own parser leaks the latter two
        reader.problems.append(_syntax_problem(error, text))
    if isinstance(source, dict):
        source = {key: value for key, value in source.items() if not key.startswith(EXTENSION)}
    problems = (problem for problem in reader.problems if source is None or not _is_extension(problem.steps))
    return Document(source, reader.marks, reader.key_marks, tuple(problems))


def _is_extension(steps: Steps) -> bool:
    return bool(steps) and str(steps[0]).startswith(EXTENSION)


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        raise _StopReadingError(_START, "the file is UTF-16 or UTF-32; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        what = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _StopReadingError(_mark_after(before), what) from error
    if found := _FORBIDDEN.search(text):
        what = f"the character {quote_text(found[0])} is not allowed; remove it"
        raise _StopReadingError(_mark_after(text[: found.start()]), what)
    if found := _DIRECTIVE.search(text):
        what = "a line that starts with % is a YAML directive; remove it"
        raise _StopReadingError(_mark_after(text[: found.start()]), what)
    return text


def _mark_after(before: str) -> Mark:
    return Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _mark_of(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _syntax_problem(error: Exception, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    where = Mark(mark.line + 1, mark.column + 1) if mark else _START
    line = "".join(text.splitlines()[where.line - 1 : where.line])
    if line[where.column - 1 : where.column] == "\t":
        what = "a tab; indent with spaces"
    elif getattr(error, "context", None) == "while scanning an alias":
        what = "a value that begins with * is an alias; put it in quotes"
    else:
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(where, (), f"not valid YAML: {what}")


@dataclass(slots=True)
class _EventReader:
    """Reads the parser's events once, in order, and records positions and problems."""

    events: Iterator[Any] = field(default_factory=lambda: iter(()))
    problems: list[Problem] = field(default_factory=list)
    marks: dict[Steps, Mark] = field(default_factory=dict)
    key_marks: dict[Steps, Mark] = field(default_factory=dict)
    nodes: int = 0
    anchors: dict[str, list[Any]] = field(default_factory=dict)
    """The events of each anchored value, without anchors and aliases."""
    open_anchors: list[tuple[str, list[Any]]] = field(default_factory=list)
    """Those of anchored values that are being read, from the outermost to the innermost."""
    repeated: deque[Any] = field(default_factory=deque)
    """Events to read again in place of an alias."""

    def read_document(self) -> object:
        """Read the only document of the file."""
        next(self.events)
        if not isinstance(next(self.events), yaml.DocumentStartEvent):
            raise _StopReadingError(_START, _EMPTY)
        root = self.read_node(next(self.events), ())
        if isinstance(root, str) and root in _NULLS:
            raise _StopReadingError(self.marks[()], _EMPTY)
        next(self.events)
        after = next(self.events)
        if isinstance(after, yaml.DocumentStartEvent):
            self.add_problem(after, (), "a second document starts here; a config is one document")
        return root

    def read_node(self, event: Any, steps: Steps) -> object:
        """Read the value that starts with this event, and keep its events if it has an anchor."""
        event = self.resolve_alias(event, steps)
        anchor, event.anchor = event.anchor, None
        if anchor is None:
            return self.read_value(event, steps)
        self.open_anchors.append((anchor, [event]))
        value = self.read_value(event, steps)
        _, self.anchors[anchor] = self.open_anchors.pop()
        return value

    def next_event(self) -> Any:
        """Return the next event of an alias or of the file.

        It is kept for the anchors around it, unless it is an alias.
        """
        event = self.repeated.popleft() if self.repeated else next(self.events)
        if not isinstance(event, yaml.AliasEvent):
            self.keep_event(event)
        return event

    def keep_event(self, event: Any) -> None:
        """Add an event to every anchored value that is being read."""
        for _, events in self.open_anchors:
            events.append(event)

    def resolve_alias(self, event: Any, steps: Steps) -> Any:
        """Return the first event of the value that an alias stands for; any other event is returned."""
        if not isinstance(event, yaml.AliasEvent):
            return event
        name, alias = str(event.anchor), quote_text(f"*{event.anchor}")
        is_open = any(name == each for each, _ in self.open_anchors)
        found = None if is_open else self.anchors.get(name)
        if found is None:
            where = "stands within its own anchor" if is_open else "has no anchor before it"
            self.add_problem(event, steps, f"the alias {alias} {where}; write the value")
            first = yaml.ScalarEvent(None, None, (True, True), "", event.start_mark, event.end_mark, "'")
        else:
            first, *rest = found
            self.repeated.extendleft(reversed(rest))
        self.keep_event(first)
        return first

    def read_value(self, event: Any, steps: Steps) -> object:
        """Read the value that starts with this event, which is no alias."""
        mark = _mark_of(event)
        self.marks.setdefault(steps, mark)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _StopReadingError(mark, f"more than {MAX_NODES:,} values; shorten the config", steps[:2])
        if len(steps) > MAX_DEPTH:
            raise _StopReadingError(mark, f"nested deeper than {MAX_DEPTH} levels", steps[:2])
        self.check_tag(event, steps)
        match event:
            case yaml.SequenceStartEvent():
                return list(self.read_items(steps))
            case yaml.MappingStartEvent():
                return self.read_mapping(steps)
            case yaml.ScalarEvent():
                if event.style in {None, ""} and event.value in _NULLS and steps:
                    self.add_problem(event, steps, "has no value; remove the key to use its default")
                return event.value
        return ""

    def read_items(self, steps: Steps) -> Iterator[object]:
        """Yield the items of a list up to its end."""
        index = 0
        while not isinstance(event := self.next_event(), yaml.SequenceEndEvent):
            yield self.read_node(event, (*steps, index))
            index += 1

    def read_mapping(self, steps: Steps) -> dict[str, object]:
        """Read a mapping up to its end.

        The first of two equal keys counts, and a key of the mapping itself before a merged one.
        """
        mapping: dict[str, object] = {}
        merged: dict[str, object] = {}
        before = (0, 0)
        while not isinstance(event := self.next_event(), yaml.MappingEndEvent):
            event = self.resolve_alias(event, steps)
            if not isinstance(event, yaml.ScalarEvent):
                self.add_problem(event, steps, "a key must be a plain word")
                # under a key of its own: keys within keys are deep too
                self.read_node(event, (*steps, ""))
                self.read_node(self.next_event(), (*steps, ""))
                continue
            key, path = event.value, (*steps, event.value)
            first = self.key_marks.setdefault(path, _mark_of(event))
            self.check_tag(event, path)
            if event.anchor is not None:
                self.anchors[event.anchor], event.anchor = [event], None
            is_merge = key == _MERGE and event.style in {None, ""}
            if is_merge:
                before = (len(self.marks), len(self.key_marks))
            value = self.read_node(self.next_event(), path)
            if key in mapping or (is_merge and merged):
                self.add_problem(event, path, f"duplicate key, first used on line {first.line}")
            elif is_merge:
                merged = self.merge(value, path, event, before)
            else:
                mapping[key] = value
        self.copy_marks((*steps, _MERGE), steps, merged.keys() - mapping.keys(), before)
        return {**merged, **mapping}

    def merge(self, value: object, path: Steps, event: Any, before: tuple[int, int]) -> dict[str, object]:
        """Return the keys of the mappings under a merge key; those of the first mapping come first."""
        merged: dict[str, object] = {}
        for place, source in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(source, dict):
                self.add_problem(event, path, "must be a mapping or a list of mappings, such as *name")
                return {}
            if isinstance(value, list):
                self.copy_marks((*path, place), path, source.keys() - merged.keys(), before)
            merged = {**source, **merged}
        return merged

    def copy_marks(
        self, source: Steps, target: Steps, keys: AbstractSet[str], before: tuple[int, int]
    ) -> None:
        """Copy the positions of merged keys and of the values below them.

        ``before`` has the numbers of positions, of values and of keys, before the merged value was read.
        """
        if not keys:
            return
        depth = len(source)
        for marks, start in zip((self.marks, self.key_marks), before, strict=True):
            found = {
                (*target, *path[depth:]): mark
                for path, mark in islice(marks.items(), start, None)
                if len(path) > depth and path[:depth] == source and path[depth] in keys
            }
            for path, mark in found.items():
                marks.setdefault(path, mark)

    def check_tag(self, event: Any, steps: Steps) -> None:
        """Report tags: a config needs none."""
        tag = getattr(event, "tag", None)
        if tag is not None:
            what = f"the tag {quote_text(tag)} is not supported; write the plain value"
            self.add_problem(event, steps, what)

    def add_problem(self, event: Any, steps: Steps, what: str) -> None:
        """Add a problem at the start of an event."""
        self.problems.append(Problem(_mark_of(event), steps, what))
