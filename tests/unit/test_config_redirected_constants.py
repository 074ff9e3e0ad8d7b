"""The constants of a script that are pointed at the flag server and at the folder of a round."""

import ast
from pathlib import Path

import pytest

from bench.config.redirected_constants import find_redirected_constants


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
        ("SITE = 'https://example.org' + '/flags'", ("SITE",), ()),
        ("SITE = f'https://{HOST}/flags'", ("SITE",), ()),
        ("SITE = os.environ.get('SITE', 'https://example.org')", ("SITE",), ()),
        ("SITE = os.getenv('SITE')", (), ()),
        ("SITE = requests.get('x', 'https://example.org')", (), ()),
        ("SITES = {'a': 'https://example.org'}", (), ()),
        ("class Settings:\n    SITE = 'https://example.org'\n    OUT_DIR = 'x'", ("SITE",), ("OUT_DIR",)),
        ("def get():\n    SITE = 'https://example.org'", (), ()),
    ],
)
def test_constants_are_those_for_the_address_and_for_downloads(
    text: str, addresses: tuple[str, ...], folders: tuple[str, ...], tmp_path: Path
) -> None:
    found = find_redirected_constants(ast.parse(text), tmp_path / "mine.py")
    assert found == (addresses, folders)
