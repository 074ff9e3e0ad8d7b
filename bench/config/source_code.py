"""Find the Python code that a reference names, and decide by its text how its function is called.

A reference is ``my.py``, ``my.py:function`` or ``my_package.module:function``. A function is called with a
job, with country codes, or with one URL; ``ACCEPTED_FORMS`` shows all forms to a user whose function has none
of them. Nothing is imported, and nothing is run.
"""

import ast
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from bench.config.entry_function import SIGNATURE, find_signature_problem
from bench.config.problems import quote_text
from bench.errors import UsageError
from bench.model.function_call import ENTRY, ArgumentKind
from bench.system.paths import strategy_path

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
FormKind: TypeAlias = Literal["job", "codes", "url", "async url"]

ACCEPTED_FORMS: Final = (
    ("def download_many(job: Job) -> list[Fetch]", "a strategy, with flagbench's own client"),
    ("def download_many(cc_list: list[str])", "all flags of a list of codes, such as ['BR', 'CN']"),
    (
        "def download_many(cc_list, base_url, verbose, concur_req)",
        "the same, with the address and the workers",
    ),
    ("async def download_many(…)", "each of these, too"),
    ("def get(url: str) -> bytes", "one URL, in each strategy for threads"),
    ("async def get(url: str) -> bytes", "one URL, in each strategy for event loops"),
)
"""One example of each form, with what it downloads."""
NAME_ONE: Final = "name one"
"""The hint for a file with several functions that can be measured."""

_FILE: Final = re.compile(r"(.+\.py)(?::([A-Za-z_][A-Za-z0-9_]*))?", re.DOTALL)
_MODULE: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*):([A-Za-z_][A-Za-z0-9_]*)")
_MAX_BYTES: Final = 1 << 20
_CODES: Final = frozenset({"cc_list", "ccs", "codes", "countries", "country_codes", "code_list"})
_URLS: Final = frozenset({"url", "uri", "link"})
_ADDRESSES: Final = frozenset({"base_url", "base", "server", "server_url", "address", "root_url", "site"})
_WORKERS: Final = frozenset(
    {"concur_req", "workers", "max_workers", "max_req", "concurrency", "n_workers", "num_workers", "threads"}
)
_FOLDERS: Final = frozenset({"folder", "dest", "dest_dir", "out_dir", "output_dir", "destination"})
_VERBOSE: Final = frozenset({"verbose"})
_KINDS: Final[Mapping[ArgumentKind, frozenset[str]]] = {
    "address": _ADDRESSES, "workers": _WORKERS, "folder": _FOLDERS, "verbose": _VERBOSE,
}  # fmt: skip
_LIST_OF_TEXT: Final = re.compile(
    r"(?:[\w.]+\.)?(?:list|List|Sequence|Iterable|Collection|tuple|Tuple|set|Set)\[str(?:, \.\.\.)?\]"
)
_LIST: Final = re.compile(r"(?:[\w.]+\.)?(?:list|List|Sequence|Iterable|Collection|tuple|Tuple|set|Set)")
_BUILTIN: Final = re.compile(
    r"(?:[\w.]+\.)?(?:list|List|Sequence|Iterable|Collection|tuple|Tuple|set|Set|dict|str|int)(?:\[.*\])?"
)
_MANY_URLS: Final = frozenset({"urls", "uris", "links"})
_JOB: Final = re.compile(r"(?:[\w.]+\.)?Job")


class CodeReference(NamedTuple):
    """A reference to a file or a module, and to a function in it.

    Attributes:
        path: of the file, as written; empty for a module.
        module: dotted name; empty for a file.
        function: empty if the file is to have only one that fits.
    """

    path: str
    module: str
    function: str


@dataclass(frozen=True, slots=True)
class FunctionForm:
    """The form of a function: its kind, and the arguments that it takes.

    Attributes:
        arguments: for country codes, the kind of each argument that is passed, by parameter.
        takes_workers: whether an argument is the number of workers, and its name does not say "unused".
    """

    name: str
    line: int
    kind: FormKind
    arguments: Mapping[str, ArgumentKind] = field(default_factory=dict)

    @property
    def takes_workers(self) -> bool:
        """True if an argument is the number of workers, and its name does not say that it is unused."""
        return any(kind == "workers" and not name.startswith("_") for name, kind in self.arguments.items())


