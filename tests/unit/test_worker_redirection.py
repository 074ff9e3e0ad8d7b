"""Constants of the user's code are led to the flag server as they are assigned."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from bench.worker.redirection import (
    Redirection,
    _RedirectingFinder,
    _RedirectingLoader,
    execute_redirected,
    replace_address,
)

ENUM = "from enum import StrEnum\nBASE_URL = 'https://x.invalid'\nclass A(StrEnum):\n"
ADDRESS = "http://h/-/t.current/flags"


@pytest.mark.parametrize(
    ("original", "replaced"),
    [
        ("https://x.invalid", "http://h/flags"),
        ("https://x.invalid/data/flags", "http://h/flags"),
        ("https://x.invalid/", "http://h/flags/"),
        ("https://x.invalid/data/", "http://h/flags/"),
        ("https://x.invalid/data/{cc}/{cc}.gif", "http://h/flags/{cc}/{cc}.gif"),
        ("https://{host}/data/{cc}/{cc}.gif", "http://h/flags/{cc}/{cc}.gif"),
        ("https://x.invalid/%s/%s.gif", "http://h/flags/%s/%s.gif"),
        ("https://x.invalid/%(cc)s/%(cc)s.gif", "http://h/flags/%(cc)s/%(cc)s.gif"),
    ],
)
def test_address_keeps_its_last_slash_and_its_template(original: str, replaced: str) -> None:
    assert replace_address(original, "http://h/flags") == replaced


def executed(text: str) -> ModuleType:
    """Return a module of this text with redirected constants."""
    module = ModuleType("mine")
    redirection = Redirection(["/mine"], ["BASE_URL", "SITE"], ADDRESS, ["DEST_DIR"], "/round")
    execute_redirected(text, module, redirection)
    return module


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("BASE_URL = 'https://x.invalid/flags'; value = BASE_URL", ADDRESS),
        ("BASE_URL: str = 'https://x.invalid/flags'; value = BASE_URL", ADDRESS),
        ("if True:\n    BASE_URL = 'https://x.invalid'\nvalue = BASE_URL + '/a'", f"{ADDRESS}/a"),
        ("BASE_URL = 'https://x.invalid'\ndef get(url=BASE_URL): return url\nvalue = get()", ADDRESS),
        ("BASE_URL = 'https://x.invalid'\nSITE = BASE_URL + '/a'\nvalue = SITE", f"{ADDRESS}/a"),
        ("class A:\n    SITE = 'https://x.invalid'\nvalue = A.SITE", ADDRESS),
        ("class A:\n    SITE = 'x'\nvalue = A.SITE", "x"),
        (f"{ENUM}    SITE = 'https://x.invalid'\nvalue = A.SITE.value", "https://x.invalid"),
        (f"{ENUM}    OTHER = BASE_URL\nvalue = A.OTHER.value", ADDRESS),
        ("DEST_DIR = 'downloads'; value = DEST_DIR", "/round"),
        ("from pathlib import Path\nDEST_DIR = Path('x'); value = DEST_DIR", Path("/round")),
        ("BASE_URL = 1; value = BASE_URL", 1),
        ("BASE_URL = 'ftp://x.invalid'; value = BASE_URL", "ftp://x.invalid"),
        ("OTHER = 'https://x.invalid'; value = OTHER", "https://x.invalid"),
        ("a = b = 1\ndel a\nvalue = sorted({'a', 'b'} & set(dir()))", ["b"]),
        (
            (
                "BASE_URL = 'https://x.invalid'\n"
                "class Late:\n    def __str__(self): return BASE_URL\n"
                "def change():\n    global BASE_URL\n    BASE_URL = ''\nvalue = Late()"
            ),
            ADDRESS,
        ),
        ("locals()['BASE_URL'] = 'https://x.invalid'; value = globals()['BASE_URL']", ADDRESS),
    ],
)
def test_constant_and_what_is_derived_from_it_are_replaced(text: str, value: object) -> None:
    found = vars(executed(text))["value"]
    assert (str(found) if isinstance(value, str) else found) == value


def test_only_modules_of_the_user_are_executed_with_replaced_constants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "lib" / "site-packages"
    installed.mkdir(parents=True)
    for folder, name in ((tmp_path, "own_module"), (installed, "installed_module")):
        (folder / f"{name}.py").write_text("BASE_URL = 'https://x.invalid'\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(installed), *sys.path])
    finder = _RedirectingFinder(Redirection([str(tmp_path)], ["BASE_URL"], ADDRESS, [], ""))
    loaders = {name: finder.find_spec(name) for name in ("own_module", "installed_module", "json")}
    redirected = {name for name, spec in loaders.items() if spec and type(spec.loader) is _RedirectingLoader}
    assert redirected == {"own_module"}
    assert finder.find_spec("no_such_module") is None
    assert finder.find_spec("bench.api") is None
