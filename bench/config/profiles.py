"""Read profiles: presets by name, and others by their latency, bandwidth, faults and encryption."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, ValidationInfo, field_validator, model_validator

from bench.config.body_sizes import SizesField, large_size, name_sizes, typical_size
from bench.config.faults import FaultField, Protocol, check_faults
from bench.config.forms import (
    Editor,
    FieldError,
    Form,
    FromForm,
    Named,
    OneOrMore,
    Shorthand,
    Text,
    key,
    reject,
    under_key,
)
from bench.config.lookup import LookupContext
from bench.config.samples import read_sample
from bench.config.scalars import (
    DURATION_EDITOR,
    DURATION_UNITS,
    Duration,
    Factor,
    Name,
    PositiveDuration,
    Share,
    Size,
    Truth,
    duration_text,
    one_of,
    parse_duration,
    whole,
)
from bench.model.body_sizes import LogNormalSize
from bench.model.cases import Fault, Fixed, Latency, LogNormal, Profile, Sampled, Uniform, Unknown
from bench.model.planned_delays import least_connect_s, most_connect_s
from bench.model.profile_presets import PRESETS, preset
from bench.model.text import size_text
from bench.system.optional_dependencies import TLS, missing_extra

_FILE_EDITOR: Final[Editor] = {"type": "string", "examples": ["latencies.csv"]}


class LogNormalForm(Form):
    """A log-normal distribution, by the two figures that people know of their services."""

    median: PositiveDuration = key(..., "Half of all answers take longer than this.")
    p99: PositiveDuration = key(..., "One answer of a hundred takes longer than this.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.p99 < self.median:
            raise ValueError("p99 is below the median")
        return self


class SampleForm(Form):
    """Latencies in a file; of more than a thousand, a thousand quantiles are kept with each run."""

    file: Annotated[Path, Named(LookupContext.existing_file, _FILE_EDITOR)] = key(
        ..., "The file, relative to the config: UTF-8, with one value a line such as `12ms`, or CSV."
    )
    column: Annotated[str, Text(str, {"type": "string", "examples": ["request_time"]})] | None = key(
        None, "The name of the column, for a CSV file with names in its first line."
    )
    unit: Annotated[str, one_of("unit", DURATION_UNITS)] | None = key(
        None, "The unit of plain numbers; without it, each value has its own."
    )


def _read_latencies(form: SampleForm) -> Sampled:
    return Sampled(read_sample(form.file, form.column, form.unit, parse_duration))


class LatencyForm(Form):
    """The time that the server waits before it answers; it takes exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    fixed: Duration | None = key(None, "The same for every answer; `latency: 50ms` is short for it.")
    uniform: tuple[Duration, ...] | None = key(
        None,
        "The lowest and the highest latency; any between them is as likely as any other.",
        minItems=2,
        maxItems=2,
        examples=[["20ms", "80ms"]],
    )
    lognormal: LogNormalForm | None = key(
        None, "The long tail of real services, by its median and its 99th percentile."
    )
    sample: (
        Annotated[
            Sampled,
            FromForm(SampleForm, _read_latencies),
            Shorthand(under_key("file"), _FILE_EDITOR),
        ]
        | None
    ) = key(None, "A file of latencies that you have measured; each is as likely as any other.")

    @field_validator("uniform")
    @classmethod
    def _check_bounds(cls, uniform: tuple[float, ...]) -> tuple[float, ...]:
        if len(uniform) != 2:  # noqa: PLR2004  a lower and an upper bound
            raise ValueError("must be two durations, the lowest and the highest")
        if uniform[0] > uniform[1]:
            raise ValueError("the lowest latency is above the highest")
        return uniform

    @model_validator(mode="after")
    def _check_one_key(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("must have exactly one of the keys fixed, uniform, lognormal and sample")
        return self

    def latency(self) -> Latency:
        """Return the latency as a value of the model."""
        if self.uniform is not None:
            return Uniform(*self.uniform)
        if self.lognormal is not None:
            return LogNormal(self.lognormal.median, self.lognormal.p99)
        if self.sample is not None:
            return self.sample
        return Fixed(self.fixed or 0.0)


LatencyField: TypeAlias = Annotated[
    Latency, FromForm(LatencyForm, LatencyForm.latency), Shorthand(under_key("fixed"), DURATION_EDITOR)
]


def _check_name(name: str) -> str:
    if name in PRESETS:
        raise ValueError(f"'{name}' is the name of a preset; choose another name")
    return name


class ProfileForm(Form):
    """How the flag server behaves: one of the chapter's servers, or figures of its own."""

    model_config = ConfigDict(
        json_schema_extra={
            "dependentRequired": {"scale": ["preset"]},
            "dependentSchemas": {"preset": {"propertyNames": {"enum": ["preset", "scale"]}}},
            "if": {"required": ["http2"], "properties": {"http2": {"enum": [True, "true"]}}},
            "then": {"required": ["tls"], "properties": {"tls": {"enum": [True, "true"]}}},
        }
    )

    preset: Annotated[str, one_of("profile", PRESETS)] | None = key(
        None,
        "One of the chapter's servers. local: no delay; delay: 0.5 to 5 s; error: the same, and 25% of the "
        "fetches end in 418.",
    )
    scale: Factor = key(1.0, "Multiplies the delays of the preset.")
    name: Annotated[Name, AfterValidator(_check_name)] | None = key(
        None,
        "The name in tables and case ids; made from the figures if left out.",
        **{"not": {"enum": list(PRESETS)}},
    )
    latency: LatencyField = key(
        "0ms",
        "From the arrival of a request to the first byte of its answer. A mapping draws it from a "
        "distribution, or from values that you have measured.",
    )
    jitter: Duration = key("0ms", "Moves each latency by a uniform draw, up to this much up or down.")
    connect_latency: Duration = key(
        "0ms",
        "Delays each new connection, and each round trip of a TLS handshake: its first request arrives this "
        "much later, twice as much with TLS 1.3 and three times with TLS 1.2.",
    )
    bandwidth: Size | None = key(None, "The bytes per second of each answer's body.")
    sizes: SizesField | None = key(
        None,
        "The size of the bodies, 1 kB to 10 MiB: made-up bytes in place of the flags, which are served if it "
        "is left out. Not together with `preset`, `flags_dir` or `target`.",
    )
    error_rate: Share = key(0.0, "The share of fetches that are answered with `error_status`.")
    error_status: Annotated[int, whole(400, 599)] = key(
        418, "The status of an error; the chapter's server answers 418."
    )
    tls: Truth = key("false", "Whether connections are encrypted; needs the extra `tls`.")
    http2: Truth = key("false", "Whether the server speaks HTTP/2, and nothing else; needs `tls: true`.")
    faults: OneOrMore[FaultField] = key(
        (), "Other faults, and how often they happen; `list faults` describes them."
    )

    @field_validator("tls")
    @classmethod
    def _check_installed(cls, tls: bool) -> bool:  # noqa: FBT001  pydantic's way
        if tls and (missing := missing_extra(TLS)):
            raise ValueError(str(missing))
        return tls

    @field_validator("http2")
    @classmethod
    def _check_encrypted(cls, http2: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  pydantic's way
        if http2 and not info.data.get("tls", True):
            raise ValueError("needs 'tls: true'")
        return http2

    @field_validator("faults")
    @classmethod
    def _check_faults(cls, faults: tuple[Fault, ...], info: ValidationInfo) -> tuple[Fault, ...]:
        encrypted: Protocol = "HTTP/2" if info.data.get("http2") else "HTTP/1.1 over TLS"
        protocol: Protocol = encrypted if info.data.get("tls") else "HTTP/1.1"
        reject(check_faults(faults, info.data.get("error_rate", 0.0), protocol))
        if info.data.get("sizes") is not None and protocol != "HTTP/2":
            what = "surplus_bytes cannot be combined with 'sizes': aiohttp sees them after small bodies only"
            reject(
                [
                    FieldError((index,), what)
                    for index, each in enumerate(faults)
                    if each.kind == "surplus_bytes"
                ]
            )
        return faults

    @model_validator(mode="after")
    def _check_preset(self) -> Self:
        if self.preset is None:
            misplaced, what = self.model_fields_set & {"scale"}, "needs 'preset'"
        else:
            misplaced = self.model_fields_set - {"preset", "scale"}
            what = "cannot be combined with 'preset'"
        reject([FieldError((key,), what) for key in sorted(misplaced)])
        return self

    def profile(self) -> Profile:
        """Return the profile as a value of the model."""
        if self.preset is not None:
            return preset(self.preset, self.scale)
        errors = (Fault("status", self.error_rate, self.error_status),) if self.error_rate else ()
        faults = (*errors, *self.faults)
        name = self.name or self._name_of_figures(faults)
        return Profile(
            name,
            self.latency,
            self.jitter,
            self.bandwidth,
            faults,
            self.tls,
            self.http2,
            connect_latency_s=self.connect_latency,
            sizes=self.sizes,
        )

    def _name_of_figures(self, faults: Sequence[Fault]) -> str:
        match self.latency:
            case Fixed(seconds):
                figures = [duration_text(seconds)]
            case Uniform(low_s, high_s):
                figures = [f"{duration_text(low_s)}-{duration_text(high_s)}"]
            case LogNormal(median_s, p99_s):
                figures = [f"{duration_text(median_s)}-p99-{duration_text(p99_s)}"]
            case Sampled():
                median, p99 = map(_rounded_text, (self.latency.median_s, self.latency.p99_s))
                figures = [f"sample-{median}-p99-{p99}"]
        if self.jitter:
            figures.append(f"jitter-{duration_text(self.jitter)}")
        if self.connect_latency:
            figures.append(f"connect-{duration_text(self.connect_latency)}")
        if self.bandwidth is not None:
            figures.append(size_text(self.bandwidth))
        if self.sizes is not None:
            figures.append(name_sizes(self.sizes))
        figures.extend(f"{fault.rate * 100:g}%-{fault.status or fault.kind}" for fault in faults)
        if self.tls:
            figures.append("http2" if self.http2 else "tls")
        return "+".join(figures)


def _rounded_text(seconds: float) -> str:
    return duration_text(float(f"{seconds:.3g}"))


ProfileField: TypeAlias = Annotated[
    Profile,
    FromForm(ProfileForm, ProfileForm.profile),
    Shorthand(under_key("preset"), {"enum": list(PRESETS)}),
]


def repeated_names(profiles: Sequence[Profile]) -> list[FieldError]:
    """Find profiles that have the name of an earlier one."""
    names = [profile.name for profile in profiles]
    return [
        FieldError((index,), f"another profile is also named '{name}'; name one of them")
        for index, name in enumerate(names)
        if name in names[:index]
    ]


def too_slow(profile: Profile, request_timeout_s: float) -> str | None:
    """Return why even the quick answers of a profile exceed the time-out, or None; a target's are unknown."""
    match profile.latency:
        case Unknown():
            return None
        case Fixed(seconds):
            least_s, verb = seconds, "waits"
        case Uniform(low_s, _):
            least_s, verb = low_s, "waits at least"
        case LogNormal(median_s, _):
            least_s, verb = median_s, "mostly waits"
        case Sampled():
            least_s, verb = profile.latency.median_s, "mostly waits"
    least_s, connect_s = max(0.0, least_s - profile.jitter_s), least_connect_s(profile)
    timeout = duration_text(request_timeout_s)
    connecting = f"opens a connection in {duration_text(connect_s)} and then " if connect_s else ""
    if connect_s + least_s >= request_timeout_s:
        return f"{connecting}{verb} {duration_text(least_s)}, but request_timeout is {timeout}"
    if profile.sizes is None or profile.bandwidth is None:
        return None
    size = typical_size(profile.sizes)
    if connect_s + least_s + size / profile.bandwidth < request_timeout_s:
        return None
    takes = duration_text(float(f"{size / profile.bandwidth:.3g}"))
    body = f"a body of {size_text(size)} at {size_text(profile.bandwidth)}/s"
    return f"{connecting}takes {takes} for {body}, but request_timeout is {timeout}"


def partly_too_slow(profile: Profile, request_timeout_s: float) -> str | None:
    """Return why the slowest answers of a profile exceed the time-out, or None."""
    match profile.latency:
        case Unknown():
            return None
        case Fixed(most_s) | Uniform(_, most_s):
            most_s, verb = most_s + profile.jitter_s, "answers take up to"
        case Sampled(values_s):
            most_s, verb = values_s[-1] + profile.jitter_s, "answers take up to"
        case LogNormal(_, p99_s):
            most_s, verb = p99_s, "one answer of a hundred takes more than"
    if profile.sizes is not None and profile.bandwidth is not None:
        most_s += large_size(profile.sizes) / profile.bandwidth
        if isinstance(profile.sizes, LogNormalSize):
            verb = "one answer of a hundred takes more than"
    connect_s = most_connect_s(profile)
    if connect_s + most_s <= request_timeout_s:
        return None
    timeout = duration_text(request_timeout_s)
    share = "some fetches may" if isinstance(profile.sizes, LogNormalSize) else "some fetches will"
    slowest = f"{verb} {duration_text(most_s)}"
    if connect_s:
        slowest += f", new connections up to {duration_text(connect_s)}"
        if most_s <= request_timeout_s:
            share = "some fetches may"
    return f"{slowest}, and request_timeout is {timeout}; {share} time out"
