"""The constants of a script that are pointed at the flag server and at the folder of a round."""

import ast
from pathlib import Path

import pytest

from bench.config.redirected_constants import find_redirected_constants
from bench.worker.own_function import replace_address


@pytest.mark.parametrize(
    ("text", "addresses", "folders"),
    [
        ("BASE_URL = 'https://example.org/flags'", ("BASE_URL",), ()),
        ("SITE: str = 'http://example.org'", ("SITE",), ()),
        ("PROXY = 'http://proxy:3128'", (), ()),
        ("HTTP_PROXY_URL = 'http://proxy:3128'", (), ()),
        ("SVG_NS = 'http://www.w3.org/2000/svg'", (), ()),
        ("base_url = 'https://example.org'", (), ()),
        ("DEST_DIR = 'downloads/'", (), ("DEST_DIR",)),
        ("DEST_DIR = Path('downloaded')", (), ("DEST_DIR",)),
        ("DEST_DIR = Path(__file__).parent / 'downloaded'", (), ("DEST_DIR",)),
        ("OUTPUT_FOLDER = os.path.join('a', 'b')", (), ("OUTPUT_FOLDER",)),
        ("DOWNLOADS = Path.home() / 'x'", (), ()),
        ("DOWNLOADS = pathlib.Path('x')", (), ("DOWNLOADS",)),
        ("FLAGS = 'BR CN IN'", (), ()),
        ("TARGET = 'x86'", (), ()),
        ("OUT = 'json'", (), ()),
        ("MAX_PATH = 'x'", (), ()),
    ],
)
def test_constants_are_those_for_the_address_and_for_downloads(
    text: str, addresses: tuple[str, ...], folders: tuple[str, ...], tmp_path: Path
) -> None:
    found = find_redirected_constants(ast.parse(text), tmp_path / "mine.py")
    assert found == (addresses, folders)


@pytest.mark.parametrize(
    ("original", "replaced"),
    [
        ("https://example.org", "http://here/flags"),
        ("https://example.org/data/", "http://here/flags/"),
        ("https://example.org/data/{cc}/{cc}.gif", "http://here/flags/{cc}/{cc}.gif"),
        ("https://{host}/data/{cc}/{cc}.gif", "http://here/flags/{cc}/{cc}.gif"),
        ("https://example.org/%s/%s.gif", "http://here/flags/%s/%s.gif"),
        ("https://example.org/%(cc)s/%(cc)s.gif", "http://here/flags/%(cc)s/%(cc)s.gif"),
    ],
)
def test_address_keeps_its_template(original: str, replaced: str) -> None:
    assert replace_address(original, "http://here/flags") == replaced
