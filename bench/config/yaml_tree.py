"""A YAML document as a tree that remembers where everything stood."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.config.quoting import quote_text

Step: TypeAlias = str | int
Steps: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in the file, both figures counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value as written: nothing is guessed about its type."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    mark: Mark
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping; ``key_marks`` has the keys of ``values``."""

    mark: Mark
    key_marks: Mapping[str, Mark]
    values: Mapping[str, "Node"]


Node: TypeAlias = Scalar | Items | Entries


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: the steps that the document really has, and the node they reach."""

    steps: Steps
    node: Node
    mark: Mark


def to_plain(node: Node) -> str | list[object] | dict[str, object]:
    """Return the document as strings, lists and dictionaries."""
    match node:
        case Scalar():
            return node.text
        case Items():
            return [to_plain(item) for item in node.nodes]
        case Entries():
            return {key: to_plain(value) for key, value in node.values.items()}


def locate(root: Node, steps: Sequence[Step]) -> Place:
    """Follow a path as far as the document goes.

    Steps that the document does not have are passed over: they belong to the long form of something
    that was written short, as ``workers: 0`` is short for ``workers: [0]``.
    """
    place = Place((), root, root.mark)
    for step in steps:
        match place.node, step:
            case Entries() as node, str() if step in node.values:
                place = Place((*place.steps, step), node.values[step], node.values[step].mark)
            case Items() as node, int() if step < len(node.nodes):
                place = Place((*place.steps, step), node.nodes[step], node.nodes[step].mark)
    return place


def path_text(steps: Steps) -> str:
    """Write a path as people do: ``strategies[2].name``."""
    parts = (f"[{step}]" if isinstance(step, int) else f".{_key_text(step)}" for step in steps)
    return "".join(parts).removeprefix(".")


def _key_text(key: str) -> str:
    return key if key.isascii() and key.isidentifier() and len(key) <= 40 else quote_text(key)  # noqa: PLR2004  a long word
