"""The contract with users: names, options, config keys, stored files, exports and exit codes.

Each is compared with a file in ``tests/fixtures/contract``; the README there explains how to write them anew.
"""

import csv
import inspect
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import unified_diff
from email.message import Message
from importlib import import_module
from pathlib import Path
from ssl import SSLContext
from typing import Any, Final, TypeAlias
from unittest.mock import Mock
from xml.etree import ElementTree as ET

import click
import pytest
from pyarrow import parquet

import bench.api
from bench.__main__ import main
from bench.cli import cli
from bench.model.cases import Case
from bench.model.results import Measurement, Round, Run
from bench.notebook import RunResults
from bench.report.export.data_frame import FRAMES
from bench.report.run_ratios import RunRatios
from bench.stats.case_summary import CaseSummary, Figures
from bench.stats.comparability import DescribedCase
from bench.stats.intervals import Interval
from bench.stats.pairwise import PairVerdict
from bench.stats.ranking import Ranking
from bench.stats.verdicts import MetricVerdict, Verdicts

ROOT: Final = Path(__file__).parents[2]
FIXTURES: Final = ROOT / "tests" / "fixtures" / "contract"
RUNS: Final = FIXTURES / "runs"
SMALL, SLOWER, BROKEN = (str(RUNS / name) for name in ("small", "slower", "broken"))
UPDATE: Final = "UPDATE_CONTRACT=1 python -m pytest tests/unit/test_contract.py"

Call: TypeAlias = Callable[..., "Output"]


@dataclass(frozen=True, slots=True)
class Output:
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Output]:
    """Return a function that runs a command in an empty folder, with its own home and a wide terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "FLAGBENCH_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))

    def call(*words: str | Path) -> Output:
        monkeypatch.setattr("sys.argv", ["flagbench", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return Output(left.value.code, said.out, said.err)

    return call


def check_contract(name: str, found: object) -> None:
    """Compare a value with the fixture of this name, or write the fixture if UPDATE_CONTRACT is set."""
    text = found if isinstance(found, str) else json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    file = FIXTURES / name
    if os.environ.get("UPDATE_CONTRACT"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    known = file.read_text("utf-8").splitlines(keepends=True)
    changes = "".join(unified_diff(known, text.splitlines(keepends=True), name, "now"))
    assert not changes, f"{changes}\nIf users are to have it so: {UPDATE}"


def rounded(text: str) -> str:
    """Round long figures: sums differ in their last digits between versions of Python."""
    return re.sub(r"\d+\.\d{9,}(e-\d+)?", lambda figure: f"{float(figure[0]):.12g}", text)


# The library


HIDDEN: Final = {
    "Message": Message,
    "Path": Path,
    "PathLike": os.PathLike,
    "RunResults": RunResults,
    "SSLContext": SSLContext,
}
"""Types that the library imports for type checkers alone."""


def type_words(annotation: object) -> str:
    """Write a type without the modules of its parts."""
    return re.sub(r"\b([a-z_]+\.)+(?=[A-Z])", "", inspect.formatannotation(annotation))


def signature_words(function: Callable[..., object]) -> str:
    """Write the signature of a function."""
    types = typing.get_type_hints(function, localns=HIDDEN)
    signature = inspect.signature(function)
    taken = []
    for name, parameter in signature.parameters.items():
        word = str(parameter.replace(annotation=parameter.empty))
        taken.append(f"{word}: {type_words(types[name])}" if name in types else word)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            taken.append("/")
    return f"({', '.join(taken)}) -> {type_words(types.get('return', Any))}"


def class_words(class_: type) -> dict[str, object]:
    """Describe a class: its base, its fields in order, its public methods."""
    types = typing.get_type_hints(class_, localns=HIDDEN)
    defaults: Mapping[str, object] = getattr(class_, "_field_defaults", {})
    fields = {
        name: type_words(types[name]) + (f" = {defaults[name]!r}" if name in defaults else "")
        for name in getattr(class_, "_fields", ())
    }
    methods = {
        name: signature_words(value)
        for name, value in vars(class_).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    bases = [base.__name__ for base in class_.__bases__ if base is not object]
    return {"is": bases, "fields": fields, "methods": methods}


def described(value: object) -> object:
    """Describe a public value of the library."""
    if isinstance(value, type):
        return class_words(value)
    if inspect.isfunction(value):
        return signature_words(value)
    if isinstance(value, list):
        return "list"
    return value if isinstance(value, int) else type_words(value)


def test_every_public_name_of_the_library_is_still_there() -> None:
    """Each is compared with its parameters, fields, types and defaults."""
    check_contract(
        "api.json", {name: described(getattr(bench.api, name)) for name in sorted(bench.api.__all__)}
    )


RECORDS: Final = (
    RunResults, RunRatios, Run, Case, Measurement, Round, CaseSummary, Figures, Ranking, PairVerdict,
    Interval, Verdicts, MetricVerdict, DescribedCase,
)  # fmt: skip
"""The part of a stored run that notebooks read."""


def attribute_words(class_: type) -> dict[str, str]:
    """Describe the fields and properties of a record."""
    types = typing.get_type_hints(class_, localns=HIDDEN)
    found = {field.name: type_words(types[field.name]) for field in fields(class_)}
    for name, value in vars(class_).items():
        read = getattr(value, "fget", None) or getattr(value, "func", None)
        if read is not None:
            found[name] = type_words(typing.get_type_hints(read)["return"])
    return found


def test_a_stored_run_still_has_what_notebooks_read() -> None:
    """Functions with their parameters, records with their fields, frames with their columns and types."""
    found = {
        "load_run": signature_words(bench.load_run),
        "methods": class_words(RunResults)["methods"],
        "records": {class_.__name__: attribute_words(class_) for class_ in RECORDS},
        "frames": {
            kind: {name: column.kind for name, column in table.columns.items()}
            for kind, table in FRAMES.items()
        },
    }
    check_contract("notebook.json", found)


CLIENT: Final = '''"""The standard library's own."""

