"""The functions of a file that can be measured, with their arguments, constants and modules."""

import ast
from pathlib import Path

import pytest

from bench.config.catalog import read_own_client, read_strategy
from bench.config.redirected_constants import find_redirected_constants
from bench.config.script_config import describe_accepted_forms, read_script_form
from bench.config.source_code import find_function, find_module, form_of, parse_reference
from bench.errors import UsageError


def form(text: str, name: str) -> tuple[str, dict[str, str]] | None:
    """Return the kind and the arguments of a function that the user named."""
    function = find_function(ast.parse(text), name)
    assert function is not None
    found = form_of(function, is_named=True)
    return None if found is None else (found.kind, dict(found.arguments))


@pytest.mark.parametrize(
    ("text", "kind", "arguments"),
    [
        ("def f(job): ...", "job", {}),
        ("def f(j: Job): ...", "job", {}),
        ("def f(j: 'bench.api.Job', extra=1): ...", "job", {}),
        ("def f(cc_list): ...", "codes", {"cc_list": "codes"}),
        ("def f(names: list[str]) -> int: ...", "codes", {"names": "codes"}),
        ("def f(names: Sequence[str]): ...", "codes", {"names": "codes"}),
        ("def f(names: tuple[str, ...]): ...", "codes", {"names": "codes"}),
        (
            "def f(cc_list, base_url, verbose, _unused_concur_req): ...",
            "codes",
            {
                "cc_list": "codes", "base_url": "address", "verbose": "verbose",
                "_unused_concur_req": "workers",
            },
        ),
        ("def f(codes, *, dest_dir): ...", "codes", {"codes": "codes", "dest_dir": "folder"}),
        ("def f(codes, retries=3, workers=5): ...", "codes", {"codes": "codes", "workers": "workers"}),
        ("def f(url): ...", "url", {}),
        ("def f(url: str, timeout=5) -> bytes: ...", "url", {}),
        ("async def f(link: str): ...", "async url", {}),
        ("async def f(job): ...", "job", {}),
        ("async def f(codes, *, workers): ...", "codes", {"codes": "codes", "workers": "workers"}),
    ],
)  # fmt: skip
def test_form_is_known_by_parameters_and_annotations(text: str, kind: str, arguments: dict[str, str]) -> None:
    assert form(text, "f") == (kind, arguments)


@pytest.mark.parametrize(
    "text",
    [
        "def f(): ...",
        "def f(x): ...",
        "def f(urls: list[str]): ...",
        "def f(url, session): ...",
        "def f(codes, session): ...",
        "def f(codes, /): ...",
        "def f(cc: str): ...",
        "async def f(codes, session): ...",
    ],
)
def test_other_functions_have_no_form(text: str) -> None:
    assert form(text, "f") is None


def choose(folder: Path, text: str, function: str = "") -> str:
    """Return the function that a script is measured by."""
    (folder / "mine.py").write_text(text)
    code = parse_reference(f"{folder}/mine.py{function and ':' + function}")
    assert code is not None
    return read_script_form(code, folder).name


def test_download_many_goes_before_other_functions(tmp_path: Path) -> None:
    assert choose(tmp_path, "def get(url): ...\ndef download_many(cc_list): ...\n") == "download_many"
    assert choose(tmp_path, "def get(url): ...\ndef download_many(cc_list): ...\n", "get") == "get"


def test_only_function_that_fits_is_chosen(tmp_path: Path) -> None:
    text = "def parse(argv: list[str]): ...\ndef _get(url): ...\ndef main(): ...\nasync def fetch(url): ...\n"
    assert choose(tmp_path, text) == "fetch"


def test_several_functions_are_listed_as_they_can_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"mine\.py:get, .*mine\.py:fetch; name one"):
        choose(tmp_path, "def get(url): ...\nasync def fetch(url): ...\n")


@pytest.mark.parametrize(
    ("text", "function", "message"),
    [
        ("def main(): ...\n", "", "has no function download_many"),
        ("def download_many(): ...\n", "", "takes no positional argument"),
        ("def download_many(cc_list, session): ...\n", "", "needs 2 arguments (cc_list, session)"),
        (
            "def get(url, session): ...\n",
            "get",
            "cannot be called, because of its parameters, the function get",
        ),
        ("def main(): ...\n", "get", "has no function get"),
    ],
)
def test_error_shows_every_accepted_form(tmp_path: Path, text: str, function: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        choose(tmp_path, text, function)
    assert message in str(refused.value)
    assert "; write one that looks like one of these:" in str(refused.value)
    assert refused.value.details == describe_accepted_forms()
    assert any("async def get(url: str) -> bytes" in line for line in refused.value.details)


def test_strategies_and_clients_are_not_mistaken_for_each_other(tmp_path: Path) -> None:
    (file := tmp_path / "mine.py").write_text("def get(url): ...\n")
    assert (read_own_client(file).name, read_own_client(file).source) == ("mine.get", f"{file}:get")
    with pytest.raises(UsageError, match="so it is a client and no strategy"):
        read_strategy(file)
    file.write_text("def download_many(cc_list): ...\n")
    with pytest.raises(UsageError, match="so it is no client"):
        read_own_client(file)


def test_constants_are_found_in_the_file_and_in_those_that_it_imports(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "base.py").write_text("BASE_URL = 'https://x.invalid'\nfrom . import mine\n")
    (package / "paths.py").write_text(
        "from pathlib import Path\nDEST_DIR = Path('d')\nDATA_DIR = Path('x')\n"
    )
    text = (
        "from .base import get\nimport paths\nSERVER: str = 'http://x.invalid'\nlower = 'http://y.invalid'\n"
    )
    (package / "mine.py").write_text(text)
    found = find_redirected_constants(ast.parse(text), package / "mine.py", "package.mine")
    assert found == (("SERVER", "BASE_URL"), ("DEST_DIR",))


def test_module_is_found_without_being_imported(tmp_path: Path) -> None:
    package = tmp_path / "src" / "own_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')\n")
    (package / "module.py").write_text("raise SystemExit('imported')\n")
    assert find_module("own_package.module", tmp_path) == package / "module.py"
    assert find_module("own_package", tmp_path) == package / "__init__.py"
    with pytest.raises(UsageError, match=r"there is no module 'own_package\.other'; looked for in"):
        find_module("own_package.other", tmp_path)
