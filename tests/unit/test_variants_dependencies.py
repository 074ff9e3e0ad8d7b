"""The files in which a project declares its dependencies: which decide, which are read, which are named."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.errors import SetupError, UsageError
from bench.variants.dependencies import Declaration, find_project, find_unmet, read_declaration
from bench.variants.interpreter import Interpreter, find_interpreter

NO_BUILD = '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\nhttpx = "^0.27"\n'
POETRY = f'{NO_BUILD}[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'
NO_PACKAGE = POETRY.replace("name", "package-mode = false\nname")
HASHED = f"idna==3.10 --hash=sha256:{'0' * 64}\n"


def project(*dependencies: str, more: str = "") -> str:
    """Write a pyproject.toml."""
    return f'[project]\nname = "x"\nversion = "1"\ndependencies = {list(dependencies)}\n{more}'


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    """Return the running interpreter."""
    return find_interpreter("")


def declared(tree: Path, files: Mapping[str, str], interpreter: Interpreter) -> Declaration:
    """Write files to a tree, and read its declaration."""
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    return read_declaration(tree, tree, interpreter)


@pytest.mark.parametrize(
    ("files", "read", "texts"),
    [
        ({"pyproject.toml": project("httpx==0.28.1")}, ["pyproject.toml"], ["httpx==0.28.1"]),
        ({"requirements.txt": "a\n"}, ["requirements.txt"], ["a\n"]),
        (
            {"requirements.txt": "a\n", "pyproject.toml": project("b>=1")},
            ["pyproject.toml", "requirements.txt"],
            ["a\n", "b>=1"],
        ),
        (
            {"requirements.txt": HASHED, "pyproject.toml": project("b>=1")},
            ["pyproject.toml", "requirements.txt"],
            [HASHED],
        ),
        ({"requirements-prod.txt": "a\n", "requirements-dev.txt": "b\n"}, ["requirements-prod.txt"], ["a\n"]),
        ({"requirements/base.txt": "a\n", "requirements/dev.txt": "b\n"}, ["requirements/base.txt"], ["a\n"]),
        (
            {"requirements/base.txt": "a\n", "requirements/prod.txt": "-r base.txt\nb\n"},
            ["requirements/base.txt", "requirements/prod.txt"],
            ["-r base.txt\nb\n"],
        ),
        ({"requirements.in": "a\n"}, ["requirements.in"], ["a\n"]),
        ({"reqs.txt": "a\n"}, ["reqs.txt"], ["a\n"]),
        (
            {"requirements.txt": "-r other/x.txt\n", "other/x.txt": "a\n"},
            ["other/x.txt", "requirements.txt"],
            ["-r other/x.txt\n"],
        ),
        ({"setup.cfg": "[options]\ninstall_requires =\n  a>=1\n  b\n"}, ["setup.cfg"], ["a>=1\nb"]),
        ({"setup.cfg": "[options]\ninstall_requires = file: r\n", "r": "a\n"}, ["setup.cfg"], ["a"]),
        ({"setup.py": "x"}, ["setup.py"], [None]),
        ({"pyproject.toml": project("a", more="[tool.uv]\nno-index = true\n")}, ["pyproject.toml"], [None]),
        ({"pyproject.toml": POETRY}, ["pyproject.toml"], [None]),
        ({"pyproject.toml": '[project]\nname = "x"\ndynamic = ["dependencies"]'}, ["pyproject.toml"], [None]),
        ({"pylock.toml": "x"}, ["pylock.toml"], [None]),
        ({"pylock.prod.toml": "x"}, ["pylock.prod.toml"], [None]),
        ({"pyproject.toml": "[tool.ruff]\n", "setup.cfg": "[flake8]\n", "notes.txt": "x"}, [], []),
    ],
)
def test_declared_dependencies_are_read(
    files: Mapping[str, str],
    read: list[str],
    texts: list[str | None],
    tmp_path: Path,
    interpreter: Interpreter,
) -> None:
    found = declared(tmp_path, files, interpreter)
    assert list(found.read) == read
    assert list(found.sources.values()) == texts
    assert found.unread_locks == ()


@pytest.mark.parametrize(
    ("files", "locks"),
    [
        ({"pyproject.toml": POETRY, "poetry.lock": "x"}, ["poetry.lock"]),
        ({"pyproject.toml": NO_BUILD, "poetry.lock": "x"}, ["poetry.lock", "pyproject.toml"]),
        ({"pyproject.toml": NO_PACKAGE}, ["pyproject.toml"]),
        ({"pyproject.toml": project("a"), "pdm.lock": "x"}, ["pdm.lock"]),
        ({"Pipfile": "x", "Pipfile.lock": "x"}, ["Pipfile.lock", "Pipfile"]),
        ({"environment.yml": "x"}, ["environment.yml"]),
        ({"requirements-web.txt": "a\n", "requirements-api.txt": "b\n"}, None),
        ({"pylock.a.toml": "x", "pylock.b.toml": "x"}, ["pylock.a.toml", "pylock.b.toml"]),
        ({"requirements.txt": "a\n", "poetry.lock": "x"}, []),
    ],
)
def test_locks_that_decide_elsewhere_and_are_not_read_are_named(
    files: Mapping[str, str], locks: list[str] | None, tmp_path: Path, interpreter: Interpreter
) -> None:
    found = declared(tmp_path, files, interpreter)
    assert list(found.unread_locks) == (sorted(files) if locks is None else locks)
    assert set(found.unread_locks) <= found.unread.keys()


def test_files_that_were_not_read_are_told_by_their_content(tmp_path: Path, interpreter: Interpreter) -> None:
    files = {
        "requirements.txt": "a\n",
        "deploy/requirements.txt": "b\n",
        "other/pyproject.toml": project("c"),
        "node_modules/requirements.txt": "d\n",
        ".venv/requirements.txt": "e\n",
    }
    before = declared(tmp_path, files, interpreter).unread
    assert before.keys() == {"deploy/requirements.txt", "other/pyproject.toml"}
    more = {"other/pyproject.toml": project("c", more="[tool.ruff]\n"), "deploy/requirements.txt": "b==2\n"}
    after = declared(tmp_path, more, interpreter).unread
    assert before["other/pyproject.toml"] == after["other/pyproject.toml"]
    assert before["deploy/requirements.txt"] != after["deploy/requirements.txt"]


def test_text_of_names_alone_means_the_same_in_any_tree(tmp_path: Path, interpreter: Interpreter) -> None:
    assert declared(tmp_path, {"pyproject.toml": project("a>=1")}, interpreter).is_independent
    assert not declared(tmp_path, {"pyproject.toml": project("a @ file:./a")}, interpreter).is_independent
    assert not declared(tmp_path, {"setup.py": "x", "pyproject.toml": ""}, interpreter).is_independent


def test_script_may_declare_its_own_dependencies_unless_a_lock_does(
    tmp_path: Path, interpreter: Interpreter
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text('# /// script\n# dependencies = ["a"]\n# ///\n', encoding="utf-8")
    found = read_declaration(tmp_path, tmp_path, interpreter, [mine])
    assert (found.sources, found.read, found.is_independent) == ({"mine.py": None}, ("mine.py",), False)
    (tmp_path / "requirements.txt").write_text(HASHED, encoding="utf-8")
    assert read_declaration(tmp_path, tmp_path, interpreter, [mine]).read == ("requirements.txt",)


@pytest.mark.parametrize("text", ["project = 1", "tool = 1", "[project]\ndependencies = 1", "[tool]\nuv = 1"])
def test_malformed_tables_declare_nothing(text: str, tmp_path: Path, interpreter: Interpreter) -> None:
    assert declared(tmp_path, {"pyproject.toml": text}, interpreter).sources == {}


def test_project_of_a_strategy_is_the_nearest_folder_that_declares_dependencies(tmp_path: Path) -> None:
    for folder in ("a/src/deep", "b/x", "plain"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "a" / "pyproject.toml").write_text(project("x"), encoding="utf-8")
    (tmp_path / "a" / "src" / "pyproject.toml").write_text("[tool.ruff]\n", encoding="utf-8")
    (tmp_path / "b" / "requirements.txt").write_text("x\n", encoding="utf-8")
    deep, other, plain = tmp_path / "a/src/deep/m.py", tmp_path / "b/x/m.py", tmp_path / "plain/m.py"
    assert find_project(tmp_path, [deep]) == tmp_path / "a"
    assert find_project(tmp_path, [other]) == tmp_path / "b"
    assert find_project(tmp_path, [plain]) == find_project(tmp_path, []) == tmp_path
    with pytest.raises(UsageError, match="dependencies of their own: a and b"):
        find_project(tmp_path, [deep, other])


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        (
            {"pyproject.toml": ["httpx==0.28.1"]},
            "pyproject.toml requires httpx==0.28.1, and 0.27.2 is installed",
        ),
        ({"pyproject.toml": ["HTTPX[http2]>=0.27,<1", "typing; python_version < '3'"]}, None),
        ({"pyproject.toml": ["anyio"]}, "pyproject.toml requires anyio, which is not installed"),
        ({"uv.lock": ["anyio==4", "httpx==0.27.2", "./lib"]}, None),
        ({"uv.lock": ["httpx==0.28.1"]}, "uv.lock requires httpx==0.28.1, and 0.27.2 is installed"),
    ],
)
def test_installed_versions_are_held_against_the_files(
    expected: Mapping[str, list[str]], problem: str | None
) -> None:
    assert find_unmet(expected, {"httpx": "0.27.2"}, "3.13.0t") == problem


def test_files_that_cannot_be_parsed_are_refused(tmp_path: Path, interpreter: Interpreter) -> None:
    with pytest.raises(SetupError, match=r"the tree's pyproject.toml is not TOML"):
        declared(tmp_path, {"pyproject.toml": "x"}, interpreter)
    (tmp_path / "pyproject.toml").write_bytes(b"# \xff\n")
    with pytest.raises(SetupError, match=r"the tree's pyproject.toml is not UTF-8"):
        read_declaration(tmp_path, tmp_path, interpreter)
