"""Read the text of pictures of a terminal, as `show --svg` writes them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

_SVG: Final = "{http://www.w3.org/2000/svg}"
_NO_BREAK_SPACE: Final = "\xa0"


def pictured_lines(picture: Path) -> list[str]:
    """Return the lines of a picture that are not blank, each text in the column at which it is drawn."""
    lines: dict[float, str] = {}
    for text in _matrix(picture):
        content = (text.text or "").replace(_NO_BREAK_SPACE, " ")
        sign_width = float(text.attrib["textLength"]) / len(content)
        y = float(text.attrib["y"])
        lines[y] = lines.get(y, "").ljust(round(float(text.attrib["x"]) / sign_width)) + content
    return [line for y in sorted(lines) if (line := lines[y].rstrip())]


def remote_references(picture: Path) -> list[str]:
    """Return all that a picture would load from elsewhere; names of XML namespaces load nothing."""
    text = picture.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    return re.findall(r"\w+://[^\s\"')]*|url\((?!#)[^)]*|@import[^;]*|\bhref=\S*|<script\b", text)


def title_of(picture: Path) -> str:
    """Return the text in the frame of a picture."""
    (title,) = (text for text in root_of(picture).iter(f"{_SVG}text") if _is_of_class(text, "title"))
    return (title.text or "").replace(_NO_BREAK_SPACE, " ")


def root_of(picture: Path) -> ET.Element:
    """Parse a picture."""
    return ET.fromstring(picture.read_text("utf-8"))  # noqa: S314  written by this program


def _matrix(picture: Path) -> Iterator[ET.Element]:
    (matrix,) = (group for group in root_of(picture).iter(f"{_SVG}g") if _is_of_class(group, "matrix"))
    return matrix.iter(f"{_SVG}text")


def _is_of_class(element: ET.Element, name: str) -> bool:
    return element.get("class", "").endswith(f"-{name}")