import asyncio
import urllib.error
import urllib.request
from contextlib import asynccontextmanager, contextmanager

from bench.api import Answer, ClientSettings, collect

DEVIATIONS = {"surplus_bytes": "ok"}


def ask(url: str, settings: ClientSettings) -> Answer:
    """Get one flag."""
    context = settings.tls_context()
    try:
        response = urllib.request.urlopen(url, timeout=settings.request_timeout_s, context=context)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return Answer(response.status, collect([response.read()], settings), response.headers)


@contextmanager
def open_client(settings: ClientSettings):
    """Yield get for threads."""
    yield lambda url: ask(url, settings)


@asynccontextmanager
async def open_async_client(settings: ClientSettings):
    """Yield get for event loops."""
    yield lambda url: asyncio.to_thread(ask, url, settings)
'''
THREADS: Final = '''"""Threads of my own."""

from concurrent.futures import ThreadPoolExecutor

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Let threads work through the countries."""
    with job.client() as download_one, ThreadPoolExecutor(job.workers) as executor:
        futures = [job.watch(code, executor.submit(download_one, code)) for code in job.countries]
        return [future.result() for future in futures]
'''
LOOP: Final = '''"""A loop of my own."""

import asyncio

from bench.api import Fetch, Job


async def gathered(job: Job) -> list[Fetch]:
    """Await all countries at once."""
    limit = asyncio.Semaphore(job.workers)
    async with job.async_client() as download_one:

        async def fetch(code: str) -> Fetch:
            async with limit:
                return await download_one(code)

        return await asyncio.gather(*map(fetch, job.countries))


def download_many(job: Job) -> list[Fetch]:
    """Run the loop."""
    return asyncio.run(gathered(job))
'''


def program(*words: str | Path, cwd: Path, root: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a command as from a shell, with the program of a folder."""
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_users_own_client_and_strategies_still_work(tmp_path: Path) -> None:
    """A client is a file of two functions, a strategy a file of one; any other file is refused."""
    project, mine = tmp_path / "project", tmp_path / "mine"
    for name in ("bench", "strategies", "configs"):
        shutil.copytree(ROOT / name, project / name)
    (project / "strategies/clients/mine.py").write_text(CLIENT, "utf-8")
    mine.mkdir()
    (mine / "my_threads.py").write_text(THREADS, "utf-8")
    (mine / "my_loop.py").write_text(LOOP, "utf-8")
    config = {
        "countries": ["BR", "CN", "XX"],
        "workers": 2,
        "clients": ["mine"],
        "strategies": ["my_threads.py", "my_loop.py"],
        "profile": {"latency": "60ms"},
        "blocks": 1,
        "rounds": 1,
    }
    (mine / "mine.yaml").write_text(json.dumps(config), "utf-8")
    ended = program("bench", "run", "mine.yaml", "--json", "--quiet", "--out", "run", cwd=mine, root=project)
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert {trial["case"] for trial in document["trials"]} == {
        "my_threads/mine/2/60ms",
        "my_loop/mine/2/60ms",
    }
    for trial in document["trials"]:
        assert (trial["outcome"], trial["rounds"][0]["fetches"]) == ("ok", {"ok": 2, "not_found": 1})
        assert trial["rounds"][0]["verified"] == 2
    (project / "strategies/clients/none.py").write_text('"""No client."""\n', "utf-8")
    refused = program("bench", "list", "clients", cwd=mine, root=project)
    assert refused.returncode == 2
    assert "open_client" in refused.stderr


