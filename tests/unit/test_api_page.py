"""The page of the Python API: every name that may be imported, with its meaning."""

import re

import bench.api
from docs.pages.api_page import api_lines


def entries() -> dict[str, str]:
    """Return the text below each heading of a name."""
    _, *found = "\n".join(api_lines()).split("\n### ")
    return {
        head.strip("`"): text.strip()
        for head, text in (entry.split("\n#")[0].split("\n", 1) for entry in found)
    }


def test_every_name_has_its_meaning() -> None:
    found = entries()
    names = {f"bench.api.{name}" for name in bench.api.__all__} | {"bench.load_run"}
    assert names <= set(found)
    for name, text in found.items():
        meaning = text.rpartition("```")[2]
        assert meaning.strip(), name


def test_methods_have_their_place_and_long_signatures_a_line_for_each_parameter() -> None:
    lines = list(api_lines())
    assert {"#### `Job.client`", "#### `Job.async_client`", "#### `ClientSettings.tls_context`"} <= set(lines)
    assert "\n    folder: Path,\n" in entries()["bench.api.Job"]
    blocks = re.findall(r"^```python$(.*?)^```$", "\n".join(lines), re.DOTALL | re.MULTILINE)
    assert max(len(line) for block in blocks for line in block.splitlines()) <= 100


def test_type_is_shown_with_the_string_below_it_in_the_source() -> None:
    text = entries()["bench.api.Get"]
    assert "Get = Callable[[str], Answer]" in text
    assert "A function that downloads one URL" in text
