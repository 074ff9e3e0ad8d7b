"""Write the config that measures a script of the user's beside three references. ``run`` then loads it.

There is one implementation of everything else: the text is what ``--print-config`` prints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final, TypeVar

from bench.config.countries import codes_of, parse_code
from bench.config.problems import unknown_word
from bench.config.scalars import parse_duration, parse_whole
from bench.config.source_code import (
    ACCEPTED_FORMS,
    NAME_ONE,
    CodeReference,
    FunctionForm,
    choose_form,
    find_module,
    parse_source,
)
from bench.errors import UsageError
from bench.model.cases import NO_CLIENT, Client, Experiment, Strategy, Uniform
from bench.model.function_call import ENTRY
from bench.model.profile_presets import PRESETS
from bench.model.text import join_and
from bench.system.paths import is_shipped

T = TypeVar("T")

_REFERENCES: Final = (
    ("sequential", "requests"),
    ("threadpool_map", "requests"),
    ("asyncio_gather", "aiohttp"),
)
"""The strategies beside the script, each with the client that it has unless --clients names one that fits."""
_CLIENTS: Final = ("requests", "aiohttp")
"""For a strategy of the user's: it takes the one that it can use."""
_DEFAULT_LATENCY: Final = "10ms-20ms"
"""That of configs/default.yaml."""
_PRESET_SCALE: Final = 0.1
"""The chapter's slow servers are ten times faster here, as in configs/delay.yaml: a run takes minutes."""
_ROUNDS: Final = 2
_BLOCKS: Final = 10
_LEAST_DEADLINE_S: Final = 60
_SLACK: Final = 2
"""A trial may take twice the delays of a sequential strategy."""
_MOST_PROCESSES: Final = 5
"""Workers of strategies that start a process for each: more would only queue for the cores."""


@dataclass(frozen=True, slots=True)
class ScriptOptions:
    """The options of the command line that shape the config of a script; None stands for the default."""

    workers: str | None = None
    profile: str | None = None
    latency: str | None = None
    countries: str | None = None
    clients: str | None = None
    blocks: int | None = None
    seed: int | None = None

    def shape(self) -> dict[str, str]:
        """Return the options that a config cannot have, without those that were not given."""
        names = ("workers", "profile", "latency", "countries", "clients")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def read_script_form(code: CodeReference, folder: Path) -> FunctionForm:
    """Return the form of the function that a reference names.

    Raises:
        UsageError: there is no such file or function, or its form is unknown; the message shows those that
            are accepted.
    """
    file = find_module(code.module, folder) if code.module else Path(code.path)
    tree = parse_source(file)
    try:
        return choose_form(tree, file, code.function)
    except UsageError as error:
        hint = error.hint if error.hint == NAME_ONE else "write one that looks like one of these:"
        raise UsageError(error.what, hint=hint, details=describe_accepted_forms()) from error


def describe_accepted_forms() -> tuple[str, ...]:
    """Return a line with an example of each form."""
    width = max(len(example) for example, _ in ACCEPTED_FORMS)
    return tuple(f"  {example:<{width}}  {what}" for example, what in ACCEPTED_FORMS)


def write_script_config(
    code: CodeReference,
    options: ScriptOptions,
    strategies: Mapping[str, Strategy],
    known: Mapping[str, Client],
) -> str:
    """Return the YAML of the config that measures a script.

    Args:
        code: the reference to the script.
        options: the options of the command line.
        strategies: the shipped strategies, by name.
        known: the shipped clients, by name.

    Raises:
        UsageError: the script has no function of an accepted form, or an option has no valid value.
    """
    form = read_script_form(code, Path())
    named = _names("--clients", options.clients)
    for name in named:
        if name not in known:
            raise UsageError(
                f"--clients: {unknown_word('client', name, known)}", hint=f"there are {join_and(list(known))}"
            )
    workers = _workers(options.workers)
    countries, fetches = _countries(options.countries)
    own = reference_text(code, form)
    lines = [
        f"# Measures {own} beside three references. Paths are relative to the folder of this file.",
        f"name: {_config_name(code, form)}",
        f"countries: {countries}",
        f"workers: [{', '.join(workers)}]",
    ]
    if form.kind == "job":
        lines.append(f"clients: [{', '.join(named or _CLIENTS)}]")
    if not all(known[name].keeps_alive for name in named):
        lines.append("keep_alive: false")  # for all, as rows are to be compared
    lines.append("strategies:")
    clients_of = _choose_references(named, strategies, known)
    _add_own_client(clients_of, form, own, strategies)
    lines += [f"  - {_entry(strategies[name], names, workers)}" for name, names in clients_of.items()]
    if form.kind in {"job", "codes"}:
        lines.append(f"  - {_quote(own)}")
    profile, longest_s = _profile(options)
    lines += [f"profile: {profile}", f"blocks: {options.blocks or _BLOCKS}", f"rounds: {_ROUNDS}"]
    deadline_s = ceil(_SLACK * (1 + _ROUNDS) * fetches * longest_s)
    if deadline_s > _LEAST_DEADLINE_S:
        lines.append(f"deadline: {deadline_s}s")
    if options.seed is not None:
        lines.append(f"seed: {options.seed}")
    return "\n".join(lines) + "\n"


def keep_cases(text: str, own: str, selected: Experiment) -> str:
    """Return the config of a script with only the cases of an experiment.

    Args:
        text: the config with all cases.
        own: the reference to the script.
        selected: the experiment of the config, with the cases to keep.
    """
    workers: dict[tuple[str, str], list[str]] = {}
    for case in selected.cases:
        workers.setdefault((case.strategy, case.client), []).append(str(case.workers))
    lines = text.splitlines()
    first = lines.index("strategies:") + 1
    behind = next(place for place, line in enumerate(lines) if place > first and not line.startswith(" "))
    lines[0] = (
        f"# Measures some cases of {own} and its references. Paths are relative to the folder of this file."
    )
    lines[first:behind] = [
        f"  - {{{', '.join(_selected_keys(own, selected, *case, counts))}}}"
        for case, counts in workers.items()
    ]
    return "\n".join(lines) + "\n"


