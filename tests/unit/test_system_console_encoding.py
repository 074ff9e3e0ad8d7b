"""Stand-ins for characters that the encoding of a console lacks."""

import ast
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

import bench
from bench.system.console_encoding import STAND_INS, use_stand_ins

UNPRINTED = {"countries.py", "csv.py"}
"""The former has names of countries, the latter signs that are formulas elsewhere; neither prints them."""


def written(text: str, encoding: str) -> bytes:
    stream = io.BytesIO()
    console = io.TextIOWrapper(stream, encoding=encoding)
    use_stand_ins(console)
    console.write(text)
    console.flush()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "x - ~ . / ~ _# -"),
        ("iso-8859-1", "× - ~ . ÷ ± _# -"),
        ("cp1252", "× – ~ … ÷ ± _# -"),
        ("utf-8", "× – ≈ … ÷ ± ▁█ ─"),
    ],
)
def test_only_characters_that_an_encoding_lacks_are_replaced(encoding: str, shown: str) -> None:
    assert written("× – ≈ … ÷ ± ▁█ ─", encoding).decode(encoding) == shown


def test_other_characters_are_escaped_so_that_names_stay_apart() -> None:
    assert written("größe 中 \udc80", "ascii") == rb"gr\xf6\xdfe \u4e2d \udc80"


def test_stand_ins_are_single_ascii_characters_of_the_same_width() -> None:
    assert all(cell_len(shown) == cell_len(other) == 1 for shown, other in STAND_INS.items())
    assert "".join(STAND_INS.values()).isascii()


def test_stream_that_cannot_be_changed_is_left_alone() -> None:
    use_stand_ins(None)
    use_stand_ins(stream := io.StringIO())
    stream.write("×")
    assert stream.getvalue() == "×"


def texts_of(file: Path) -> Iterator[str]:
    """Yield the texts in a module that are no docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    statements = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
            yield node.value


def test_every_character_of_our_own_texts_has_a_stand_in() -> None:
    files = [file for file in Path(bench.__file__).parent.rglob("*.py") if file.name not in UNPRINTED]
    used = {sign for file in files for text in texts_of(file) for sign in text if not sign.isascii()}
    assert used >= set("×÷–…≈±▁")
    assert used <= STAND_INS.keys()