def parse_reference(text: str) -> CodeReference | None:
    """Return a reference to code, or None for any other text."""
    if found := _FILE.fullmatch(text):
        return CodeReference(found[1], "", found[2] or "")
    if found := _MODULE.fullmatch(text):
        return CodeReference("", found[1], found[2])
    return None


def find_module(module: str, folder: Path) -> Path:
    """Return the file of a module, without importing it or the packages around it.

    It is looked for in a folder, in its project as for a strategy there, and among the installed packages.

    Raises:
        UsageError: there is no such module.
    """
    folders = [str(folder), *strategy_path(folder / "any.py"), *sys.path]
    where = f"{quote_text(str(folder))}, its project and the installed packages"
    return _find_below(module, list(dict.fromkeys(folders)), where)


def find_installed_module(module: str) -> Path:
    """Return the file of a module of an installed package, without importing it or the packages around it.

    Raises:
        UsageError: there is no such module.
    """
    return _find_below(module, list(sys.path), "the installed packages")


def _find_below(module: str, folders: Sequence[str], where: str) -> Path:
    """Return the file of a module that is found in some folders; ``where`` names them."""
    places: Sequence[str] | None = folders
    origin, name = None, ""
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = None if places is None else PathFinder.find_spec(part, list(places))
        if spec is None and part == name:
            spec = find_spec(part)  # by the import hook of an editable install; a package is not imported
        if spec is None:
            raise UsageError(f"there is no module {quote_text(name)}", hint=f"looked for in {where}")
        origin, places = spec.origin, spec.submodule_search_locations
    if origin is None or not origin.endswith(".py"):
        raise UsageError(f"the module {quote_text(module)} has no Python file", hint="name a module with one")
    return Path(origin)


def parse_source(file: Path) -> ast.Module:
    """Return the syntax tree of a Python file.

    Raises:
        UsageError: the file does not exist, is not Python, or is too large or too deep.
    """
    try:
        return ast.parse(_read_source(file), filename=str(file))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint="name a Python file") from error
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{file} is not Python: {error}", hint="fix it, or name another file") from error
    except (MemoryError, RecursionError) as error:
        raise UsageError(f"{file} is nested too deeply to be read", hint="split its expressions") from error


def choose_form(tree: ast.Module, file: Path, function: str = "") -> FunctionForm:
    """Return the form of the named function, of ``download_many``, or of the only one that fits.

    Raises:
        UsageError: there is none, or there are several, or its form is unknown.
    """
    name = function or ENTRY
    found = find_function(tree, name)
    form = None if found is None else form_of(found, is_named=True)
    if form is not None and form.kind != "job":
        return form
    if name == ENTRY:
        problem = find_signature_problem(tree)
        forms = find_forms(tree)
        if problem is None:
            return FunctionForm(ENTRY, 0 if found is None else found.lineno, "job")
        if function or found is not None or not forms:
            raise UsageError(f"{file} {problem}", hint=f"a strategy is a file with `{SIGNATURE}`")
        if len(forms) > 1:
            names = ", ".join(f"{file}:{each}" for each in forms)
            raise UsageError(f"{file} has several functions that can be measured: {names}", hint=NAME_ONE)
        return next(iter(forms.values()))
    hint = "name a function of an accepted form"
    if found is None:
        raise UsageError(f"{file} has no function {name}", hint=hint)
    if form is None:
        problem = f"cannot be called, because of its parameters, the function {name}"
        raise UsageError(f"{file} {problem}", hint=hint)
    return form


def find_forms(tree: ast.Module) -> dict[str, FunctionForm]:
    """Return the public functions at the top level of a file that have an accepted form, by name.

    Of several functions with one name the last counts. Functions that the user did not name are judged more
    strictly: a job needs its annotation, and codes need the name of the parameter.
    """
    forms: dict[str, FunctionForm] = {}
    for function in _functions(tree):
        forms.pop(function.name, None)
        if not function.name.startswith("_") and (form := form_of(function, is_named=False)) is not None:
            forms[function.name] = form
    return forms