# Names of files, and of what is installed


def test_every_strategy_client_and_config_that_ships_is_still_there() -> None:
    """The names are those that configs and commands use."""

    def stems(pattern: str) -> list[str]:
        return sorted(file.stem for file in ROOT.glob(pattern) if not file.name.startswith("_"))

    patterns = {
        "strategies": "strategies/*.py",
        "clients": "strategies/clients/*.py",
        "configs": "configs/*.yaml",
    }
    check_contract("files.json", {name: stems(pattern) for name, pattern in patterns.items()})


def test_command_extras_and_plugin_option_are_installed_under_their_names() -> None:
    """These are the command, the extras, and the option of the pytest plug-in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    parser = Mock()
    for module in project["entry-points"]["pytest11"].values():
        import_module(module).pytest_addoption(parser)
    options = [call.args for call in parser.getgroup.return_value.addoption.call_args_list]
    found = {
        "commands": sorted(project["scripts"]),
        "extras": sorted(project["optional-dependencies"]),
        "python": project["requires-python"],
        "plugins of pytest": sorted(project["entry-points"]["pytest11"]),
        "options of pytest": options,
    }
    check_contract("installed.json", found)


def test_a_strategy_can_still_be_run_as_a_program(tmp_path: Path) -> None:
    """It has the options of the chapter's scripts."""
    said = program("strategies.sequential", "--help", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert {"--max_req", "--server", "--verbose"} <= {*re.findall(r"--\w+", said.stdout)}


# The command line


def value_words(parameter: click.Parameter) -> str:
    """Describe the type of an option or an argument."""
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return f"{' | '.join(kind.choices)}{'' if kind.case_sensitive else ', in any case'}"
    if isinstance(kind, click.IntRange | click.FloatRange):
        opened = " alone" if kind.min_open else ""
        return f"{kind.name} from {kind.min}{opened} to {'any' if kind.max is None else kind.max}"
    return kind.name


def option_words(option: click.Option) -> str:
    """Describe an option: its spellings, its type, its default."""
    default = option.default if isinstance(option.default, str | int | float) else ""
    words = [
        "nothing" if option.is_flag else value_words(option),
        *([f"default {default}"] if default not in {"", False} else []),
        *(["required"] if option.required else []),
        *(["repeatable"] if option.multiple else []),
    ]
    return "; ".join(words)


def argument_words(argument: click.Argument) -> str:
    """Describe an argument: its type, and how many there may be."""
    number = "one" if argument.nargs == 1 else "several"
    return f"{value_words(argument)}; {number}{'' if argument.required else ' or none'}"


def parameters_of(command: click.Command, above: click.Context | None) -> tuple[click.Context, list[Any]]:
    """Return the parameters of a command, the option for help included."""
    context = click.Context(command, info_name=command.name, parent=above, **command.context_settings)
    return context, command.get_params(context)


def commands_of(command: click.Command, above: click.Context | None = None) -> Iterator[tuple[str, object]]:
    """Describe a command and its sub-commands."""
    context, parameters = parameters_of(command, above)
    options = {
        ", ".join([*each.opts, *each.secondary_opts]): option_words(each)
        for each in parameters
        if isinstance(each, click.Option)
    }
    arguments = [argument_words(each) for each in parameters if isinstance(each, click.Argument)]
    yield (
        " ".join(context.command_path.split()[1:]) or "(alone)",
        {"arguments": arguments, "options": dict(sorted(options.items()))},
    )
    if isinstance(command, click.Group):
        for name in sorted(command.list_commands(context)):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands_of(below, context)


def test_every_command_and_option_is_still_there() -> None:
    """Every spelling and type is compared."""
    check_contract("commands.json", dict(commands_of(cli)))


# Configs


WORDS: Final = frozenset({"description", "title", "examples", "$schema", "$defs"})
"""Keys of a schema that do not restrict a config."""


SHOWN: Final = frozenset(
    {
        *("$ref", "anyOf", "items", "properties", "type", "enum", "const", "default", "pattern"),
        *("minimum", "maximum", "exclusiveMinimum"),
    }
)
"""Keys of a schema that describe the type of a value."""
Parts: TypeAlias = Mapping[str, Any]


def rule_without_words(schema: object, *, names: bool = False) -> object:
    """Drop the descriptions of a rule, and the patterns of its figures.

    Args:
        schema: a part of it.
        names: whether the keys of this part are those of a config.
    """
    if isinstance(schema, list):
        return [rule_without_words(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: rule_without_words(value, names=not names and key in {"properties", "dependentSchemas"})
        for key, value in schema.items()
        if names or not (key in WORDS or (key == "pattern" and describes_number(value)))
    }


def choice_words(schema: Mapping[str, Any]) -> str:
    """Describe the type of a part of a schema that has no alternatives."""
    if "enum" in schema or "const" in schema:
        return " | ".join(map(str, schema.get("enum", [schema.get("const")])))
    kinds = schema.get("type", "anything")
    words = [kinds if isinstance(kinds, str) else " | ".join(kinds)]
    words += [
        f"{bound} {schema[bound]}" for bound in ("minimum", "exclusiveMinimum", "maximum") if bound in schema
    ]
    if not describes_number(schema.get("pattern", "")):
        words.append(f"like {schema['pattern']}")
    return ", ".join(words)


def keys_of(schema: Mapping[str, Any], parts: Parts, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield the type of each key of a config, its default, and its rules.

    Args:
        schema: of what stands at the path.
        parts: of the schema, which have names of their own.
        path: how a key is reached; ``[]`` is an entry of a list, ``*`` any key.
    """
    if "$ref" in schema:
        schema = {**parts[schema["$ref"].rpartition("/")[2]], **schema}
    if "default" in schema:
        yield path, "default", json.dumps(schema["default"])
    for rule in schema.keys() - SHOWN - WORDS:
        if rule == "additionalProperties" and schema[rule] is not False:
            yield from keys_of(schema[rule], parts, f"{path}.*")
        else:
            yield path, "rules", f"{rule}: {json.dumps(rule_without_words(schema[rule]), sort_keys=True)}"
    if "anyOf" not in schema:
        yield path, "takes", choice_words(schema)
    for choice in schema.get("anyOf", ()):
        yield from keys_of(choice, parts, path)
    if "items" in schema:
        yield from keys_of(schema["items"], parts, f"{path}[]")
    for key, inner in schema.get("properties", {}).items():
        yield from keys_of(inner, parts, f"{path}.{key}".lstrip("."))


def describes_number(pattern: str) -> bool:
    """Return whether a pattern describes a number, which only editors need."""
    return re.search("[!-]-|A-Z", pattern) is None


def test_every_key_of_a_config_is_still_there(call: Call) -> None:
    """Types, words and defaults are compared; patterns of digits, which help editors, are not."""
    said = call("schema")
    assert said.code == 0
    schema = json.loads(said.out)
    found: dict[str, dict[str, set[str]]] = {}
    for path, what, value in keys_of(schema, schema["$defs"]):
        found.setdefault(path or "(all)", {}).setdefault(what, set()).add(value)
    check_contract(
        "config.json",
        {
            path: {what: sorted(values) for what, values in sorted(about.items())}
            for path, about in sorted(found.items())
        },
    )


def test_a_config_with_every_key_is_still_valid(call: Call) -> None:
    """The ids of its cases, for which users write patterns, are the same."""
    paths = json.loads((FIXTURES / "config.json").read_text("utf-8"))
    known = {path for path in paths if path.isidentifier()}
    text = (FIXTURES / "every_key.yaml").read_text("utf-8")
    assert {*re.findall(r"^(\w+):", text, re.MULTILINE)} == known - {
        "profile",
        "flags_dir",
        "target",
        "rate",
        "rates",
    }
    said = call("check", FIXTURES / "every_key.yaml")
    assert said.code == 0, said.err
    check_contract("cases.json", re.findall(r"^ *([\w-]+/\S+)", said.out, re.MULTILINE))


def test_an_error_in_a_config_is_reported_with_its_place(call: Call, tmp_path: Path) -> None:
    """The place is file, line, column and key."""
    (tmp_path / "bad.yaml").write_text("strategies: [sequential]\nblocks: 1e3\n", "utf-8")
    said = call("check", "bad.yaml")
    assert said.code == 2
    assert re.search(r"^\S*bad\.yaml:2:9 blocks: ", said.err, re.MULTILINE)
    assert said.out == ""


def test_every_fault_still_has_its_outcome(call: Call) -> None:
    """The classes are those of `list faults`."""
    said = call("list", "faults", "--format", "markdown")
    check_contract("faults.json", dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", said.out, re.MULTILINE)))


# What is stored


MAPS: Final = ("strategies", "libraries", "fetches", "faults", "margins", "repeats", "alone", "variants")
"""Keys of objects whose own keys are names, such as cases."""
ADDED: Final = (
    ".job_use",
    ".gap.client_open_s",
    "config.margin",
    "environment.saves",
    "environment.unchecked",
    ".conditions.idle",
    "_waited_s",
    ".conditions.throttled",
    "others",
    "planned_ideal_s",
    ".spans",
    ".event_loops",
    ".runtime",
    ".probes.gc_collections",
    ".probes.blocks_grown",
    "config.largest_bytes",
    "fairness",
)
"""Keys that documents stored before they were added lack, those of the fixtures among them."""
MAY_LACK: Final = (".*", ".server[]", ".worker[]", ".harness[]")
"""Ends of paths to values that may be empty: these objects, and the cores of the processes."""
AS_WRITTEN: Final = "source"
"""The key of the config as its user wrote it."""


def kind_of(value: object) -> str:
    """Name the JSON type of a value."""
    names = {dict: "object", list: "list", str: "text", bool: "truth", int: "integer", float: "number"}
    return names.get(type(value), "null")


def shape(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path and JSON type of each value in a document."""
    if path:
        yield path, kind_of(value)
    key = path.rpartition(".")[2]
    if isinstance(value, list):
        for each in value:
            yield from shape(each, f"{path}[]")
    elif isinstance(value, dict) and key != AS_WRITTEN:
        for name, inner in value.items():
            yield from shape(inner, f"{path}.{'*' if key in MAPS else name}".lstrip("."))


def shapes(documents: Sequence[object]) -> dict[str, str]:
    """Return the types of each path in any of these documents."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for path, kind in shape(document):
            found.setdefault(path, set()).add(kind)
    return {path: " | ".join(sorted(kinds)) for path, kinds in sorted(found.items())}


def journal_of(folder: Path) -> list[object]:
    """Read the lines of a journal."""
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text("utf-8").splitlines()]


def documents_of(*folders: Path) -> dict[str, dict[str, str]]:
    """Return the shapes of the files in the folders of runs."""
    return {
        "run.json": shapes([json.loads((folder / "run.json").read_text("utf-8")) for folder in folders]),
        "journal.jsonl": shapes([line for folder in folders for line in journal_of(folder)]),
    }


def test_the_stored_runs_have_the_keys_that_are_documented_with_the_fixtures() -> None:
    """One is a run, one a comparison."""
    of_comparisons = documents_of(RUNS / "broken")
    of_comparisons["run.json"] = shapes(
        [json.loads(Path(each, "run.json").read_text()) for each in (SLOWER, BROKEN)]
    )
    check_contract("documents.json", {"run": documents_of(RUNS / "small"), "contest": of_comparisons})


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """Run the config of the stored run, interrupt it and resume it; return the folder and the exit codes."""
    place = tmp_path_factory.mktemp("fresh")
    for line in (
        ("init", "--quiet"),
        ("-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false", "commit",
         "--quiet", "--allow-empty", "--message", "Begin"),
    ):  # fmt: skip
        subprocess.run(["git", *line], cwd=place, check=True)
    words = [str(FIXTURES / "run.yaml"), "--blocks", "1", "--quiet"]
    code = interrupted(place, [*words, "--out", "run"], signal.SIGINT, lines=2)
    ended = program("bench", "run", *words, "--resume", "run", cwd=place)
    return place / "run", [code, ended.returncode]


def interrupted(place: Path, words: Sequence[str], number: signal.Signals, lines: int) -> int:
    """Run a config until its journal has so many lines, send a signal, and return the exit code."""
    journal = place / "run" / "journal.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", "bench", "run", *words],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + 30
            while not (journal.exists() and journal.read_bytes().count(b"\n") >= lines):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            process.send_signal(number)
            return process.wait(30)
        finally:
            process.kill()


def test_a_run_is_still_stored_in_the_same_shape(fresh: tuple[Path, list[int]]) -> None:
    """Files, keys, JSON types and the version of the schema are compared, for run.json and journal."""
    folder, _ = fresh
    assert sorted(file.name for file in folder.iterdir()) == ["journal.jsonl", "run.json", "table.md"]
    known = json.loads((FIXTURES / "documents.json").read_text("utf-8"))["run"]
    for name, found in documents_of(folder).items():
        added = {path: kind for path, kind in found.items() if any(key in path for key in ADDED)}
        assert found.keys() - added.keys() <= known[name].keys()
        assert [path for path in known[name] if path not in found and not path.endswith(MAY_LACK)] == []
        told = {path: kinds for path, kinds in added.items() if not path.startswith("fairness")}
        assert set(told.values()) <= {"object", "truth", "list", "text", "number", "integer"}, told
        for path, kinds in found.items() - added.items():
            untold = ["null"] if ".conditions." in path else []  # as on systems that do not tell
            assert {*kinds.split(" | ")} <= {*known[name][path].split(" | "), *untold}, path
    document, first = json.loads((folder / "run.json").read_text("utf-8")), journal_of(folder)[0]
    assert isinstance(first, dict)
    assert (document["schema"], first["run"]["schema"]) == (3, 3)


def test_journals_of_earlier_versions_are_still_read(call: Call, tmp_path: Path) -> None:
    """A run that has only a journal is listed, with its number of blocks and its start."""
    for name in ("small", "broken"):
        folder = tmp_path / "results/runs" / name
        folder.mkdir(parents=True)
        shutil.copy(RUNS / name / "journal.jsonl", folder)
    said = call("list", "runs")
    assert said.code == 0
    for name, facts in (("small", r"2 +2026-11-28T19:17:09"), ("broken", r"3 +2026-11-28T19:17:06")):
        assert re.search(rf"^{name} .* {facts}", said.out, re.MULTILINE), said.out


# Exports


def junit_facts(text: str) -> str:
    """Drop the parts of JUnit's XML that are for people."""
    root = ET.fromstring(text)  # noqa: S314  our own
    for test in root.iter("testcase"):
        for part in list(test):
            if part.tag == "system-out":
                part.text = "…"
            else:
                part.set("message", "…")
    return ET.tostring(root, encoding="unicode") + "\n"


def parquet_facts(content: bytes) -> str:
    """Write the columns of a Parquet file with their types, and its rows."""
    table = parquet.read_table(io.BytesIO(content))
    columns = {field.name: str(field.type) for field in table.schema}
    return json.dumps({"columns": columns, "rows": table.num_rows}, indent=1) + "\n"


FACTS: Final[Mapping[str, Callable[[str], str]]] = {
    "junit": junit_facts,
    "openmetrics": lambda text: re.sub(r"(?<=^# HELP )(\w+) .*", r"\1 …", text, flags=re.MULTILINE),
    "github-action-benchmark": lambda text: re.sub(r'(?<="extra": ").*(?=")', "…", text),
}
"""By format, a function that keeps the facts and drops the words for people."""
EXACT: Final = (
    "pytest-benchmark", "pyperf", "hyperfine", "github-action-benchmark", "bencher", "otava", "otava-config",
    "junit", "openmetrics", "csv", "trials-csv",
)  # fmt: skip


def exported(call: Call, run: str, form: str, folder: Path) -> bytes:
    """Export a stored run into a file."""
    said = call("export", run, "--to", form, "-o", folder / "file")
    assert (said.code, said.out) == (0, ""), said.err
    return (folder / "file").read_bytes()


def test_every_export_format_is_tested_here() -> None:
    """They are the formats compared in full, and those with a test of their own."""
    export = cli.get_command(click.Context(cli), "export")
    assert export is not None
    (to,) = (each for each in export.params if "--to" in each.opts)
    assert isinstance(to.type, click.Choice)
    assert sorted(to.type.choices) == sorted([*EXACT, "parquet", "json", "markdown", "chrome-trace"])


@pytest.mark.parametrize("form", EXACT)
@pytest.mark.parametrize("run", [SMALL, SLOWER], ids=["small", "slower"])
def test_a_stored_run_is_still_exported_alike(run: str, form: str, call: Call, tmp_path: Path) -> None:
    """The exports are equal to the letter, but for sentences."""
    text = exported(call, run, form, tmp_path).decode()
    check_contract(f"exports/{Path(run).name}.{form}", FACTS.get(form, str)(rounded(text)))


@pytest.mark.parametrize("run", [SMALL, SLOWER, BROKEN], ids=["small", "slower", "broken"])
def test_a_stored_run_is_still_written_as_it_was_read(run: str, call: Call, tmp_path: Path) -> None:
    """It is equal byte for byte, checksums included."""
    stored = Path(run, "run.json").read_bytes()
    assert exported(call, run, "json", tmp_path) == stored
    assert call("show", run, "--format", "json").out.encode() == stored


@pytest.mark.parametrize("run", [SMALL, SLOWER], ids=["small", "slower"])
def test_parquet_still_has_its_columns(run: str, call: Call, tmp_path: Path) -> None:
    """They are those of the CSV of trials, in order, with their types, and as many rows."""
    found = parquet_facts(exported(call, run, "parquet", tmp_path))
    rows = list(csv.reader(exported(call, run, "trials-csv", tmp_path).decode().splitlines()))
    assert [*json.loads(found)["columns"]] == rows[0]
    check_contract(f"exports/{Path(run).name}.parquet.json", found)


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_a_run_is_shown_as_it_is_exported(form: str, call: Call, tmp_path: Path) -> None:
    """`show --format` prints the same as `export`."""
    assert call("show", SMALL, "--format", form).out.encode() == exported(call, SMALL, form, tmp_path)


def test_failures_of_a_comparison_are_still_exported(call: Call, tmp_path: Path) -> None:
    """JUnit lists them; formats of figures have none, and refuse."""
    check_contract("exports/broken.junit", junit_facts(exported(call, BROKEN, "junit", tmp_path).decode()))
    assert call("export", BROKEN, "--to", "csv").code == 2


@pytest.mark.parametrize(
    ("run", "facts"),
    [
        (SMALL, "sequential threadpool_map asyncio_gather gives_up urllib3 aiohttp 187 126 125 96% 72%"),
        (SLOWER, "threadpool_map/urllib3/3/60ms elapsed 63 73.2 +16% +15% +17% 14 slower e0d103b 5fa2f3c"),
    ],
    ids=["small", "slower"],
)
@pytest.mark.parametrize("form", ["table", "markdown"])
def test_tables_still_hold_cases_medians_and_bounds(run: str, facts: str, form: str, call: Call) -> None:
    """Their words may change. The terminal shows a summary unless it is asked for every table."""
    said = call("show", run, "--full", "--format", form)
    assert said.code == 0
    found = {word.strip(".,;`*") for word in said.out.replace("\\", "").split()}
    assert {*facts.split()} - found == set()


# Comparing


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("slower", [SLOWER], 1),
        ("faster", [f"{SLOWER}@slower", f"{SLOWER}@main"], 0),
        ("base-fails", [BROKEN], 8),
        ("candidate-fails", [f"{BROKEN}@main", f"{BROKEN}@broken"], 3),
        ("other-threshold", [f"{SLOWER}@main", f"{SLOWER}@slower", "--threshold", "30%"], 0),
        ("descriptive", [f"{SLOWER}@main", f"{SLOWER}@slower", "--descriptive"], 0),
        ("descriptive-missing", [SMALL, f"{SLOWER}@main", "--descriptive"], 1),
    ],
)
def test_stored_runs_still_compare_alike(name: str, words: list[str], code: int, call: Call) -> None:
    """Exit code and JSON are compared; of sentences for people, only that there are some."""
    said = call("compare", *words, "--json")
    assert said.code == code, said.err
    found = json.loads(rounded(said.out))
    if "reasons" in found:
        found["reasons"] = len(found["reasons"])
    for metric in found.get("metrics", ()):
        metric["why"] = bool(metric["why"])
    check_contract(f"compare/{name}.json", found)


def test_a_comparison_is_still_recorded_and_shown_as_history(call: Call, tmp_path: Path) -> None:
    """There is a line for each metric, and a repeated one is not added."""
    kept = tmp_path / "results"
    (kept / "baselines").mkdir(parents=True)
    shutil.copy(FIXTURES / "reference.json", kept / "baselines")
    for _ in range(2):
        assert call("history", "record", SLOWER).code == 0
    check_contract("history/history.jsonl", rounded((kept / "history.jsonl").read_text("utf-8")))
    check_contract("history/shown.json", rounded(call("history", "--json").out))


# Exit codes


def locked(folder: Path) -> "subprocess.Popen[str]":
    """Start a process that holds the lock of a run's folder until it is killed."""
    folder.mkdir()
    script = (
        "import fcntl, os, sys, time; lock = open(sys.argv[1], 'w'); fcntl.lockf(lock, fcntl.LOCK_EX); "
        "lock.write(f'{os.getpid()}\\n'); lock.flush(); print(flush=True); time.sleep(60)"
    )
    line = [sys.executable, "-S", "-c", script, str(folder / ".lock")]
    holder = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    holder.stdout.readline()
    return holder


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (0, "", ("show", SMALL)),
        (1, "", ("compare", SLOWER)),
        (2, "error[usage]: ", ("show", "none")),
        (2, "Error", ("show", SMALL, "--nothing")),
        (3, "", ("compare", f"{BROKEN}@main", f"{BROKEN}@broken")),
        (4, "error[environment]: ", ("noise", "--gate", "3%")),
        (5, "error[results]: ", ("show", "spoilt")),
        (6, "error[locked]: ", ("run", FIXTURES / "run.yaml", "--out", "held", "--quiet")),
        (8, "", ("compare", BROKEN)),
        (9, "error[incomparable]: ", ("compare", SMALL, f"{SLOWER}@main")),
    ],
)
def test_every_exit_code_still_means_the_same(
    code: int,
    kind: str,
    words: tuple[str | Path, ...],
    call: Call,
    tmp_path: Path,
) -> None:
    """The line on stderr begins with the problem."""
    (tmp_path / "spoilt").mkdir()
    stored = Path(SMALL, "run.json").read_bytes()
    (tmp_path / "spoilt/run.json").write_bytes(stored.replace(b'"block": 1', b'"block": 2', 1))
    with locked(tmp_path / "held") as holder:
        try:
            said = call(*words)
        finally:
            holder.kill()
    assert said.code == code, said.err
    assert kind in said.err
    assert not kind.startswith("error") or said.err.startswith(kind)


def test_a_bug_still_has_its_own_exit_code(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any exception in a command ends with it."""
    schema = cli.get_command(click.Context(cli), "schema")
    monkeypatch.setattr(schema, "callback", Mock(side_effect=ZeroDivisionError))
    said = call("schema")
    assert said.code == 7
    assert said.err.startswith("error[bug]: ")


def test_failed_trials_and_signals_have_their_own_exit_codes(
    fresh: tuple[Path, list[int]], tmp_path: Path
) -> None:
    """They are 130 for Ctrl-C, 143 for SIGTERM, 3 for a strategy that raises."""
    assert fresh[1] == [130, 3]
    words = [str(FIXTURES / "run.yaml"), "--quiet", "--out", "run"]
    assert interrupted(tmp_path, words, signal.SIGTERM, lines=1) == 143


def test_every_documented_exit_code_is_tested_here() -> None:
    """There are no others."""
    text = (ROOT / "docs/exit-codes.md").read_text("utf-8")
    cells = re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE)
    assert [int(code) for cell in cells for code in cell.split(",")] == [*range(10), 130, 143]
