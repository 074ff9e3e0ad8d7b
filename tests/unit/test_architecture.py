"""docs/architecture.md and the import contract in pyproject.toml agree on the rooms of each floor."""

import re
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

Floor = frozenset[str]


def drawn_floors() -> list[Floor]:
    """Read the floors of the drawing: the words of each line before its explanation."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    (drawing,) = re.findall(r"^```\n(__main__ : .*?)^```$", text, re.MULTILINE | re.DOTALL)
    floors = [re.split(r"\s{2,}", line)[0] for line in drawing.splitlines()]
    return [frozenset(room.strip(" /") for room in re.split(r"[|:]", floor)) for floor in floors]


def enforced_floors() -> list[Floor]:
    """Read the floors of the import contract."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (each for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    return [
        frozenset(room.strip().removeprefix("bench.") for room in re.split(r"[|:]", layer))
        for layer in contract["layers"]
    ]


def test_drawn_and_enforced_floors_are_the_same() -> None:
    assert drawn_floors() == enforced_floors()


def test_every_room_has_a_floor() -> None:
    entries = (ROOT / "bench").iterdir()
    rooms = {entry.stem for entry in entries if entry.is_dir() or entry.suffix == ".py"}
    rooms -= {"__init__", "__pycache__"}
    assert rooms == frozenset().union(*enforced_floors())
