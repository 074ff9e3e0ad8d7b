"""The commands and files of docs/cluster.md that take two machines."""

import re
from typing import Final

from tests.readme import fences, typed_lines
from tests.runs import ROOT

_PAGE: Final = (ROOT / "docs" / "cluster.md").read_text("utf-8")


def section(title: str) -> str:
    """Return the text below a heading of the page, until the next one."""
    _, _, rest = _PAGE.partition(f"## {title}\n")
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


def _commands(title: str) -> list[str]:
    return [line.command for line in typed_lines(section(title))]


STEPS: Final = _commands("From two machines to a result")
"""The commands of that section, in their order."""
(ON,) = _commands("Many experiments")
(TWO,) = fences(section("From two machines to a result"), "yaml")
(CLUSTER,) = fences(section("Many experiments"), "yaml")
