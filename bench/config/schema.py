"""Define the keys of a config, their defaults and the checks between them.

To add a key, edit three files: give ``ConfigForm`` a field here, give ``Experiment`` an attribute in
``bench/model/cases.py``, and pass the value on in ``resolve`` of ``loader.py``. Most fields need no more
than a type of ``scalars.py``: ``whole``, ``one_of``, ``Duration``, ``Share``, ``Truth``, or ``OneOrMore`` of
one. A key that holds a mapping takes a ``Form`` of its own, which ``FORMS`` lists. A default that changes
what is measured also belongs to ``config_record`` of ``bench/runner/run_document.py``, and then changes the
hash of every config. Afterwards write ``configs/schema.json`` anew with ``python -m bench schema``, and
the tables of docs/config.md with ``python -m docs.pages write``: both have the descriptions of the fields.
The tests name the other docs and fixtures that list all keys.

Fields are in the order in which their checks need each other: pydantic gives a validator the valid values
of the fields above its own, so that an error in one key hides no error of another.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, ValidationInfo, field_validator, model_validator

from bench.config.blocks import (
    PRECISION_NEEDS_INTERVAL,
    RANGE_NEEDS_STOPPING,
    Blocks,
    BlocksField,
    BlocksForm,
    check_blocks,
)
from bench.config.body_sizes import SizesForm
from bench.config.case_matrix import AXIS_KEYS, Axes, axes_of, target_profile
from bench.config.clients import ClientForm, Clients
from bench.config.compatibility import StrategyEntry, check_protocol, check_shared_connections
from bench.config.countries import CountriesField, CountriesForm
from bench.config.faults import FaultForm
from bench.config.forms import (
    FieldError,
    Form,
    Named,
    OneOrMore,
    Shorthand,
    Text,
    key,
    one_or_more,
    reject,
)
from bench.config.lookup import LookupContext
from bench.config.offered_rate import (
    OfferedRate,
    OfferedRates,
    RateKey,
    find_long_schedules,
    find_rate_conflicts,
)
from bench.config.processing import ProcessField, ProcessForm
from bench.config.profiles import (
    LatencyForm,
    LogNormalForm,
    ProfileField,
    ProfileForm,
    SampleForm,
    repeated_names,
    too_slow,
)
from bench.config.scalars import (
    Name,
    PositiveDuration,
    PositiveShare,
    Share,
    Truth,
    one_of,
    parse_host,
    whole,
    whole_or_auto,
)
from bench.config.schedulers import (
    SchedulerField,
    SchedulerForm,
    default_schedulers,
    find_unfit_clients,
    repeated_addresses,
)
from bench.config.strategies import (
    KeepAlive,
    StrategyField,
    StrategyForm,
    Workers,
    check_entries,
)
from bench.config.target import TargetEntry, TargetField, TargetForm, find_unfit_strategies
from bench.config.thresholds import ThresholdsByPattern, ThresholdsField, unmatched_patterns
from bench.config.variants import VariantForm, VariantsField
from bench.model.cases import LOOPBACK, PROBES, Profile
from bench.model.comparison import DEFAULT_METRICS, METRICS, Bound, Metric
from bench.model.scheduler import EMBEDDED, Scheduler

MAX_CASES: Final = 10_000

_HOST_EDITOR: Final = {"type": "string", "examples": ["10.0.0.5"]}
_FOLDER_EDITOR: Final = {"type": "string", "examples": ["../flags"]}


def _order_metrics(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Put metrics into one order, so that the same choice is the same setting."""
    return tuple(metric for metric in METRICS if metric in metrics)


