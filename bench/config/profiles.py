"""The profiles of a config: presets by name, others by their figures."""

from collections.abc import Sequence
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from bench.config.faults import FaultField, Protocol, unfit
from bench.config.latency import LatencyField
from bench.config.pydantic_types import (
    FieldError,
    Form,
    FromForm,
    Shorthand,
    Text,
    key_of,
    one_or_more,
    reject,
    some,
)
from bench.config.quoting import did_you_mean, quote_text
from bench.config.scalars import Duration, Factor, Name, Share, Size, Truth, whole
from bench.config.units import duration_text, size_text
from bench.model import cases
from bench.model.cases import Fixed, LogNormal, Profile, Uniform
from bench.model.profile_presets import PRESETS, preset
from bench.model.text import join_or
from bench.system.optional_dependencies import TLS, missing_extra

_PRESET: Final = {"enum": list(PRESETS)}


def _preset_name(text: str) -> str:
    if text not in PRESETS:
        hint = did_you_mean(text, PRESETS) or f"; the presets are {join_or(PRESETS)}"
        raise ValueError(f"unknown profile {quote_text(text)}{hint}")
    return text


def _own_name(name: str) -> str:
    if name in PRESETS:
        raise ValueError(f"'{name}' is the name of a preset; call these figures otherwise")
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

    preset: Annotated[str, Text(_preset_name, _PRESET)] | None = Field(
        default=None,
        description="One of the chapter's servers.",
    )
    scale: Factor = Field(default=1.0, description="The preset's delays are so many times as long.")
    name: Annotated[Name, AfterValidator(_own_name)] | None = Field(
        default=None,
        description="What tables call it; made from the figures if left out.",
        json_schema_extra={"not": {"enum": list(PRESETS)}},
    )
    latency: LatencyField = Field(
        default="0ms",
        validate_default=True,
        description="From the arrival of a request to the first byte of its answer.",
    )
    jitter: Duration = Field(
        default="0ms", validate_default=True, description="Each latency moves by a uniform draw from ± this."
    )
    bandwidth: Size | None = Field(default=None, description="Bytes per second of each answer's body.")
    error_rate: Share = Field(default=0.0, description="Share of fetches answered with `error_status`.")
    error_status: Annotated[int, whole(400, 599)] = Field(
        default=418, description="What an error answers; 418 is what the chapter's server does."
    )
    tls: Truth = Field(
        default="false", validate_default=True, description="Whether connections are encrypted."
    )
    http2: Truth = Field(
        default="false",
        validate_default=True,
        description="Whether the server speaks HTTP/2, and nothing else; goes only with `tls`.",
    )
    faults: Annotated[tuple[FaultField, ...], AfterValidator(some), Shorthand(one_or_more)] = Field(
        default=(), description="What else goes wrong, and how often."
    )

    @field_validator("tls")
    @classmethod
    def _is_installed(cls, tls: bool) -> bool:  # noqa: FBT001  pydantic's way
        if tls and (lack := missing_extra(TLS)):
            raise ValueError(str(lack))
        return tls

    @field_validator("http2")
    @classmethod
    def _is_encrypted(cls, http2: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  pydantic's way
        if http2 and not info.data.get("tls", True):
            raise ValueError("goes only with 'tls: true'")
        return http2

    @field_validator("faults")
    @classmethod
    def _go_together(cls, faults: tuple[cases.Fault, ...], info: ValidationInfo) -> tuple[cases.Fault, ...]:
        encrypted: Protocol = "HTTP/2" if info.data.get("http2") else "HTTP/1.1 over TLS"
        protocol: Protocol = encrypted if info.data.get("tls") else "HTTP/1.1"
        reject(unfit(faults, info.data.get("error_rate", 0.0), protocol))
        return faults

    @model_validator(mode="after")
    def _preset_or_figures(self) -> Self:
        if self.preset is None:
            strangers = self.model_fields_set & {"scale"}
            what = "goes only with 'preset'"
        else:
            strangers = self.model_fields_set - {"preset", "scale"}
            what = "does not go with 'preset'"
        reject([FieldError((key,), what) for key in sorted(strangers)])
        return self

    def profile(self) -> Profile:
        """Return the profile in the words of the model."""
        if self.preset is not None:
            return preset(self.preset, self.scale)
        return Profile(
            self.name or self._figures(),
            self.latency,
            self.jitter,
            self.bandwidth,
            self._all_faults(),
            self.tls,
            self.http2,
        )

    def _all_faults(self) -> tuple[cases.Fault, ...]:
        errors = (cases.Fault("status", self.error_rate, self.error_status),) if self.error_rate else ()
        return errors + self.faults

    def _figures(self) -> str:
        match self.latency:
            case Fixed(seconds):
                figures = [duration_text(seconds)]
            case Uniform(low_s, high_s):
                figures = [f"{duration_text(low_s)}-{duration_text(high_s)}"]
            case LogNormal(median_s, p99_s):
                figures = [f"{duration_text(median_s)}-p99-{duration_text(p99_s)}"]
        if self.jitter:
            figures.append(f"jitter-{duration_text(self.jitter)}")
        if self.bandwidth is not None:
            figures.append(size_text(self.bandwidth))
        figures.extend(f"{fault.rate * 100:g}%-{fault.status or fault.kind}" for fault in self._all_faults())
        if self.tls:
            figures.append("http2" if self.http2 else "tls")
        return "+".join(figures)


ProfileField: TypeAlias = Annotated[
    Profile, FromForm(ProfileForm, ProfileForm.profile), Shorthand(key_of("preset"), _PRESET)
]


def unsuited(profiles: Sequence[Profile], request_timeout_s: float) -> list[FieldError]:
    """Find profiles that share a name, and profiles that answer too late."""
    names: set[str] = set()
    faults: list[FieldError] = []
    for index, profile in enumerate(profiles):
        if profile.name in names:
            faults.append(
                FieldError((index,), f"another profile is called '{profile.name}' too; name one of them")
            )
        elif reason := too_slow(profile, request_timeout_s):
            faults.append(FieldError((index,), reason))
        names.add(profile.name)
    return faults


def too_slow(profile: Profile, request_timeout_s: float) -> str:
    """Say that even the quick answers of a profile come after the time-out; else nothing."""
    match profile.latency:
        case Fixed(seconds):
            least_s, words = seconds, "waits"
        case Uniform(low_s, _):
            least_s, words = low_s, "waits at least"
        case LogNormal(median_s, _):
            least_s, words = median_s, "mostly waits"
    least_s = max(0.0, least_s - profile.jitter_s)
    if least_s < request_timeout_s:
        return ""
    return f"{words} {duration_text(least_s)}, but request_timeout is {duration_text(request_timeout_s)}"


def partly_too_slow(profile: Profile, request_timeout_s: float) -> str:
    """Say that the slowest answers of a profile come after the time-out; else nothing."""
    match profile.latency:
        case Fixed(seconds):
            most_s, words = seconds + profile.jitter_s, "answers take up to"
        case Uniform(_, high_s):
            most_s, words = high_s + profile.jitter_s, "answers take up to"
        case LogNormal(_, p99_s):
            most_s, words = p99_s, "one answer of a hundred takes more than"
    if most_s <= request_timeout_s:
        return ""
    timeout = duration_text(request_timeout_s)
    return f"{words} {duration_text(most_s)}, and request_timeout is {timeout}; some fetches will time out"