def _selected_keys(
    own: str, selected: Experiment, strategy: str, client: str, workers: Sequence[str]
) -> Iterator[str]:
    """Yield the keys of an entry of ``strategies`` that has one client and some numbers of workers."""
    described = selected.strategies[strategy]
    yield f"name: {strategy if is_shipped(described.file) else _quote(own)}"
    if client != NO_CLIENT:
        yield f"clients: [{_quote(own if client in selected.own_clients else client)}]"
    if described.takes_workers:
        yield f"workers: [{', '.join(workers)}]"


def _choose_references(
    named: Sequence[str], strategies: Mapping[str, Strategy], known: Mapping[str, Client]
) -> dict[str, list[str]]:
    """Return the clients of each reference: those named that fit, or else its own."""
    chosen = {}
    for strategy, default in _REFERENCES:
        face = strategies[strategy].face
        chosen[strategy] = [name for name in named if face in known[name].faces] or [default]
    return chosen


def _add_own_client(
    clients_of: dict[str, list[str]], form: FunctionForm, own: str, strategies: Mapping[str, Strategy]
) -> None:
    """Add a function that downloads one URL as a client of each shipped strategy that fits.

    Of what it can do beyond that nothing is known, and machines of a cluster have no such function.
    """
    face = {"url": "sync", "async url": "async"}.get(form.kind)
    for each in strategies.values():
        if each.face == face is not None and not (each.needs or each.unavailable or each.uses_cluster):
            clients_of.setdefault(each.name, []).append(own)


def _entry(strategy: Strategy, clients: Sequence[str], workers: Sequence[str]) -> str:
    """Return an entry of ``strategies`` as a mapping in one line of YAML."""
    counts = dict.fromkeys(str(min(int(each), _MOST_PROCESSES)) for each in workers)
    limit = f", workers: [{', '.join(counts)}]" if strategy.starts_processes else ""
    return f"{{name: {strategy.name}, clients: [{', '.join(map(_quote, clients))}]{limit}}}"


def reference_text(code: CodeReference, form: FunctionForm) -> str:
    """Return the reference as the config has it, with the function unless it is ``download_many``."""
    if code.module:
        return f"{code.module}:{form.name}"
    return code.path if form.name == ENTRY and form.kind in {"job", "codes"} else f"{code.path}:{form.name}"


def _config_name(code: CodeReference, form: FunctionForm) -> str:
    stem = code.module.rpartition(".")[2] if code.module else Path(code.path).stem
    return (stem if form.name == ENTRY else f"{stem}.{form.name}").lstrip("_")[:64]


def _quote(text: str) -> str:
    """Quote a text for YAML unless it is a plain word."""
    is_plain = text.replace("_", "a").replace("/", "a").replace(".", "a").isalnum() and text.isascii()
    return text if is_plain else "'" + text.replace("'", "''") + "'"


def _workers(text: str | None) -> list[str]:
    parse = parse_whole(1, 10_000)
    counts = ["20"] if text is None else _names("--workers", text)
    for count in counts:
        _checked("--workers", parse, count)
    return list(dict.fromkeys(counts))


def _countries(text: str | None) -> tuple[str, int]:
    """Return the countries for YAML, one word or a list of codes, and their number."""
    words = ["pop20"] if text is None else _names("--countries", text)
    if len(words) == 1:
        codes = _checked("--countries", codes_of, words[0])
        return (words[0] if len(codes) > 1 else f"['{codes[0]}']"), len(codes)
    codes = tuple(dict.fromkeys(_checked("--countries", parse_code, word) for word in words))
    quoted = ", ".join(f"'{code}'" for code in codes)  # NO is Norway, and not false
    return f"[{quoted}]", len(codes)


def _profile(options: ScriptOptions) -> tuple[str, float]:
    """Return the profile for YAML, and its longest latency in seconds."""
    if options.profile is not None and options.latency is not None:
        raise UsageError("--profile names a server with its latency", hint="leave out --latency or --profile")
    if options.profile is None:
        return _latency(options.latency or _DEFAULT_LATENCY)
    if options.profile not in PRESETS:
        raise UsageError(
            f"--profile: {unknown_word('profile', options.profile, PRESETS)}",
            hint=f"there are {join_and(list(PRESETS))}; or give a --latency such as 50ms",
        )
    match PRESETS[options.profile].latency:
        case Uniform(_, high_s):
            scale = f"{_PRESET_SCALE:.0%}"
            return f"{{preset: {options.profile}, scale: {scale}}}", high_s * _PRESET_SCALE
    return options.profile, 0.0


def _latency(text: str) -> tuple[str, float]:
    low, dash, high = text.partition("-")
    low_s = _checked("--latency", parse_duration, low)
    if not dash:
        return f"{{latency: {low}}}", low_s
    high_s = _checked("--latency", parse_duration, high)
    if high_s < low_s:
        raise UsageError(f"--latency: {low} is above {high}", hint=f"write {high}-{low}")
    return f"{{latency: {{uniform: [{low}, {high}]}}}}", high_s


def _names(option: str, text: str | None) -> list[str]:
    """Return the words of an option that takes several, with commas between."""
    if text is None:
        return []
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise UsageError(f"{option}: an empty item in {text!r:.60}", hint="write items with commas between")
    return list(dict.fromkeys(words))


def _checked(option: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option} {error}") from error