def _order_probes(probes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(probe for probe in PROBES if probe in probes)


def _expand_probes(value: object) -> object:
    match value:
        case "all":
            return list(PROBES)
        case "none":
            return []
        case []:
            raise ValueError("must not be empty; write none")
        case _:
            return one_or_more(value)


Metrics: TypeAlias = Annotated[
    OneOrMore[Annotated[Metric, one_of("metric", METRICS)]], AfterValidator(_order_metrics)
]
Probes: TypeAlias = Annotated[
    tuple[Annotated[str, one_of("probe", PROBES, near=("all", "none"))], ...],
    AfterValidator(_order_probes),
    Shorthand(_expand_probes, {"enum": ["all", "none", *PROBES]}),
]


class ConfigForm(Form):
    """One experiment of flagbench: strategies, clients, workers and profiles, compared in random blocks."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "anyOf": [
                    {"required": ["profile", "profiles"]},
                    {"required": ["rate", "rates"]},
                    {"required": ["target", "profile"]},
                    {"required": ["target", "profiles"]},
                    {"required": ["target", "flags_dir"]},
                    {"required": ["target", "host"]},
                ]
            },
            "patternProperties": {"^x-": {}},
            "allOf": [RANGE_NEEDS_STOPPING, PRECISION_NEEDS_INTERVAL],
        }
    )

    name: Name | None = key(None, "Names the run's folder; the config's own file name if left out.")
    countries: CountriesField = key(
        "pop20",
        "The flags that a round downloads. pop20: the chapter's twenty; all: its 194; every: AA to ZZ, most "
        "of which are not found; B: BA to BZ; or codes in any case. A mapping adds a limit and repeats.",
    )
    process: ProcessField = key(
        "none",
        "CPU work on each flag once it is saved, in the thread, coroutine or process that has downloaded it. "
        "Only strategies that open a client of flagbench can do it.",
    )
    workers: Workers = key(
        ["20"],
        "How many downloads may be in flight at once; capped at the number of fetches.",
        default=[20],
    )
    clients: Clients = key(
        ["requests", "httpx", "aiohttp"],
        "The HTTP libraries; each strategy runs with those that it can use. A mapping asks for versions of "
        "one, each in an environment of its own.",
    )
    keep_alive: KeepAlive = key(
        ["true"],
        "Whether a connection serves more than one request. `[true, false]` makes cases of both, except for "
        "functions of your own that open no client of flagbench.",
        default=True,
    )
    connection_limit: OneOrMore[Annotated[int | None, whole_or_auto(1, 10_000)]] = key(
        ["auto"],
        "How many connections a client may have open, if its library limits them; auto: as many as workers. "
        "A list makes cases of each.",
        default="auto",
    )
    scheduler: OneOrMore[SchedulerField] | None = key(
        None,
        "Where strategies for a cluster, such as dask, download. embedded: a cluster that each trial starts "
        "on this machine. If left out, DASK_SCHEDULER_ADDRESS may name a tcp:// address of this machine. A "
        "list makes cases of each.",
        default="embedded",
    )
    strategies: OneOrMore[StrategyField] = key(
        ...,
        "What is compared: names of shipped strategies, or Python files relative to the config. A mapping "
        "gives a strategy clients, workers or keep-alive of its own.",
    )
    request_timeout: PositiveDuration = key(
        "10s", "The longest that a whole fetch may take. A note names profiles that may answer later."
    )
    profile: ProfileField | None = key(
        None,
        "How the flag server behaves: a preset, or figures of your own. Not together with `profiles` or "
        "`target`.",
        default="local",
    )
    profiles: OneOrMore[ProfileField] | None = key(
        None,
        "Several behaviours of the flag server, with cases of each. Not together with `profile` or `target`.",
    )
    target: TargetField | None = key(
        None,
        "A server of your own that is measured instead of the flag server: its address, or a mapping. Not "
        "together with `profile`, `profiles`, `flags_dir` and `host`.",
    )
    rate: OfferedRate | None = key(
        None,
        "Fetches that are begun in a second, however many are in flight (an open loop); latencies count from "
        "when each is due. Only for strategies that open a client of flagbench, not for clusters, nor "
        "together with `precision` or `target.rate`.",
    )
    rates: OfferedRates | None = key(
        None,
        "Two or more such rates, with cases of each; the first table says up to which of them a case keeps "
        "up and keeps the bounds of `thresholds`. Not together with `rate`.",
    )
    host: Annotated[str, Text(parse_host, _HOST_EDITOR)] | None = key(
        None,
        "Where the flag server listens: an IP address of this machine, which machines of a cluster can "
        "reach. One that is not loopback needs `--allow-remote`. Not together with `target`.",
        default=LOOPBACK,
    )
    precision: PositiveShare | None = key(
        None,
        "A case ends once the 95% interval of its median is within this share of it: 3% is ±3%. It needs at "
        "least 6 blocks; `ab` does not use it.",
    )
    budget: PositiveDuration | None = key(
        None,
        "Once trials have taken this long, no further block begins. `ab` begins none that would exceed it, "
        "and has 280s if it is left out.",
    )
    blocks: BlocksField | None = key(
        None,
        "How often every case is run, each time in a fresh process; 64 at the most if only `precision` is "
        "given. With a mapping, `precision` and `budget` decide between its bounds. `ab` does not use it.",
        default=10,
    )
    rounds: Annotated[int | None, whole_or_auto(1, 1000)] = key(
        "auto",
        "Timed rounds of a trial, after its warm-up; if they take less than 0.1 s, more of them, up to 20. "
        "auto: 1 to 5, until 0.5 s is timed; in `ab` 5 for each variant.",
    )
    deadline: PositiveDuration = key(
        "60s",
        "The longest that a trial may take from the start of its process; a longer one is killed and counts "
        "as `timeout`. A config whose schedules of `rate` take longer is refused.",
    )
    seed: Annotated[int, whole(0, 10**15 - 1)] = key(
        1, "Draws the order of cases in each block, and the server's delays, sizes and faults."
    )
    probes: Probes = key("all", "What is measured besides time: all, none, or some of these.")
    pinning: Truth = key(
        "true",
        "Whether server, worker and harness have CPUs of their own, if there are enough.",
        default=True,
    )
    disturbed: Annotated[Literal["refuse", "keep"], one_of("value", ("refuse", "keep"))] = key(
        "keep",
        "keep: trials that a busy machine slowed down count, and a line below the table says so. refuse: "
        "they are discarded and repeated.",
    )
    process_names: Truth = key(
        "true",
        "Whether the command names of other programs that used the machine are printed and stored. false: "
        "only how much they used in all.",
        default=True,
    )
    flags_dir: Annotated[Path, Named(LookupContext.existing_folder, _FOLDER_EDITOR)] | None = key(
        None,
        "Another folder of flags to serve, named `br.gif` or `br/br.gif` in any case; relative to "
        "the config.",
    )
    margin: Share = key(
        "3%",
        "The least difference between two cases of a run that matters: cases that are surely closer are "
        "practically equal. It changes how a run is read, not what is measured; comparisons have "
        "`thresholds`.",
    )
    variants: VariantsField | None = key(
        None, "The two variants that `ab` compares, base first: text as on the command line, or a mapping."
    )
    metrics: Metrics = key(
        list(DEFAULT_METRICS),
        "What `ab` compares. elapsed: the time of a round; p99: the 99th percentile of the fetches of a "
        "trial; cpu: CPU time of a round; memory: the peak of a trial.",
    )
    thresholds: ThresholdsField | None = key(
        None,
        "By shell pattern of case ids: the greatest change that is still equivalent (5% if left out; the "
        "last pattern that matches counts), and bounds that the candidate has to keep.",
    )

    @field_validator("strategies")
    @classmethod
    def _check_strategies(
        cls, entries: tuple[StrategyEntry, ...], info: ValidationInfo[LookupContext]
    ) -> tuple[StrategyEntry, ...]:
        clients, keep_alive = info.data.get("clients"), info.data.get("keep_alive")
        errors = check_entries(entries, clients, info.context.clients.values(), keep_alive)
        using = next((index for index, entry in enumerate(entries) if entry.strategy.uses_cluster), None)
        if using is not None and info.data.get("scheduler", ()) is None:
            try:
                default_schedulers(os.environ)
            except ValueError as error:
                errors.append(FieldError((using,), str(error)))
        reject(errors)
        return entries

    @field_validator("scheduler")
    @classmethod
    def _check_schedulers(cls, schedulers: tuple[Scheduler, ...]) -> tuple[Scheduler, ...]:
        reject(repeated_addresses(schedulers))
        return schedulers

    @field_validator("profile")
    @classmethod
    def _check_profile(cls, profile: Profile, info: ValidationInfo[LookupContext]) -> Profile:
        reject(_profile_errors(profile, info))
        return profile

    @field_validator("profiles")
    @classmethod
    def _check_profiles(
        cls, profiles: tuple[Profile, ...], info: ValidationInfo[LookupContext]
    ) -> tuple[Profile, ...]:
        if info.data.get("profile") is not None:
            raise ValueError("cannot be combined with 'profile'; keep one of them")
        errors = repeated_names(profiles)
        for index, profile in enumerate(profiles):
            errors += [error.below(index) for error in _profile_errors(profile, info)]
        reject(errors)
        return profiles

    @field_validator("target")
    @classmethod
    def _check_target(cls, target: TargetEntry, info: ValidationInfo[LookupContext]) -> TargetEntry:
        if info.data.get("profile") is not None or info.data.get("profiles") is not None:
            raise ValueError("cannot be combined with a profile: your server has delays of its own")
        errors = _profile_errors(target_profile(target.url), info)
        reject([*errors, *find_unfit_strategies(target, info.data.get("strategies", ()))])
        return target

    @field_validator("rates")
    @classmethod
    def _check_rates(cls, rates: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        if info.data.get("rate") is not None:
            raise ValueError("cannot be combined with 'rate'; keep one of them")
        if len(rates) == 1:
            raise ValueError("must be several; a single one is 'rate'")
        return rates

    @field_validator("host")
    @classmethod
    def _check_host(cls, host: str, info: ValidationInfo) -> str:
        if info.data.get("target") is not None:
            raise ValueError("cannot be combined with 'target', in place of which no flag server runs")
        return host

    @field_validator("flags_dir")
    @classmethod
    def _check_flags_dir(cls, folder: Path, info: ValidationInfo) -> Path:
        if info.data.get("target") is not None:
            raise ValueError("cannot be combined with 'target', which has files of its own")
        profiles = (info.data.get("profile"), *(info.data.get("profiles") or ()))
        if sized := next((each.name for each in profiles if each is not None and each.sizes), None):
            raise ValueError(
                f"cannot be combined with the 'sizes' of profile {sized}, which take the place of the flags"
            )
        return folder

    @field_validator("blocks")
    @classmethod
    def _check_blocks(cls, blocks: Blocks, info: ValidationInfo) -> Blocks:
        is_known = {"precision", "budget"} <= info.data.keys()
        if blocks.least is not None and is_known and not (info.data["precision"] or info.data["budget"]):
            reject([FieldError(("min",), "needs 'precision' or 'budget', which decide when to stop")])
        reject(check_blocks(blocks, info.data.get("precision")))
        return blocks

    @field_validator("thresholds")
    @classmethod
    def _check_patterns(cls, thresholds: ThresholdsByPattern, info: ValidationInfo) -> ThresholdsByPattern:
        if info.data.keys() >= AXIS_KEYS and (axes := axes_of(info.data)).most <= MAX_CASES:
            reject(unmatched_patterns([*thresholds], axes.cases(installed=False)))
        return thresholds

    @model_validator(mode="after")
    def _check_planned(self) -> Self:
        if self.target is None:
            return self
        errors = []
        if self.target.files and "countries" in self.model_fields_set:
            what = "cannot be combined with the files of 'target'; for more downloads, give that 'repeat'"
            errors.append(FieldError(("countries",), what, at_key=True))
        errors += [
            FieldError(("thresholds", pattern), "efficiency needs planned delays, which a target has not")
            for pattern, each in (self.thresholds or {}).items()
            if any(isinstance(bound, Bound) and bound.figure == "efficiency" for bound in each)
        ]
        rate, fetches = self.target.rate, self._most_fetches() * (1 + (self.rounds or 1))
        if rate is not None and (least_s := (fetches - 1) / rate) > self.deadline:
            what = (
                f"makes a trial of {fetches:,} fetches take {least_s:,.0f} s at least, more than 'deadline'"
            )
            errors.append(FieldError(("target", "rate"), what))
        if rate is not None:
            needing = [
                entry.strategy for entry in self.strategies if "connection_limit" in entry.strategy.needs
            ]
            waiting = [each.name for each in needing] + ["connection_limit"] * any(self.connection_limit)
            what = "cannot be combined with 'target.rate': what waits for a connection would start at once"
            errors += [FieldError((), f"{each} {what}") for each in waiting]
        reject(errors)
        return self

    @model_validator(mode="after")
    def _check_process(self) -> Self:
        if any(each.times for each in self.process):
            reject(
                [
                    FieldError(("process",), f"{name} opens no client of flagbench, which would do the work")
                    for name in (each.strategy.name for each in self.strategies if each.strategy.face is None)
                ]
            )
        return self

    @model_validator(mode="after")
    def _check_open_loop(self) -> Self:
        key: RateKey = "rate" if self.rates is None else "rates"
        rates = self.axes.rates
        if not any(rates):
            return self
        fetches, rounds = self._most_fetches(), self.rounds or 1
        what = "cannot be combined with an open loop, whose schedule decides how long a round takes"
        reject(
            [
                *([FieldError(("precision",), f"{what}; remove it")] if self.precision else []),
                *find_rate_conflicts(key, self.strategies, self.target),
                *find_long_schedules(key, rates, fetches, rounds, self.deadline),
            ]
        )
        return self

    @model_validator(mode="after")
    def _check_cluster(self) -> Self:
        if not any(entry.strategy.uses_cluster for entry in self.strategies):
            if self.scheduler is not None:
                what = "is for strategies that download on a cluster, such as dask; remove the key"
                reject([FieldError(("scheduler",), what, at_key=True)])
            return self
        schedulers = self.axes.schedulers
        errors = list(find_unfit_clients(schedulers, self.strategies, self.clients))
        elsewhere = [each.address for each in schedulers if each.address != EMBEDDED]
        if elsewhere and self.target is not None and self.target.rate is not None:
            what = (
                f"cannot be kept by the machines of {elsewhere[0]}, which share no file with this one; leave "
                "it out, or use 'scheduler: embedded'"
            )
            errors.append(FieldError(("target", "rate"), what))
        reject(errors)
        return self

    @model_validator(mode="after")
    def _check_number_of_cases(self) -> Self:
        if (cases := self.axes.most) > MAX_CASES:
            raise ValueError(f"makes up to {cases:,} cases; the limit is {MAX_CASES:,}")
        has_limits = None not in self.connection_limit or any(
            "connection_limit" in entry.strategy.needs for entry in self.strategies
        )
        if has_limits and not self.axes.cases(installed=False):
            raise ValueError("has no case, as no client limits its connections; over HTTP/2 none does")
        return self

    def _most_fetches(self) -> int:
        return max(each.count for each in self.axes.countries)

    @property
    def axes(self) -> Axes:
        """The values that are multiplied to cases."""
        return axes_of(dict(self))


def _profile_errors(profile: Profile, info: ValidationInfo[LookupContext]) -> list[FieldError]:
    """Find conflicts of a profile with the keys above it, as far as those are valid."""
    values = info.data
    reasons = [too_slow(profile, values.get("request_timeout", math.inf))]
    errors: list[FieldError] = []
    if "strategies" in values:
        entries, clients = values["strategies"], values.get("clients")
        keep_alive, known = values.get("keep_alive"), info.context.clients.values()
        reasons.append(check_protocol(profile, entries, clients, known, keep_alive or (True, False)))
        if {"workers", "countries"} <= values.keys():
            errors = check_shared_connections(
                profile, entries, values["workers"], keep_alive or (), values["countries"]
            )
    return [*(FieldError((), reason) for reason in reasons if reason), *errors]


FORMS: Final[Mapping[str, type[Form]]] = {
    "": ConfigForm,
    "countries": CountriesForm,
    "process": ProcessForm,
    "strategies": StrategyForm,
    "clients": ClientForm,
    "profile": ProfileForm,
    "profiles": ProfileForm,
    "latency": LatencyForm,
    "lognormal": LogNormalForm,
    "sample": SampleForm,
    "sizes": SizesForm,
    "faults": FaultForm,
    "target": TargetForm,
    "scheduler": SchedulerForm,
    "blocks": BlocksForm,
    "variants": VariantForm,
}
"""The form of a mapping under each key, to suggest the right spelling of an unknown key in it."""