def find_function(tree: ast.Module, name: str) -> Function | None:
    """Return the last function of this name at the top level of a file, or None."""
    return next((each for each in reversed(list(_functions(tree))) if each.name == name), None)


def form_of(function: Function, *, is_named: bool) -> FunctionForm | None:
    """Return the form of a function by its parameters and annotations, or None if it has none of them.

    Args:
        function: the function.
        is_named: whether the user named it, so that any list of text must be the codes.
    """
    is_named = is_named or function.name == ENTRY
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args]
    if not parameters:
        return None
    first = parameters[0]
    required = len(parameters) - len(arguments.defaults) + arguments.kw_defaults.count(None)
    if required <= 1 and (_is_job(first, is_named=is_named) or _may_be_job(function, first)):
        return FunctionForm(function.name, function.lineno, "job")
    if _takes_url(first) and required <= 1:
        kind: FormKind = "async url" if isinstance(function, ast.AsyncFunctionDef) else "url"
        return FunctionForm(function.name, function.lineno, kind)
    if _takes_codes(first, is_named=is_named):
        kinds = _argument_kinds(arguments)
        return None if kinds is None else FunctionForm(function.name, function.lineno, "codes", kinds)
    return None


def _read_source(file: Path) -> bytes:
    found = file.stat()  # before it is opened: a FIFO would block for ever
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{file} is not a regular file", hint="name a Python file")
    if found.st_size > _MAX_BYTES:
        raise UsageError(f"{file} is larger than {_MAX_BYTES >> 20} MiB", hint="split it")
    return file.read_bytes()


def _functions(tree: ast.Module) -> Iterator[Function]:
    return (each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def _argument_kinds(arguments: ast.arguments) -> dict[str, ArgumentKind] | None:
    """Return the kinds of the parameters after the codes, or None if a required one is unknown.

    They are passed by name, so none may be positional only.
    """
    if arguments.posonlyargs:
        return None
    first, *others = arguments.args
    plain = len(arguments.args) - len(arguments.defaults)
    required = {each.arg for each in arguments.args[:plain]} | {
        each.arg
        for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    }
    kinds: dict[str, ArgumentKind] = {first.arg: "codes"}
    for parameter in (*others, *arguments.kwonlyargs):
        kind = _kind_of(parameter.arg)
        if kind is not None:
            kinds[parameter.arg] = kind
        elif parameter.arg in required:
            return None
    return kinds


def _kind_of(name: str) -> ArgumentKind | None:
    """Return the kind of a parameter by its name; ``_unused_concur_req`` is the number of workers, too."""
    plain = name.lower().lstrip("_").removeprefix("unused_")
    return next((kind for kind, names in _KINDS.items() if plain in names), None)


def _is_job(parameter: ast.arg, *, is_named: bool) -> bool:
    annotation = _annotation(parameter)
    return _JOB.fullmatch(annotation) is not None or (is_named and parameter.arg == "job" and not annotation)


def _may_be_job(function: Function, parameter: ast.arg) -> bool:
    """Tell whether ``download_many`` has a parameter of which nothing is known: it takes the job."""
    is_known = _takes_codes(parameter, is_named=True) or _takes_url(parameter)
    is_other = _BUILTIN.fullmatch(_annotation(parameter)) is not None or parameter.arg.lower() in _MANY_URLS
    return function.name == ENTRY and not (is_known or is_other)


def _takes_codes(parameter: ast.arg, *, is_named: bool) -> bool:
    annotation, name = _annotation(parameter), parameter.arg.lower()
    if name in _CODES and _LIST.fullmatch(annotation) is not None:
        return True
    if annotation and _LIST_OF_TEXT.fullmatch(annotation) is None:
        return False
    is_list = bool(annotation) and is_named and not any(name.startswith(each) for each in _URLS)
    return name in _CODES or is_list


def _takes_url(parameter: ast.arg) -> bool:
    annotation = _annotation(parameter)
    return parameter.arg.lower() in _URLS and (not annotation or annotation.endswith(("str", "URL", "Url")))


def _annotation(parameter: ast.arg) -> str:
    """Return an annotation as text, without the quotes around it."""
    return "" if parameter.annotation is None else ast.unparse(parameter.annotation).strip("'\"")
